// Package film mounts what an agent sees, does and predicts into frames and
// strips that a person can look at. Writing them to files is up to package
// media.
package film

import (
	"image"
	"image/color"

	"github.com/orrery-rl/orrery/internal/lettering"
	"github.com/orrery-rl/orrery/internal/media"
)

// The colours of films.
var (
	background = color.RGBA{24, 26, 32, 255}
	realColor  = color.RGBA{200, 205, 215, 255}
	dreamColor = color.RGBA{255, 150, 60, 255}
)

// outline draws a one-pixel border: the model saw this frame.
func outline(img *image.RGBA) {
	b := img.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		img.SetRGBA(x, b.Min.Y, dreamColor)
		img.SetRGBA(x, b.Max.Y-1, dreamColor)
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		img.SetRGBA(b.Min.X, y, dreamColor)
		img.SetRGBA(b.Max.X-1, y, dreamColor)
	}
}

// caption is a line of text of a given width, cut off where it does not fit.
func caption(width int, face *lettering.Face, height int, text string) *image.RGBA {
	img := media.Blank(width, height, background)
	face.Draw(img, 6, float64(height)*0.72, realColor, text)
	return img
}
