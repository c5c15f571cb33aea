package plotsvg

import "strconv"

// point is a place in pixels from the upper left.
type point struct{ x, y float64 }

// role says what an element is, for pages that restyle a plot: it becomes the
// element's class in SVG.
type role string

// The roles of elements; those of series are numbered.
const (
	rolePage role = "plot-page"
	roleGrid role = "plot-grid"
	roleAxis role = "plot-axis"
	roleInk  role = "plot-ink"
	roleMark role = "plot-mark" // reference lines
)

func roleSeries(i int) role { return role("plot-s" + strconv.Itoa(i%len(palette))) }

// paint is how something looks.
type paint struct {
	role    role
	colour  string  // #rrggbb
	width   float64 // of lines
	dashed  bool
	opacity float64 // of areas; 0 means opaque
}

// lettering is how a text looks.
type lettering struct {
	anchor string // start, middle or end
	size   float64
	bold   bool
	upward bool // turned by a quarter, reading from below to above
}

// surface is what a plot is drawn on.
type surface interface {
	// page fills everything.
	page(paint)
	// lines draws polylines.
	lines([][]point, paint)
	// area fills a polygon.
	area([]point, paint)
	// dot fills a circle.
	dot(at point, radius float64, p paint)
	// text writes one line with its baseline at a point.
	text(at point, l lettering, p paint, s string)
}

// offset is a surface whose origin lies elsewhere on another one.
type offset struct {
	surface
	by point
}

func (o offset) moved(points []point) []point {
	out := make([]point, len(points))
	for i, p := range points {
		out[i] = point{p.x + o.by.x, p.y + o.by.y}
	}
	return out
}

func (o offset) page(paint) {}

func (o offset) lines(all [][]point, p paint) {
	out := make([][]point, len(all))
	for i, line := range all {
		out[i] = o.moved(line)
	}
	o.surface.lines(out, p)
}

func (o offset) area(points []point, p paint) { o.surface.area(o.moved(points), p) }

func (o offset) dot(at point, radius float64, p paint) {
	o.surface.dot(o.moved([]point{at})[0], radius, p)
}

func (o offset) text(at point, l lettering, p paint, s string) {
	o.surface.text(o.moved([]point{at})[0], l, p, s)
}
