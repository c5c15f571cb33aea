//go:build amd64 && !purego

#include "textflag.h"

// Requires AVX-512F, AVX-512BW and AVX512_BF16. Definitions: PairKernels in pairs.go.

// VCVTNE2PS2BF16 Z1, Z2, Z0, which Go's assembler does not know: the low half of Z0 is
// Z1 rounded, the high half Z2. EVEX.512.F2.0F38.W0 72 /r, dst in ModRM.reg, the high
// half's source in EVEX.vvvv, the low half's in ModRM.rm.
#define ROUND_Z1_Z2_TO_Z0 BYTE $0x62; BYTE $0xf2; BYTE $0x6f; BYTE $0x48; BYTE $0x72; BYTE $0xc1

// Positions that put the two halves of a vector side by side: 0, 16, 1, 17 ...
DATA pairOrder<>+0(SB)/8, $0x0011000100100000
DATA pairOrder<>+8(SB)/8, $0x0013000300120002
DATA pairOrder<>+16(SB)/8, $0x0015000500140004
DATA pairOrder<>+24(SB)/8, $0x0017000700160006
DATA pairOrder<>+32(SB)/8, $0x0019000900180008
DATA pairOrder<>+40(SB)/8, $0x001b000b001a000a
DATA pairOrder<>+48(SB)/8, $0x001d000d001c000c
DATA pairOrder<>+56(SB)/8, $0x001f000f001e000e
GLOBL pairOrder<>(SB), RODATA|NOPTR, $64

// func pairPack(dst, x *float32, n int)
TEXT ·pairPack(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $32, CX
	JLT  tail

loop:
	VMOVUPS (SI), Z1
	VMOVUPS 64(SI), Z2
	ROUND_Z1_Z2_TO_Z0
	VMOVDQU32 Z0, (DI)
	ADDQ $128, SI
	ADDQ $64, DI
	SUBQ $32, CX
	JGE  loop

tail:
	ADDQ $32, CX
	JZ   done

	// Masks of the CX < 32 numbers left: K1 and K2 load them, K3 stores whole words.
	MOVQ  $-1, AX
	SHLQ  CX, AX
	NOTQ  AX
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2
	INCQ  CX
	SHRQ  $1, CX
	MOVQ  $-1, AX
	SHLQ  CX, AX
	NOTQ  AX
	KMOVW AX, K3
	VMOVUPS.Z (SI), K1, Z1
	VMOVUPS.Z 64(SI), K2, Z2
	ROUND_Z1_Z2_TO_Z0
	VMOVDQU32 Z0, K3, (DI)

done:
	VZEROUPPER
	RET

// func pairInterleave(dst, lo, hi *float32, n int)
TEXT ·pairInterleave(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ lo+8(FP), SI
	MOVQ hi+16(FP), DX
	MOVQ n+24(FP), CX
	VMOVDQU16 pairOrder<>(SB), Z3
	SUBQ $16, CX
	JLT  tail

loop:
	VMOVUPS (SI), Z1
	VMOVUPS (DX), Z2
	ROUND_Z1_Z2_TO_Z0
	VPERMW Z0, Z3, Z0
	VMOVDQU32 Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	SUBQ $16, CX
	JGE  loop

tail:
	ADDQ $16, CX
	JZ   done
	MOVQ  $-1, AX
	SHLQ  CX, AX
	NOTQ  AX
	KMOVW AX, K1
	VMOVUPS.Z (SI), K1, Z1
	VMOVUPS.Z (DX), K1, Z2
	ROUND_Z1_Z2_TO_Z0
	VPERMW Z0, Z3, Z0
	VMOVDQU32 Z0, K1, (DI)

done:
	VZEROUPPER
	RET

// func pairPackLines(dst, x *float32, lines, n, from, to int)
TEXT ·pairPackLines(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ lines+16(FP), DX
	MOVQ n+24(FP), CX
	MOVQ from+32(FP), R8
	MOVQ to+40(FP), R9
	MOVQ  $-1, AX
	SHLQ  CX, AX
	NOTQ  AX
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

packLine:
	VMOVUPS.Z (SI), K1, Z1
	VMOVUPS.Z 64(SI), K2, Z2
	ROUND_Z1_Z2_TO_Z0
	VMOVDQU32 Z0, (DI)
	ADDQ R8, SI
	ADDQ R9, DI
	DECQ DX
	JNZ  packLine
	VZEROUPPER
	RET

// func pairInterleaveLines(dst, lo, hi *float32, lines, n, from, to int)
TEXT ·pairInterleaveLines(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ lo+8(FP), SI
	MOVQ hi+16(FP), DX
	MOVQ lines+24(FP), R12
	MOVQ n+32(FP), CX
	MOVQ from+40(FP), R8
	MOVQ to+48(FP), R9
	VMOVDQU16 pairOrder<>(SB), Z3
	MOVQ  CX, R11
	SHRQ  $4, R11 // whole vectors of a line
	ANDQ  $15, CX
	MOVQ  $-1, AX
	SHLQ  CX, AX
	NOTQ  AX
	KMOVW AX, K1

line:
	XORQ R10, R10
	MOVQ R11, BX
	TESTQ BX, BX
	JZ   lineRest

lineLoop:
	VMOVUPS (SI)(R10*1), Z1
	VMOVUPS (DX)(R10*1), Z2
	ROUND_Z1_Z2_TO_Z0
	VPERMW Z0, Z3, Z0
	VMOVDQU32 Z0, (DI)(R10*1)
	ADDQ $64, R10
	DECQ BX
	JNZ  lineLoop

lineRest:
	TESTQ CX, CX
	JZ    lineNext
	VMOVUPS.Z (SI)(R10*1), K1, Z1
	VMOVUPS.Z (DX)(R10*1), K1, Z2
	ROUND_Z1_Z2_TO_Z0
	VPERMW Z0, Z3, Z0
	VMOVDQU32 Z0, K1, (DI)(R10*1)

lineNext:
	ADDQ R8, SI
	ADDQ R8, DX
	ADDQ R9, DI
	DECQ R12
	JNZ  line
	VZEROUPPER
	RET

// Steps of a transposition of 16 vectors of 16 words. Four rows a, b, c, d of words become
// columns k, k+4, k+8 and k+12 of them, k = 0 .. 3, by way of four more registers.
#define COLUMNS(a, b, c, d, p, q, r, s) \
	VPUNPCKLDQ  b, a, p \
	VPUNPCKHDQ  b, a, q \
	VPUNPCKLDQ  d, c, r \
	VPUNPCKHDQ  d, c, s \
	VPUNPCKLQDQ r, p, a \
	VPUNPCKHQDQ r, p, b \
	VPUNPCKLQDQ s, q, c \
	VPUNPCKHQDQ s, q, d

// Columns k of four groups of rows, a to d, are the parts of columns k, k+4, k+8 and k+12
// of all rows, which go to memory.
#define GATHER(k, a, b, c, d) \
	VSHUFI32X4 $0x88, b, a, Z16    \
	VSHUFI32X4 $0xdd, b, a, Z17    \
	VSHUFI32X4 $0x88, d, c, Z18    \
	VSHUFI32X4 $0xdd, d, c, Z19    \
	VSHUFI32X4 $0x88, Z18, Z16, Z20 \
	VSHUFI32X4 $0x88, Z19, Z17, Z21 \
	VSHUFI32X4 $0xdd, Z18, Z16, Z22 \
	VSHUFI32X4 $0xdd, Z19, Z17, Z23 \
	VMOVDQU32  Z20, (64*k)(DI)      \
	VMOVDQU32  Z21, (64*(k+4))(DI)  \
	VMOVDQU32  Z22, (64*(k+8))(DI)  \
	VMOVDQU32  Z23, (64*(k+12))(DI)

#define FOUR_ROWS(a, b, c, d) \
	VMOVDQU32 (AX), a          \
	VMOVDQU32 (AX)(BX*1), b    \
	VMOVDQU32 (AX)(BX*2), c    \
	VMOVDQU32 (AX)(DX*1), d    \
	LEAQ      (AX)(BX*4), AX

// func transpose16(dst, src *float32, stride, blocks int)
TEXT ·transpose16(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), BX
	MOVQ blocks+24(FP), CX
	LEAQ (BX)(BX*2), DX

block:
	MOVQ SI, AX
	FOUR_ROWS(Z0, Z1, Z2, Z3)
	FOUR_ROWS(Z4, Z5, Z6, Z7)
	FOUR_ROWS(Z8, Z9, Z10, Z11)
	FOUR_ROWS(Z12, Z13, Z14, Z15)
	COLUMNS(Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19)
	COLUMNS(Z4, Z5, Z6, Z7, Z20, Z21, Z22, Z23)
	COLUMNS(Z8, Z9, Z10, Z11, Z24, Z25, Z26, Z27)
	COLUMNS(Z12, Z13, Z14, Z15, Z28, Z29, Z30, Z31)
	GATHER(0, Z0, Z4, Z8, Z12)
	GATHER(1, Z1, Z5, Z9, Z13)
	GATHER(2, Z2, Z6, Z10, Z14)
	GATHER(3, Z3, Z7, Z11, Z15)
	ADDQ $64, SI
	ADDQ $1024, DI
	DECQ CX
	JNZ  block
	VZEROUPPER
	RET
