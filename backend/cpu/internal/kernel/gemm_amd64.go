//go:build amd64 && !purego

package kernel

// newGemm returns the tiles of path p, which must be available.
func newGemm(p Path) GemmKernels {
	switch p {
	case AVX512:
		tiles := gemmAVX512Tiles()
		return GemmKernels{MR: len(tiles[0]), NR: 32, Lanes: 16, tile: func(g *GemmArgs, m, n int) {
			tiles[(n-1)/16][m-1](g, n)
		}}
	case AVX2:
		tiles := gemmAVX2Tiles()
		return GemmKernels{MR: len(tiles[0]), NR: 16, Lanes: 8, tile: func(g *GemmArgs, m, n int) {
			tiles[(n-1)/8][m-1](g, n)
		}}
	}
	return newGemmGeneric()
}
