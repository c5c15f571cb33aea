package lettering

import (
	"image"
	"image/color"
	"testing"
)

// inked is where a picture has any ink.
func inked(img *image.Alpha) image.Rectangle {
	var r image.Rectangle
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if img.AlphaAt(x, y).A > 0 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestTextLiesWhereItIsPut(t *testing.T) {
	for _, bold := range []bool{false, true} {
		face, err := New(20, bold)
		if err != nil {
			t.Fatal(err)
		}
		defer face.Close()
		img := image.NewAlpha(image.Rect(0, 0, 200, 60))
		face.Draw(img, 30, 40, color.Opaque, "Return \u2212412 ± 3")
		got, width := inked(img), face.Width("Return \u2212412 ± 3")
		if got.Min.X < 29 || got.Max.X > int(30+width)+1 || got.Max.Y > 41 || got.Min.Y < 20 || got.Dx() < int(width*0.9) {
			t.Errorf("bold %v: ink in %v, width %v", bold, got, width)
		}
	}
}

func TestWidthAddsUp(t *testing.T) {
	face, err := New(14, false)
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	if a, b := face.Width("00"), 2*face.Width("0"); a != b || a == 0 {
		t.Errorf("two digits are %v wide, one %v", a, b/2)
	}
	if face.Width("") != 0 {
		t.Error("nothing has a width")
	}
}
