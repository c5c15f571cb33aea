//go:build amd64 && !purego

#include "textflag.h"
#include "go_asm.h"

// Requires AVX-512F and AVX2.
//
// Z0 to Z15 are the words of 16 ChaCha blocks, one block a lane; DX is the table of
// constants, AX the key, DI the destination, CX the superblocks left, Z20 the
// counters. Z21 to Z27 are free between rounds.

#define QUARTER(a, b, c, d) \
	VPADDD b, a, a; \
	VPXORD a, d, d; \
	VPROLD $16, d, d; \
	VPADDD d, c, c; \
	VPXORD c, b, b; \
	VPROLD $12, b, b; \
	VPADDD b, a, a; \
	VPXORD a, d, d; \
	VPROLD $8, d, d; \
	VPADDD d, c, c; \
	VPXORD c, b, b; \
	VPROLD $7, b, b

#define ROUNDS \
	QUARTER(Z0, Z4, Z8, Z12); \
	QUARTER(Z1, Z5, Z9, Z13); \
	QUARTER(Z2, Z6, Z10, Z14); \
	QUARTER(Z3, Z7, Z11, Z15); \
	QUARTER(Z0, Z5, Z10, Z15); \
	QUARTER(Z1, Z6, Z11, Z12); \
	QUARTER(Z2, Z7, Z8, Z13); \
	QUARTER(Z3, Z4, Z9, Z14)

#define SIGMA(i, z) VPBROADCASTD (table_sigma+4*i)(DX), z
#define KEY(i, z) VPBROADCASTD (4*i)(AX), z
#define ADDSIGMA(i, z) VPADDD.BCST (table_sigma+4*i)(DX), z, z
#define ADDKEY(i, z) VPADDD.BCST (4*i)(AX), z, z

// Puts the words of superblock BX into Z0 to Z15.
#define SUPERBLOCK \
	SIGMA(0, Z0); SIGMA(1, Z1); SIGMA(2, Z2); SIGMA(3, Z3); \
	KEY(0, Z4); KEY(1, Z5); KEY(2, Z6); KEY(3, Z7); \
	KEY(4, Z8); KEY(5, Z9); KEY(6, Z10); KEY(7, Z11); \
	MOVL BX, R8; \
	SHLL $4, R8; \
	VPBROADCASTD R8, Z20; \
	VPADDD table_iota(DX), Z20, Z20; \
	VMOVDQU32 Z20, Z12; \
	VPXORD Z13, Z13, Z13; \
	VPXORD Z14, Z14, Z14; \
	VPXORD Z15, Z15, Z15; \
	ROUNDS; ROUNDS; ROUNDS; ROUNDS; \
	ADDSIGMA(0, Z0); ADDSIGMA(1, Z1); ADDSIGMA(2, Z2); ADDSIGMA(3, Z3); \
	ADDKEY(0, Z4); ADDKEY(1, Z5); ADDKEY(2, Z6); ADDKEY(3, Z7); \
	ADDKEY(4, Z8); ADDKEY(5, Z9); ADDKEY(6, Z10); ADDKEY(7, Z11); \
	VPADDD Z20, Z12, Z12

#define ARGUMENTS \
	MOVQ dst+0(FP), DI; \
	MOVQ n+8(FP), CX; \
	MOVQ k+16(FP), AX; \
	MOVL first+24(FP), BX; \
	MOVQ c+32(FP), DX

#define UNIFORM(i, w) \
	VPSRLD $8, w, w; \
	VCVTDQ2PS w, w; \
	VMULPS.BCST table_perUnit(DX), w, w; \
	VMOVUPS w, (64*i)(DI)

// func uniformAVX512(dst *float32, n int, k *key, first uint32, c *table)
TEXT ·uniformAVX512(SB), NOSPLIT, $0-40
	ARGUMENTS

next:
	SUPERBLOCK
	UNIFORM(0, Z0); UNIFORM(1, Z1); UNIFORM(2, Z2); UNIFORM(3, Z3)
	UNIFORM(4, Z4); UNIFORM(5, Z5); UNIFORM(6, Z6); UNIFORM(7, Z7)
	UNIFORM(8, Z8); UNIFORM(9, Z9); UNIFORM(10, Z10); UNIFORM(11, Z11)
	UNIFORM(12, Z12); UNIFORM(13, Z13); UNIFORM(14, Z14); UNIFORM(15, Z15)
	ADDQ $1024, DI
	INCL BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// p = p*x + c; no fused instruction, which would round differently from others.
#define HORNER(c, x, p) \
	VMULPS x, p, p; \
	VADDPS.BCST c(DX), p, p

// boxMuller of the words a and b, in the order of the portable code.
#define NORMAL(i, a, b) \
	VCVTUDQ2PS a, a; \
	VMULPS.BCST table_perWord(DX), a, a; \
	VADDPS.BCST table_halfWord(DX), a, a; \
	VPSUBD.BCST table_rootHalf(DX), a, Z21; \
	VPSRAD $23, Z21, Z21; \
	VPSLLD $23, Z21, Z22; \
	VPSUBD Z22, a, a; \
	VCVTDQ2PS Z21, Z21; \
	VSUBPS.BCST table_one(DX), a, a; \
	VMULPS a, a, Z22; \
	VBROADCASTSS table_log(DX), Z23; \
	HORNER(table_log+4, a, Z23); \
	HORNER(table_log+8, a, Z23); \
	HORNER(table_log+12, a, Z23); \
	HORNER(table_log+16, a, Z23); \
	HORNER(table_log+20, a, Z23); \
	HORNER(table_log+24, a, Z23); \
	HORNER(table_log+28, a, Z23); \
	HORNER(table_log+32, a, Z23); \
	VMULPS a, Z23, Z23; \
	VMULPS Z22, Z23, Z23; \
	VMULPS.BCST table_log2Low(DX), Z21, Z24; \
	VADDPS Z24, Z23, Z23; \
	VMULPS.BCST table_half(DX), Z22, Z22; \
	VSUBPS Z22, Z23, Z23; \
	VADDPS Z23, a, a; \
	VMULPS.BCST table_log2High(DX), Z21, Z24; \
	VADDPS Z24, a, a; \
	VMULPS.BCST table_minusTwo(DX), a, a; \
	VSQRTPS a, a; \
	VPSLLD $30, b, Z21; \
	VPANDD.BCST table_sign(DX), Z21, Z21; \
	VPXORD Z21, a, a; \
	VPTESTMD.BCST table_bit0(DX), b, K1; \
	VCVTDQ2PS b, b; \
	VMULPS.BCST table_quarterPi(DX), b, b; \
	VMULPS b, b, Z21; \
	VBROADCASTSS table_sin(DX), Z22; \
	HORNER(table_sin+4, Z21, Z22); \
	HORNER(table_sin+8, Z21, Z22); \
	VMULPS Z21, Z22, Z22; \
	VMULPS b, Z22, Z22; \
	VADDPS b, Z22, Z22; \
	VBROADCASTSS table_cos(DX), Z23; \
	HORNER(table_cos+4, Z21, Z23); \
	HORNER(table_cos+8, Z21, Z23); \
	VMULPS Z21, Z23, Z23; \
	VMULPS Z21, Z23, Z23; \
	VMULPS.BCST table_half(DX), Z21, Z21; \
	VSUBPS Z21, Z23, Z23; \
	VADDPS.BCST table_one(DX), Z23, Z23; \
	VBLENDMPS Z22, Z23, K1, Z24; \
	VBLENDMPS Z23, Z22, K1, Z25; \
	VMULPS a, Z24, Z24; \
	VMULPS a, Z25, Z25; \
	VMOVUPS Z24, (128*i)(DI); \
	VMOVUPS Z25, (128*i+64)(DI)

// func normalAVX512(dst *float32, n int, k *key, first uint32, c *table)
TEXT ·normalAVX512(SB), NOSPLIT, $0-40
	ARGUMENTS

next:
	SUPERBLOCK
	NORMAL(0, Z0, Z1)
	NORMAL(1, Z2, Z3)
	NORMAL(2, Z4, Z5)
	NORMAL(3, Z6, Z7)
	NORMAL(4, Z8, Z9)
	NORMAL(5, Z10, Z11)
	NORMAL(6, Z12, Z13)
	NORMAL(7, Z14, Z15)
	ADDQ $1024, DI
	INCL BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET

// Numbers of the 16 bytes at SI, with the integers in u as noise.
#define NUMBERS(at, u) \
	VPMOVZXBD (at)(SI), Z22; \
	VPSRLD X26, Z22, Z22; \
	VCVTDQ2PS Z22, Z22; \
	VMULPS Z29, Z22, Z22; \
	VADDPS Z30, Z22, Z22; \
	VCVTDQ2PS u, u; \
	VMULPS Z31, u, u; \
	VADDPS u, Z22, Z22; \
	VMOVUPS Z22, (4*(at))(DI)

#define DITHER(i, w) \
	VPANDD Z28, w, Z21; \
	NUMBERS(32*i, Z21); \
	VPSRLD $16, w, w; \
	NUMBERS(32*i+16, w)

// func ditherAVX512(dst *float32, n int, k *key, first uint32, c *table, src *byte, d *Dither)
TEXT ·ditherAVX512(SB), NOSPLIT, $0-56
	ARGUMENTS
	MOVQ src+40(FP), SI
	MOVQ d+48(FP), R9
	VMOVD Dither_Shift(R9), X26
	VBROADCASTSS Dither_Width(R9), Z29
	VBROADCASTSS Dither_Offset(R9), Z30
	VBROADCASTSS Dither_Step(R9), Z31
	VPBROADCASTD table_low16(DX), Z28

next:
	SUPERBLOCK
	DITHER(0, Z0); DITHER(1, Z1); DITHER(2, Z2); DITHER(3, Z3)
	DITHER(4, Z4); DITHER(5, Z5); DITHER(6, Z6); DITHER(7, Z7)
	DITHER(8, Z8); DITHER(9, Z9); DITHER(10, Z10); DITHER(11, Z11)
	DITHER(12, Z12); DITHER(13, Z13); DITHER(14, Z14); DITHER(15, Z15)
	ADDQ $512, SI
	ADDQ $2048, DI
	INCL BX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET
