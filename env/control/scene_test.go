package control

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"

	"github.com/orrery-rl/orrery/env/render"
)

// The poses of testdata/frames.py.
var framePoses = map[string]pair{
	"hanging":  {0, math.Pi},
	"swinging": {0.7, 0.6},
	"leaving":  {-1.7, 2.0},
}

// Shadow edges, texture filtering and lighting between vertices differ, so the
// pictures are compared on average and by how many pixels differ visibly.
func TestPicturesLookLikeMuJoCo(t *testing.T) {
	scene := cartpoleScene()
	scene.Sky.Stars = 0
	renderer, err := render.NewRenderer(scene, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	for name, pose := range framePoses {
		got := make([]byte, renderer.Size())
		if err := renderer.Draw(got, cartpoleGeoms(pose)); err != nil {
			t.Fatal(err)
		}
		want := readFrame(t, fmt.Sprintf("testdata/frame-%s.png", name))
		mean, visible := compareFrames(got, want)
		t.Logf("%s: mean absolute difference %.2f of 255, %d pixels differ by more than 24", name, mean, visible)
		if mean > 2 || visible > 100 {
			t.Errorf("%s: mean difference %.2f, want at most 2; %d visibly different pixels, want at most 100", name, mean, visible)
		}
	}
}

func readFrame(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// compareFrames returns the mean absolute difference over all bytes, and the
// number of pixels with a channel that differs by more than 24.
func compareFrames(got []byte, want image.Image) (mean float64, visible int) {
	width := want.Bounds().Dx()
	for i := 0; i < len(got); i += 3 {
		c := color.NRGBAModel.Convert(want.At(i/3%width, i/3/width)).(color.NRGBA)
		worst := 0.0
		for k, w := range [3]uint8{c.R, c.G, c.B} {
			d := math.Abs(float64(got[i+k]) - float64(w))
			mean, worst = mean+d, max(worst, d)
		}
		if worst > 24 {
			visible++
		}
	}
	return mean / float64(len(got)), visible
}

// Budget: 1 ms a picture on one core.
func BenchmarkDraw64(b *testing.B) {
	r, err := render.NewRenderer(cartpoleScene(), 64, 64)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, r.Size())
	b.ReportAllocs()
	angle := 0.0
	for b.Loop() {
		angle += 0.1
		if err := r.Draw(dst, cartpoleGeoms(pair{0.2, angle})); err != nil {
			b.Fatal(err)
		}
	}
}
