//go:build mujoco

package mujoco

import (
	"math"
	"os"
	"testing"

	"github.com/orrery-rl/orrery/internal/rng"
)

// band is what 200 episodes of 1000 env steps of an independent implementation
// returned under uniformly random actions, renewed at every env step, and under
// none.
type band struct {
	mean, deviation, min, max float64
	still, stillDeviation     float64 // the deviation is 0 where it is not known
}

// bands were measured with libmujoco 2.2.2 and its authors' models.
func bands() map[string]band {
	return map[string]band{
		"cartpole-balance":        {355.4, 58.1, 175.9, 511.6, 746.6, 0},
		"cartpole-balance-sparse": {47.5, 28.2, 13, 163, 349.0, 0},
		"cartpole-swingup":        {28.9, 23.2, 2.5, 185.0, 0.0, 0},
		"cartpole-swingup-sparse": {0, 0, 0, 0, 0, 0},
		"reacher-easy":            {49.7, 106.3, 0, 607, 65.0, 246},
		"reacher-hard":            {9.8, 30.9, 0, 226, 15.0, 121}, // 3 of 200 episodes begin in the target and stay
		"cheetah-run":             {3.6, 1.3, 1.4, 8.0, 0.1, 0},
		"finger-spin":             {0.3, 1.0, 0, 7, 0, 0},
		"ball-in-cup-catch":       {73.5, 242.4, 0, 938, 85.7, 273},
		"walker-stand":            {128.9, 12.2, 104.1, 164.4, 118.3, 48.5},
		"walker-walk":             {32.1, 3.7, 25.7, 47.7, 20.5, 0},
		"walker-run":              {22.8, 1.8, 18.8, 28.9, 19.8, 0},

		// By dm_control itself, with testdata/returns.py.
		"pendulum-swingup":       {0.4, 3.1, 0, 26.0, 0.3, 2.2},
		"point-mass-easy":        {4.0, 37.6, 0, 499.0, 6.9, 74.7},
		"point-mass-hard":        {7.9, 51.3, 0, 446.0, 8.3, 76.7},
		"acrobot-swingup":        {3.8, 11.4, 0, 79.6, 3.6, 10.7},
		"acrobot-swingup-sparse": {0.4, 3.2, 0, 36.0, 0.4, 3.2},
		"hopper-stand":           {2.0, 5.0, 0, 25.3, 2.1, 5.4},
		"hopper-hop":             {0.0, 0.4, 0, 4.1, 0.0, 0.2},
		"finger-turn-hard":       {58.7, 167.9, 0, 1000.0, 50.0, 217.9},
		"finger-turn-easy":       {139.8, 282.7, 0, 1000.0, 170.0, 375.6},
	}
}

// TestRandomReturnsLieInTheirBands takes two minutes, so it is run by hand:
//
//	ORRERY_RETURNS=1 go test -tags mujoco ./env/mujoco -run Bands -v
func TestRandomReturnsLieInTheirBands(t *testing.T) {
	if os.Getenv("ORRERY_RETURNS") == "" {
		t.Skip("plays 200 episodes of every task; set ORRERY_RETURNS=1; an hour by hand, not in CI")
	}
	const episodes = 200
	for _, task := range Tasks() {
		t.Run(task.Name, func(t *testing.T) {
			random, still := playReturns(t, task.Name, episodes, true), playReturns(t, task.Name, episodes, false)
			mean, deviation, low, high := describe(random)
			stillMean, stillDeviation, _, _ := describe(still)
			t.Logf("random: mean %.1f, sd %.1f, min %.1f, max %.1f; no action: mean %.1f, sd %.1f", mean, deviation, low, high, stillMean, stillDeviation)
			want, ok := bands()[task.Name]
			if !ok {
				t.Fatal("there is nothing to compare with")
			}
			// Four standard errors of the difference of two means of 200 episodes.
			if bound := 4 * math.Hypot(deviation, want.deviation) / math.Sqrt(episodes); !(math.Abs(mean-want.mean) <= bound+0.05) {
				t.Errorf("random actions return %.2f, want %.1f +- %.1f", mean, want.mean, bound)
			}
			if bound := 4 * math.Hypot(stillDeviation, max(stillDeviation, want.stillDeviation)) / math.Sqrt(episodes); !(math.Abs(stillMean-want.still) <= bound+0.05) {
				t.Errorf("no action returns %.2f, want %.1f +- %.1f", stillMean, want.still, bound)
			}
		})
	}
}

// playReturns are the returns of episodes with random actions, or with none.
func playReturns(t *testing.T, task string, episodes int, random bool) []float64 {
	t.Helper()
	s, r := bareTask(t, task)
	var returns []float64
	for episode := range episodes {
		draw := rng.New(uint64(episode), "returns")
		if err := s.reset(func() error { return r.start(draw) }); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for range MaxEnvSteps {
			for i := range s.data.Ctrl() {
				s.data.Ctrl()[i] = 0
				if random {
					s.data.Ctrl()[i] = between(draw, -1, 1)
				}
			}
			if err := s.step(); err != nil {
				t.Fatal(err)
			}
			sum += r.reward()
		}
		returns = append(returns, sum)
	}
	return returns
}

func describe(x []float64) (mean, deviation, low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range x {
		mean += v / float64(len(x))
		low, high = min(low, v), max(high, v)
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(deviation), low, high
}
