package media

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"math"
	"testing"
	"time"
)

func TestFromRGBRefusesWrongLength(t *testing.T) {
	if _, err := FromRGB(make([]byte, 11), 2, 2); err == nil {
		t.Fatal("11 bytes accepted as a 2x2 RGB image")
	}
	img, err := FromRGB([]byte{1, 2, 3, 4, 5, 6}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.RGBAAt(1, 0); got != (color.RGBA{4, 5, 6, 255}) {
		t.Fatalf("pixel (1,0) = %v", got)
	}
}

func TestScaleAndStackKeepPixels(t *testing.T) {
	img, _ := FromRGB([]byte{10, 0, 0, 0, 20, 0}, 1, 2)
	out := Stack(1, color.Black, Scale(img, 2), Row(0, color.Black, img, img))
	if got := out.Bounds().Size(); got != image.Pt(4, 4) {
		t.Fatalf("size %v, want (4,4)", got)
	}
	for at, want := range map[image.Point]uint8{{X: 0, Y: 0}: 10, {X: 1, Y: 1}: 10, {X: 2, Y: 0}: 0, {X: 2, Y: 3}: 10} {
		if got := out.RGBAAt(at.X, at.Y).R; got != want {
			t.Errorf("red at %v = %d, want %d", at, got, want)
		}
	}
}

func TestCurveDrawsExtremesAtTheEdges(t *testing.T) {
	red := color.RGBA{255, 0, 0, 255}
	img := Curve(11, 10, 3, 0, 1, Series{Values: []float64{0, math.NaN(), 5}, Color: red})
	if img.RGBAAt(0, 8) != red {
		t.Error("the lowest value is not at the bottom left")
	}
	if img.RGBAAt(10, 1) != red {
		t.Error("a value above the range is not drawn at the top right")
	}
	if img.RGBAAt(5, 5) == red {
		t.Error("a line was drawn across a NaN")
	}
}

func TestGIFRoundTripsFewColours(t *testing.T) {
	if err := WriteGIF(&bytes.Buffer{}, nil, time.Second); !errors.Is(err, ErrNoFrames) {
		t.Fatalf("no frames: %v", err)
	}
	img, _ := FromRGB([]byte{200, 100, 50, 3, 60, 255}, 1, 2)
	var buf bytes.Buffer
	if err := WriteGIF(&buf, []*image.RGBA{img, img}, 80*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	got, err := gif.DecodeAll(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Image) != 2 || got.Delay[0] != 8 {
		t.Fatalf("%d frames, delay %v", len(got.Image), got.Delay)
	}
	r, g, b, _ := got.Image[1].At(1, 0).RGBA()
	if r>>8 != 3 || g>>8 != 60 || b>>8 != 255 {
		t.Fatalf("colour %d %d %d", r>>8, g>>8, b>>8)
	}
}

func TestGreyBecomesRGB(t *testing.T) {
	img, err := FromHWC([]byte{7, 200}, 1, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{7, 7, 7, 255, 200, 200, 200, 255}; string(img.Pix) != string(want) {
		t.Errorf("pixels are %v, want %v", img.Pix, want)
	}
	for channels, pix := range map[int][]byte{2: make([]byte, 4), 1: make([]byte, 3), 3: make([]byte, 2), 0: nil} {
		if _, err := FromHWC(pix, 1, 2, channels); err == nil {
			t.Errorf("%d bytes of %d channels are a picture", len(pix), channels)
		}
	}
}
