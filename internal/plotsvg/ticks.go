package plotsvg

import (
	"math"
	"strconv"
	"strings"
)

// axis maps data onto pixels and knows its round marks.
type axis struct {
	low, high float64 // data
	from, to  float64 // pixels
	ticks     []float64
}

// newAxis widens [low, high] to round marks, about want of them.
func newAxis(low, high, from, to float64, want int) axis {
	step := roundStep((high - low) / float64(want))
	first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
	a := axis{low: first * step, high: last * step, from: from, to: to}
	for i := first; i <= last; i++ {
		a.ticks = append(a.ticks, i*step)
	}
	return a
}

// roundStep is the smallest of 1, 2 and 5 times a power of ten that is at least
// raw.
func roundStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// pixel is where the value v lies.
func (a axis) pixel(v float64) float64 {
	return a.from + (v-a.low)/(a.high-a.low)*(a.to-a.from)
}

// labels formats the ticks with as many decimals as their distance needs, and
// thousands and millions as k and M when all of them are whole.
func (a axis) labels() []string {
	step := a.ticks[1] - a.ticks[0]
	scale, suffix := 1.0, ""
	switch {
	case step >= 1e5:
		scale, suffix = 1e6, "M"
	case step >= 1e2 && max(math.Abs(a.low), math.Abs(a.high)) >= 1e4:
		scale, suffix = 1e3, "k"
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step/scale)-1e-9)))
	out := make([]string, len(a.ticks))
	for i, t := range a.ticks {
		out[i] = formatTick(t/scale, decimals, suffix)
	}
	return out
}

func formatTick(v float64, decimals int, suffix string) string {
	if math.Abs(v) >= 1e9 || decimals > 6 {
		return strconv.FormatFloat(v, 'g', 3, 64) + suffix
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if zero := strings.Trim(s, "-0."); zero == "" {
		return "0"
	}
	return strings.Replace(s, "-", "\u2212", 1) + suffix
}
