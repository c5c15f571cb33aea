//go:build amd64 && !purego

#include "textflag.h"
#include "go_asm.h"

// Requires AVX2.
//
// A superblock is made in two halves of 8 blocks, one a lane, whose 16 words lie in
// the frame: word w at 32*w(SP). DX is the table of constants, AX the key, DI the
// destination, CX the superblocks left, R9 the half (0 or 1), and 512(SP) the
// counters.

#define W(w) (32*w)(SP)

// Two quarter rounds at a time: registers 0 to 3 and 4 to 7.
#define QUARTERS(a, b, c, d, e, f, g, h) \
	VMOVDQU W(a), Y0; VMOVDQU W(b), Y1; VMOVDQU W(c), Y2; VMOVDQU W(d), Y3; \
	VMOVDQU W(e), Y4; VMOVDQU W(f), Y5; VMOVDQU W(g), Y6; VMOVDQU W(h), Y7; \
	VPADDD Y1, Y0, Y0; VPADDD Y5, Y4, Y4; \
	VPXOR Y0, Y3, Y3; VPXOR Y4, Y7, Y7; \
	VPSHUFB Y14, Y3, Y3; VPSHUFB Y14, Y7, Y7; \
	VPADDD Y3, Y2, Y2; VPADDD Y7, Y6, Y6; \
	VPXOR Y2, Y1, Y1; VPXOR Y6, Y5, Y5; \
	VPSLLD $12, Y1, Y8; VPSLLD $12, Y5, Y9; \
	VPSRLD $20, Y1, Y1; VPSRLD $20, Y5, Y5; \
	VPOR Y8, Y1, Y1; VPOR Y9, Y5, Y5; \
	VPADDD Y1, Y0, Y0; VPADDD Y5, Y4, Y4; \
	VPXOR Y0, Y3, Y3; VPXOR Y4, Y7, Y7; \
	VPSHUFB Y15, Y3, Y3; VPSHUFB Y15, Y7, Y7; \
	VPADDD Y3, Y2, Y2; VPADDD Y7, Y6, Y6; \
	VPXOR Y2, Y1, Y1; VPXOR Y6, Y5, Y5; \
	VPSLLD $7, Y1, Y8; VPSLLD $7, Y5, Y9; \
	VPSRLD $25, Y1, Y1; VPSRLD $25, Y5, Y5; \
	VPOR Y8, Y1, Y1; VPOR Y9, Y5, Y5; \
	VMOVDQU Y0, W(a); VMOVDQU Y1, W(b); VMOVDQU Y2, W(c); VMOVDQU Y3, W(d); \
	VMOVDQU Y4, W(e); VMOVDQU Y5, W(f); VMOVDQU Y6, W(g); VMOVDQU Y7, W(h)

#define SIGMA(i) \
	VPBROADCASTD (table_sigma+4*i)(DX), Y0; \
	VMOVDQU Y0, W(i)
#define KEY(i) \
	VPBROADCASTD (4*i)(AX), Y0; \
	VMOVDQU Y0, W((4+i))
#define ADDSIGMA(i) \
	VPBROADCASTD (table_sigma+4*i)(DX), Y0; \
	VPADDD W(i), Y0, Y0; \
	VMOVDQU Y0, W(i)
#define ADDKEY(i) \
	VPBROADCASTD (4*i)(AX), Y0; \
	VPADDD W((4+i)), Y0, Y0; \
	VMOVDQU Y0, W((4+i))

// Starts half R9 of superblock BX.
#define START \
	SIGMA(0); SIGMA(1); SIGMA(2); SIGMA(3); \
	KEY(0); KEY(1); KEY(2); KEY(3); KEY(4); KEY(5); KEY(6); KEY(7); \
	LEAL (BX)(BX*1), R8; \
	ADDL R9, R8; \
	SHLL $3, R8; \
	VMOVD R8, X0; \
	VPBROADCASTD X0, Y0; \
	VPADDD table_iota(DX), Y0, Y0; \
	VMOVDQU Y0, W(12); \
	VMOVDQU Y0, W(16); \
	VPXOR Y0, Y0, Y0; \
	VMOVDQU Y0, W(13); \
	VMOVDQU Y0, W(14); \
	VMOVDQU Y0, W(15); \
	MOVL $4, R10

#define ROUNDS \
	QUARTERS(0, 4, 8, 12, 1, 5, 9, 13); \
	QUARTERS(2, 6, 10, 14, 3, 7, 11, 15); \
	QUARTERS(0, 5, 10, 15, 1, 6, 11, 12); \
	QUARTERS(2, 7, 8, 13, 3, 4, 9, 14)

#define FINISH \
	ADDSIGMA(0); ADDSIGMA(1); ADDSIGMA(2); ADDSIGMA(3); \
	ADDKEY(0); ADDKEY(1); ADDKEY(2); ADDKEY(3); ADDKEY(4); ADDKEY(5); ADDKEY(6); ADDKEY(7); \
	VMOVDQU W(12), Y0; \
	VPADDD W(16), Y0, Y0; \
	VMOVDQU Y0, W(12)

#define ARGUMENTS \
	MOVQ dst+0(FP), DI; \
	MOVQ n+8(FP), CX; \
	MOVQ k+16(FP), AX; \
	MOVL first+24(FP), BX; \
	MOVQ c+32(FP), DX; \
	VMOVDQU table_rotate16(DX), Y14; \
	VMOVDQU table_rotate8(DX), Y15; \
	XORL R9, R9

#define UNIFORM(i) \
	VMOVDQU W(i), Y0; \
	VPSRLD $8, Y0, Y0; \
	VCVTDQ2PS Y0, Y0; \
	VMULPS Y13, Y0, Y0; \
	VMOVUPS Y0, (64*i)(DI)

// func uniformAVX2(dst *float32, n int, k *key, first uint32, c *table)
TEXT ·uniformAVX2(SB), 0, $544-40
	ARGUMENTS
	VBROADCASTSS table_perUnit(DX), Y13

next:
	START

rounds:
	ROUNDS
	DECL R10
	JNZ  rounds
	FINISH
	UNIFORM(0); UNIFORM(1); UNIFORM(2); UNIFORM(3); UNIFORM(4); UNIFORM(5); UNIFORM(6); UNIFORM(7)
	UNIFORM(8); UNIFORM(9); UNIFORM(10); UNIFORM(11); UNIFORM(12); UNIFORM(13); UNIFORM(14); UNIFORM(15)
	ADDQ $32, DI
	XORL $1, R9
	JNZ  next
	ADDQ $960, DI
	INCL BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// p = p*x + c; no fused instruction, which would round differently from others.
#define HORNER(c, x, p) \
	VBROADCASTSS c(DX), Y9; \
	VMULPS x, p, p; \
	VADDPS Y9, p, p

// Y9 = c.
#define CONSTANT(c) VBROADCASTSS c(DX), Y9

// boxMuller of the words at R11 and R11+32, in the order of the portable code. The
// conversion of unsigned integers is that of both halves, of which only the sum is
// rounded.
#define NORMAL \
	VMOVDQU (R11), Y0; \
	VMOVDQU 32(R11), Y1; \
	CONSTANT(table_low16); \
	VPAND Y9, Y0, Y2; \
	VPSRLD $16, Y0, Y0; \
	VCVTDQ2PS Y0, Y0; \
	VCVTDQ2PS Y2, Y2; \
	CONSTANT(table_two16); \
	VMULPS Y9, Y0, Y0; \
	VADDPS Y2, Y0, Y0; \
	CONSTANT(table_perWord); \
	VMULPS Y9, Y0, Y0; \
	CONSTANT(table_halfWord); \
	VADDPS Y9, Y0, Y0; \
	CONSTANT(table_rootHalf); \
	VPSUBD Y9, Y0, Y2; \
	VPSRAD $23, Y2, Y2; \
	VPSLLD $23, Y2, Y3; \
	VPSUBD Y3, Y0, Y0; \
	VCVTDQ2PS Y2, Y2; \
	CONSTANT(table_one); \
	VSUBPS Y9, Y0, Y0; \
	VMULPS Y0, Y0, Y3; \
	VBROADCASTSS table_log(DX), Y4; \
	HORNER(table_log+4, Y0, Y4); \
	HORNER(table_log+8, Y0, Y4); \
	HORNER(table_log+12, Y0, Y4); \
	HORNER(table_log+16, Y0, Y4); \
	HORNER(table_log+20, Y0, Y4); \
	HORNER(table_log+24, Y0, Y4); \
	HORNER(table_log+28, Y0, Y4); \
	HORNER(table_log+32, Y0, Y4); \
	VMULPS Y0, Y4, Y4; \
	VMULPS Y3, Y4, Y4; \
	CONSTANT(table_log2Low); \
	VMULPS Y9, Y2, Y5; \
	VADDPS Y5, Y4, Y4; \
	CONSTANT(table_half); \
	VMULPS Y9, Y3, Y3; \
	VSUBPS Y3, Y4, Y4; \
	VADDPS Y4, Y0, Y0; \
	CONSTANT(table_log2High); \
	VMULPS Y9, Y2, Y5; \
	VADDPS Y5, Y0, Y0; \
	CONSTANT(table_minusTwo); \
	VMULPS Y9, Y0, Y0; \
	VSQRTPS Y0, Y0; \
	VPSLLD $30, Y1, Y2; \
	CONSTANT(table_sign); \
	VPAND Y9, Y2, Y2; \
	VPXOR Y2, Y0, Y0; \
	VPSLLD $31, Y1, Y6; \
	VCVTDQ2PS Y1, Y1; \
	CONSTANT(table_quarterPi); \
	VMULPS Y9, Y1, Y1; \
	VMULPS Y1, Y1, Y2; \
	VBROADCASTSS table_sin(DX), Y3; \
	HORNER(table_sin+4, Y2, Y3); \
	HORNER(table_sin+8, Y2, Y3); \
	VMULPS Y2, Y3, Y3; \
	VMULPS Y1, Y3, Y3; \
	VADDPS Y1, Y3, Y3; \
	VBROADCASTSS table_cos(DX), Y4; \
	HORNER(table_cos+4, Y2, Y4); \
	HORNER(table_cos+8, Y2, Y4); \
	VMULPS Y2, Y4, Y4; \
	VMULPS Y2, Y4, Y4; \
	CONSTANT(table_half); \
	VMULPS Y9, Y2, Y2; \
	VSUBPS Y2, Y4, Y4; \
	CONSTANT(table_one); \
	VADDPS Y9, Y4, Y4; \
	VBLENDVPS Y6, Y3, Y4, Y5; \
	VBLENDVPS Y6, Y4, Y3, Y7; \
	VMULPS Y0, Y5, Y5; \
	VMULPS Y0, Y7, Y7; \
	VMOVUPS Y5, (DI); \
	VMOVUPS Y7, 64(DI)

// func normalAVX2(dst *float32, n int, k *key, first uint32, c *table)
TEXT ·normalAVX2(SB), 0, $544-40
	ARGUMENTS

next:
	START

rounds:
	ROUNDS
	DECL R10
	JNZ  rounds
	FINISH
	LEAQ W(0), R11
	MOVL $8, R10

pairs:
	NORMAL
	ADDQ $64, R11
	ADDQ $128, DI
	DECL R10
	JNZ  pairs
	SUBQ $992, DI
	XORL $1, R9
	JNZ  next
	ADDQ $960, DI
	INCL BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// Numbers of the 8 bytes at SI, with the integers in Y0 as noise.
#define NUMBERS(at) \
	VPMOVZXBD (at)(SI), Y1; \
	VPSRLD X8, Y1, Y1; \
	VCVTDQ2PS Y1, Y1; \
	VMULPS Y11, Y1, Y1; \
	VADDPS Y12, Y1, Y1; \
	VCVTDQ2PS Y0, Y0; \
	VMULPS Y13, Y0, Y0; \
	VADDPS Y0, Y1, Y1; \
	VMOVUPS Y1, (4*(at))(DI)

#define DITHER(i) \
	VPAND W(i), Y10, Y0; \
	NUMBERS(32*i); \
	VMOVDQU W(i), Y0; \
	VPSRLD $16, Y0, Y0; \
	NUMBERS(32*i+16)

// func ditherAVX2(dst *float32, n int, k *key, first uint32, c *table, src *byte, d *Dither)
TEXT ·ditherAVX2(SB), 0, $544-56
	ARGUMENTS
	MOVQ src+40(FP), SI
	MOVQ d+48(FP), R12
	VBROADCASTSS Dither_Width(R12), Y11
	VBROADCASTSS Dither_Offset(R12), Y12
	VBROADCASTSS Dither_Step(R12), Y13
	VPBROADCASTD table_low16(DX), Y10

next:
	START

rounds:
	ROUNDS
	DECL R10
	JNZ  rounds
	FINISH
	VMOVD Dither_Shift(R12), X8
	DITHER(0); DITHER(1); DITHER(2); DITHER(3); DITHER(4); DITHER(5); DITHER(6); DITHER(7)
	DITHER(8); DITHER(9); DITHER(10); DITHER(11); DITHER(12); DITHER(13); DITHER(14); DITHER(15)
	ADDQ $8, SI
	ADDQ $32, DI
	XORL $1, R9
	JNZ  next
	ADDQ $496, SI
	ADDQ $1984, DI
	INCL BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET
