package score

import (
	"bytes"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/google/go-cmp/cmp"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

const imageSize = 8

// tiny is a model of tiny size with an objective, and its parameters: all zero,
// or random ones.
func tiny(t testing.TB, b compute.Backend, profile string, zero bool) (*worldmodel.Model, []compute.Buffer) {
	t.Helper()
	cfg, err := worldmodel.PresetConfig("tiny")
	if err == nil {
		cfg, err = cfg.WithProfile(profile)
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := worldmodel.New(cfg, worldmodel.Dims{Height: imageSize, Width: imageSize, Channels: 3, ActionSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	values := m.InitParams(rng.New(5, "params"))
	var buffers []compute.Buffer
	for i, spec := range m.ParamSpecs() {
		if zero {
			clear(values[i])
		}
		buf, err := gx.Upload(b, values[i], spec.Dims...)
		if err != nil {
			t.Fatal(err)
		}
		buffers = append(buffers, buf)
	}
	return m, buffers
}

func scorer(t testing.TB, profile string, zero bool, cfg Config) *Scorer {
	t.Helper()
	return loggingScorer(t, profile, zero, cfg, nil)
}

func loggingScorer(t testing.TB, profile string, zero bool, cfg Config, log *slog.Logger) *Scorer {
	t.Helper()
	b, err := cpu.New(cpu.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	m, params := tiny(t, b, profile, zero)
	s, err := New(b, m, params, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// episode makes n random records.
func episode(n int, seed uint64) *replay.Episode {
	s := rng.New(seed, "episode")
	ep := &replay.Episode{
		Images: make([]byte, n*imageSize*imageSize*3), Actions: make([]float32, 2*n),
		Rewards: make([]float32, n), Continues: slices.Repeat([]float32{1}, n),
	}
	for i := range ep.Images {
		ep.Images[i] = byte(s.Uint64())
	}
	s.FillNormal(ep.Rewards)
	s.FillUniform(ep.Actions)
	return ep
}

func add(t testing.TB, s *Scorer, name string, ep *replay.Episode) {
	t.Helper()
	if err := s.Add(t.Context(), name, ep); err != nil {
		t.Fatal(err)
	}
}

// energy is half the sum of squares of the pixels of record i at the centres of
// bins of 5 bits: the error of predicting zeros.
func energy(ep *replay.Episode, i int) float64 {
	const size = imageSize * imageSize * 3
	sum := 0.0
	for _, x := range ep.Images[i*size:][:size] {
		y := (float64(x/8)+0.5)/32 - 0.5
		sum += y * y / 2
	}
	return sum
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-5*max(1, math.Abs(want))) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestZeroModel scores a model whose parameters are all zero: it predicts black
// images, no rewards, and priors equal to posteriors, N(0, (ln 2 + 0.1)^2).
func TestZeroModel(t *testing.T) {
	s := scorer(t, "kaixhin", true, Config{BitDepth: 5, Deterministic: true, Length: 40})
	episodes := map[string]*replay.Episode{"a": episode(70, 1), "b": episode(9, 2)}
	add(t, s, "a", episodes["a"])
	add(t, s, "b", episodes["b"])
	image, reward, records := 0.0, 0.0, 0.0
	for _, ep := range episodes {
		for i := range ep.Len() {
			image += energy(ep, i)
			reward += float64(ep.Rewards[i]) * float64(ep.Rewards[i]) / 2
			records++
		}
	}
	got := s.Result()
	near(t, "image", got.Losses["image"], image/records)
	near(t, "reward", got.Losses["reward"], reward/records)
	near(t, "kl", got.Losses["kl"], 0)
	near(t, "kl_clipped", got.Losses["kl_clipped"], 3)
	near(t, "total", got.Losses["total"], 2*image/records+2*reward/records+3)
	near(t, "entropy", got.Losses["prior_entropy"], 4*(0.5*math.Log(2*math.Pi*math.E)+math.Log(math.Ln2+0.1)))
	a, b := episodes["a"], episodes["b"]
	near(t, "after 1", got.OpenLoop.Image["1"], (energy(a, 5)+energy(a, 60)+energy(b, 5))/3) // 55 begins a second piece
	near(t, "after 5", got.OpenLoop.Image["5"], (energy(a, 9)+energy(a, 64))/2)
	near(t, "after 50", got.OpenLoop.Image["50"], energy(a, 54))
}

// TestPiecesAreScoredAlone compares an episode that is cut with its pieces.
func TestPiecesAreScoredAlone(t *testing.T) {
	ep := episode(21, 3)
	cfg := Config{BitDepth: 5, Deterministic: true, Length: 11}
	whole, first, second := scorer(t, "default", false, cfg), scorer(t, "default", false, cfg), scorer(t, "default", false, cfg)
	add(t, whole, "e", ep)
	add(t, first, "e", piece(ep, whole.Schema(), 0, 10))
	add(t, second, "e", piece(ep, whole.Schema(), 10, 21))
	for name, got := range whole.Result().Losses {
		near(t, name, got, (10*first.Result().Losses[name]+11*second.Result().Losses[name])/21)
	}
}

func TestSamplesFollowFromSeedAndName(t *testing.T) {
	run := func(cfg Config, names ...string) Result {
		s := scorer(t, "default", false, cfg)
		for _, name := range names {
			add(t, s, name, episode(12, 4))
		}
		return s.Result()
	}
	cfg := Config{BitDepth: 5, Seed: 1}
	a, b := run(cfg, "x", "y"), run(cfg, "y", "x")
	slices.Reverse(b.Episodes)
	if diff := cmp.Diff(a.Episodes, b.Episodes); diff != "" {
		t.Errorf("the order matters:\n%s", diff)
	}
	if a.Episodes[0].Losses["image"] == a.Episodes[1].Losses["image"] || run(Config{BitDepth: 5, Seed: 2}, "x").Losses["image"] == run(cfg, "x").Losses["image"] {
		t.Error("name or seed does not matter")
	}
	cfg.Deterministic = true
	if d, e := run(cfg, "x"), run(Config{BitDepth: 5, Seed: 2, Deterministic: true}, "y"); d.Losses["image"] != e.Losses["image"] {
		t.Error("the seed matters where nothing is drawn")
	}
}

// TestOvershootingIsScored has the objective of the first release. While prior
// and posterior agree, each of the 20 records costs 2 free nats at every distance
// d, and the sum is divided by the 21-d that have a prediction.
func TestOvershootingIsScored(t *testing.T) {
	s := scorer(t, "google", true, Config{BitDepth: 5, Deterministic: true})
	add(t, s, "e", episode(20, 6))
	want := 0.0
	for d := 2; d <= 20; d++ {
		want += 2 * 20 / float64(21-d) / 19
	}
	near(t, "overshooting", s.Result().Losses["overshooting"], want)
}

// TestEveryProfileIsCompiled demands that no objective falls back to the slow
// reference backend, of which the CPU backend warns.
func TestEveryProfileIsCompiled(t *testing.T) {
	for _, profile := range worldmodel.ProfileNames() {
		var log bytes.Buffer
		s := loggingScorer(t, profile, false, Config{BitDepth: 5}, slog.New(slog.NewTextHandler(&log, nil)))
		add(t, s, "e", episode(8, 1))
		if log.Len() > 0 {
			t.Errorf("%s: %s", profile, log.String())
		}
		if total := s.Result().Losses["total"]; math.IsNaN(total) || math.IsInf(total, 0) {
			t.Errorf("%s: the total is %v", profile, total)
		}
	}
}

func TestManyLengthsKeepFewPrograms(t *testing.T) {
	s := scorer(t, "default", true, Config{BitDepth: 5, Deterministic: true})
	for n := 3; n < 12; n++ {
		add(t, s, "e", episode(n, 1))
		if len(s.closed) > maxPrograms {
			t.Fatalf("%d programs", len(s.closed))
		}
	}
}

func TestPiecesCoverEveryRecord(t *testing.T) {
	for _, c := range []struct {
		n, length int
		want      [][2]int
	}{{5, 5, [][2]int{{0, 5}}}, {6, 5, [][2]int{{0, 3}, {3, 6}}}, {7, 3, [][2]int{{0, 2}, {2, 4}, {4, 7}}}, {2, 512, [][2]int{{0, 2}}}} {
		if diff := cmp.Diff(c.want, pieces(c.n, c.length)); diff != "" {
			t.Errorf("%d records in pieces of %d:\n%s", c.n, c.length, diff)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for words, cfg := range map[string]Config{"bit depth 9": {BitDepth: 9}, "chunks of 2": {BitDepth: 5, Length: 2}} {
		if _, err := New(nil, nil, nil, cfg); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
