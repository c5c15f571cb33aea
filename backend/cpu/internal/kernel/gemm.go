package kernel

//go:generate go run ./_asm/gemm/main.go

// Segment is one run of the contraction of a [GemmArgs]: K steps that start A elements
// into the left operand and B elements into the right one, both counted from the
// operands' own offsets. K may be zero.
type Segment struct {
	A, B, K int32
}

// GemmArgs describes one tile of a strided batch-reduce matrix product,
//
//	for r := range M {
//		for j := range N {
//			sum := float32(0)
//			for _, s := range Segs {
//				for k := range s.K {
//					sum += A[AOff + s.A + r*ARow + k*AK] * B[BOff + s.B + k*BK + j]
//				}
//			}
//			if Add { sum += C[COff + r*CRow + j] }
//			C[COff + r*CRow + j] = sum
//		}
//	}
//
// All offsets and strides count elements and may be negative, as long as every element
// named by the loop lies inside its slice: the assembly does not check, its callers do.
// Nothing else is read or written. C must not overlap A or B.
//
// The assembly addresses the fields by name (see _asm/gemm); keep the types.
type GemmArgs struct {
	A, B, C          []float32
	AOff, BOff, COff int
	ARow, AK         int // strides of A per row and per contraction step
	BK               int // stride of B per contraction step; its columns are adjacent
	CRow             int // stride of C per row; its columns are adjacent
	Segs             []Segment
	Add              bool // add to C instead of overwriting it

	// Config belongs to the kernels, between Begin and End of [GemmKernels]; 0 elsewhere.
	Config int
}

// GemmKernels computes tiles of matrix products. The zero value is not usable; see [New].
type GemmKernels struct {
	// MR and NR bound the rows and columns of one tile.
	MR, NR int
	// Lanes is the width of one vector: a tile of N columns costs ceil(N/Lanes) vectors.
	Lanes int

	tile       func(g *GemmArgs, m, n int)
	begin, end func(g *GemmArgs)
}

// Begin announces many tiles of g, which [GemmKernels.End] must follow on the same
// goroutine: kernels that set up the CPU for a tile do it once for all of one size.
func (k *GemmKernels) Begin(g *GemmArgs) {
	if k.begin != nil {
		k.begin(g)
	}
}

// End takes back [GemmKernels.Begin].
func (k *GemmKernels) End(g *GemmArgs) {
	if k.end != nil {
		k.end(g)
	}
}

// Tile computes the m x n tile that g describes, 1 <= m <= MR and 1 <= n <= NR; other
// sizes do nothing. Against exact arithmetic the error of an element is at most
// (K+1)*2^-24 times the sum of the magnitudes of its products, K the number of steps.
func (k *GemmKernels) Tile(g *GemmArgs, m, n int) {
	if m < 1 || m > k.MR || n < 1 || n > k.NR {
		return
	}
	k.tile(g, m, n)
}

// The portable tile: few rows, so that the sums of one row stay in the L1 cache.
const (
	genericMR = 4
	genericNR = 16
)

// gemmTileGeneric is the definition of [GemmArgs] in Go.
func gemmTileGeneric(g *GemmArgs, m, n int) {
	for r := range m {
		var sums [genericNR]float32
		sum := sums[:n]
		for _, s := range g.Segs {
			a := g.AOff + int(s.A) + r*g.ARow
			b := g.BOff + int(s.B)
			for range s.K {
				axpyGeneric(sum, g.A[a], g.B[b:b+n])
				a, b = a+g.AK, b+g.BK
			}
		}
		c := g.C[g.COff+r*g.CRow:][:n]
		if g.Add {
			axpyGeneric(sum, 1, c)
		}
		copy(c, sum)
	}
}

// axpyGeneric adds a*x to y, elementwise; len(x) must be at least len(y).
func axpyGeneric(y []float32, a float32, x []float32) {
	x = x[:len(y)]
	for j := range y {
		y[j] += a * x[j]
	}
}

// newGemmGeneric returns the portable kernels.
func newGemmGeneric() GemmKernels {
	return GemmKernels{MR: genericMR, NR: genericNR, Lanes: 4, tile: gemmTileGeneric}
}
