package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestStudentT95 against published tables (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
func TestStudentT95(t *testing.T) {
	for df, want := range map[int]float64{1: 12.706, 4: 2.776, 9: 2.262, 10: 2.228, 11: 2.201, 15: 2.131, 20: 2.086, 30: 2.042, 60: 2.000, 100: 1.984} {
		if got := StudentT95(df); math.Abs(got-want) > 0.001 {
			t.Errorf("%d degrees of freedom: %.4f, want %.3f", df, got, want)
		}
	}
	if StudentT95(0) != 0 || StudentT95(-1) != 0 {
		t.Error("no degree of freedom has no interval")
	}
}

func TestSummaryOfFiveValues(t *testing.T) {
	s := Summarise([]float64{2, 4, 4, 5, 10})
	if s.N != 5 || s.Mean != 5 || s.Std != 3 || s.Min != 2 || s.Max != 10 || s.Median != 4 {
		t.Errorf("%+v", s)
	}
	low, high, ok := s.Interval95() // 5 ± 2.776*3/sqrt(5)
	if !ok || math.Abs(low-1.2756) > 1e-3 || math.Abs(high-8.7244) > 1e-3 {
		t.Errorf("interval %v to %v, %v", low, high, ok)
	}
	if _, _, ok := Summarise([]float64{7}).Interval95(); ok {
		t.Error("one value has an interval")
	}
	if Summarise([]float64{1, 2, 3, 4}).FewEpisodes() || !Summarise([]float64{1, 2, 3}).FewEpisodes() {
		t.Error("the least number of episodes for an interval is four")
	}
	if got := Summarise(nil); got != (Summary{}) {
		t.Errorf("no values: %+v", got)
	}
	if got := Median([]float64{3, 1, 2, 10}); got != 2.5 {
		t.Errorf("median %v", got)
	}
}

func TestMeanLiesBetweenExtremes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 2, 20).Draw(t, "x")
		s := Summarise(x)
		if s.Mean < s.Min-1e-6 || s.Mean > s.Max+1e-6 || s.Median < s.Min || s.Median > s.Max {
			t.Fatalf("%+v", s)
		}
		if low, high, _ := s.Interval95(); low > s.Mean || high < s.Mean {
			t.Fatalf("interval %v to %v around %v", low, high, s.Mean)
		}
	})
}
