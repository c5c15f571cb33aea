//go:build amd64 && !purego

package kernel

// newVec returns the loops of path p, which must be available. What a path does
// not have in assembly is the portable loop.
func newVec(p Path) VecKernels {
	v := newVecGeneric()
	switch p {
	case AVX512:
		vecAVX512(&v)
	}
	return v
}
