package learn

import (
	"testing"

	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// TestOverfitFallsTowardsTheFloor trains on one batch of 4 chunks of 16 records,
// with the quantisation's noise drawn afresh for each update. A decoder that
// knows the images is left with that noise, 1/2 16x16x3 (1/32)^2/12 = 1/32: the
// image loss, 90 at first, is about 1 after 1500 updates and 0.18 after 8000, and
// must never be below. The rewards become known, and the posterior goes on
// telling something for which nothing is charged: the KL stays above 1 nat.
func TestOverfitFallsTowardsTheFloor(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 1500 updates: left out by -short; CI runs it without")
	}
	const chunks, length, floor = 4, 16, 1. / 32
	e := newToy(t)
	cfg := newModel(t, e).Config()
	cfg.Depth, cfg.DeterSize, cfg.HiddenSize, cfg.StochSize = 8, 32, 32, 8
	m, err := worldmodel.New(cfg, newModel(t, e).Dims())
	if err != nil {
		t.Fatal(err)
	}
	l := newLearner(t, newBackend(t), m, optim.DefaultConfig(), chunks, length)
	var images []byte
	batch := l.Batch()
	for i := range chunks {
		out, err := single(t.Context(), e, uint64(i), length, drawn(uniform(e.Spec().Action, rng.New(uint64(i), "actions"))))
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, out.episode.Images...)
		copy(batch.Actions[i*length*2:], out.episode.Actions)
		copy(batch.Rewards[i*length:], out.episode.Rewards)
	}
	noise, last, updates, first := rng.New(1, "noise"), map[string]float64{}, 0, 0.
	for range 1500 {
		updates++
		if err := replay.Dequantise(batch.Images, images, 5, noise); err != nil {
			t.Fatal(err)
		}
		noise.FillNormal(l.Noise())
		stats, err := l.Update(t.Context(), int64(updates))
		if err != nil {
			t.Fatal(err)
		}
		if updates == 1 {
			first = stats.Losses[1]
		}
		for i, name := range m.LossNames() { // a running mean
			last[name] += 0.02 * (stats.Losses[i] - last[name])
		}
	}
	t.Logf("image loss %v, after %d updates: %v", first, updates, last)
	if image := last["image"]; !(image > floor && image < 0.02*first) {
		t.Errorf("image loss %v, %v at first, floor %v", image, first, floor)
	}
	if last["reward"] > 1e-3 || last["kl"] < 1 {
		t.Errorf("reward loss %v, KL %v", last["reward"], last["kl"])
	}
}
