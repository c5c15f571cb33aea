package bench

import (
	"slices"
	"time"
)

// Spread summarises repeated measurements, in seconds.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Count  int     `json:"count"`
}

// NewSpread summarises durations; there must be at least one.
func NewSpread(durations []time.Duration) Spread {
	s := slices.Sorted(slices.Values(durations))
	n := len(s)
	middle := (s[(n-1)/2] + s[n/2]) / 2
	return Spread{Median: middle.Seconds(), Min: s[0].Seconds(), Max: s[n-1].Seconds(), Count: n}
}

// Report is told, in one line, what is about to be measured; it may be nil.
type Report func(format string, args ...any)

func (r Report) say(format string, args ...any) {
	if r != nil {
		r(format, args...)
	}
}

// per is amount divided by seconds, or 0 when there are none.
func per(amount, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return amount / seconds
}
