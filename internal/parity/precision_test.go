package parity

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// TestPrecisionsLearnAlike makes the same updates, from the same parameters on the
// same batches with the same noise, in float32 and with bfloat16 products. Rounding
// lets the two drift apart slowly; their losses stay within two percent on average.
//
// Forty updates of preset tiny take a second.
//
//	ORRERY_PRECISION=small:200:losses.csv go test ./internal/parity -run PrecisionsLearnAlike
//
// makes 200 of preset small and writes the losses of each.
func TestPrecisionsLearnAlike(t *testing.T) {
	preset, updates, file := "tiny", 40, ""
	if s := os.Getenv("ORRERY_PRECISION"); s != "" {
		parts := append(strings.Split(s, ":"), "", "")
		preset, file = parts[0], parts[2]
		var err error
		if updates, err = strconv.Atoi(parts[1]); err != nil {
			t.Fatalf("ORRERY_PRECISION is %q; want PRESET:UPDATES:FILE", s)
		}
	}
	run, err := config.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	backends := precisions(t)
	if len(backends) < 2 {
		t.Skip("hardware missing: no AVX512_BF16; CI runs it where its processor has them")
	}
	store := randomEpisodes(t, 5)
	exact := lossesOf(t, backends["f32"], run, store, updates)
	rounded := lossesOf(t, backends["bf16"], run, store, updates)
	sum := 0.0
	for i := range exact {
		sum += math.Abs(rounded[i].Losses[0]-exact[i].Losses[0]) / exact[i].Losses[0]
	}
	mean := sum / float64(updates)
	t.Logf("total losses of %d updates differ by %.3g %% on average", updates, 100*mean)
	if !(mean <= 0.02) {
		t.Errorf("losses differ by %.2f %% on average, want at most 2 %%", 100*mean)
	}
	if mean == 0 {
		t.Error("nothing was rounded")
	}
	if file != "" {
		writeLosses(t, file, exact, rounded)
	}
}

// randomEpisodes stores cartpole episodes of random actions.
func randomEpisodes(t *testing.T, n int) *replay.Store {
	t.Helper()
	r := env.NewRegistry()
	if err := control.Register(r); err != nil {
		t.Fatal(err)
	}
	e, err := r.New("cartpole-swingup", env.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	schema := replay.Schema{Height: 64, Width: 64, Channels: 3, ActionSize: 1, VectorSize: e.Spec().VectorSize}
	store, err := replay.Open(t.Context(), vfs.OS(), t.TempDir(), schema, replay.Config{MemoryBudget: 1 << 28}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	draw := rng.New(1, "actions")
	for seed := range uint64(n) {
		if _, err := store.Append(t.Context(), randomEpisode(t, e, seed, draw)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func randomEpisode(t *testing.T, e env.Env, seed uint64, draw *rng.Stream) *replay.Episode {
	t.Helper()
	obs, err := e.Reset(t.Context(), seed)
	if err != nil {
		t.Fatal(err)
	}
	ep := &replay.Episode{Images: obs.Image, Vectors: obs.Vector, Actions: []float32{0}, Rewards: []float32{0}, Continues: []float32{1}}
	for ended := false; !ended; {
		action := 2*draw.Float32() - 1
		step, err := e.Step(t.Context(), []float32{action})
		if err != nil {
			t.Fatal(err)
		}
		ep.Images, ep.Vectors = append(ep.Images, step.Image...), append(ep.Vectors, step.Vector...)
		ep.Actions, ep.Rewards, ep.Continues = append(ep.Actions, action), append(ep.Rewards, float32(step.Reward)), append(ep.Continues, 1)
		ended = step.Ended()
	}
	return ep
}

// lossesOf trains from a fixed start on fixed batches.
func lossesOf(t *testing.T, backend compute.Backend, run config.Run, store *replay.Store, updates int) []learn.Stats {
	t.Helper()
	m, err := worldmodel.New(run.Model, worldmodel.Dims{Height: 64, Width: 64, Channels: 3, ActionSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := learn.NewLearner(backend, m, run.Optimiser, run.Learn.BatchSize, run.Learn.ChunkLength)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	params := m.InitParams(rng.New(1, "init"))
	zeros := make([][]float32, len(params))
	for i, p := range params {
		zeros[i] = make([]float32, len(p))
	}
	if err := l.SetState(params, zeros, zeros); err != nil {
		t.Fatal(err)
	}
	sampler, err := replay.NewSampler(store, rng.New(1, "sample"),
		replay.SamplerConfig{BatchSize: run.Learn.BatchSize, ChunkLength: run.Learn.ChunkLength, BitDepth: run.Env.BitDepth})
	if err != nil {
		t.Fatal(err)
	}
	noise := rng.New(1, "noise")
	var all []learn.Stats
	for number := range int64(updates) {
		if err := sampler.Sample(t.Context(), l.Batch()); err != nil {
			t.Fatal(err)
		}
		noise.FillNormal(l.Noise())
		stats, err := l.Update(context.Background(), number+1)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stats)
	}
	return all
}

func writeLosses(t *testing.T, file string, exact, rounded []learn.Stats) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	write := func(row ...string) {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	write("update", "total_f32", "total_bf16", "image_f32", "image_bf16")
	for i := range exact {
		number := func(x float64) string { return fmt.Sprintf("%.6g", x) }
		write(strconv.Itoa(i+1), number(exact[i].Losses[0]), number(rounded[i].Losses[0]), number(exact[i].Losses[1]), number(rounded[i].Losses[1]))
	}
	w.Flush()
	if err := f.Close(); err != nil || w.Error() != nil {
		t.Fatal(err, w.Error())
	}
}
