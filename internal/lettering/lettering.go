// Package lettering draws text on pictures, in the Go fonts, which the program
// carries with it.
package lettering

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Face is a font at a size. It is not safe for concurrent use.
type Face struct{ face font.Face }

// New returns the face whose letters have size pixels from baseline to
// baseline, about.
func New(size float64, bold bool) (*Face, error) {
	data := goregular.TTF
	if bold {
		data = gobold.TTF
	}
	parsed, err := opentype.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("lettering: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("lettering: size %g: %w", size, err)
	}
	return &Face{face}, nil
}

// Width is how wide a text is, in pixels.
func (f *Face) Width(text string) float64 {
	return float64(font.MeasureString(f.face, text)) / 64
}

// Draw writes text with its baseline beginning at (x, y).
func (f *Face) Draw(dst draw.Image, x, y float64, c color.Color, text string) {
	d := font.Drawer{
		Dst: dst, Src: image.NewUniform(c), Face: f.face,
		Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)},
	}
	d.DrawString(text)
}

// Close releases what the face holds.
func (f *Face) Close() error { return f.face.Close() }
