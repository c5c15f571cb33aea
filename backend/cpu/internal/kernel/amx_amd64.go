//go:build amd64 && !purego

package kernel

import "runtime"

// pairTileAMX is an m x n tile over words, m and n at most 32. It leaves the tile
// registers configured for its size if args.Config is not 0, and notes that there;
// otherwise it releases them.
//
//go:noescape
func pairTileAMX(args *GemmArgs, m, n int)

// releaseTiles returns the tile registers of this thread to their initial state.
//
//go:noescape
func releaseTiles()

// newBlocks returns the tiles on AMX.
func newBlocks() *GemmKernels {
	return &GemmKernels{MR: 32, NR: 32, Lanes: 16, tile: pairTileAMX, begin: holdTiles, end: dropTiles}
}

// holdTiles binds the goroutine to its thread, to which the tile registers belong. To
// configure them takes as long as a small tile.
func holdTiles(g *GemmArgs) {
	runtime.LockOSThread()
	g.Config = -1 // no size
}

func dropTiles(g *GemmArgs) {
	if g.Config > 0 {
		releaseTiles()
	}
	g.Config = 0
	runtime.UnlockOSThread()
}
