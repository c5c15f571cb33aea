package diagnose

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
)

var update = flag.Bool("update", false, "rewrite docs/troubleshooting.md from the rules")

const docsPath = "../../docs/troubleshooting.md"

func TestDocsEqualRules(t *testing.T) {
	var want bytes.Buffer
	if err := WriteMarkdown(&want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(docsPath, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may have changed the line ends.
	if got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/troubleshooting.md differs from the rules; run: go test ./internal/diagnose -run TestDocsEqualRules -update")
	}
}

func TestRulesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] {
			t.Errorf("%s appears twice", r.ID)
		}
		seen[r.ID] = true
		if !strings.HasSuffix(r.Title, ".") || !strings.HasSuffix(r.Cause, ".") || !strings.HasSuffix(r.Judged, ".") || len(r.Try) == 0 || r.Severity.rank() < 0 {
			t.Errorf("%+v", r)
		}
	}
}

// start is when synthetic runs begin.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// synthetic is a run of 5 random and 75 planned episodes with 100 updates before
// each, in events as Orrery writes them. x goes from 0 to 1 over the run; change
// may alter any value.
func synthetic(change func(name string, x float64, v float64) float64) ([]metrics.Event, Settings) {
	const episodes, seeds, decisions = 80, 5, 100
	var events []metrics.Event
	c := metrics.Counters{}
	emit := func(kind string, text map[string]string, values map[string]float64) {
		x := float64(c.Episodes) / episodes
		for name, v := range values {
			if change != nil {
				v = change(name, x, v)
			}
			if v == missing {
				delete(values, name)
				continue
			}
			values[name] = v
		}
		events = append(events, metrics.Event{Kind: kind, Time: start.Add(time.Duration(len(events)) * 10 * time.Second), Counters: c, Values: values, Text: text})
	}
	wobble := func(n int64) float64 { return 1 + 0.1*math.Sin(float64(n)*1.7) }
	emit(metrics.KindRun, map[string]string{"env": "synthetic"}, map[string]float64{"time/compile:seconds": 2})
	for c.Episodes < episodes {
		planned := c.Episodes >= seeds
		for range 4 {
			if !planned {
				break
			}
			c.Updates += 25
			u := float64(c.Updates)
			fall := 150*math.Exp(-u/60) + 6*math.Exp(-u/2000) + 2.5
			emit(metrics.KindUpdate, nil, map[string]float64{
				"loss/total:nats": (fall + 1) * wobble(c.Updates), "loss/image:nats": fall * wobble(c.Updates), "loss/reward:nats": 0.8*math.Exp(-u/300) + 0.02*wobble(c.Updates),
				"loss/kl:nats": 2.7 * wobble(c.Updates), "loss/kl_clipped:nats": 0.2 * wobble(c.Updates), "grad/norm:1": 800*math.Exp(-u/30) + 18*wobble(c.Updates),
				"grad/clipped:ratio": 0, "param/norm:1": 40 + u/1000, "time/update:seconds": 0.3 * wobble(c.Updates), "time/sample:seconds": 0.01,
			})
		}
		c.Episodes++
		c.Decisions += decisions
		c.EnvSteps += 4 * decisions
		ret, policy := 40*wobble(c.Episodes*5), "random"
		values := map[string]float64{
			"episode/length:decisions": decisions, "replay/episodes:episodes": float64(c.Episodes), "replay/records:records": float64(c.Episodes * (decisions + 1)),
			"replay/memory:bytes": float64(c.Episodes) * 1e6, "process/memory:bytes": 500e6 + float64(c.Episodes)*1e6, "action/abs:1": 0.45 * wobble(c.Episodes),
			"split/env:seconds": 1, "split/plan:seconds": 5, "split/update:seconds": 25, "split/io:seconds": 1,
		}
		if planned {
			policy, ret = "planner", (60+4*float64(c.Episodes))*wobble(c.Episodes)
			values["plan/best:reward"], values["plan/elite:reward"], values["plan/mean:reward"], values["plan/gain:reward"], values["plan/std:1"] = 21, 20, 12, 6, 0.3
		} else {
			values["split/update:seconds"], values["split/plan:seconds"] = 0, 0
		}
		values["return/train:reward"] = ret
		emit(metrics.KindEpisode, map[string]string{"policy": policy}, values)
		if planned && c.Episodes%10 == 0 {
			emit(metrics.KindEvaluation, nil, map[string]float64{"return/eval:reward": (62 + 4*float64(c.Episodes)), "return/eval_std:reward": 20, "return/eval_min:reward": 40, "return/eval_max:reward": 400, "time/evaluate:seconds": 20})
		}
	}
	return events, Settings{FreeNats: 3, ClipNorm: 1000, Episodes: episodes, Horizon: 12, BatchSize: 50, ChunkLength: 50}
}

// missing, as a value, leaves the metric out.
const missing = -12345.678

// afterTheEnd is a moment just after the last event.
func afterTheEnd(events []metrics.Event) time.Time {
	return events[len(events)-1].Time.Add(time.Minute)
}

func TestHealthyRunsHaveNoFindings(t *testing.T) {
	events, s := synthetic(nil)
	r := Diagnose(events, s, afterTheEnd(events))
	if !r.Healthy || len(r.Findings) > 0 || !strings.HasPrefix(r.Summary, "healthy: ") {
		t.Errorf("%s: %+v", r.Summary, r.Findings)
	}
	if got := r.Names(tooEarly); len(got) > 0 {
		t.Errorf("too early for %v", got)
	}
	if got := r.Names(notMeasured); !slices.Equal(got, []string{"overfitting"}) { // it is not offline
		t.Errorf("not measured: %v", got)
	}
	if len(r.Checked) != len(Rules()) {
		t.Errorf("%d checks of %d rules", len(r.Checked), len(Rules()))
	}
}

// TestRandomlyCollectedEpisodesAreNotJudgedAsPlanned: with learn.random_collection
// they are no better than random, and need not be.
func TestRandomlyCollectedEpisodesAreNotJudgedAsPlanned(t *testing.T) {
	flat := both(after("return/train:reward", 0, to(41)), after("return/eval:reward", 0, to(41)))
	for policy, want := range map[string]bool{"planner": true, "random": false} {
		events, s := synthetic(flat)
		for i, e := range events {
			if e.Kind == metrics.KindEpisode && e.Text["policy"] == "planner" {
				events[i].Text = map[string]string{"policy": policy}
			}
		}
		found := slices.ContainsFunc(Diagnose(events, s, afterTheEnd(events)).Findings, func(f Finding) bool { return f.ID == "no-better-than-random" })
		if found != want {
			t.Errorf("episodes by %s: found %v", policy, found)
		}
	}
}

// after changes a metric from a point of the run on.
func after(metric string, from float64, value func(x, v float64) float64) func(string, float64, float64) float64 {
	return func(name string, x, v float64) float64 {
		if name == metric && x >= from {
			return value(x, v)
		}
		return v
	}
}

func to(value float64) func(x, v float64) float64 { return func(_, v float64) float64 { return value } }

func times(factor float64) func(x, v float64) float64 {
	return func(_, v float64) float64 { return v * factor }
}

// both applies several changes.
func both(changes ...func(string, float64, float64) float64) func(string, float64, float64) float64 {
	return func(name string, x, v float64) float64 {
		for _, c := range changes {
			v = c(name, x, v)
		}
		return v
	}
}

// TestEveryRuleFindsWhatItIsFor, and nothing else is found; the evidence has the
// numbers and the place.
func TestEveryRuleFindsWhatItIsFor(t *testing.T) {
	for _, c := range []struct {
		id       string
		severity Severity
		evidence string
		also     []string
		change   func(string, float64, float64) float64
	}{
		{"non-finite", Problem, "loss/image:nats is NaN at update", nil, after("loss/image:nats", 0.9, to(math.NaN()))},
		{"posterior-ignored", Problem, "loss/kl:nats is 0.2 (median, updates 6025 to 7500); its range is 1 to 30", nil,
			both(after("loss/kl:nats", 0, to(0.2)), after("loss/image:nats", 0, to(80)))},
		{"prior-not-learning", Warning, "loss/kl:nats is 45", nil, after("loss/kl:nats", 0.3, to(45))},
		{"prior-not-learning", Warning, "before: loss/kl:nats is", nil, after("loss/kl:nats", 0, func(x, _ float64) float64 { return 28 * x * x })},
		{"kl-at-free-nats", Warning, "exactly 0", nil, after("loss/kl_clipped:nats", 0.5, to(0))},
		{"reward-not-predicted", Warning, "its highest level was", nil, after("loss/reward:nats", 0, to(0.5))},
		{"no-reward", Warning, "in all of 80 episodes", nil, both(after("return/train:reward", 0, to(0)), after("return/eval:reward", 0, to(0)))},
		{"learning-rate-high", Warning, "grad/clipped:ratio is 0.4", nil, after("grad/clipped:ratio", 0.7, to(0.4))},
		{"learning-rate-high", Warning, "grad/norm:1 is", nil, after("grad/norm:1", 0.75, times(5))},
		{"learning-rate-high", Warning, "spikes", nil, func(name string, x, v float64) float64 {
			if name == "loss/total:nats" && int(x*80)%15 == 0 {
				return v * 5
			}
			return v
		}},
		{"learning-rate-high", Problem, "its lowest level was", nil, both(after("loss/total:nats", 0.6, func(x, v float64) float64 { return v * (1 + 20*(x-0.6)) }), after("grad/norm:1", 0.75, times(5)))},
		{"no-better-than-random", Warning, "that of 5 random episodes was", nil, both(after("return/train:reward", 0, to(41)), after("return/eval:reward", 0, to(41)), after("plan/elite:reward", 0, to(5)), after("plan/gain:reward", 0, to(1)))},
		{"evaluation-below-training", Warning, "evaluations after episodes 60 to 80", nil, after("return/eval:reward", 0.5, times(0.4))},
		{"plans-flat", Warning, "plan/gain:reward is 0.05", nil, after("plan/gain:reward", 0.5, to(0.05))},
		{"actions-saturated", Note, "action/abs:1 is 0.99", nil, after("action/abs:1", 0.1, to(0.99))},
		{"model-exploited", Warning, "for each of 12 decisions", nil, after("plan/elite:reward", 0.3, to(200))},
		{"out-of-range", Warning, "plan/std:1 is 1.4 (median, episodes 66 to 80); its range is 0 to 1", nil, after("plan/std:1", 0.3, to(1.4))},
		{"environment-slow", Note, "split/env:seconds is 74 %", nil, after("split/env:seconds", 0, to(90))},
		{"planning-slow", Note, "split/plan:seconds is 77 %", nil, after("split/plan:seconds", 0, to(90))},
		{"disk-slow", Note, "split/io:seconds is 74 %", nil, after("split/io:seconds", 0, to(90))},
		{"updates-slower", Note, "time/update:seconds is", nil, after("time/update:seconds", 0.7, times(2))},
		{"memory-growing", Warning, "MiB", nil, after("process/memory:bytes", 0.4, func(x, v float64) float64 { return v * (1 + 3*(x-0.4)) })},
	} {
		events, s := synthetic(c.change)
		r := Diagnose(events, s, afterTheEnd(events))
		var ids []string
		for _, f := range r.Findings {
			ids = append(ids, f.ID)
		}
		if len(ids) != 1 || ids[0] != c.id {
			t.Errorf("%s: found %v: %+v", c.id, ids, r.Findings)
			continue
		}
		f := r.Findings[0]
		if f.Severity != c.severity || !strings.Contains(strings.Join(f.Evidence, "; "), c.evidence) || f.Cause == "" || len(f.Try) == 0 {
			t.Errorf("%s: %+v; want a %s with %q", c.id, f, c.severity, c.evidence)
		}
		if r.Healthy != (c.severity == Note) || !strings.Contains(r.Summary, "1 "+string(c.severity)) {
			t.Errorf("%s: healthy %v: %s", c.id, r.Healthy, r.Summary)
		}
	}
}

func ids(r Report) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.ID)
	}
	return strings.Join(out, " ")
}

// TestStalledRuns: one that is complete, or going, is not stalled.
func TestStalledRuns(t *testing.T) {
	events, s := synthetic(nil)
	last := events[len(events)-1].Time
	if r := Diagnose(events, s, last.Add(1000*time.Hour)); !r.Healthy {
		t.Errorf("complete: %+v", r.Findings)
	}
	s.Episodes = 200
	if r := Diagnose(events, s, last.Add(9*time.Minute)); !r.Healthy {
		t.Errorf("after minutes: %+v", r.Findings)
	}
	r := Diagnose(events, s, last.Add(2*time.Hour))
	if ids(r) != "stalled" || !strings.Contains(r.Findings[0].Evidence[0], "after 80 of 200 episodes, is from "+last.Format(time.DateTime)+", 2h0m0s ago; 10s usually lie between") {
		t.Errorf("%+v", r.Findings)
	}
	s.Episodes, s.Updates = 0, 9000
	if r := Diagnose(events, s, last.Add(2*time.Hour)); ids(r) != "stalled" || !strings.Contains(r.Findings[0].Evidence[0], "7500 of 9000 updates") {
		t.Errorf("offline: %+v", r.Findings)
	}
	s.Updates = 0
	if r := Diagnose(events, s, last.Add(2*time.Hour)); !slices.Contains(r.Names(notMeasured), "stalled") {
		t.Errorf("without a configuration: %+v", r.Checked)
	}
}

func TestDamagedLinesAreANote(t *testing.T) {
	events, s := synthetic(nil)
	s.DamagedLines = 2
	if r := Diagnose(events, s, afterTheEnd(events)); !r.Healthy || ids(r) != "damaged-lines" || r.Findings[0].Evidence[0] != "2 lines" || !strings.HasPrefix(r.Summary, "healthy, with 1 note") {
		t.Errorf("%+v", r)
	}
}

// offline is a run on given episodes: n of them, with a validation now and then.
func offline(episodes float64, validation func(x float64) float64) ([]metrics.Event, Settings) {
	var events []metrics.Event
	emit := func(kind string, updates int64, values map[string]float64) {
		events = append(events, metrics.Event{Kind: kind, Time: start.Add(time.Duration(len(events)) * 10 * time.Second), Counters: metrics.Counters{Updates: updates}, Values: values})
	}
	emit(metrics.KindRun, 0, map[string]float64{"replay/episodes:episodes": episodes, "replay/records:records": 100 * episodes})
	for u := int64(25); u <= 5000; u += 25 {
		fall := 150*math.Exp(-float64(u)/60) + 6*math.Exp(-float64(u)/2000) + 2.5
		emit(metrics.KindUpdate, u, map[string]float64{"loss/total:nats": fall, "loss/image:nats": fall, "loss/reward:nats": 0.8*math.Exp(-float64(u)/300) + 0.02, "loss/kl:nats": 2.7, "loss/kl_clipped:nats": 0.2, "grad/norm:1": 20, "grad/clipped:ratio": 0, "time/update:seconds": 0.3, "process/memory:bytes": 5e8})
		if u%500 == 0 {
			emit(metrics.KindValidation, u, map[string]float64{"validation/total:nats": validation(float64(u) / 5000)})
		}
	}
	return events, Settings{FreeNats: 3, Updates: 5000, BatchSize: 32, ChunkLength: 32}
}

func TestOfflineRuns(t *testing.T) {
	healthy := func(x float64) float64 { return 5 + 3*math.Exp(-3*x) }
	events, s := offline(50, healthy)
	if r := Diagnose(events, s, afterTheEnd(events)); !r.Healthy || len(r.Findings) > 0 {
		t.Errorf("%+v", r.Findings)
	}
	events, s = offline(50, func(x float64) float64 { return 5 + 8*(x-0.3)*(x-0.3) })
	r := Diagnose(events, s, afterTheEnd(events))
	if ids(r) != "overfitting" || !strings.Contains(r.Findings[0].Evidence[0], "validation/total:nats is 8.92 at update 5000; it was 5 at update 1500") {
		t.Errorf("%+v", r.Findings)
	}
	events, s = offline(4, healthy)
	if r := Diagnose(events, s, afterTheEnd(events)); ids(r) != "replay-small" || !strings.Contains(r.Findings[0].Evidence[0], "is 4 after 5000 updates: every record was learned from 12800 times") {
		t.Errorf("%+v", r.Findings)
	}
}

// TestYoungRunsAreNotJudged: after any number of events there is a report, and
// nothing is found that the whole run does not have.
func TestYoungRunsAreNotJudged(t *testing.T) {
	events, s := synthetic(nil)
	for n := range len(events) {
		r := Diagnose(events[:n], s, start.Add(time.Duration(n)*10*time.Second))
		if len(r.Findings) > 0 {
			t.Fatalf("after %d events: %+v", n, r.Findings)
		}
		if n < 20 && !strings.HasPrefix(r.Summary, "too early") {
			t.Errorf("after %d events: %s", n, r.Summary)
		}
	}
}

// TestMetricsThatAreNotThere: runs of older versions measure less; that is said,
// and nothing is found.
func TestMetricsThatAreNotThere(t *testing.T) {
	full, _ := synthetic(nil)
	names := map[string]bool{}
	for _, e := range full {
		for name := range e.Values {
			names[name] = true
		}
	}
	for gone := range names {
		events, s := synthetic(func(name string, _, v float64) float64 {
			if name == gone {
				return missing
			}
			return v
		})
		if r := Diagnose(events, s, afterTheEnd(events)); len(r.Findings) > 0 {
			t.Errorf("without %s: %+v", gone, r.Findings)
		}
	}
}

// TestRecordedRuns: those in results/, which are known to have learned or not.
func TestRecordedRuns(t *testing.T) {
	for path, want := range map[string]string{
		"cartpole-swingup-small/metrics.jsonl":   "",
		"cartpole-ablations/rssm.jsonl":          "",
		"cartpole-ablations/overshooting.jsonl":  "",
		"cartpole-ablations/deterministic.jsonl": "",
		"cartpole-ablations/ssm.jsonl":           "no-better-than-random evaluation-below-training",
	} {
		var events []metrics.Event
		for e, err := range metrics.ReadFile(vfs.OS(), filepath.Join("../../results", path)) {
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		s := Settings{FreeNats: 3, ClipNorm: 1000, Episodes: int(events[len(events)-1].Counters.Episodes), Horizon: 12, BatchSize: 32, ChunkLength: 32}
		if r := Diagnose(events, s, time.Now()); ids(r) != want {
			t.Errorf("%s: %s, want %q: %+v", path, r.Summary, want, r.Findings)
		}
	}
}

// TestAnyEventsGiveAReport feeds what no run writes.
func TestAnyEventsGiveAReport(t *testing.T) {
	for _, v := range []float64{0, -1, 1e300, -1e300, math.NaN(), math.Inf(1)} {
		events, s := synthetic(func(string, float64, float64) float64 { return v })
		r := Diagnose(events, s, afterTheEnd(events))
		if len(r.Checked) != len(Rules()) {
			t.Errorf("all %v: %d checks", v, len(r.Checked))
		}
		for _, f := range r.Findings {
			if len(f.Evidence) == 0 || strings.Contains(fmt.Sprint(f.Evidence), "%!") {
				t.Errorf("all %v: %+v", v, f)
			}
		}
	}
}
