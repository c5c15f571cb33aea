package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// gallery is a live view that keeps everything, and checks that it may be shown.
type gallery struct {
	mu        sync.Mutex
	decisions []live.Decision
	episodes  []live.Episode
	errs      []error
}

func (g *gallery) WantsDecision() bool { return true }
func (g *gallery) WantsEpisode() bool  { return true }
func (g *gallery) Close() error        { return nil }

func (g *gallery) ShowDecision(d live.Decision) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d.Image, d.Action = bytes.Clone(d.Image), slices.Clone(d.Action)
	g.decisions, g.errs = append(g.decisions, d), append(g.errs, d.Validate())
}

func (g *gallery) ShowEpisode(e live.Episode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.episodes, g.errs = append(g.episodes, e), append(g.errs, e.Validate())
}

// TestEpisodesOfLargeImagesAreShownInPart: as many frames as there is room for.
func TestEpisodesOfLargeImagesAreShownInPart(t *testing.T) {
	for side, want := range map[int]int{32: 55, 256: 55, 300: 41, 512: 14, 591: 10} {
		size := live.Size{Height: side, Width: side, Channels: 3}
		piece := &replay.Episode{Images: make([]byte, 55*size.Bytes()), Rewards: make([]float32, 55)}
		frames := slices.Collect(slices.Chunk(piece.Images, size.Bytes()))
		e := view{reconstruction: frames, dream: frames, rewards: make([]float32, 55)}.episode(piece, size)
		if err := e.Validate(); err != nil || len(e.Real) != want {
			t.Errorf("%d pixels: %d frames, want %d (%v)", side, len(e.Real), want, err)
		}
	}
}

// shownRun trains with a gallery; the same without one is in the other directory.
func shownRun(t *testing.T, n int, change func(*Parts)) (g *gallery, shown, hidden string) {
	t.Helper()
	g, shown, hidden = &gallery{}, t.TempDir(), t.TempDir()
	for _, dir := range []string{shown, hidden} {
		p := several(t, dir, n, prompt)
		change(&p)
		if dir == shown {
			p.Live = g
		}
		if _, err := train(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(g.errs...); err != nil {
		t.Fatal(err)
	}
	return g, shown, hidden
}

// TestLiveViewsDoNotInfluenceTheRun: with and without them, a run leaves the same
// weights, episodes and events, but for what they measure.
func TestLiveViewsDoNotInfluenceTheRun(t *testing.T) {
	for _, method := range []plan.Method{plan.CEM, plan.ICEM} {
		_, shown, hidden := shownRun(t, 3, func(p *Parts) { p.Plan.Method = method })
		gs, ge, gm := contents(t, shown)
		ws, we, wm := contents(t, hidden)
		sameTensors(t, string(method), gs.Params, ws.Params)
		sameTensors(t, string(method), slices.Concat(gs.AdamM, gs.AdamV), slices.Concat(ws.AdamM, ws.AdamV))
		if !maps.Equal(ge, we) {
			t.Errorf("%s: the episodes differ", method)
		}
		measured := 0
		for i := range gm {
			before := len(gm[i].Values)
			maps.DeleteFunc(gm[i].Values, func(name string, _ float64) bool { return strings.HasPrefix(name, "openloop/") })
			measured += before - len(gm[i].Values)
			if !maps.Equal(gm[i].Values, wm[i].Values) || gm[i].Counters != wm[i].Counters {
				t.Errorf("%s: event %d is %+v, without views %+v", method, i, gm[i], wm[i])
			}
		}
		if measured == 0 || len(gm) != len(wm) {
			t.Errorf("%s: %d open-loop errors in %d events, %d without views", method, measured, len(gm), len(wm))
		}
	}
}

// TestShownDecisionsAreThoseMade: every decision of the first environment is
// shown with what the replay holds of it, and with the search behind it.
func TestShownDecisionsAreThoseMade(t *testing.T) {
	g, dir, _ := shownRun(t, 2, func(*Parts) {})
	// With two environments, it plays episodes 0, 2, 4, 6.
	at := 0
	for _, number := range []int{0, 2, 4, 6} {
		actions, rewards := stored(t, dir, number)
		size := len(actions) / len(rewards)
		for i := range len(rewards) - 1 {
			if at >= len(g.decisions) {
				t.Fatalf("%d decisions were shown, more were made", len(g.decisions))
			}
			d := g.decisions[at]
			at++
			if d.Counters.Episodes != int64(number) || d.Number != int64(i) || !slices.Equal(d.Action, actions[(i+1)*size:][:size]) || d.Reward != rewards[i+1] {
				t.Fatalf("episode %d, decision %d: shown %+v, stored %v %v", number, i, d, actions[(i+1)*size:][:size], rewards[i+1])
			}
			if planned := number > 0; planned != (len(d.Scores) > 0) || planned != (len(d.Mean) == 6) || len(d.Image) != d.Size.Bytes() {
				t.Fatalf("episode %d, decision %d: %d scores, a plan of %d", number, i, len(d.Scores), len(d.Mean))
			}
		}
	}
	if at != len(g.decisions) {
		t.Errorf("%d decisions were shown, %d made", len(g.decisions), at)
	}
}

// TestShownEpisodeIsThatOfTheReplay: real frames and rewards are the episode's,
// and the dream is that of Dream on the same piece.
func TestShownEpisodeIsThatOfTheReplay(t *testing.T) {
	g := &gallery{}
	p := several(t, t.TempDir(), 1, plain)
	p.Live = g
	r, err := Open(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Train(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(g.episodes) != 5 {
		t.Fatalf("%d episodes were shown, want those of the planner", len(g.episodes))
	}
	e := g.episodes[4]
	spec := p.Env.Spec()
	schema := replay.Schema{Height: imageSize, Width: imageSize, Channels: 3, ActionSize: spec.Action.Size, VectorSize: spec.VectorSize}
	ep, err := replay.ReadFile(p.FS, EpisodePath(p.Dir, 7), schema)
	if err != nil {
		t.Fatal(err)
	}
	piece := cut(ep, int(e.First), len(e.Real), spec)
	if e.Number != 6 || e.Counters != r.Counters() || !bytes.Equal(slices.Concat(e.Real...), piece.Images) || !slices.Equal(e.Rewards, piece.Rewards) {
		t.Errorf("episode %d from %d, %+v", e.Number, e.First, e.Counters)
	}
	stream := r.stream("look", 6)
	stream.IntN(ep.Len() - len(e.Real) + 1)
	dream, err := Dream(context.Background(), r.Backend, r.Model, r.learner.Params(), &Trajectory{spec, piece}, e.Context, p.BitDepth, stream)
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.Real {
		// The last update is the one before the episode, so the weights are the same.
		if !near(dream.Imagined[i], e.Dream[i]) || i < e.Context && !near(e.Dream[i], e.Reconstruction[i]) {
			t.Errorf("frame %d is not that of the dream", i)
		}
	}
	if bytes.Equal(e.Dream[len(e.Real)-1], e.Reconstruction[len(e.Real)-1]) {
		t.Error("the dream does not differ from the reconstruction")
	}
}

// near are images that differ by rounding at most.
func near(a, b []byte) bool {
	for i := range a {
		if d := int(a[i]) - int(b[i]); d < -1 || d > 1 {
			return false
		}
	}
	return len(a) == len(b)
}

// TestShortEpisodesAreShown: a dream longer than the episode is cut off, and what
// is beyond its end is not measured.
func TestShortEpisodesAreShown(t *testing.T) {
	g, dir, _ := shownRun(t, 1, func(*Parts) {})
	_, _, events := contents(t, dir)
	shown := 0
	for _, e := range events {
		if e.Kind != metrics.KindEpisode || e.Text["policy"] == "random" {
			continue
		}
		n := int(e.Values["episode/length:decisions"]) + 1
		if len(g.episodes[shown].Real) != min(n, 51) {
			t.Errorf("%d of %d frames are shown", len(g.episodes[shown].Real), n)
		}
		shown++
		for _, h := range lookHorizons() {
			v, ok := e.Values[fmt.Sprintf("openloop/image_%d:nats", h)]
			if ok != (lookContext+h <= n) || ok && !(v > 0) {
				t.Errorf("an episode of %d records has the error %v at horizon %d", n, v, h)
			}
		}
	}
	if shown != len(g.episodes) || shown == 0 {
		t.Errorf("%d episodes were collected, %d shown", shown, len(g.episodes))
	}
}

// TestModelsWithoutImagesShowNoDreams but go on.
func TestModelsWithoutImagesShowNoDreams(t *testing.T) {
	g, _, _ := shownRun(t, 1, func(p *Parts) {
		cfg := p.Model.Config()
		cfg.Observe = worldmodel.ObserveVector
		dims := p.Model.Dims()
		dims.VectorSize = p.Env.Spec().VectorSize
		var err error
		if p.Model, err = worldmodel.New(cfg, dims); err != nil {
			t.Fatal(err)
		}
	})
	if len(g.episodes) != 0 || len(g.decisions) == 0 {
		t.Errorf("%d episodes and %d decisions were shown", len(g.episodes), len(g.decisions))
	}
}
