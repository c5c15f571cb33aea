package remote

import (
	"bytes"
	"math"
	"testing"

	"github.com/orrery-rl/orrery/env"
)

// TestScaleAverages: scaled down, a fine pattern becomes its mean and a large
// one stays; colours keep their channels.
func TestScaleAverages(t *testing.T) {
	from, to := env.ImageSpec{Height: 64, Width: 96, Channels: 3}, env.ImageSpec{Height: 8, Width: 8, Channels: 3}
	pix := make([]byte, from.Size())
	for i := range from.Height * from.Width {
		y, x := i/from.Width, i%from.Width
		pix[3*i] = byte(200 * (x % 2))                // fine stripes
		pix[3*i+1] = byte(255 * (x / 48))             // the right half
		pix[3*i+2] = byte(math.Round(float64(y) * 4)) // a slope
	}
	out := scale(pix, from, to)
	if len(out) != to.Size() {
		t.Fatalf("%d bytes, want %d", len(out), to.Size())
	}
	for i := range 64 {
		y, x := i/8, i%8
		if r := float64(out[3*i]); math.Abs(r-100) > 6 {
			t.Errorf("at %d, %d the stripes are %v, want about 100", y, x, r)
		}
		if g := out[3*i+1]; (x < 3 && g != 0) || (x > 4 && g != 255) {
			t.Errorf("at %d, %d the half is %d", y, x, g)
		}
		if b := float64(out[3*i+2]); y > 0 && y < 7 && math.Abs(b-4*(8*float64(y)+3.5)) > 3 {
			t.Errorf("at %d, %d the slope is %v, want about %v", y, x, b, 4*(8*float64(y)+3.5))
		}
	}
}

func TestScaleGrey(t *testing.T) {
	grey := bytes.Repeat([]byte{77}, 5*7)
	out := scale(grey, env.ImageSpec{Height: 5, Width: 7, Channels: 1}, env.ImageSpec{Height: 9, Width: 3, Channels: 1})
	if !bytes.Equal(out, bytes.Repeat([]byte{77}, 27)) {
		t.Errorf("%v, want 27 times 77", out)
	}
}
