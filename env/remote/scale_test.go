package remote

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/env"
)

// TestScaleAverages compares with means worked out by hand.
func TestScaleAverages(t *testing.T) {
	for _, c := range []struct {
		name      string
		from, to  env.ImageSpec
		pix, want []byte
	}{
		{"pairs", env.ImageSpec{Height: 1, Width: 4, Channels: 1}, env.ImageSpec{Height: 1, Width: 2, Channels: 1},
			[]byte{0, 10, 20, 41}, []byte{5, 31}},
		{"thirds", env.ImageSpec{Height: 3, Width: 1, Channels: 1}, env.ImageSpec{Height: 2, Width: 1, Channels: 1},
			[]byte{30, 90, 0}, []byte{50, 30}},
		{"channels apart", env.ImageSpec{Height: 2, Width: 2, Channels: 2}, env.ImageSpec{Height: 1, Width: 1, Channels: 2},
			[]byte{0, 255, 4, 255, 8, 255, 12, 255}, []byte{6, 255}},
		{"larger", env.ImageSpec{Height: 1, Width: 2, Channels: 1}, env.ImageSpec{Height: 2, Width: 4, Channels: 1},
			[]byte{7, 200}, []byte{7, 7, 200, 200, 7, 7, 200, 200}},
	} {
		if got := scale(c.pix, c.from, c.to); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestScaleKeepsLevels: no size brightens, darkens or leaves the range of what
// it averages.
func TestScaleKeepsLevels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 40)
		from := env.ImageSpec{Height: size.Draw(t, "h"), Width: size.Draw(t, "w"), Channels: rapid.IntRange(1, 4).Draw(t, "c")}
		to := env.ImageSpec{Height: size.Draw(t, "h2"), Width: size.Draw(t, "w2"), Channels: from.Channels}
		low := rapid.Byte().Draw(t, "low")
		high := rapid.ByteMin(low).Draw(t, "high")
		pix := rapid.SliceOfN(rapid.ByteRange(low, high), from.Size(), from.Size()).Draw(t, "pix")
		out := scale(pix, from, to)
		if len(out) != to.Size() {
			t.Fatalf("%d bytes, want %d", len(out), to.Size())
		}
		for i, v := range out {
			if v < low || v > high {
				t.Fatalf("byte %d is %d, outside of [%d, %d]", i, v, low, high)
			}
		}
	})
}

// BenchmarkScale is what a large frame of Gymnasium costs.
func BenchmarkScale(b *testing.B) {
	from, to := env.ImageSpec{Height: 500, Width: 500, Channels: 3}, env.ImageSpec{Height: 64, Width: 64, Channels: 3}
	pix := make([]byte, from.Size())
	for b.Loop() {
		scale(pix, from, to)
	}
}
