package relation

import "github.com/orrery-rl/orrery/backend/cpu/internal/kernel"

// tiling cuts rows into equal tiles, the last perhaps smaller: a remainder of one or two
// rows would run at a fraction of the speed.
func tiling(rows, most int) (size int) {
	tiles := (rows + most - 1) / most
	return (rows + tiles - 1) / tiles
}

// stepCycles estimates the cycles of one contraction step of an m x n tile: two vector
// multiply-adds and two loads start per cycle, and an accumulator is busy for four.
func stepCycles(k *kernel.GemmKernels, m, n int) float64 {
	v := (n + k.Lanes - 1) / k.Lanes
	return max(float64(m*v)/2, float64(m+v)/2, 4)
}

// rowCycles estimates one contraction step of a column panel of n for all rows.
func rowCycles(k *kernel.GemmKernels, rows, n int) float64 {
	size := tiling(rows, k.MR)
	full := rows / size
	cycles := float64(full) * stepCycles(k, size, n)
	if rest := rows - full*size; rest > 0 {
		cycles += stepCycles(k, rest, n)
	}
	return cycles
}

// panelCycles estimates one contraction step of all rows and columns.
func panelCycles(k *kernel.GemmKernels, rows, cols int) float64 {
	cycles := float64(cols/k.NR) * rowCycles(k, rows, k.NR)
	if rest := cols % k.NR; rest > 0 {
		cycles += rowCycles(k, rows, rest)
	}
	return cycles
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
