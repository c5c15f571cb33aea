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
