package worldmodel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// The linear-Gaussian chain s' = .9 s + N(0, .3), o = s + N(0, .5) from s = 0,
// and its filter q(s' | s, o) = N(.9 s + K (o - .9 s), (1-K) .3), all variances.
const (
	chainDecay, chainNoise, chainSight = .9, .3, .5
	chainGain                          = chainNoise / (chainNoise + chainSight)
)

// TestRolloutGivesTheMultiStepBound: estimated with the rollout and the KL that
// overshooting uses, the bounds L_d of the chain on o = (.7, -.2, .5) are those
// that were computed elsewhere: -3.184, -4.107 and -4.473. A record that has no
// d records before it is predicted from the chain's start.
func TestRolloutGivesTheMultiStepBound(t *testing.T) {
	observations := []float64{.7, -.2, .5}
	const chunks, length = 60_000, 3
	random := rand.New(rand.NewPCG(71, 73))
	paths, filtered := normal(random, 0, length*chunks, 1), normal(random, 0, length*chunks, 1)
	evidence := 0.
	for b := range chunks {
		state := 0.
		for j, o := range observations {
			mean := chainDecay*state + chainGain*(o-chainDecay*state)
			state = mean + math.Sqrt((1-chainGain)*chainNoise)*random.NormFloat64()
			filtered.data[j*chunks+b], paths.data[j*chunks+b] = mean, state
			evidence -= (math.Log(2*math.Pi*chainSight) + (o-state)*(o-state)/chainSight) / 2 / chunks
		}
	}
	starts := tensorOf(join(make([]float64, chunks), paths.data[:(length-1)*chunks]), length*chunks, 1)
	noise := normal(random, 1, length, length*chunks, 1)
	kls := compile(t, []tensor{starts, filtered, noise}, func(in []*graph.Node) []*graph.Node {
		r := rollout{step: chainStep, chunks: chunks, length: length, actions: in[0], noise: in[2]}
		var sums []*graph.Node
		for _, p := range r.follow(State{Stoch: in[0]}, length) {
			mean := dropRows(p.from*chunks, in[1])
			std := graph.MulScalar(graph.OnesLike(mean), math.Sqrt((1-chainGain)*chainNoise))
			kl := graph.Reshape(Gaussian{mean, std}.KL(p.prior), -1, chunks)
			sums = append(sums, graph.ReduceMean(kl, 1))
		}
		return sums
	}).run(starts, filtered, noise)
	for d, want := range []float64{-3.184, -4.107, -4.473} {
		bound := evidence
		for j := range length {
			steps := min(d, j) // less one
			bound -= kls[steps][j-steps]
		}
		if math.Abs(bound-want) > 0.02 {
			t.Errorf("%s is %.4f, want %.3f", fmt.Sprint("L_", d+1), bound, want)
		}
	}
}

// chainStep is the chain's transition; it ignores actions.
func chainStep(s State, _, noise *graph.Node) (State, Gaussian) {
	mean := graph.MulScalar(s.Stoch, chainDecay)
	prior := Gaussian{Mean: mean, Std: graph.MulScalar(graph.OnesLike(mean), math.Sqrt(chainNoise))}
	return State{Stoch: prior.Sample(noise)}, prior
}
