//go:build amd64 && !purego

package kernel

func newGemm(Path) GemmKernels { return newGemmGeneric() }
