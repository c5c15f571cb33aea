package dashboard

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
)

// fakeRun writes what a run would write, without training.
type fakeRun struct {
	t        *testing.T
	dir      string
	at       time.Time
	counters metrics.Counters
	rand     *rand.Rand
}

func newFakeRun(t *testing.T, dir, env string, settings string) *fakeRun {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("preset: small\nenv:\n  name: %s\nlearn:\n  episodes: 100\n  seed_episodes: 5\n%s", env, settings)
	if err := os.WriteFile(filepath.Join(dir, settingsName), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f := &fakeRun{t: t, dir: dir, at: time.Now().Add(-time.Hour), rand: rand.New(rand.NewPCG(1, uint64(len(dir))))}
	f.event(metrics.KindRun, map[string]float64{"time/compile:seconds": 1.5}, map[string]string{"env": env, "backend": "cpu"})
	return f
}

// event appends an event as the sink of a run does.
func (f *fakeRun) event(kind string, values map[string]float64, text map[string]string) {
	f.t.Helper()
	data, err := json.Marshal(metrics.Event{Kind: kind, Time: f.at, Counters: f.counters, Values: values, Text: text})
	if err != nil {
		f.t.Fatal(err)
	}
	f.append(append(data, '\n'))
}

func (f *fakeRun) append(data []byte) {
	f.t.Helper()
	file, err := os.OpenFile(filepath.Join(f.dir, eventsName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		f.t.Fatal(err)
	}
}

// episode goes on by some updates and an episode.
func (f *fakeRun) episode() {
	f.t.Helper()
	n := float64(f.counters.Episodes)
	noise := func(size float64) float64 { return size * (f.rand.Float64() - 0.5) }
	for range 2 {
		f.at = f.at.Add(4 * time.Second)
		f.counters.Updates += 25
		f.event(metrics.KindUpdate, map[string]float64{
			"loss/total:nats": 60/(1+n) + 3 + noise(0.5), "loss/image:nats": 50/(1+n) + 2.5 + noise(0.4), "loss/reward:nats": 0.02 + noise(0.01),
			"loss/kl:nats": 2.5 + noise(0.6), "loss/kl_clipped:nats": 0.2 + noise(0.1), "grad/norm:1": 20 + noise(8), "grad/clipped:ratio": 0,
			"loss/prior_entropy:nats": 4 + noise(1), "loss/posterior_entropy:nats": 1 + noise(1), "time/update:seconds": 0.2 + noise(0.02), "time/sample:seconds": 0.01,
		}, nil)
	}
	f.at = f.at.Add(5 * time.Second)
	f.counters.Episodes++
	f.counters.EnvSteps += 1000
	f.counters.Decisions += 125
	f.event(metrics.KindEpisode, map[string]float64{
		"return/train:reward": 500*n/(n+20) + noise(120), "episode/length:decisions": 125, "action/abs:1": 0.45 + noise(0.1),
		"plan/best:reward": 6 + noise(1), "plan/elite:reward": 5.5 + noise(1), "plan/mean:reward": 4 + noise(1), "plan/gain:reward": 0.8 + noise(0.2), "plan/std:1": 0.3 + noise(0.1),
		"split/env:seconds": 0.2, "split/plan:seconds": 4 + noise(0.5), "split/update:seconds": 8 + noise(1), "split/io:seconds": 0.4,
		"time/plan:seconds": 0.03 + noise(0.005), "time/env:seconds": 0.001, "rate/updates:per_second": 4 + noise(0.5), "rate/env_steps:per_second": 80 + noise(6),
		"replay/records:records": 126 * (n + 1), "replay/memory:bytes": 1.5e6 * (n + 1), "process/memory:bytes": 4e8 + 1e6*n,
	}, map[string]string{"policy": "planner"})
	if f.counters.Episodes%10 == 0 {
		f.event(metrics.KindEvaluation, map[string]float64{"return/eval:reward": 520 * n / (n + 18), "return/eval_std:reward": 60, "time/evaluate:seconds": 20}, nil)
	}
}

// show writes frames of a ball that swings, and a decision.
func (f *fakeRun) show() {
	f.t.Helper()
	dir := live.NewDir(vfs.OS(), f.dir, live.Config{})
	dir.ShowEpisode(f.frames())
	dir.ShowDecision(f.decision())
	if err := dir.Close(); err != nil {
		f.t.Fatal(err)
	}
}

const side = 32

func (f *fakeRun) frames() live.Episode {
	e := live.Episode{Counters: f.counters, Number: f.counters.Episodes - 1, Size: live.Size{Height: side, Width: side, Channels: 3}, Context: 5}
	for i := range 40 {
		angle := float64(i) * 0.2
		e.Real = append(e.Real, ball(angle, 1))
		e.Reconstruction = append(e.Reconstruction, ball(angle, 1.5))
		dream := angle
		if i >= e.Context {
			dream += 0.01 * float64(i-e.Context)
		}
		e.Dream = append(e.Dream, ball(dream, 1.5))
		e.Rewards = append(e.Rewards, float32(0.5+0.5*math.Cos(angle)))
		e.Predicted = append(e.Predicted, float32(0.5+0.45*math.Cos(dream)))
	}
	return e
}

// ball is an image of a blurred ball on a circle.
func ball(angle, blur float64) []byte {
	out := make([]byte, side*side*3)
	cx, cy := side/2+10*math.Sin(angle), side/2-10*math.Cos(angle)
	for y := range side {
		for x := range side {
			d := math.Hypot(float64(x)-cx, float64(y)-cy)
			v := math.Exp(-d * d / (8 * blur))
			p := out[(y*side+x)*3:]
			p[0], p[1], p[2] = byte(30+200*v), byte(40+130*v), byte(60+40*v)
		}
	}
	return out
}

func (f *fakeRun) decision() live.Decision {
	d := live.Decision{
		Counters: f.counters, Number: 17, Size: live.Size{Height: side, Width: side, Channels: 3}, Image: ball(0.4, 1),
		Action: []float32{0.4, -0.7}, Reward: 0.8, Predicted: 7.5,
	}
	for range 1000 {
		d.Scores = append(d.Scores, float32(5+f.rand.NormFloat64()))
	}
	d.Scores = append(d.Scores, float32(math.NaN()))
	for h := range 12 {
		d.Mean = append(d.Mean, []float32{float32(0.7 * math.Sin(float64(h)*0.5)), float32(-0.4 + 0.05*float64(h))})
		d.Std = append(d.Std, []float32{0.1 + 0.02*float32(h), 0.2})
	}
	return d
}
