package report

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/internal/stats"
)

// Group is runs that differ in nothing but their seed.
type Group struct {
	Name string
	Runs []*Run
}

// seedEnding is how names of runs tell their seed.
var seedEnding = regexp.MustCompile(`([-_.](s|seed)?[-_]?\d+)$`)

// Groups puts runs together whose configurations differ in their seeds only, and
// of runs without a configuration those whose names differ in a number at the
// end only. The order is that of the runs.
func Groups(runs []*Run) []Group {
	var groups []Group
	for _, r := range runs {
		i := slices.IndexFunc(groups, func(g Group) bool { return alike(g.Runs[0], r) })
		if i < 0 {
			groups = append(groups, Group{Runs: []*Run{r}})
			continue
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	for i := range groups {
		groups[i].Name = groups[i].name()
	}
	return groups
}

func alike(a, b *Run) bool {
	if a.Config == nil || b.Config == nil {
		return a.Config == nil && b.Config == nil && stem(a.Name) == stem(b.Name)
	}
	x, y := *a.Config, *b.Config
	x.Seed, y.Seed = 0, 0
	changes, err := config.Diff(x, y)
	return err == nil && len(changes) == 0
}

func stem(name string) string { return seedEnding.ReplaceAllString(name, "") }

// name is what the names of the runs have in common.
func (g Group) name() string {
	if len(g.Runs) == 1 {
		return g.Runs[0].Name
	}
	first := stem(g.Runs[0].Name)
	for _, r := range g.Runs[1:] {
		for !strings.HasPrefix(r.Name, first) {
			first = first[:len(first)-1]
		}
	}
	if first = strings.TrimRight(first, "-_. "); first == "" {
		first = g.Runs[0].Name
	}
	return fmt.Sprintf("%s (%d runs)", first, len(g.Runs))
}

// Band is what is drawn around the mean of several runs.
type Band string

// The bands: one standard deviation, a 95 % confidence interval of the mean
// after Student's t, the lowest and the highest.
const (
	BandStd      Band = "std"
	BandInterval Band = "interval"
	BandRange    Band = "range"
)

// Bands are all of them.
func Bands() []Band { return []Band{BandStd, BandInterval, BandRange} }

func (b Band) text() string {
	return map[Band]string{BandStd: "± standard deviation", BandInterval: "with 95 % interval (Student's t)", BandRange: "with lowest and highest"}[b]
}

func (b Band) around(s stats.Summary) (low, high float64) {
	switch b {
	case BandInterval:
		low, high, _ = s.Interval95()
	case BandRange:
		low, high = s.Min, s.Max
	default:
		low, high = s.Mean-s.Std, s.Mean+s.Std
	}
	return low, high
}

// aggregate is the mean of several series where all of them have values: between
// two points of a series it is interpolated.
func aggregate(all []plotsvg.Series, band Band) plotsvg.Series {
	var grid []float64
	from, to := math.Inf(-1), math.Inf(1)
	kept := all[:0:0]
	for _, s := range all {
		if s = whole(s); len(s.X) == 0 {
			continue
		}
		kept = append(kept, s)
		grid = append(grid, s.X...)
		from, to = max(from, s.X[0]), min(to, s.X[len(s.X)-1])
	}
	slices.Sort(grid)
	out := plotsvg.Series{}
	for _, x := range slices.Compact(grid) {
		if x < from || x > to {
			continue
		}
		values := make([]float64, len(kept))
		for i, s := range kept {
			values[i] = interpolate(s, x)
		}
		sum := stats.Summarise(values)
		low, high := band.around(sum)
		out.X, out.Y = append(out.X, x), append(out.Y, sum.Mean)
		out.Low, out.High = append(out.Low, low), append(out.High, high)
	}
	return out
}

// whole is a series without what is not finite, and with one value, the mean,
// where there were several in one place.
func whole(s plotsvg.Series) (out plotsvg.Series) {
	for i := 0; i < len(s.X); {
		sum, n, x := 0.0, 0, s.X[i]
		for ; i < len(s.X) && s.X[i] == x; i++ {
			if finite(s.Y[i]) {
				sum, n = sum+s.Y[i], n+1
			}
		}
		if n > 0 && finite(x) && (len(out.X) == 0 || x > out.X[len(out.X)-1]) {
			out.X, out.Y = append(out.X, x), append(out.Y, sum/float64(n))
		}
	}
	return out
}

// interpolate is the value of a series at x, which lies within it.
func interpolate(s plotsvg.Series, x float64) float64 {
	i := sort.SearchFloat64s(s.X, x)
	if i == len(s.X) || s.X[i] == x || i == 0 {
		return s.Y[min(i, len(s.Y)-1)]
	}
	f := (x - s.X[i-1]) / (s.X[i] - s.X[i-1])
	return s.Y[i-1] + f*(s.Y[i]-s.Y[i-1])
}
