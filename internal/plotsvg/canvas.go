package plotsvg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
)

// palette is Okabe and Ito's set, told apart with colour-blind eyes too, with
// yellow darkened for a light background.
var palette = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#b8a800", "#000000"}

const (
	marginLeft, marginRight = 64.0, 20.0
	marginTop, marginBottom = 40.0, 52.0
	legendLine              = 18.0
)

// canvas writes the elements of one plot.
type canvas struct {
	out           *bytes.Buffer
	width, height float64
	x, y          axis
}

func newCanvas(out *bytes.Buffer, p Plot) *canvas {
	c := &canvas{out: out, width: 720, height: 400}
	if p.Width > 0 {
		c.width = float64(p.Width)
	}
	if p.Height > 0 {
		c.height = float64(p.Height)
	}
	var xs, ys [][]float64
	for _, s := range p.Series {
		xs, ys = append(xs, s.X), append(ys, s.Y, s.Low, s.High)
	}
	if p.ZeroY {
		ys = append(ys, []float64{0})
	}
	left, right := extent(xs...)
	low, high := extent(ys...)
	c.x = newAxis(left, right, marginLeft, c.width-marginRight, 7)
	c.y = newAxis(low, high, c.height-marginBottom, marginTop, 5)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" font-family="system-ui, sans-serif" font-size="12">`+"\n",
		number(c.width), number(c.height), number(c.width), number(c.height))
	fmt.Fprintf(out, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	return c
}

// frame draws the grid, the marks, the labels and the title.
func (c *canvas) frame(p Plot) {
	for i, label := range c.x.labels() {
		px := c.x.pixel(c.x.ticks[i])
		c.rule(px, c.y.from, px, c.y.to)
		c.text(px, c.y.from+18, "middle", "", label)
	}
	for i, label := range c.y.labels() {
		py := c.y.pixel(c.y.ticks[i])
		c.rule(c.x.from, py, c.x.to, py)
		c.text(c.x.from-8, py+4, "end", "", label)
	}
	fmt.Fprintf(c.out, `<path d="M%s %sV%sH%s" fill="none" stroke="#333333"/>`+"\n",
		number(c.x.from), number(c.y.to), number(c.y.from), number(c.x.to))
	middle := (c.x.from + c.x.to) / 2
	c.text(middle, 24, "middle", ` font-size="15" font-weight="600"`, p.Title)
	c.text(middle, c.height-14, "middle", "", p.XLabel)
	centre := (c.y.from + c.y.to) / 2
	c.text(16, centre, "middle", fmt.Sprintf(` transform="rotate(-90 16 %s)"`, number(centre)), p.YLabel)
}

func (c *canvas) rule(x1, y1, x2, y2 float64) {
	fmt.Fprintf(c.out, `<path d="M%s %sL%s %s" stroke="#e6e6e6"/>`+"\n", number(x1), number(y1), number(x2), number(y2))
}

// text writes escaped text; attributes are inserted as they are.
func (c *canvas) text(x, y float64, anchor, attributes, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(c.out, `<text x="%s" y="%s" text-anchor="%s" fill="#333333"%s>`, number(x), number(y), anchor, attributes)
	_ = xml.EscapeText(c.out, []byte(text)) // a bytes.Buffer does not fail
	c.out.WriteString("</text>\n")
}

// line draws a series as polylines between gaps; a point between two gaps
// becomes a dot.
func (c *canvas) line(s Series, colour string) {
	var d strings.Builder
	for start := 0; start < len(s.Y); start++ {
		end := start
		for end < len(s.Y) && finite(s.X[end]) && finite(s.Y[end]) {
			verb := "L"
			if end == start {
				verb = "M"
			}
			fmt.Fprintf(&d, "%s%s %s", verb, number(c.x.pixel(s.X[end])), number(c.y.pixel(s.Y[end])))
			end++
		}
		if end == start+1 {
			fmt.Fprintf(c.out, `<circle cx="%s" cy="%s" r="2.5" fill="%s"/>`+"\n", number(c.x.pixel(s.X[start])), number(c.y.pixel(s.Y[start])), colour)
		}
		start = end
	}
	if d.Len() > 0 {
		fmt.Fprintf(c.out, `<path d="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"/>`+"\n", d.String(), colour)
	}
}

// band fills the area between Low and High where both are finite.
func (c *canvas) band(s Series, colour string) {
	var upper, lower []string
	for i := range s.Low {
		if finite(s.X[i]) && finite(s.Low[i]) && finite(s.High[i]) {
			px := number(c.x.pixel(s.X[i]))
			upper = append(upper, px+" "+number(c.y.pixel(s.High[i])))
			lower = append(lower, px+" "+number(c.y.pixel(s.Low[i])))
		}
	}
	slices.Reverse(lower)
	if len(upper) > 1 {
		fmt.Fprintf(c.out, `<path d="M%sZ" fill="%s" fill-opacity="0.18"/>`+"\n", strings.Join(append(upper, lower...), "L"), colour)
	}
}

// legend lists the named series, if there is more than one, in the upper left.
func (c *canvas) legend(series []Series) {
	if len(series) < 2 {
		return
	}
	y := c.y.to + 14
	for i, s := range series {
		if s.Name == "" {
			continue
		}
		fmt.Fprintf(c.out, `<path d="M%s %sh22" stroke="%s" stroke-width="2"/>`+"\n", number(c.x.from+12), number(y-4), palette[i%len(palette)])
		c.text(c.x.from+40, y, "start", "", s.Name)
		y += legendLine
	}
}

func (c *canvas) close() { c.out.WriteString("</svg>\n") }

// number formats a coordinate with at most two decimals and no negative zero.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", math.Round(v*100)/100+0), "0"), ".")
}
