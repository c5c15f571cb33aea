//go:build linux && amd64 && !purego

package relation

import (
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
	"github.com/orrery-rl/orrery/backend/cpu/internal/tiletest"
)

// TestTilesOnAMX computes small products of every kind on AMX's own tiles, emulated where
// the processor lacks them: whole tiles and parts, one block of words and several, windows,
// chunks of rows, and operands that are rounded as a whole first.
func TestTilesOnAMX(t *testing.T) {
	if !kernel.AVX512.Available() || !cpu.X86.HasAVX512BF16 {
		t.Skip("hardware missing: AVX-512 and AVX512_BF16; CI tests what its processor has")
	}
	if !kernel.AMX.Available() && !tiletest.Emulated(t) {
		return
	}
	table := kernel.Assume(kernel.AMX)
	for _, s := range []DotSpec{
		dotSpec(131, 33, 70, false, false, false), dotSpec(200, 60, 31, false, true, false), dotSpec(140, 1, 40, false, false, false),
		dotSpec(70, 40, 200, true, false, false), dotSpec(300, 50, 90, true, false, false),
	} {
		checkOnTiles(t, table, func() (*Product, error) { return NewDot(table, s, 2) }, func() error { return checkDot(table, s, 2) })
	}
	for _, l := range []layer{
		{"conv", false, 7, 4, 32, 20, true}, {"deconv", true, 3, 5, 34, 40, true},
		{"first", false, 8, 4, 3, 33, true}, {"last", true, 3, 6, 40, 3, true},
	} {
		for _, s := range []ConvSpec{l.forward(35), l.dataGradient(35), l.kernelGradient(70)} {
			checkOnTiles(t, table, func() (*Product, error) { return NewConv(table, s, 2) }, func() error { return checkConv(table, s, 2) })
		}
	}
}

// checkOnTiles demands that a product is planned on blocks, and checks its results.
func checkOnTiles(t *testing.T, table *kernel.Table, plan func() (*Product, error), check func() error) {
	t.Helper()
	p, err := plan()
	if err != nil {
		t.Fatal(err)
	}
	if _, on := blockSegments(p); !on {
		t.Errorf("%v: not on blocks", p)
	}
	if err := check(); err != nil {
		t.Error(err)
	}
}
