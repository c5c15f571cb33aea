package learn

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/worldmodel"
)

// overshooting turns on everything that a form of overshooting has.
func overshooting(form worldmodel.Overshooting) func(c *worldmodel.Config) {
	return func(c *worldmodel.Config) {
		o := &c.Objective
		o.Overshooting, o.OvershootingDistance, o.OvershootingScale, o.OvershootingRewardScale = form, 3, 1, 1
		o.GlobalKLScale = 0.1
	}
}

// TestOvershootingTrains makes a short run of every form, of more than one
// transition, and finds the terms in the metrics, described and finite.
func TestOvershootingTrains(t *testing.T) {
	for form, kind := range map[worldmodel.Overshooting]worldmodel.Transition{
		worldmodel.OvershootingClean:   worldmodel.RSSM,
		worldmodel.OvershootingGoogle:  worldmodel.DRNN,
		worldmodel.OvershootingKaixhin: worldmodel.SSM,
	} {
		t.Run(string(form), func(t *testing.T) {
			dir, e := t.TempDir(), newToy(t)
			m := variant(t, e, func(c *worldmodel.Config) { overshooting(form)(c); c.Transition = kind })
			p := short(t, dir, e, m)
			p.Schedule.LogEvery = 1
			if _, err := train(t, context.Background(), p); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for event, err := range metrics.ReadFile(vfs.OS(), filepath.Join(dir, MetricsName)) {
				if err != nil {
					t.Fatal(err)
				}
				for name := range event.Values {
					seen[name] = true
				}
			}
			for _, term := range []string{"overshooting", "overshooting_reward", "kl_global"} {
				name := "loss/" + term + ":nats"
				if _, ok := metrics.Lookup(name); !ok || !seen[name] {
					t.Errorf("%s: described %v, emitted %v", name, ok, seen[name])
				}
			}
		})
	}
}

// TestOvershootingFalls: the term goes down when it is trained on one batch.
func TestOvershootingFalls(t *testing.T) {
	e := newToy(t)
	m := variant(t, e, func(c *worldmodel.Config) { overshooting(worldmodel.OvershootingClean)(c); c.FreeNats = 0 })
	l := newLearner(t, newBackend(t), m, optim.DefaultConfig(), 2, 6)
	rng.New(1, "images").FillNormal(l.Batch().Images)
	rng.New(1, "actions").FillNormal(l.Batch().Actions)
	rng.New(1, "noise").FillNormal(l.Noise())
	rng.New(1, "rollout").FillNormal(l.RolloutNoise())
	term := slices.Index(m.LossNames(), "overshooting")
	var first, last float64
	for number := range int64(60) {
		stats, err := l.Update(context.Background(), number+1)
		if err != nil {
			t.Fatal(err)
		}
		if last = stats.Losses[term]; number == 0 {
			first = last
		}
	}
	if !(last < 0.7*first) {
		t.Errorf("overshooting went from %v to %v", first, last)
	}
}
