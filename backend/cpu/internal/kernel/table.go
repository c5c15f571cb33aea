// Package kernel holds the f32 inner loops of the CPU backend: each exists once in
// portable Go, which defines what it computes, and once per vector instruction set.
//
// Nothing here allocates, starts goroutines or keeps state. A [Table] is a value that
// names one [Path] and carries its functions; callers pass tables on instead of asking
// the CPU again, so that two backends on different paths can live in one process.
//
// The build tag purego leaves the assembly out.
package kernel

import "fmt"

// Table is the set of kernels of one [Path].
type Table struct {
	Path Path
	Gemm GemmKernels
	Vec  VecKernels
	// Pairs are the bfloat16 kernels; nil where the path has none.
	Pairs *PairKernels
}

// New returns the kernels of path p, or an error when this CPU or build lacks them.
func New(p Path) (*Table, error) {
	if !p.Available() {
		return nil, fmt.Errorf("kernel: path %v is not available on this CPU or in this build: choose one of %v",
			p, Available())
	}
	return Assume(p), nil
}

// Assume returns the kernels of path p, which must be one of this build's, whether or not
// this CPU has them: for tests that emulate what it lacks.
func Assume(p Path) *Table {
	return &Table{Path: p, Gemm: newGemm(p.vectors()), Vec: newVec(p.vectors()), Pairs: newPairs(p)}
}

// Exact returns the table without the kernels that round their operands.
func (t *Table) Exact() *Table {
	exact := *t
	exact.Pairs = nil
	return &exact
}
