package worldmodel

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// mockRollout follows a cell whose state after an observation is the
// observation and whose transition adds the action: everything can be read off.
// Observations and actions are [B, L]; noise is added to samples, not to means.
type mockRollout struct {
	chunks, length, first, distance int
	// start is the first record whose observation starts a rollout; -1 is zero.
	start int
}

// run returns for each distance, from 1, the expected values and the targets
// they are compared with, time-major.
func (m mockRollout) run(t *testing.T, observations, actions []float64) (priors, targets [][]float64) {
	t.Helper()
	operands := []tensor{tensorOf(observations, m.chunks, m.length), tensorOf(actions, m.chunks, m.length)}
	out := compile(t, operands, func(in []*graph.Node) []*graph.Node {
		column := func(x *graph.Node) *graph.Node { return graph.InsertAxes(timeMajor(x), -1) }
		seen, acted := column(in[0]), column(in[1])
		r := rollout{
			chunks: m.chunks, length: m.length, first: m.first, actions: acted,
			noise: graph.Zeros(acted.Graph(), withLeading(acted, m.distance)),
			step: func(s State, action, noise *graph.Node) (State, Gaussian) {
				mean := graph.Add(s.Stoch, action)
				return State{Stoch: graph.Add(mean, noise)}, Gaussian{Mean: mean, Std: graph.OnesLike(mean)}
			},
		}
		starts := graph.SliceAxis(seen, 0, graph.AxisRange(max(m.start, 0)*m.chunks, (m.length-1)*m.chunks))
		if m.start < 0 {
			zero := graph.ZerosLike(graph.SliceAxis(seen, 0, graph.AxisRange(0, m.chunks)))
			starts = graph.Concatenate([]*graph.Node{zero, starts}, 0)
		}
		var nodes []*graph.Node
		for i, p := range r.follow(State{Stoch: starts}, m.distance) {
			scale := float64(i + 1) // keeps equal outputs apart
			nodes = append(nodes, graph.MulScalar(p.prior.Mean, scale), graph.MulScalar(dropRows(p.from*m.chunks, seen), scale))
		}
		return nodes
	}).run(operands...)
	for i := 0; i < len(out); i += 2 {
		for _, x := range out[i : i+2] {
			for j := range x {
				x[j] /= float64(i/2 + 1)
			}
		}
		priors, targets = append(priors, out[i]), append(targets, out[i+1])
	}
	return priors, targets
}

func google(chunks, length, distance int) mockRollout {
	return mockRollout{chunks: chunks, length: length, distance: distance, first: 0, start: -1}
}

func kaixhin(chunks, length, distance int) mockRollout {
	return mockRollout{chunks: chunks, length: length, distance: distance, first: 2, start: 1}
}

// TestGoogleTable is the worked table of length 5 and amount 3: row k predicts
// k+1 steps from the record before column t to record t+k.
func TestGoogleTable(t *testing.T) {
	priors, targets := google(1, 5, 4).run(t, []float64{1, 2, 4, 8, 16}, []float64{0, .1, .2, .3, .4})
	wantPriors := [][]float64{{0, 1.1, 2.2, 4.3, 8.4}, {.1, 1.3, 2.5, 4.7}, {.3, 1.6, 2.9}, {.6, 2}}
	wantTargets := [][]float64{{1, 2, 4, 8, 16}, {2, 4, 8, 16}, {4, 8, 16}, {8, 16}}
	for k := range wantPriors {
		assertClose(t, layerName("priors of row ", k), priors[k], wantPriors[k], 1e-15)
		assertClose(t, layerName("targets of row ", k), targets[k], wantTargets[k], 0)
	}
}

// TestKaixhinTable is the worked table of length 5 and distance 3, with its
// three starts at records 1, 2 and 3.
func TestKaixhinTable(t *testing.T) {
	// Outgoing actions 1, 2, 3 lead to records 2, 3, 4.
	priors, targets := kaixhin(1, 5, 3).run(t, []float64{1, 2, 4, 8, 16}, []float64{0, .1, .2, .3, .4})
	// By start: 1 -> 2+.2, +.3, +.4; 2 -> 4+.3, +.4; 3 -> 8+.4.
	wantPriors := [][]float64{{2.2, 4.3, 8.4}, {2.5, 4.7}, {2.9}}
	wantTargets := [][]float64{{4, 8, 16}, {8, 16}, {16}}
	for k := range wantPriors {
		assertClose(t, layerName("priors of step ", k), priors[k], wantPriors[k], 1e-15)
		assertClose(t, layerName("targets of step ", k), targets[k], wantTargets[k], 0)
	}
}

// TestRolloutKeepsChunksApart: two chunks together give what each gives alone,
// at every length and distance, longer than the chunk included.
func TestRolloutKeepsChunksApart(t *testing.T) {
	random := rand.New(rand.NewPCG(51, 53))
	for _, length := range []int{3, 4, 5} {
		observations, actions := normal(random, 1, 2, length).data, normal(random, 1, 2, length).data
		for _, form := range []func(chunks, length, distance int) mockRollout{google, kaixhin} {
			both, _ := form(2, length, 6).run(t, observations, actions)
			for b := range 2 {
				alone, _ := form(1, length, 6).run(t, observations[b*length:][:length], actions[b*length:][:length])
				if len(alone) != len(both) {
					t.Fatalf("%d distances of two chunks, %d of one", len(both), len(alone))
				}
				for d := range alone {
					for i, want := range alone[d] {
						assertClose(t, "prediction", both[d][2*i+b:][:1], []float64{want}, 0)
					}
				}
			}
		}
	}
}

// TestRolloutCounts: the numbers of predictions that the published routines
// have within the chunk, of all they pad to.
func TestRolloutCounts(t *testing.T) {
	count := func(m mockRollout, firstDistance int) (valid int) {
		zeros := make([]float64, m.length)
		priors, _ := m.run(t, zeros, zeros)
		for _, p := range priors[firstDistance-1:] {
			valid += len(p)
		}
		return valid
	}
	for _, c := range []struct {
		name  string
		m     mockRollout
		first int
		want  int
	}{
		{"google, 7 of 10", google(1, 5, 3), 2, 7},
		{"google, 1225 of 2450", google(1, 50, 50), 2, 1225},
		{"kaixhin, 6 of 9", kaixhin(1, 5, 3), 1, 6},
		{"kaixhin, 1176 of 2400", kaixhin(1, 50, 50), 1, 1176},
	} {
		if got := count(c.m, c.first); got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}
