package media

import (
	"image"
	"image/color"
	"math"
)

// Series is one line of a Curve: values over time and the colour to draw it.
type Series struct {
	Values []float64
	Color  color.RGBA
}

// Curve draws every series into a width x height strip, on one vertical scale
// from low to high, over a time axis of total points. A series may be shorter
// than total: the line then ends early, which is how an animation lets it grow.
// Values outside [low, high] are drawn at the edge; a NaN breaks the line.
func Curve(width, height, total int, low, high float64, series ...Series) *image.RGBA {
	img := Blank(width, height, color.RGBA{24, 26, 32, 255})
	if high <= low {
		high = low + 1
	}
	for _, s := range series {
		drawSeries(img, s, total, low, high)
	}
	return img
}

func drawSeries(img *image.RGBA, s Series, total int, low, high float64) {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	at := func(i int) (x, y float64, ok bool) {
		v := s.Values[i]
		if math.IsNaN(v) {
			return 0, 0, false
		}
		v = (min(max(v, low), high) - low) / (high - low)
		return float64(i) * float64(w-1) / float64(max(total-1, 1)), float64(h-2) - v*float64(h-3), true
	}
	for i := range s.Values {
		x1, y1, ok1 := at(i)
		if !ok1 {
			continue
		}
		x0, y0 := x1, y1
		if i > 0 {
			if x, y, ok := at(i - 1); ok {
				x0, y0 = x, y
			}
		}
		drawLine(img, x0, y0, x1, y1, s.Color)
	}
}

func drawLine(img *image.RGBA, x0, y0, x1, y1 float64, c color.RGBA) {
	steps := int(max(math.Abs(x1-x0), math.Abs(y1-y0))) + 1
	for i := 0; i <= steps; i++ {
		f := float64(i) / float64(steps)
		img.SetRGBA(int(math.Round(x0+f*(x1-x0))), int(math.Round(y0+f*(y1-y0))), c)
	}
}
