// Package stats has the few statistics that results are reported with.
package stats

import (
	"math"
	"slices"
)

// Summary describes a sample. Std has the divisor n-1 and is 0 for one value.
type Summary struct {
	N                           int
	Mean, Std, Min, Max, Median float64
}

// Summarise describes x. Without values everything is 0.
func Summarise(x []float64) Summary {
	s := Summary{N: len(x)}
	if s.N == 0 {
		return s
	}
	for _, v := range x {
		s.Mean += v / float64(s.N)
	}
	for _, v := range x {
		s.Std += (v - s.Mean) * (v - s.Mean)
	}
	s.Std = math.Sqrt(s.Std / math.Max(1, float64(s.N-1)))
	s.Min, s.Max, s.Median = slices.Min(x), slices.Max(x), Median(x)
	return s
}

// FewEpisodes reports that s describes episodes that are too few for an interval
// that tells anything: below four, Student's t makes one that is wider than the
// range of the returns.
func (s Summary) FewEpisodes() bool { return s.N < 4 }

// Interval95 is the 95 % confidence interval of the mean after Student's t, or
// false for fewer than two values.
func (s Summary) Interval95() (low, high float64, ok bool) {
	if s.N < 2 {
		return s.Mean, s.Mean, false
	}
	half := StudentT95(s.N-1) * s.Std / math.Sqrt(float64(s.N))
	return s.Mean - half, s.Mean + half, true
}

// Median is the middle of x, or the mean of the two in the middle; x is not
// empty.
func Median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// StudentT95 is the two-sided 95 % quantile of Student's t distribution: a table
// for few degrees of freedom, the expansion of Fisher and Cornish beyond. With
// no degree of freedom there is no interval, and it is 0.
func StudentT95(df int) float64 {
	table := []float64{0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228}
	if df < len(table) {
		return table[max(df, 0)]
	}
	const z = 1.959964
	n := float64(df)
	return z + (z*z*z+z)/(4*n) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*n*n) +
		(3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*z*z*z-15*z)/(384*n*n*n)
}
