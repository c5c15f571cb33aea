//go:build !amd64 || purego

package kernel

func newPairs(Path) *PairKernels { return newPairsGeneric() }
