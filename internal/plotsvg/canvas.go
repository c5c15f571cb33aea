package plotsvg

import (
	"math"
	"slices"
	"unicode/utf8"
)

// palette is Okabe and Ito's set, told apart with colour-blind eyes too, with
// yellow darkened for a light background.
var palette = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#b8a800", "#000000"}

const (
	marginLeft, marginRight = 64.0, 20.0
	marginTop, marginBottom = 40.0, 52.0
	legendLine              = 18.0
	textSize, titleSize     = 12.0, 15.0
)

// The looks of what is not a series.
var (
	paper = paint{role: rolePage, colour: "#ffffff"}
	grid  = paint{role: roleGrid, colour: "#e6e6e6", width: 1}
	axes  = paint{role: roleAxis, colour: "#333333", width: 1}
	ink   = paint{role: roleInk, colour: "#333333"}
	mark  = paint{role: roleMark, colour: "#777777", width: 1, dashed: true}
)

// canvas draws the elements of one plot.
type canvas struct {
	surface
	width, height float64
	x, y          axis
}

func newCanvas(s surface, p Plot) *canvas {
	c := &canvas{surface: s}
	c.width, c.height = p.size()
	var xs, ys [][]float64
	for _, s := range p.Series {
		xs, ys = append(xs, s.X), append(ys, s.Y, s.Low, s.High)
	}
	for _, l := range p.Lines {
		ys = append(ys, []float64{l.Y})
	}
	if p.ZeroY && !p.LogY {
		ys = append(ys, []float64{0})
	}
	left, right := extent(xs...)
	c.x = newAxis(left, right, marginLeft, c.width-marginRight, 7)
	from, to := c.height-marginBottom, marginTop
	if low, high, ok := positive(ys); p.LogY && ok {
		c.y = newLogAxis(low, high, from, to)
		return c
	}
	low, high := extent(ys...)
	c.y = newAxis(low, high, from, to, 5)
	return c
}

// positive is the range of the positive values, if there are any.
func positive(all [][]float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), 0
	for _, values := range all {
		for _, v := range values {
			if finite(v) && v >= 1e-300 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high, high > 0
}

// shows reports whether the vertical axis has a place for a value.
func (c *canvas) shows(y float64) bool { return finite(y) && (!c.y.log || y >= 1e-300) }

// draw draws everything.
func (c *canvas) draw(p Plot) {
	c.page(paper)
	c.frame(p)
	for i, s := range p.Series {
		c.band(s, i)
	}
	for _, l := range p.Lines {
		c.reference(l)
	}
	for i, s := range p.Series {
		c.line(s, i)
	}
	c.legend(p.Series)
}

// frame draws the grid, the marks, the labels and the title.
func (c *canvas) frame(p Plot) {
	for i, label := range c.x.labels() {
		px := c.x.pixel(c.x.ticks[i])
		c.lines([][]point{{{px, c.y.from}, {px, c.y.to}}}, grid)
		c.label(px, c.y.from+18, "middle", label)
	}
	for i, label := range c.y.labels() {
		py := c.y.pixel(c.y.ticks[i])
		c.lines([][]point{{{c.x.from, py}, {c.x.to, py}}}, grid)
		c.label(c.x.from-8, py+4, "end", label)
	}
	c.lines([][]point{{{c.x.from, c.y.to}, {c.x.from, c.y.from}, {c.x.to, c.y.from}}}, axes)
	middle := (c.x.from + c.x.to) / 2
	c.write(point{middle, 24}, lettering{anchor: "middle", size: titleSize, bold: true}, p.Title)
	c.label(middle, c.height-14, "middle", p.XLabel)
	c.write(point{16, (c.y.from + c.y.to) / 2}, lettering{anchor: "middle", size: textSize, upward: true}, p.YLabel)
}

func (c *canvas) label(x, y float64, anchor, text string) {
	c.write(point{x, y}, lettering{anchor: anchor, size: textSize}, text)
}

func (c *canvas) write(at point, l lettering, text string) {
	if text != "" {
		c.text(at, l, ink, text)
	}
}

// look is how series number i is drawn.
func look(i int) paint {
	return paint{role: roleSeries(i), colour: palette[i%len(palette)], width: 2}
}

// line draws a series as polylines between gaps; a point between two gaps
// becomes a dot.
func (c *canvas) line(s Series, i int) {
	var all [][]point
	for start := 0; start < len(s.Y); start++ {
		var line []point
		end := start
		for end < len(s.Y) && finite(s.X[end]) && c.shows(s.Y[end]) {
			line = append(line, point{c.x.pixel(s.X[end]), c.y.pixel(s.Y[end])})
			end++
		}
		if len(line) == 1 {
			c.dot(line[0], 2.5, look(i))
		}
		if len(line) > 0 {
			all = append(all, line)
		}
		start = end
	}
	if len(all) > 0 {
		c.lines(all, look(i))
	}
}

// band fills the area between Low and High where both are finite.
func (c *canvas) band(s Series, i int) {
	var upper, lower []point
	for k := range s.Low {
		if finite(s.X[k]) && c.shows(s.Low[k]) && c.shows(s.High[k]) {
			px := c.x.pixel(s.X[k])
			upper, lower = append(upper, point{px, c.y.pixel(s.High[k])}), append(lower, point{px, c.y.pixel(s.Low[k])})
		}
	}
	slices.Reverse(lower)
	if len(upper) > 1 {
		p := look(i)
		p.opacity = 0.18
		c.area(append(upper, lower...), p)
	}
}

// reference draws a dashed line across, with its name at the right end.
func (c *canvas) reference(l Line) {
	if !c.shows(l.Y) {
		return
	}
	py := c.y.pixel(l.Y)
	c.lines([][]point{{{c.x.from, py}, {c.x.to, py}}}, mark)
	c.label(c.x.to-4, py-4, "end", l.Name)
}

// legend lists the named series, if there is more than one, in the corner where
// it hides the least.
func (c *canvas) legend(series []Series) {
	rows, width := 0, 0.0
	for _, s := range series {
		if s.Name != "" {
			rows++
			width = max(width, 40+6.6*float64(utf8.RuneCountInString(s.Name)))
		}
	}
	if len(series) < 2 || rows == 0 {
		return
	}
	at := c.corner(series, width, float64(rows)*legendLine)
	for i, s := range series {
		if s.Name == "" {
			continue
		}
		c.lines([][]point{{{at.x, at.y - 4}, {at.x + 22, at.y - 4}}}, look(i))
		c.label(at.x+28, at.y, "start", s.Name)
		at.y += legendLine
	}
}

// corner is where a legend of that size begins: the baseline of its first line.
func (c *canvas) corner(series []Series, width, height float64) point {
	left, right := c.x.from+12, max(c.x.to-12-width, c.x.from+12)
	top, bottom := c.y.to+14, c.y.from-height+6
	best, fewest := point{}, math.MaxInt
	for _, at := range []point{{left, top}, {right, top}, {right, bottom}, {left, bottom}} {
		hidden := 0
		for _, s := range series {
			for k := range s.Y {
				px, py := c.x.pixel(s.X[k]), c.y.pixel(s.Y[k])
				if px > at.x-6 && px < at.x+width && py > at.y-16 && py < at.y+height-10 {
					hidden++
				}
			}
		}
		if hidden < fewest {
			best, fewest = at, hidden
		}
	}
	return best
}
