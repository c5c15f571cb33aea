//go:build amd64 && !purego

package kernel

// pairTileAMX is an m x n tile over words, m and n at most 32. It configures the tile
// registers and releases them, so that nothing outlives the call.
//
//go:noescape
func pairTileAMX(args *GemmArgs, m, n int)

// newBlocks returns the tiles on AMX.
func newBlocks() *GemmKernels {
	return &GemmKernels{MR: 32, NR: 32, Lanes: 16, tile: pairTileAMX}
}
