package plotsvg

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// near counts the pixels of a colour in a rectangle, give or take antialiasing.
func near(img *image.RGBA, r image.Rectangle, want color.RGBA) (n int) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			got := img.RGBAAt(x, y)
			if math.Abs(float64(got.R)-float64(want.R))+math.Abs(float64(got.G)-float64(want.G))+math.Abs(float64(got.B)-float64(want.B)) < 30 {
				n++
			}
		}
	}
	return n
}

var blue = color.RGBA{0, 0x72, 0xb2, 255}

// TestPNGShowsWhatSVGShows: a level line at the height where SVG puts it, text
// in the margins, a band around.
func TestPNGShowsWhatSVGShows(t *testing.T) {
	p := Plot{
		Title: "Title", XLabel: "below", YLabel: "beside",
		Series: []Series{{X: []float64{0, 10}, Y: []float64{5, 5}, Low: []float64{2, 2}, High: []float64{8, 8}}},
		Lines:  []Line{{Name: "paper", Y: 9}},
		ZeroY:  true,
	}
	img, err := Figure{p}.Image(2)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got != image.Pt(1440, 800) {
		t.Fatalf("size %v", got)
	}
	c := newCanvas(nil, p)
	y := int(2 * c.y.pixel(5))
	left, right := int(2*c.x.from), int(2*c.x.to)
	if n := near(img, image.Rect(left, y-3, right, y+3), blue); n < 3*(right-left) {
		t.Errorf("%d pixels of the line", n)
	}
	if n := near(img, image.Rect(left+10, y-60, left+20, y-50), color.RGBA{0xd1, 0xe5, 0xf1, 255}); n < 80 {
		t.Errorf("%d of 100 pixels of the band", n)
	}
	ink := color.RGBA{0x33, 0x33, 0x33, 255}
	for name, r := range map[string]image.Rectangle{
		"title":    image.Rect(600, 20, 840, 56),
		"below":    image.Rect(600, 760, 840, 790),
		"beside":   image.Rect(8, 300, 40, 480),
		"mark 10":  image.Rect(right-20, int(2*c.y.from)+10, right+20, int(2*c.y.from)+40),
		"the name": image.Rect(right-120, int(2*c.y.pixel(9))-30, right, int(2*c.y.pixel(9))-4),
	} {
		if near(img, r, ink) < 10 {
			t.Errorf("no %s", name)
		}
	}
	var a, b bytes.Buffer
	if err := errors.Join(Figure{p}.WritePNG(&a, 2), Figure{p}.WritePNG(&b, 2)); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("two drawings differ, or %v", err)
	}
	if _, err := png.Decode(&a); err != nil {
		t.Error(err)
	}
}

// TestStrokesAddUp: a line that doubles back hides nothing of itself.
func TestStrokesAddUp(t *testing.T) {
	r := newRaster(40, 40, 1)
	r.page(paper)
	r.lines([][]point{{{5, 20}, {35, 20}, {5, 20}}}, paint{colour: "#0072b2", width: 4})
	if n := near(r.img, image.Rect(6, 18, 34, 22), blue); n != 28*4 {
		t.Errorf("%d of %d pixels", n, 28*4)
	}
}

func TestFigureStacksItsPlots(t *testing.T) {
	f := Figure{{Title: "first", Height: 200, Series: []Series{{X: []float64{1}, Y: []float64{1}}}}, {Title: "second", Width: 800, Height: 300}}
	var buf bytes.Buffer
	if err := f.WriteStyled(&buf); err != nil {
		t.Fatal(err)
	}
	svg := buf.String()
	var plain bytes.Buffer
	if err := f.Write(&plain); err != nil || !strings.Contains(plain.String(), "<title>first</title>") {
		t.Errorf("a drawing by itself has no title: %v", err)
	}
	for _, want := range []string{`viewBox="0 0 800 500"`, `y="224" `, `class="plot-ink"`, `class="plot-s0"`, `role="img" aria-label="first"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is missing from\n%s", want, svg)
		}
	}
	if n := strings.Count(svg, "<rect"); n != 1 {
		t.Errorf("%d backgrounds", n)
	}
	if err := (Figure{}).Write(&buf); !errors.Is(err, ErrData) {
		t.Errorf("no plots: %v", err)
	}
	for _, scale := range []float64{0, -1, math.NaN(), 100} {
		if _, err := f.Image(scale); !errors.Is(err, ErrData) {
			t.Errorf("scale %v: %v", scale, err)
		}
	}
}

func TestLegendAvoidsTheCurves(t *testing.T) {
	falling := func(dy float64) Series {
		s := Series{Name: "falling"}
		for i := range 100 {
			s.X, s.Y = append(s.X, float64(i)), append(s.Y, 148*math.Exp(-float64(i)/40)+dy)
		}
		return s
	}
	c := newCanvas(nil, Plot{Series: []Series{falling(0), falling(1)}})
	if at := c.corner([]Series{falling(0), falling(1)}, 100, 36); at.x < 300 {
		t.Errorf("the legend lies at %v, on curves that fall", at)
	}
}

// TestAnyNumbersCanBeDrawn: nothing overflows, hangs or panics.
func TestAnyNumbersCanBeDrawn(t *testing.T) {
	for _, v := range [][]float64{{1, math.Nextafter(1, 2)}, {math.MaxFloat64, -math.MaxFloat64}, {1e300, -1e300}, {math.Inf(1), math.NaN()}, {5e-324, 0}} {
		if svg := svgOf(t, Plot{Series: []Series{{X: v, Y: v}}}); !strings.Contains(svg, "</svg>") {
			t.Errorf("%v", v)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 4).Draw(rt, "n")
		values := rapid.SliceOfN(rapid.Float64(), n, n)
		p := Plot{Width: 120, Height: 120, Series: []Series{{Name: "a", X: values.Draw(rt, "x"), Y: values.Draw(rt, "y")}}, Lines: []Line{{"l", rapid.Float64().Draw(rt, "line")}}}
		var buf bytes.Buffer
		if err := p.Write(&buf); err != nil {
			rt.Fatal(err)
		}
		p.LogY = true
		if err := p.Write(&buf); err != nil {
			rt.Fatal(err)
		}
		if strings.Contains(buf.String(), "NaN") || strings.Contains(buf.String(), "Inf") {
			rt.Fatal(fmt.Sprint("coordinates that are no numbers in ", buf.String()))
		}
		if _, err := (Figure{p}).Image(1); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestLogarithmicAxis(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.5, 160, "0.5 2 10 50 200"}, // every other: nine are too many,
		{2, 3, "2 5"},
		{0.02, 0.9, "0.02 0.05 0.1 0.2 0.5 1"},
		{1, 1e6, "1 10 100 1000 10k 100k 1M"},
		{5, 5, "5 10"},
	} {
		a := newLogAxis(c.low, c.high, 300, 0)
		got := strings.Join(a.labels(), " ")
		if got != c.want {
			t.Errorf("ticks of [%v, %v] are %s, want %s", c.low, c.high, got, c.want)
		}
		if top, bottom := a.pixel(c.high), a.pixel(c.low); top < -0.01 || bottom > 300.01 || top > bottom {
			t.Errorf("[%v, %v] lies at %v to %v", c.low, c.high, bottom, top)
		}
	}
	svg := svgOf(t, Plot{LogY: true, ZeroY: true, Series: []Series{{X: []float64{0, 1, 2, 3}, Y: []float64{100, 0, 10, 1}}}})
	path := svg[strings.LastIndex(svg, `d="`)+3:]
	if m := strings.Count(path[:strings.Index(path, `"`)], "M"); m != 2 || !strings.Contains(svg, "<circle") {
		t.Errorf("a value of zero does not break the line: %s", path)
	}
	if svg := svgOf(t, Plot{LogY: true, Series: []Series{{X: []float64{0}, Y: []float64{-1}}}}); !strings.Contains(svg, "\u22121") {
		t.Error("without positive values there is no even axis")
	}
}
