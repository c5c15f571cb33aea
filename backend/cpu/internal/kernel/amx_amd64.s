//go:build amd64 && !purego

#include "textflag.h"
#include "funcdata.h"
#include "go_asm.h"

// Requires AVX-512F and AMX-BF16, and the permission that hasAMX asks for.
//
// Go's assembler does not know the tile instructions. All are VEX.128, map 0F38, W0:
// C4 E2 pp op ModRM, where pp is 78 (no prefix), 7A (F3) or 7B (F2). Memory operands of
// loads and stores have a SIB byte, index<<3|base, whose index register is the row
// stride in bytes; ModRM.reg is the tile.
#define VEX(pp, op, modrm) BYTE $0xc4; BYTE $0xe2; BYTE $pp; BYTE $op; BYTE $modrm

#define LDTILECFG_SI  VEX(0x78, 0x49, 0x06)
#define TILERELEASE   VEX(0x78, 0x49, 0xc0)
#define TILEZERO(t)   VEX(0x7b, 0x49, (0xc0+8*t))

// Tiles 4 and 5 are rows 0-15 and 16-31 of A, at SI and DX with stride BX; 6 and 7 are
// columns 0-15 and 16-31 of B, at DI and DI+64 with stride CX.
#define LOAD_A0 VEX(0x7b, 0x4b, 0x24); BYTE $0x1e
#define LOAD_A1 VEX(0x7b, 0x4b, 0x2c); BYTE $0x1a
#define LOAD_B0 VEX(0x7b, 0x4b, 0x34); BYTE $0x0f
#define LOAD_B1 VEX(0x7b, 0x4b, 0x7c); BYTE $0x0f; BYTE $0x40

// TILESTORED of tile t to SI, TILELOADD from it, with stride BX.
#define STORE(t) VEX(0x7a, 0x4b, (0x04+8*t)); BYTE $0x1e
#define LOAD(t)  VEX(0x7b, 0x4b, (0x04+8*t)); BYTE $0x1e

// TDPBF16PS: destination in ModRM.reg, rows of A in ModRM.rm, columns of B in the
// inverted VEX.vvvv: 4A is tile 6, 42 is tile 7. Tiles 0 1 / 2 3 are the 32x32 sums.
#define MUL_00 VEX(0x4a, 0x5c, 0xc4)
#define MUL_01 VEX(0x42, 0x5c, 0xcc)
#define MUL_10 VEX(0x4a, 0x5c, 0xd5)
#define MUL_11 VEX(0x42, 0x5c, 0xdd)

// ALL_SUMS applies OP, LOAD or STORE, to the tiles of sums in use: at SI, and at R13 those
// of the second rows, with stride BX.
#define ALL_SUMS(OP, second, end) \
	OP(0)           \
	TESTQ R9, R9    \
	JZ    second    \
	ADDQ  $64, SI   \
	OP(1)           \
second:             \
	TESTQ R8, R8    \
	JZ    end       \
	MOVQ  R13, SI   \
	OP(2)           \
	TESTQ R9, R9    \
	JZ    end       \
	ADDQ  $64, SI   \
	OP(3)           \
end:

// OUTPUT points SI and R13 at the first and second rows of the tile in C, with stride BX,
// and sets the flags to zero if all of its rows begin at cache lines.
#define OUTPUT \
	MOVQ  GemmArgs_COff(R11), SI \
	SHLQ  $2, SI                 \
	ADDQ  GemmArgs_C(R11), SI    \
	MOVQ  GemmArgs_CRow(R11), BX \
	SHLQ  $2, BX                 \
	MOVQ  BX, R13                \
	SHLQ  $4, R13                \
	ADDQ  SI, R13                \
	MOVQ  SI, AX                 \
	ORQ   BX, AX                 \
	TESTQ $63, AX

// func releaseTiles()
TEXT ·releaseTiles(SB), NOSPLIT, $0-0
	TILERELEASE
	RET

// func pairTileAMX(args *GemmArgs, m, n int)
//
// R14 is a cache line in the frame, where 32 rows of 128 bytes hold the sums of tiles
// whose rows in C straddle lines, which tile instructions are slow at, and behind them
// the 64 bytes of the tile configuration. R8 and R9 are the rows and columns of the
// second tiles, 0 where there are none; their instructions are skipped then, as empty
// tiles may not be used.
TEXT ·pairTileAMX(SB), 0, $4224-24
	NO_LOCAL_POINTERS
	MOVQ args+0(FP), R11
	MOVQ m+8(FP), R12
	MOVQ n+16(FP), R13
	LEAQ sums-4161(SP), R14 // 63 bytes into the frame
	ANDQ $~63, R14
	XORQ R8, R8
	XORQ R9, R9
	MOVQ R12, AX
	CMPQ AX, $16
	JLE  rows
	LEAQ -16(R12), R8
	MOVQ $16, AX

rows:
	MOVQ R13, BX
	CMPQ BX, $16
	JLE  columns
	LEAQ -16(R13), R9
	MOVQ $16, BX

columns:
	// Masks of the columns: K1 of the first tiles, K2 of the second.
	MOVQ  $-1, DX
	MOVQ  R13, CX
	SHLQ  CX, DX
	NOTQ  DX
	KMOVW DX, K1
	SHRQ  $16, DX
	KMOVW DX, K2

	MOVQ GemmArgs_Config(R11), DX
	MOVQ R12, R10
	SHLQ $8, R10
	ORQ  R13, R10
	CMPQ R10, DX
	JEQ  configured

	// The configuration: palette 1; bytes per row at 16 + 2*tile, rows at 48 + tile.
	LEAQ      4096(R14), SI
	VPXORD    Z0, Z0, Z0
	VMOVDQU32 Z0, (SI)
	MOVB      $1, (SI)
	SHLQ      $2, BX
	LEAQ      (R9*4), CX
	MOVW      BX, 16(SI)
	MOVW      BX, 28(SI)
	MOVB      AX, 48(SI)
	MOVB      AX, 52(SI)
	MOVB      $16, 54(SI)
	MOVW      $64, 24(SI)
	TESTQ     R9, R9
	JZ        oneColumn
	MOVW      CX, 18(SI)
	MOVW      CX, 30(SI)
	MOVB      AX, 49(SI)
	MOVB      $16, 55(SI)

oneColumn:
	TESTQ R8, R8
	JZ    configure
	MOVW  $64, 26(SI)
	MOVB  R8, 53(SI)
	MOVW  BX, 20(SI)
	MOVB  R8, 50(SI)
	TESTQ R9, R9
	JZ    configure
	MOVW  CX, 22(SI)
	MOVB  R8, 51(SI)

configure:
	LDTILECFG_SI
	TESTQ DX, DX
	JZ    configured
	MOVQ  R10, GemmArgs_Config(R11)

configured:
	// Sums begin with what C holds wherever it lies, so that its address does not
	// change them.
	MOVBLZX GemmArgs_Add(R11), AX
	TESTQ   AX, AX
	JZ      zero
	OUTPUT
	JZ      load
	MOVQ    SI, DI
	MOVQ    BX, CX
	MOVQ    R14, SI
	MOVQ    $128, BX
	LEAQ    2048(R14), R13
	MOVQ    R14, DX
	MOVQ    R12, AX

fetch:
	VMOVUPS.Z (DI), K1, Z0
	VMOVUPS.Z 64(DI), K2, Z1
	VMOVUPS   Z0, (DX)
	VMOVUPS   Z1, 64(DX)
	ADDQ      $128, DX
	ADDQ      CX, DI
	DECQ      AX
	JNZ       fetch

load:
	ALL_SUMS(LOAD, loadRows, loaded)
	JMP begin

zero:
	TILEZERO(0)
	TESTQ R9, R9
	JZ    zeroRows
	TILEZERO(1)

zeroRows:
	TESTQ R8, R8
	JZ    begin
	TILEZERO(2)
	TESTQ R9, R9
	JZ    begin
	TILEZERO(3)

begin:
	MOVQ GemmArgs_ARow(R11), BX
	SHLQ $2, BX
	MOVQ GemmArgs_BK(R11), CX
	SHLQ $2, CX
	MOVQ CX, R13
	SHLQ $4, R13
	MOVQ GemmArgs_Segs(R11), R10
	MOVQ (GemmArgs_Segs+8)(R11), R15

segment:
	DECQ    R15
	JLT     store
	MOVLQSX Segment_A(R10), SI
	ADDQ    GemmArgs_AOff(R11), SI
	SHLQ    $2, SI
	ADDQ    GemmArgs_A(R11), SI
	MOVQ    BX, DX
	SHLQ    $4, DX
	ADDQ    SI, DX
	MOVLQSX Segment_B(R10), DI
	ADDQ    GemmArgs_BOff(R11), DI
	SHLQ    $2, DI
	ADDQ    GemmArgs_B(R11), DI
	MOVLQSX Segment_K(R10), AX
	ADDQ    $12, R10

step:
	SUBQ  $16, AX
	JLT   segment
	LOAD_A0
	LOAD_B0
	MUL_00
	TESTQ R9, R9
	JZ    secondRows
	LOAD_B1
	MUL_01

secondRows:
	TESTQ R8, R8
	JZ    next
	LOAD_A1
	MUL_10
	TESTQ R9, R9
	JZ    next
	MUL_11

next:
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ R13, DI
	JMP  step

store:
	OUTPUT
	JNZ  across
	ALL_SUMS(STORE, storeRows, stored)
	CMPQ GemmArgs_Config(R11), $0
	JNE  done
	TILERELEASE

done:
	VZEROUPPER
	RET

across:
	MOVQ SI, DI
	MOVQ BX, CX
	MOVQ R14, SI
	MOVQ $128, BX
	LEAQ 2048(R14), R13
	ALL_SUMS(STORE, acrossRows, kept)
	CMPQ GemmArgs_Config(R11), $0
	JNE  row
	TILERELEASE

row:
	VMOVUPS (R14), Z0
	VMOVUPS 64(R14), Z1
	VMOVUPS Z0, K1, (DI)
	VMOVUPS Z1, K2, 64(DI)
	ADDQ    $128, R14
	ADDQ    CX, DI
	DECQ    R12
	JNZ     row
	VZEROUPPER
	RET
