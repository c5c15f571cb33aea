package plotsvg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func svgOf(t *testing.T, p Plot) string {
	t.Helper()
	var buf bytes.Buffer
	if err := p.Write(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func learningCurve() Plot {
	return Plot{
		Title: "cartpole <swing-up>", XLabel: "env_steps", YLabel: "return & reward", ZeroY: true,
		Series: []Series{
			{Name: "train", X: []float64{0, 1e5, 2e5}, Y: []float64{10, 400, 800}, Low: []float64{0, 300, 700}, High: []float64{20, 500, 850}},
			{Name: "eval", X: []float64{0, 1e5, 2e5}, Y: []float64{15, math.NaN(), 820}},
		},
	}
}

func TestPlotIsDeterministicXML(t *testing.T) {
	svg := svgOf(t, learningCurve())
	if svg != svgOf(t, learningCurve()) {
		t.Error("two drawings of the same plot differ")
	}
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
	for _, want := range []string{"cartpole &lt;swing-up&gt;", "return &amp; reward", ">train<", ">eval<", "fill-opacity"} {
		if !strings.Contains(svg, want) {
			t.Errorf("plot lacks %q", want)
		}
	}
}

func TestGapBreaksLine(t *testing.T) {
	svg := svgOf(t, Plot{Series: []Series{{X: []float64{0, 1, 2, 3, 4}, Y: []float64{1, 2, math.NaN(), 2, 1}}}})
	if n := strings.Count(svg, `stroke-width="2"`); n != 1 {
		t.Fatalf("%d lines, want one path", n)
	}
	path := svg[:strings.Index(svg, `" fill="none" stroke="#0072b2"`)]
	path = path[strings.LastIndex(path, `d="`)+3:]
	if m, l := strings.Count(path, "M"), strings.Count(path, "L"); m != 2 || l != 2 {
		t.Errorf("path %q has %d moves and %d lines, want 2 and 2", path, m, l)
	}
}

func TestSinglePointIsVisible(t *testing.T) {
	if svg := svgOf(t, Plot{Series: []Series{{X: []float64{3}, Y: []float64{7}}}}); !strings.Contains(svg, "<circle") {
		t.Error("a single point draws nothing")
	}
}

func TestEmptyPlotHasAxes(t *testing.T) {
	if svg := svgOf(t, Plot{}); !strings.Contains(svg, "</svg>") {
		t.Error("plot is not closed")
	}
}

func TestMismatchedSeriesAreNamed(t *testing.T) {
	p := Plot{Series: []Series{{Name: "a", X: []float64{1}}, {Name: "b", X: []float64{1}, Y: []float64{1}, Low: []float64{1, 2}, High: []float64{1, 2}}}}
	err := p.Write(io.Discard)
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("error %v does not name both series", err)
	}
}

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []string
	}{
		{0, 1, []string{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{0, 850, []string{"0", "200", "400", "600", "800", "1000"}},
		{-3, 7, []string{"\u22124", "\u22122", "0", "2", "4", "6", "8"}},
		{0, 1e6, []string{"0", "0.2M", "0.4M", "0.6M", "0.8M", "1.0M"}},
		{0, 42_000, []string{"0", "10k", "20k", "30k", "40k", "50k"}},
	} {
		if got := newAxis(c.low, c.high, 0, 1, 5).labels(); !slices.Equal(got, c.want) {
			t.Errorf("ticks of [%v, %v] are %q, want %q", c.low, c.high, got, c.want)
		}
	}
}

func TestAxisCoversItsData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(-1e12, 1e12), 1, 5).Draw(t, "values")
		low, high := extent(v)
		a := newAxis(low, high, 0, 100, 5)
		if n := len(a.ticks); n < 2 || n > 8 {
			t.Fatalf("%d ticks for [%v, %v]", n, low, high)
		}
		for _, x := range v {
			if p := a.pixel(x); p < -0.01 || p > 100.01 {
				t.Fatalf("value %v lies at %v, outside [0, 100]", x, p)
			}
		}
	})
}
