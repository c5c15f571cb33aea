// Package plotsvg draws line plots as SVG and PNG: curves, optional bands, axes
// with round ticks, a legend, a title. The output is a pure function of the
// input, so a plot in a repository changes only when its data does.
package plotsvg

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
)

// ErrData marks a plot that cannot be drawn.
var ErrData = errors.New("plotsvg: invalid plot")

// Series is one line. X and Y have the same length; a NaN or infinite value
// breaks the line there. Low and High, when given, are as long as Y and are
// drawn as a band around it, for example percentiles over seeds.
type Series struct {
	Name      string
	X, Y      []float64
	Low, High []float64
}

// Line is a value to compare with, drawn across the plot.
type Line struct {
	Name string
	Y    float64
}

// Plot is a set of series on common axes.
type Plot struct {
	// Title, XLabel and YLabel may be empty; labels should name the unit.
	Title, XLabel, YLabel string
	// Width and Height are in pixels; 0 means 720 and 400.
	Width, Height int
	// Series are drawn in order and coloured by position; eight colours repeat.
	Series []Series
	// Lines are drawn behind the series.
	Lines []Line
	// ZeroY extends the vertical axis to include 0.
	ZeroY bool
	// LogY makes the vertical axis logarithmic; values that are not positive break
	// their line. It has no effect where no value is positive.
	LogY bool
}

func (p Plot) size() (width, height float64) {
	width, height = 720, 400
	if p.Width > 0 {
		width = float64(p.Width)
	}
	if p.Height > 0 {
		height = float64(p.Height)
	}
	return width, height
}

// Write draws the plot as SVG. It reports series whose slices disagree in length
// before writing anything.
func (p Plot) Write(w io.Writer) error { return Figure{p}.Write(w) }

// Figure is plots one below the other.
type Figure []Plot

func (f Figure) size() (width, height float64) {
	for _, p := range f {
		w, h := p.size()
		width, height = max(width, w), height+h
	}
	return width, height
}

// Write draws the figure as SVG.
func (f Figure) Write(w io.Writer) error { return f.write(w, false) }

// WriteStyled draws the figure as SVG for a page that styles it: its elements
// have the classes plot-page, plot-grid, plot-axis, plot-ink, plot-mark and
// plot-s0 to plot-s7.
func (f Figure) WriteStyled(w io.Writer) error { return f.write(w, true) }

func (f Figure) write(w io.Writer, styled bool) error {
	if err := f.check(); err != nil {
		return err
	}
	width, height := f.size()
	s := newSVG(width, height, f[0].Title, styled)
	f.draw(s)
	s.close()
	_, err := w.Write(s.out.Bytes())
	return err
}

// WritePNG draws the figure as PNG, with scale pixels for one of the plot's; 2
// suits screens and print.
func (f Figure) WritePNG(w io.Writer, scale float64) error {
	img, err := f.Image(scale)
	if err != nil {
		return err
	}
	return png.Encode(w, img)
}

// Image draws the figure as an image, with scale pixels for one of the plot's.
func (f Figure) Image(scale float64) (*image.RGBA, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	width, height := f.size()
	if !(scale >= 0.1 && scale <= 10) || width*height*scale*scale > maxPixels {
		return nil, fmt.Errorf("%w: scale %g of %gx%g; want 0.1 to 10, and at most %d pixels", ErrData, scale, width, height, int(maxPixels))
	}
	r := newRaster(width, height, scale)
	defer r.close()
	f.draw(r)
	return r.img, r.err
}

// maxPixels keeps an image in memory.
const maxPixels = 200e6

func (f Figure) draw(s surface) {
	if len(f) > 1 {
		s.page(paper)
	}
	top := 0.0
	for _, p := range f {
		on := s
		if len(f) > 1 {
			on = offset{s, point{0, top}}
		}
		newCanvas(on, p).draw(p)
		_, h := p.size()
		top += h
	}
}

func (f Figure) check() error {
	if len(f) == 0 {
		return fmt.Errorf("%w: a figure without plots", ErrData)
	}
	var errs []error
	for _, p := range f {
		errs = append(errs, p.check())
	}
	return errors.Join(errs...)
}

func (p Plot) check() error {
	var errs []error
	for i, s := range p.Series {
		if len(s.X) != len(s.Y) {
			errs = append(errs, fmt.Errorf("%w: series %d %q has %d x values and %d y values", ErrData, i, s.Name, len(s.X), len(s.Y)))
		}
		if len(s.Low) != len(s.High) || len(s.Low) != 0 && len(s.Low) != len(s.Y) {
			errs = append(errs, fmt.Errorf("%w: series %d %q has a band of %d low and %d high values for %d points", ErrData, i, s.Name, len(s.Low), len(s.High), len(s.Y)))
		}
	}
	if p.Width < 0 || p.Height < 0 || p.Width > 10_000 || p.Height > 10_000 {
		errs = append(errs, fmt.Errorf("%w: size %dx%d; width and height must lie in [0, 10000]", ErrData, p.Width, p.Height))
	}
	return errors.Join(errs...)
}

// extent is the range of the finite values among xs, or [0, 1] without any.
// A single value, or several that are all but equal, get room on both sides.
func extent(xs ...[]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range xs {
		for _, v := range x {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		return 0, 1
	}
	// Numbers that differ in their last digits only have no room for ticks.
	if high-low <= max(1e-9*max(math.Abs(low), math.Abs(high)), 1e-300) {
		room := max(math.Abs(low)*0.1, 0.5)
		return low - room, high + room
	}
	return low, high
}

// finite reports whether a value can be drawn: differences of larger ones
// overflow.
func finite(v float64) bool { return math.Abs(v) <= 1e300 }
