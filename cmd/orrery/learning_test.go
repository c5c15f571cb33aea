package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// A dot that drifts and can be pushed is learned in 3000 updates: ten steps ahead,
// without looking, images are predicted nearly as well as with looking, and planning
// brings the dot to the centre. Random actions return 23 of at most 50.
func TestDotWorldIsLearned(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for ten seconds: left out by -short, which CI does not give here")
	}
	dir := filepath.Join(t.TempDir(), "dot")
	settings := []string{"train", "--quiet", "--preset", "tiny", "--env", "toy-dot", "--run", dir, "--seed", "1", "--episodes", "55"}
	for _, s := range []string{
		"env.image_size=16", "model.depth=8", "model.deter_size=32", "model.hidden_size=32", "model.stoch_size=8", "model.free_nats=0.5",
		"plan.horizon=6", "plan.iterations=4", "plan.candidates=64",
		"learn.updates_per_collect=60", "learn.batch_size=16", "learn.chunk_length=20", "learn.eval_every=0",
	} {
		settings = append(settings, "--set", s)
	}
	must(t, settings...)
	var eval struct{ Median float64 }
	if err := json.Unmarshal([]byte(must(t, "eval", dir, "-n", "10", "--json")), &eval); err != nil {
		t.Fatal(err)
	}
	var score struct {
		Losses   map[string]float64 `json:"losses"`
		OpenLoop struct {
			Image map[string]float64 `json:"image"`
		} `json:"open_loop"`
	}
	text := must(t, "score", "--checkpoint", dir, "--episodes", filepath.Join(dir, "episodes"), "--deterministic", "--json")
	if err := json.Unmarshal([]byte(text), &score); err != nil {
		t.Fatal(err)
	}
	t.Logf("median return %.1f, image error %.2f, open loop %v", eval.Median, score.Losses["image"], score.OpenLoop.Image)
	if eval.Median < 33 {
		t.Errorf("median return %.1f, want at least 33", eval.Median)
	}
	if ahead, now := score.OpenLoop.Image["10"], score.Losses["image"]; !(ahead > 0 && ahead < 2.2*now) {
		t.Errorf("image error %v after ten steps without looking, %v with", ahead, now)
	}
}
