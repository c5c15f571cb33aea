// Package plotsvg draws line plots as SVG: curves, optional bands, axes with
// round ticks, a legend, a title. The output is a pure function of the input,
// so a plot in a repository changes only when its data does.
package plotsvg

import (
	"bytes"
	"errors"
	"fmt"
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

// Plot is a set of series on common axes.
type Plot struct {
	// Title, XLabel and YLabel may be empty; labels should name the unit.
	Title, XLabel, YLabel string
	// Width and Height are in pixels; 0 means 720 and 400.
	Width, Height int
	// Series are drawn in order and coloured by position; eight colours repeat.
	Series []Series
	// ZeroY extends the vertical axis to include 0.
	ZeroY bool
}

// Write draws the plot. It reports series whose slices disagree in length
// before writing anything.
func (p Plot) Write(w io.Writer) error {
	if err := p.check(); err != nil {
		return err
	}
	var buf bytes.Buffer
	c := newCanvas(&buf, p)
	c.frame(p)
	for i, s := range p.Series {
		c.band(s, palette[i%len(palette)])
	}
	for i, s := range p.Series {
		c.line(s, palette[i%len(palette)])
	}
	c.legend(p.Series)
	c.close()
	_, err := w.Write(buf.Bytes())
	return err
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
// A single value gets room on both sides.
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
	if low == high {
		room := max(math.Abs(low)*0.1, 0.5)
		return low - room, high + room
	}
	return low, high
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
