package worldmodel

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// seeing returns a fixture whose model observes m.
func seeing(t *testing.T, m Modality, change func(*Config)) *fixture {
	t.Helper()
	cfg := microConfig()
	cfg.Observe = m
	change(&cfg)
	return newFixture(t, cfg, 2, 3)
}

// TestVectorParameterCounts holds Kaixhin/PlaNet's sizes for 17 measurements.
func TestVectorParameterCounts(t *testing.T) {
	cfg := preset(t, "paper", 6).Config()
	cfg.Observe = ObserveVector
	m, err := New(cfg, Dims{ActionSize: 6, VectorSize: 17})
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]int{}
	for _, spec := range m.ParamSpecs() {
		part, _, _ := strings.Cut(spec.Name, "/")
		parts[part] += spec.Size()
	}
	for part, want := range map[string]int{"vector_encoder": 2117632, "vector_decoder": 1303569, "rssm": 557320, "encoder": 0, "decoder": 0} {
		if parts[part] != want {
			t.Errorf("%s has %d parameters, want %d", part, parts[part], want)
		}
	}
	if m.EmbedSize() != 1024 {
		t.Errorf("embedding of %d values", m.EmbedSize())
	}
}

// perceptron is an mlp in plain loops.
func (n naive) perceptron(name string, hidden int, x []float64) []float64 {
	for i := range hidden {
		x = positive(n.linear(layerName(name+"/layer", i), x...))
	}
	return n.linear(name+"/output", x...)
}

// TestVectorsMatchDefinition compares encoder and decoder with plain loops, on
// the scale of both transforms.
func TestVectorsMatchDefinition(t *testing.T) {
	symlog := func(v float64) float64 { return math.Copysign(math.Log1p(math.Abs(v)), v) }
	symexp := func(v float64) float64 { return math.Copysign(math.Expm1(math.Abs(v)), v) }
	identity := func(v float64) float64 { return v }
	for kind, maps := range map[VectorTransform][2]func(float64) float64{Untransformed: {identity, identity}, Symlog: {symlog, symexp}} {
		f := seeing(t, ObserveVector, func(c *Config) { c.VectorTransform = kind })
		random := rand.New(rand.NewPCG(89, 97))
		operands := []tensor{normal(random, 5, 2, 4), normal(random, 1, 2, f.m.FeatureSize())}
		out := f.once(operands, func(n *Net, in []*graph.Node) []*graph.Node {
			return []*graph.Node{n.EncodeVector(in[0]), n.DecodeVector(in[1])}
		})
		plain := naive{f}
		for row := range 2 {
			vector := apply(maps[0], append([]float64{}, chunk(operands[0], row).data...))
			want := plain.perceptron("vector_encoder", 2, vector)
			assertClose(t, "embedding", out[0][row*3:row*3+3], want, 1e-12)
			want = apply(maps[1], plain.perceptron("vector_decoder", 2, chunk(operands[1], row).data))
			assertClose(t, "decoded", out[1][row*4:row*4+4], want, 1e-12)
		}
	}
}

// TestSymlog holds values of the transform and that its inverse is one.
func TestSymlog(t *testing.T) {
	f := seeing(t, ObserveVector, func(c *Config) { c.VectorTransform = Symlog })
	x := tensorOf([]float64{-1e6, -1, 0, 1e-9, math.E - 1}, 5)
	out := f.once([]tensor{x}, func(n *Net, in []*graph.Node) []*graph.Node {
		y := n.transform(in[0])
		return []*graph.Node{y, n.untransform(y)}
	})
	assertClose(t, "symlog", out[0], []float64{-13.815511557963774, -math.Ln2, 0, 1e-9, 1}, 1e-12)
	assertClose(t, "symexp of symlog", out[1], x.data, 1e-12)
}

// TestBothEmbeddingsAreConcatenated: image first.
func TestBothEmbeddingsAreConcatenated(t *testing.T) {
	f := seeing(t, ObserveBoth, func(*Config) {})
	random := rand.New(rand.NewPCG(101, 103))
	operands := []tensor{normal(random, 1, 1, 12, 9, 2), normal(random, 1, 1, 4)}
	out := f.once(operands, func(n *Net, in []*graph.Node) []*graph.Node {
		return []*graph.Node{n.Embed(n.ObservationFromNodes(in)), n.Encode(in[0]), n.EncodeVector(in[1])}
	})
	assertClose(t, "embedding", out[0], join(out[1], out[2]), 0)
	if len(out[0]) != f.m.EmbedSize() {
		t.Errorf("%d values, EmbedSize is %d", len(out[0]), f.m.EmbedSize())
	}
}

// TestLossOfEveryModality: the gradient of the whole loss, heads included,
// matches differences; the diagnostic term, which is stopped, only in its head.
func TestLossOfEveryModality(t *testing.T) {
	for _, m := range []Modality{ObserveImage, ObserveVector, ObserveBoth} {
		t.Run(string(m), func(t *testing.T) {
			f := seeing(t, m, func(c *Config) {
				c.VectorTransform, c.ContinueHead, c.Diagnostic, c.VectorLayers = Symlog, true, true, []int{5}
			})
			checkLossGradient(t, f, func(l Losses) *graph.Node { return graph.Sub(l.Total, l.Diagnostic) }, "")
			checkLossGradient(t, f, func(l Losses) *graph.Node { return l.Total }, "diagnostic/")
		})
	}
}

// TestTermsAddUp: the total is the weighted sum of what the model lists, and
// the vector's term is defined by its predictions.
func TestTermsAddUp(t *testing.T) {
	f := seeing(t, ObserveBoth, func(c *Config) { c.ContinueHead, c.Diagnostic = true, true })
	l := f.lossValues(f.batch())
	want := l["image"] + 0.7*l["vector"] + 10*l["reward"] + 6*l["continue"] + l["diagnostic"] + l["kl_clipped"]
	assertClose(t, "total", []float64{l["total"]}, []float64{want}, 1e-13)
	out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		b := n.BatchFromNodes(in)
		seq := n.Observe(n.embedChunks(b.Observation), b.Actions, b.Noise)
		return []*graph.Node{n.DecodeVector(flatten(seq.Features)), n.Continue(flatten(seq.Features))}
	})
	vector, continues, n := 0., 0., float64(f.b*f.l)
	for i, v := range out[0] {
		vector += (v - f.vectors.data[i]) * (v - f.vectors.data[i]) / 2 / n
	}
	for i, p := range out[1] {
		c := f.continues.data[i]
		continues -= (c*math.Log(p) + (1-c)*math.Log(1-p)) / n
	}
	assertClose(t, "vector", []float64{l["vector"]}, []float64{vector}, 1e-12)
	assertClose(t, "continue", []float64{l["continue"]}, []float64{continues}, 1e-12)
}

// TestModelsWithoutTermsDoNotListThem: names and nodes agree for each model.
func TestModelsWithoutTermsDoNotListThem(t *testing.T) {
	for m, want := range map[Modality]string{
		ObserveImage:  "total image reward kl kl_clipped prior_entropy posterior_entropy",
		ObserveVector: "total vector reward kl kl_clipped prior_entropy posterior_entropy",
	} {
		f := seeing(t, m, func(*Config) {})
		if got := strings.Join(f.m.LossNames(), " "); got != want {
			t.Errorf("%s lists %s, want %s", m, got, want)
		}
		nodes := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node { return apart(n.Loss(n.BatchFromNodes(in)).Nodes()) })
		if len(nodes) != len(f.m.LossNames()) {
			t.Errorf("%s: %d losses for %v", m, len(nodes), f.m.LossNames())
		}
	}
}

// TestDiagnosisLeavesTheModelAlone: the diagnostic loss has exactly zero
// gradient outside its head, and no other loss one inside it.
func TestDiagnosisLeavesTheModelAlone(t *testing.T) {
	f := seeing(t, ObserveImage, func(c *Config) { c.Diagnostic = true })
	out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		l := n.Loss(n.BatchFromNodes(in))
		return apart(append(graph.Gradient(l.Diagnostic, n.params...), graph.Gradient(graph.Sub(l.Total, l.Diagnostic), n.params...)...))
	})
	for i, spec := range f.m.ParamSpecs() {
		head := strings.HasPrefix(spec.Name, "diagnostic/")
		if zero(out[i]) == head {
			t.Errorf("%s: diagnostic gradient is zero: %v", spec.Name, !head)
		}
		if zero(out[len(f.params)+i]) != head {
			t.Errorf("%s: gradient of the other terms is zero: %v", spec.Name, !head)
		}
	}
}

// TestRoutingOfVectorsAndHeads: the losses of vector and continue flag reach
// both encoders, the posterior and the recurrence, not the prior's head; the
// KL reaches neither decoder nor head.
func TestRoutingOfVectorsAndHeads(t *testing.T) {
	f := seeing(t, ObserveBoth, func(c *Config) { c.ContinueHead = true })
	out := f.once(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
		l := n.Loss(n.BatchFromNodes(in))
		return apart(append(graph.Gradient(graph.Add(l.Vector, l.Continue), n.params...), graph.Gradient(l.KLClipped, n.params...)...))
	})
	begins := func(name string, prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
	for i, spec := range f.m.ParamSpecs() {
		if want := begins(spec.Name, "rssm/prior/", "decoder/", "reward/"); zero(out[i]) != want {
			t.Errorf("%s: gradient of vector and continue flag is zero: %v, want %v", spec.Name, !want, want)
		}
		if want := begins(spec.Name, "decoder/", "reward/", "vector_decoder/", "continue/"); zero(out[len(f.params)+i]) != want {
			t.Errorf("%s: gradient of KL is zero: %v, want %v", spec.Name, !want, want)
		}
	}
}

// TestOpenLoopPredictsWhatIsSeen: both modalities, and later vectors do not
// matter.
func TestOpenLoopPredictsWhatIsSeen(t *testing.T) {
	f := seeing(t, ObserveBoth, func(*Config) {})
	operands := []tensor{f.images, f.vectors, f.actions, f.noise}
	e := f.compile(operands, func(n *Net, in []*graph.Node) []*graph.Node {
		o, rewards := n.OpenLoop(n.ObservationFromNodes(in[:2]), in[2], in[3], 1)
		return []*graph.Node{o.Images, o.Vectors, rewards}
	})
	before := f.run(e, operands...)
	for i, size := range []int{len(f.images.data), len(f.vectors.data), f.b * f.l} {
		if len(before[i]) != size {
			t.Errorf("output %d has %d values, want %d", i, len(before[i]), size)
		}
	}
	for at, want := range map[int]bool{0: true, 4: false} { // of the first and the second record
		moved := f.vectors.clone()
		moved.data[at]++
		if after := f.run(e, f.images, moved, f.actions, f.noise); differ(before[1], after[1]) != want {
			t.Errorf("value %d of the vectors changes the prediction: %v, want %v", at, !want, want)
		}
	}
}

// TestVectorsNeedVectors: what a model cannot do without is named.
func TestVectorsNeedVectors(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"vector": func(c *Config) { c.Observe = ObserveVector }, "both": func(c *Config) { c.Observe = ObserveBoth },
		"diagnostic": func(c *Config) { c.Diagnostic = true },
	} {
		cfg := microConfig()
		change(&cfg)
		_, err := New(cfg, Dims{Height: 16, Width: 16, Channels: 1, ActionSize: 1})
		if err == nil || !strings.Contains(err.Error(), "the environment has none") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(microConfig(), Dims{ActionSize: 1, VectorSize: 2}); err == nil || !strings.Contains(err.Error(), "draws no image") {
		t.Errorf("no image: %v", err)
	}
	cfg := microConfig()
	cfg.Observe, cfg.VectorTransform, cfg.Transition, cfg.VectorLayers, cfg.ContinueLayers = "smell", "sqrt", "lstm", []int{0}, []int{-1}
	err := cfg.Validate()
	for _, want := range []string{"smell", "sqrt", "lstm", "vector_layers[0]", "continue_layers[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from %v", want, err)
		}
	}
	cfg = microConfig()
	cfg.Transition, cfg.Objective.GlobalKLScale = Deterministic, 0.1
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "global_kl_scale") {
		t.Errorf("a global KL that trains nothing: %v", err)
	}
	f := seeing(t, ObserveImage, func(*Config) {})
	if got := len(f.m.BatchInputs(dtypes.Float32, 1, 1)); got != 4 {
		t.Errorf("a model of images uses %d tensors", got)
	}
}
