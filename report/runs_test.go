package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/plotsvg"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
	"github.com/orrery-rl/orrery/metrics"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// history makes events one after another.
type history struct {
	at       time.Time
	counters metrics.Counters
	events   []metrics.Event
}

func newHistory(text map[string]string) *history {
	h := &history{at: start}
	h.add(metrics.KindRun, 0, map[string]float64{"time/compile:seconds": 2}, text)
	return h
}

func (h *history) add(kind string, after time.Duration, values map[string]float64, text map[string]string) {
	h.at = h.at.Add(after)
	h.events = append(h.events, metrics.Event{Kind: kind, Time: h.at, Counters: h.counters, Values: values, Text: text})
}

// iteration adds some updates and an episode of a return.
func (h *history) iteration(ret float64) {
	h.counters.Updates += 10
	h.add(metrics.KindUpdate, 8*time.Second, map[string]float64{"loss/kl:nats": 3, "loss/image:nats": 100 / float64(h.counters.Updates), "grad/clipped:ratio": 0}, nil)
	h.counters.EnvSteps, h.counters.Decisions, h.counters.Episodes = h.counters.EnvSteps+1000, h.counters.Decisions+125, h.counters.Episodes+1
	h.add(metrics.KindEpisode, 2*time.Second, map[string]float64{
		"return/train:reward": ret, "split/env:seconds": 0.5, "split/plan:seconds": 1.5, "split/update:seconds": 7, "split/io:seconds": 1,
	}, map[string]string{"policy": "planner"})
}

func (h *history) evaluation(returns ...float64) {
	texts := make([]string, len(returns))
	for i, v := range returns {
		texts[i] = fmt.Sprint(v)
	}
	h.add(metrics.KindEvaluation, time.Second, map[string]float64{"return/eval:reward": returns[0], "return/eval_std:reward": 1, "return/eval_min:reward": returns[0], "return/eval_max:reward": returns[0]},
		map[string]string{"returns": strings.Join(texts, " ")})
}

// store writes a run.
func (h *history) store(t testing.TB, fsys vfs.FS, dir string, cfg *config.Run) {
	t.Helper()
	var lines strings.Builder
	for _, e := range h.events {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(data, '\n'))
	}
	put(t, fsys, filepath.Join(dir, "metrics.jsonl"), lines.String())
	if cfg != nil {
		text, err := cfg.YAML()
		if err != nil {
			t.Fatal(err)
		}
		put(t, fsys, filepath.Join(dir, "config.yaml"), string(text))
	}
}

func put(t testing.TB, fsys vfs.FS, path, text string) {
	t.Helper()
	if err := fsys.MkdirAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func small(t testing.TB, seed uint64) *config.Run {
	t.Helper()
	run, err := config.Preset("small")
	if err != nil {
		t.Fatal(err)
	}
	run.Seed = seed
	return &run
}

// stored is a run of n iterations whose returns rise by slope.
func stored(t testing.TB, name string, seed uint64, n int, slope float64) *Run {
	t.Helper()
	fsys := vfstest.NewMem()
	h := newHistory(map[string]string{"env": "cartpole-swingup", "backend": "cpu backend"})
	for i := range n {
		h.iteration(slope * float64(i))
	}
	h.evaluation(100+slope, 120, 140, 120+slope/3)
	h.store(t, fsys, filepath.Join("runs", name), small(t, seed))
	r, err := Load(fsys, filepath.Join("runs", name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLoadReadsWhatIsThere(t *testing.T) {
	fsys := vfstest.NewMem()
	h := newHistory(map[string]string{"env": "cartpole-swingup"})
	h.iteration(1)
	h.store(t, fsys, "runs/a", small(t, 1))
	put(t, fsys, "runs/a/eval.json", `{"returns": [1, 2, 6], "trained": {"episodes": 1}}`)
	for _, path := range []string{"runs/a", "runs/a/", "runs/a/metrics.jsonl"} {
		r, err := Load(fsys, path)
		if err != nil || r.Name != "a" || len(r.Events) != 3 || r.Config == nil || len(r.Problems) > 0 {
			t.Fatalf("%s: %+v, %v", path, r, err)
		}
		if len(r.Afterwards) != 1 || r.Afterwards[0].Summary.Mean != 3 || r.Afterwards[0].At.Episodes != 1 {
			t.Errorf("%s: evaluations %+v", path, r.Afterwards)
		}
	}
	put(t, fsys, "kept/rssm.jsonl", `{"kind":"run","time":"2026-01-02T03:04:05Z"}`+"\nnonsense\n")
	put(t, fsys, "kept/rssm.yaml", "preset: small\nnonsense: 3\n")
	r, err := Load(fsys, "kept/rssm.jsonl")
	if err != nil || r.Name != "rssm" || len(r.Events) != 1 || len(r.Damaged) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r.Config != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "nonsense") {
		t.Errorf("problems %q do not say what is wrong with the configuration", r.Problems)
	}
	for _, path := range []string{"absent", "kept"} {
		if _, err := Load(fsys, path); !errors.Is(err, ErrNoRun) {
			t.Errorf("%s: %v, want ErrNoRun", path, err)
		}
	}
}

func TestEvaluationsHaveTheirReturnsOrSayWhatWasTold(t *testing.T) {
	r := stored(t, "a", 1, 2, 10)
	ev := r.Evaluations()
	if len(ev) != 1 || ev[0].Summary.N != 4 || math.Abs(ev[0].Summary.Mean-370./3) > 1e-9 || ev[0].Summary.Max != 140 {
		t.Fatalf("%+v", ev)
	}
	delete(r.Events[len(r.Events)-1].Text, "returns") // of older versions
	if s := r.Evaluations()[0].Summary; s.Mean != 110 || s.Std != 1 || s.N != r.Config.Learn.EvalEpisodes {
		t.Errorf("%+v", s)
	}
	if got := parseReturns("1 x 3"); got != nil {
		t.Errorf("what is no list of numbers is read as %v", got)
	}
}

func TestClockLeavesGapsOut(t *testing.T) {
	h := newHistory(nil)
	for range 10 {
		h.iteration(1)
	}
	h.add(metrics.KindRun, time.Hour, map[string]float64{"time/compile:seconds": 3}, nil) // resumed an hour later
	h.iteration(1)
	h.counters.Updates += 10
	h.add(metrics.KindUpdate, 30*time.Minute, nil, nil) // the machine slept
	r := &Run{Events: h.events}
	c := r.Clock()
	if c.Processes != 2 || len(c.Gaps) != 2 || !c.Gaps[0].Resumed || c.Gaps[1].Resumed || c.Backwards {
		t.Fatalf("%+v", c)
	}
	if got, want := c.Idle(), time.Hour-3*time.Second+30*time.Minute-8*time.Second; got != want {
		t.Errorf("idle for %v, want %v", got, want)
	}
	if got, want := c.Working(), 11*10*time.Second+3*time.Second+8*time.Second; got != want {
		t.Errorf("%v of work, want %v", got, want)
	}
	if got := c.To.Sub(c.From); got != c.Working()+c.Idle() {
		t.Errorf("%v in all is not %v and %v", got, c.Working(), c.Idle())
	}
	h.add(metrics.KindUpdate, -time.Minute, nil, nil)
	if c := (&Run{Events: h.events}).Clock(); !c.Backwards {
		t.Error("a clock that was set back is not noticed")
	}
	if c := (&Run{}).Clock(); c.Working() != 0 || c.Idle() != 0 {
		t.Errorf("no events: %+v", c)
	}
}

func TestResolveTakesNamesWithoutUnitAndGroups(t *testing.T) {
	r := stored(t, "a", 1, 2, 10)
	for name, want := range map[string][]string{
		"loss/kl:nats": {"loss/kl:nats"}, "loss/kl": {"loss/kl:nats"}, "loss": {"loss/image:nats", "loss/kl:nats"}, "loss/": {"loss/image:nats", "loss/kl:nats"},
	} {
		if got, err := Resolve(name, r); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{"lss": `"lss"; did you mean "loss"?`, "loss/lk": `did you mean "loss/kl"?`, "imgae": `did you mean "loss/image"?`, "retrun/train": `did you mean "return/train"?`, "xyzzy": `no metric "xyzzy"`} {
		if _, err := Resolve(name, r); !errors.Is(err, ErrNoMetric) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := Resolve("nonsense", r); err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("error %v: nothing there looks like it", err)
	}
}

func TestGroupsDifferInSeedsOnly(t *testing.T) {
	other := stored(t, "other-1", 1, 2, 1)
	other.Config.Model.FreeNats = 1
	bare := func(name string) *Run { return &Run{Name: name} }
	groups := Groups([]*Run{stored(t, "run-1", 1, 2, 1), other, stored(t, "run-2", 2, 2, 1), bare("x_seed1"), bare("x_seed2"), bare("y")})
	var got []string
	for _, g := range groups {
		got = append(got, fmt.Sprintf("%s: %d", g.Name, len(g.Runs)))
	}
	if diff := cmp.Diff([]string{"run (2 runs): 2", "other-1: 1", "x (2 runs): 2", "y: 1"}, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestAggregateIsTheMeanWhereAllHaveValues(t *testing.T) {
	a := plotsvg.Series{X: []float64{0, 10, 20}, Y: []float64{0, 10, 20}}
	b := plotsvg.Series{X: []float64{5, 15, 15, 30}, Y: []float64{15, 24, 26, math.NaN()}}
	got := aggregate([]plotsvg.Series{a, b}, BandRange)
	want := plotsvg.Series{X: []float64{5, 10, 15}, Y: []float64{10, 15, 20}, Low: []float64{5, 10, 15}, High: []float64{15, 20, 25}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mean (-want +got):\n%s", diff)
	}
	if got := aggregate([]plotsvg.Series{a, a}, BandStd); !slices.Equal(got.Low, got.High) || !slices.Equal(got.Y, a.Y) {
		t.Errorf("two equal runs: %+v", got)
	}
}

func TestSmoothAndThin(t *testing.T) {
	if got := Smooth([]float64{1, 3, math.NaN(), 5}, 2); !slices.Equal(got, []float64{1, 2, 3, 5}) {
		t.Errorf("%v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		n, most := rapid.IntRange(1, 60).Draw(t, "n"), rapid.IntRange(1, 20).Draw(t, "most")
		var s plotsvg.Series
		for i := range n {
			s.X, s.Y = append(s.X, float64(i)), append(s.Y, rapid.Float64Range(-10, 10).Draw(t, "y"))
		}
		got := thin(s, most)
		if len(got.X) != min(n, most) {
			t.Fatalf("%d points of %d, want at most %d", len(got.X), n, most)
		}
		for i := range got.Low {
			if got.Y[i] < got.Low[i]-1e-9 || got.Y[i] > got.High[i]+1e-9 {
				t.Fatalf("point %d: %v outside [%v, %v]", i, got.Y[i], got.Low[i], got.High[i])
			}
		}
	})
}

func TestFigures(t *testing.T) {
	a, b := stored(t, "run-1", 1, 20, 10), stored(t, "run-2", 2, 20, 20)
	one, err := Figure([]*Run{a}, FigureOptions{Paper: true})
	if err != nil || len(one) != 1 || len(one[0].Series) != 2 || one[0].Lines[0].Y != 821 || one[0].XLabel != "env_steps" {
		t.Errorf("one run: %+v, %v", one, err)
	}
	several, err := Figure([]*Run{a, b}, FigureOptions{})
	if err != nil || len(several[0].Series) != 2 || several[0].YLabel != "return, mean of 5" {
		t.Errorf("several: %+v, %v", several, err)
	}
	grouped, err := Figure([]*Run{a, b}, FigureOptions{Group: true, Metrics: []string{"return/train", "loss"}, Smooth: 1})
	if err != nil || len(grouped) != 3 || len(grouped[0].Series) != 1 {
		t.Fatalf("grouped: %+v, %v", grouped, err)
	}
	if s := grouped[0].Series[0]; s.Y[19] != 15*19 || s.Name != "run (2 runs)" || !strings.Contains(grouped[0].YLabel, "mean of runs ± standard deviation") {
		t.Errorf("%+v, %q", s, grouped[0].YLabel)
	}
	spread, err := Figure([]*Run{a}, FigureOptions{Metrics: []string{"return"}, Paper: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range spread {
		if lines := len(p.Lines); (lines == 0) != (p.Title == "return/eval_std:reward") {
			t.Errorf("%s beside %d returns", p.Title, lines)
		}
	}
	offline := &Run{Path: "x", Events: []metrics.Event{
		{Kind: metrics.KindUpdate, Counters: metrics.Counters{Updates: 5}, Values: map[string]float64{"loss/kl:nats": 3}},
		{Kind: metrics.KindEvaluation, Counters: metrics.Counters{Updates: 10}, Values: map[string]float64{"return/eval:reward": 5, "return/eval_std:reward": 1}},
	}}
	f, err := Figure([]*Run{offline}, FigureOptions{})
	if err != nil || f[0].XLabel != "updates" || f[0].Series[0].X[0] != 10 {
		t.Errorf("offline: %+v, %v", f, err)
	}
	if mixed, err := Figure([]*Run{a, offline}, FigureOptions{Metrics: []string{"loss/kl"}}); err != nil || mixed[0].XLabel != "updates" {
		t.Errorf("a run that takes steps beside one that takes none: %+v, %v", mixed, err)
	}
	offline.Events = offline.Events[:1]
	if _, err := Figure([]*Run{offline}, FigureOptions{}); err == nil || !strings.Contains(err.Error(), "no episodes yet") {
		t.Errorf("without returns: %v", err)
	}
}

// TestEvaluationsWithoutSpreadAreDrawn: without a band, since it is not known.
func TestEvaluationsWithoutSpreadAreDrawn(t *testing.T) {
	r := stored(t, "a", 1, 3, 10)
	for want := range 2 {
		f, err := Figure([]*Run{r}, FigureOptions{})
		if err != nil || len(f) != 1 || len(f[0].Series) != 2 {
			t.Fatalf("%+v, %v", f, err)
		}
		s := f[0].Series[1]
		if len(s.Y) != 1 || len(s.Low) != 1-want || strings.Contains(s.Name, "±") != (want == 0) {
			t.Errorf("%+v", s)
		}
		delete(r.Events[len(r.Events)-1].Values, "return/eval_std:reward")
	}
}
