package worldmodel

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
)

// TestGradientRouting is the matrix of the one-step objective: image and reward
// losses never reach the prior's head, the KL never reaches decoder and reward
// head, and everything else gets a gradient from both.
func TestGradientRouting(t *testing.T) {
	f := newFixture(t, microConfig(), 2, 3)
	count := len(f.params)
	out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		l := n.Loss(n.BatchFromNodes(in))
		all := append(graph.Gradient(graph.Add(l.Image, l.Reward), n.params...), graph.Gradient(l.KLClipped, n.params...)...)
		return apart(all)
	})
	for i, spec := range f.m.ParamSpecs() {
		head := strings.HasPrefix(spec.Name, "rssm/prior/")
		output := strings.HasPrefix(spec.Name, "decoder/") || strings.HasPrefix(spec.Name, "reward/")
		if zero(out[i]) != head {
			t.Errorf("%s: gradient of image and reward is zero: %v, want %v", spec.Name, !head, head)
		}
		if zero(out[count+i]) != output {
			t.Errorf("%s: gradient of KL is zero: %v, want %v", spec.Name, !output, output)
		}
	}
}

// apart multiplies node i by i+1: the reference backend merges equal nodes, here
// gradients that are zero, and then cannot return them twice.
func apart(nodes []*graph.Node) []*graph.Node {
	for i := range nodes {
		nodes[i] = graph.MulScalar(nodes[i], float64(i+1))
	}
	return nodes
}

// TestLossGradientMatchesDifferences checks every parameter tensor in a random
// direction against central differences of the whole loss, noise frozen.
func TestLossGradientMatchesDifferences(t *testing.T) {
	for _, kind := range transitions() {
		for _, form := range []GRUForm{ResetBefore, ResetAfter} {
			if kind == SSM && form == ResetAfter || kind == Deterministic {
				continue // no cell; terms that are stopped, see below
			}
			t.Run(string(kind)+"/"+string(form), func(t *testing.T) {
				cfg := microConfig()
				cfg.Transition, cfg.GRU = kind, form
				checkLossGradient(t, newFixture(t, cfg, 2, 3), func(l Losses) *graph.Node { return l.Total }, "")
			})
		}
	}
}

// TestDeterministicGradientMatchesDifferences is the same for the terms that
// are not stopped: image and reward everywhere, the prior's error in its head.
func TestDeterministicGradientMatchesDifferences(t *testing.T) {
	cfg := microConfig()
	cfg.Transition = Deterministic
	f := newFixture(t, cfg, 2, 3)
	checkLossGradient(t, f, func(l Losses) *graph.Node { return graph.Add(l.Image, l.Reward) }, "")
	checkLossGradient(t, f, func(l Losses) *graph.Node { return l.Total }, "rssm/prior/")
}

// checkLossGradient checks a term of the loss by the parameters whose names
// begin with prefix.
func checkLossGradient(t *testing.T, f *fixture, term func(Losses) *graph.Node, prefix string) {
	t.Helper()
	loss := f.compile(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		return []*graph.Node{term(n.Loss(n.BatchFromNodes(in)))}
	})
	gradients := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		return apart(graph.Gradient(term(n.Loss(n.BatchFromNodes(in))), n.params...))
	})
	random := rand.New(rand.NewPCG(31, 37))
	for i, spec := range f.m.ParamSpecs() {
		if !strings.HasPrefix(spec.Name, prefix) {
			continue
		}
		original, direction := f.params[i], normal(random, 1, spec.Dims...)
		at := func(step float64) float64 {
			moved := original.clone()
			for j := range moved.data {
				moved.data[j] += step * direction.data[j]
			}
			f.params[i] = moved
			defer func() { f.params[i] = original }()
			return f.run(loss, f.batch()...)[0][0]
		}
		got, want := dot(gradients[i], direction.data)/float64(i+1), fivePoint(at, 2e-5)
		if error := math.Abs(got-want) / math.Max(math.Abs(want), 1e-2); error > 1e-6 {
			t.Errorf("%s: directional derivative %.10g, differences give %.10g (relative error %.1e)", spec.Name, got, want, error)
		}
	}
}

// fivePoint is the derivative of f at 0 by the five-point rule.
func fivePoint(f func(float64) float64, h float64) float64 {
	return (8*(f(h)-f(-h)) - (f(2*h) - f(-2*h))) / (12 * h)
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// lossValues evaluates all losses of the fixture's model on a batch.
func (f *fixture) lossValues(batch []tensor) map[string]float64 {
	f.t.Helper()
	out := f.once(batch, func(n *Net, in []*graph.Node) []*graph.Node {
		return n.Loss(n.BatchFromNodes(in)).Nodes()
	})
	values := make(map[string]float64)
	for i, name := range f.m.LossNames() {
		values[name] = out[i][0]
	}
	return values
}

// TestTotalIsTheWeightedSum also ties each term to its definition, computed
// here from predictions.
func TestTotalIsTheWeightedSum(t *testing.T) {
	cfg := microConfig()
	cfg.FreeNats, cfg.KLScale, cfg.RewardScale = 1.6, 0.7, 5
	f := newFixture(t, cfg, 2, 3)
	l := f.lossValues(f.batch())
	want := l["image"] + 5*l["reward"] + 0.7*l["kl_clipped"]
	assertClose(t, "total", []float64{l["total"]}, []float64{want}, 1e-13)

	out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		seq := n.Observe(n.embedChunks(Observation{Images: in[0]}), in[1], in[3])
		features := graph.Reshape(seq.Features, f.b*f.l, f.m.FeatureSize())
		return []*graph.Node{n.Decode(features), n.Reward(features), seq.Posterior.KL(seq.Prior),
			seq.Prior.Std, seq.Posterior.Std}
	})
	n := float64(f.b * f.l)
	image, reward, clipped := 0., 0., 0.
	for i, v := range out[0] {
		image += (v - f.images.data[i]) * (v - f.images.data[i]) / 2 / n
	}
	for i, v := range out[1] {
		reward += (v - f.rewards.data[i]) * (v - f.rewards.data[i]) / 2 / n
	}
	for _, v := range out[2] {
		clipped += math.Max(0, v-cfg.FreeNats) / n
	}
	if !(slices.Min(out[2]) < cfg.FreeNats && slices.Max(out[2]) > cfg.FreeNats) {
		t.Fatalf("KLs %v do not lie on both sides of the allowance, so clipping their mean would go unnoticed", out[2])
	}
	entropy := func(std []float64) (sum float64) {
		for _, s := range std {
			sum += (math.Log(s) + 0.5*math.Log(2*math.Pi*math.E)) / n
		}
		return sum
	}
	for name, want := range map[string]float64{"image": image, "reward": reward, "kl_clipped": clipped,
		"prior_entropy": entropy(out[3]), "posterior_entropy": entropy(out[4])} {
		assertClose(t, name, []float64{l[name]}, []float64{want}, 1e-12)
	}
}

// TestLossIsAMeanOverChunks: two copies of a batch have the same losses.
func TestLossIsAMeanOverChunks(t *testing.T) {
	f := newFixture(t, microConfig(), 2, 3)
	var doubled []tensor
	for _, x := range f.batch() {
		dims := slices.Clone(x.dims)
		dims[0] *= 2
		doubled = append(doubled, tensorOf(join(x.data, x.data), dims...))
	}
	want := f.lossValues(f.batch())
	for name, got := range f.lossValues(doubled) {
		assertClose(t, name, []float64{got}, []float64{want[name]}, 1e-12)
	}
}

// TestImageErrorSumsPixels: repeating steps leaves it unchanged, repeating
// channels doubles it.
func TestImageErrorSumsPixels(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 43))
	operands := []tensor{normal(random, 1, 2, 3, 4, 4, 1), normal(random, 1, 2, 3, 4, 4, 1)}
	out := compile(t, operands, func(in []*graph.Node) []*graph.Node {
		repeat := func(axis int) *graph.Node {
			x := graph.Concatenate([]*graph.Node{in[0], in[0]}, axis)
			return halfSquaredError(x, graph.Concatenate([]*graph.Node{in[1], in[1]}, axis))
		}
		return []*graph.Node{halfSquaredError(in[0], in[1]), repeat(1), repeat(4)}
	}).run(operands...)
	assertClose(t, "time repeated", out[1], out[0], 1e-13)
	assertClose(t, "channels repeated", out[2], []float64{2 * out[0][0]}, 1e-13)
}

// TestFreeNats: no gradient at or below 3 nats, all of it above; each element
// is clipped by itself, not the mean.
func TestFreeNats(t *testing.T) {
	kl := tensorOf([]float64{0, 2.9, 3, 3.1, 10}, 5)
	out := compile(t, []tensor{kl}, func(in []*graph.Node) []*graph.Node {
		y := excess(in[0], 3)
		floor := graph.ReduceAllSum(graph.MaxScalar(in[0], 3.0))
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(y), in[0])[0], graph.Sub(floor, graph.ReduceAllSum(y))}
	}).run(kl)
	assertClose(t, "value", out[0], []float64{0, 0, 0, 0.1, 7}, 1e-12)
	assertClose(t, "gradient", out[1], []float64{0, 0, 0, 1, 1}, 0)
	assertClose(t, "distance to max(3, KL), 3 for each element", out[2], []float64{15}, 1e-12)
}

// TestFreeNatsSilenceTheLoss: with an allowance above every KL the clipped
// term and its gradient vanish while the raw KL is still reported.
func TestFreeNatsSilenceTheLoss(t *testing.T) {
	cfg := microConfig()
	cfg.FreeNats = 1000
	f := newFixture(t, cfg, 2, 3)
	l := f.lossValues(f.batch())
	if l["kl_clipped"] != 0 || !(l["kl"] > 0) {
		t.Errorf("clipped KL %v, KL %v", l["kl_clipped"], l["kl"])
	}
	for i, g := range f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		head := n.m.transition.(rssm).prior
		prior := []*graph.Node{n.params[head.hidden.kernel], n.params[head.stats.kernel]}
		return graph.Gradient(n.Loss(n.BatchFromNodes(in)).Total, prior...)
	}) {
		if !zero(g) {
			t.Errorf("prior kernel %d has a gradient", i)
		}
	}
}

// TestLossUsesTheFirstRecord: image, reward and action of record 0 all count.
func TestLossUsesTheFirstRecord(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 3)
	before := f.lossValues(f.batch())["total"]
	for i, name := range []string{"image", "action", "reward", "noise"} {
		batch := f.batch()
		batch[i] = batch[i].clone()
		batch[i].data[0] += 0.5
		if f.lossValues(batch)["total"] == before {
			t.Errorf("the first %s does not influence the loss", name)
		}
	}
}

// TestOpenLoop: reconstructions match the closed loop, later images do not
// matter, and later actions do.
func TestOpenLoop(t *testing.T) {
	f := newFixture(t, microConfig(), 2, 5)
	const context = 2
	graphOf := func(n *Net, in []*graph.Node) []*graph.Node {
		images, rewards := n.OpenLoop(Observation{Images: in[0]}, in[1], in[2], context)
		return []*graph.Node{images.Images, n.decodeChunks(n.Observe(n.embedChunks(Observation{Images: in[0]}), in[1], in[2]).Features), rewards}
	}
	e := f.compile(f.observeOperands(), graphOf)
	out := f.run(e, f.observeOperands()...)
	frame := 12 * 9 * 2
	for b := range f.b {
		at := b * f.l * frame
		assertClose(t, "context frames", out[0][at:at+context*frame], out[1][at:at+context*frame], 1e-12)
	}
	changed := f.images.clone()
	for b := range f.b {
		for i := context * frame; i < f.l*frame; i++ {
			changed.data[b*f.l*frame+i]++
		}
	}
	if after := f.run(e, changed, f.actions, f.noise); differ(out[0], after[0]) {
		t.Error("images after the context influence the prediction")
	}
	actions := f.actions.clone()
	actions.data[len(actions.data)-1]++
	manual := f.once(f.observeOperands(), func(n *Net, in []*graph.Node) []*graph.Node {
		at := func(x *graph.Node, i int) *graph.Node {
			return graph.Reshape(graph.SliceAxis(x, 1, graph.AxisElem(i)), f.b, -1)
		}
		state := n.Observe(n.embedChunks(Observation{Images: in[0]}), in[1], in[2]).States[context-1]
		next, _ := n.StepPrior(state, at(in[1], context), at(in[2], context))
		return []*graph.Node{n.Decode(n.Features(next)), n.Reward(n.Features(next))}
	})
	assertClose(t, "first predicted frame", out[0][context*frame:(context+1)*frame], manual[0][:frame], 1e-12)
	assertClose(t, "first predicted reward", out[2][context:context+1], manual[1][:1], 1e-12)
	after := f.run(e, f.images, actions, f.noise)
	if last := len(out[0]) - frame; differ(out[0][:last], after[0][:last]) || !differ(out[0][last:], after[0][last:]) {
		t.Error("the last action must influence the last frame and no other")
	}
}
