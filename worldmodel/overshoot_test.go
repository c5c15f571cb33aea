package worldmodel

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// overshootConfig is a micro model with an overshooting form, rewards included.
func overshootConfig(kind Overshooting, distance int) Config {
	cfg := microConfig()
	cfg.Objective.Overshooting, cfg.Objective.OvershootingDistance = kind, distance
	cfg.Objective.OvershootingScale, cfg.Objective.OvershootingRewardScale = 0.7, 3
	return cfg
}

func overshootings() []Overshooting {
	return []Overshooting{OvershootingClean, OvershootingGoogle, OvershootingKaixhin}
}

// TestDistanceOneIsTheKL: a rollout of one step from every posterior gives the
// priors of the closed loop, for every transition.
func TestDistanceOneIsTheKL(t *testing.T) {
	for _, kind := range transitions() {
		cfg := overshootConfig(OvershootingKaixhin, 1)
		cfg.Transition = kind
		f := newFixture(t, cfg, 2, 4)
		out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			b := n.BatchFromNodes(in)
			seq := n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise)
			o := n.newOvershooter(seq, b)
			p := o.rollout(0).follow(o.starts(-1, f.l-2), 1)[0]
			return []*graph.Node{timeMajor(seq.Prior.Mean), p.prior.Mean,
				graph.ReduceAllMean(seq.Posterior.KL(seq.Prior)), graph.ReduceAllMean(o.divergence(p))}
		})
		assertClose(t, string(kind)+" prior", out[1], out[0], 1e-13)
		assertClose(t, string(kind)+" KL", out[3], out[2], 1e-13)
	}
}

// TestDistanceOneHasNoOvershooting: clean and google begin at distance 2.
func TestDistanceOneHasNoOvershooting(t *testing.T) {
	plain := newFixture(t, microConfig(), 2, 3)
	want := plain.lossValues(plain.batch())
	for _, kind := range []Overshooting{OvershootingClean, OvershootingGoogle} {
		f := newFixture(t, overshootConfig(kind, 1), 2, 3)
		if !slices.Equal(f.m.LossNames(), plain.m.LossNames()) {
			t.Errorf("%s of distance 1 has the losses %s", kind, f.m.LossNames())
		}
		if got := f.lossValues(f.batch())["total"]; got != want["total"] {
			t.Errorf("%s of distance 1 has the total %v, without it is %v", kind, got, want["total"])
		}
	}
}

// TestUnusedRolloutNoise: what lies beyond a chunk's end never enters. Noise
// that no prediction inside the chunk needs is NaN here; values and gradients
// do not notice.
func TestUnusedRolloutNoise(t *testing.T) {
	const b, l, distance = 2, 5, 7
	for _, kind := range overshootings() {
		first := 0
		if kind == OvershootingKaixhin {
			first = 2
		}
		f := newFixture(t, overshootConfig(kind, distance), b, l)
		e := f.compile(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			loss := n.Loss(n.BatchFromNodes(in))
			return append(loss.Nodes(), apart(graph.Gradient(loss.Total, n.params...))...)
		})
		want := f.run(e, f.batch()...)
		f.rolloutNoise = f.rolloutNoise.clone()
		z, spoilt := f.m.Config().StochSize, 0
		for i := range f.rolloutNoise.data {
			record, d := i/(distance*z)%l, i/z%distance+1
			if record < first+d-1 {
				f.rolloutNoise.data[i] = math.NaN()
				spoilt++
			}
		}
		if spoilt == 0 {
			t.Fatal("no noise is unused")
		}
		for i, got := range f.run(e, f.batch()...) {
			assertClose(t, fmt.Sprintf("%s output %d", kind, i), got, want[i], 0)
		}
	}
}

// TestOvershootingWeight: with every KL the same, the terms' weights against
// the KL show. For kaixhin they are those worked out from its code.
func TestOvershootingWeight(t *testing.T) {
	const l = 50
	for _, c := range []struct {
		kind     Overshooting
		distance int
		want     float64
	}{
		{OvershootingClean, 50, 1}, {OvershootingGoogle, 5, 1},
		{OvershootingKaixhin, 50, 49. / 50 * 1176 / 2400}, // 0.48
		{OvershootingKaixhin, 12, 49. / 12 * 510 / 576},   // 3.6
		{OvershootingKaixhin, 5, 49. / 5 * 230 / 240},     // 9.4
		{OvershootingKaixhin, 2, 49. / 2 * 95 / 96},       // 24
	} {
		cfg := overshootConfig(c.kind, c.distance)
		cfg.Objective.OvershootingRewardScale = 0
		f := newFixture(t, cfg, 1, l)
		for _, name := range []string{"rssm/prior/stats/kernel", "rssm/posterior/stats/kernel"} {
			clear(f.param(name))
		}
		out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
			b := n.BatchFromNodes(in)
			seq := n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise)
			kl, _ := n.overshoot(seq, b)
			return []*graph.Node{graph.ReduceAllMean(seq.Posterior.KL(seq.Prior)), kl}
		})
		assertClose(t, fmt.Sprint(c.kind, c.distance), []float64{out[1][0] / out[0][0]}, []float64{c.want}, 1e-12)
	}
}

// TestShortChunksAreRefused names the form and the length it needs.
func TestShortChunksAreRefused(t *testing.T) {
	for kind, length := range map[Overshooting]int{OvershootingClean: 1, OvershootingKaixhin: 2} {
		f := newFixture(t, overshootConfig(kind, 3), 1, length)
		inputs := append(f.m.ParamInputs("", dtypes.Float64), f.m.BatchInputs(dtypes.Float64, 1, length)...)
		_, err := gx.Compile(newBackend(t), "loss", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			n, err := f.m.Bind(in[:len(f.params)])
			if err != nil {
				panic(err)
			}
			return n.Loss(n.BatchFromNodes(in[len(f.params):])).Nodes()
		})
		if want := fmt.Sprintf("%s overshooting needs at least %d", kind, length+1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a chunk of %d records gives %v, which does not say %q", length, err, want)
		}
	}
}
