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
	log       bool // the logarithm is what is even
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

// newLogAxis widens [low, high], both positive, to powers of ten, or to one, two
// and five times such where these are few.
func newLogAxis(low, high, from, to float64) axis {
	a := axis{from: from, to: to, log: true}
	multiples := []float64{1, 2, 5}
	if high/low > 1e3 {
		multiples = multiples[:1]
	}
	var all []float64
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range multiples {
			all = append(all, m*math.Pow(10, e))
		}
	}
	first, last := 0, len(all)-1
	for first+1 < last && all[first+1] <= low*(1+1e-9) {
		first++
	}
	for last-1 > first && all[last-1] >= high*(1-1e-9) {
		last--
	}
	all = all[first : last+1]
	a.low, a.high = all[0], all[len(all)-1]
	every := (len(all) + 7) / 8 // a screenful of them
	for i := 0; i < len(all); i += every {
		a.ticks = append(a.ticks, all[i])
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
	if a.log {
		return a.from + (math.Log(v)-math.Log(a.low))/(math.Log(a.high)-math.Log(a.low))*(a.to-a.from)
	}
	return a.from + (v-a.low)/(a.high-a.low)*(a.to-a.from)
}

// labels formats the ticks with as many decimals as their distance needs, and
// thousands and millions as k and M when all of them are whole.
func (a axis) labels() []string {
	if a.log {
		return logLabels(a.ticks)
	}
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

// logLabels formats each tick for itself.
func logLabels(ticks []float64) []string {
	out := make([]string, len(ticks))
	for i, t := range ticks {
		switch {
		case t >= 1e9 || t < 1e-6:
			out[i] = strconv.FormatFloat(t, 'g', 3, 64)
		case t >= 1e6:
			out[i] = strconv.FormatFloat(t/1e6, 'g', 3, 64) + "M"
		case t >= 1e4:
			out[i] = strconv.FormatFloat(t/1e3, 'g', 3, 64) + "k"
		default:
			out[i] = strconv.FormatFloat(t, 'f', max(0, -int(math.Floor(math.Log10(t)+1e-9))), 64)
		}
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
