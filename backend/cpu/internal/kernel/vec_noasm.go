//go:build !amd64 || purego

package kernel

// newVec returns the portable loops, the only ones here.
func newVec(Path) VecKernels { return newVecGeneric() }
