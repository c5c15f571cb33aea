package onnxexport

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/format/onnx"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

const (
	batch = 3
	bits  = 5
)

// variants are configurations that differ in what the graphs are made of.
func variants(t *testing.T) map[string]worldmodel.Config {
	t.Helper()
	cfg, err := worldmodel.PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Depth, cfg.DeterSize, cfg.StochSize, cfg.HiddenSize, cfg.RewardLayers = 2, 6, 4, 5, []int{7, 3}
	cfg.VectorLayers, cfg.VectorEmbed, cfg.ContinueLayers = []int{6}, 5, []int{4}
	out := map[string]worldmodel.Config{}
	for _, kind := range []worldmodel.Transition{worldmodel.RSSM, worldmodel.SSM, worldmodel.Deterministic, worldmodel.DRNN} {
		for _, form := range []worldmodel.GRUForm{worldmodel.ResetBefore, worldmodel.ResetAfter} {
			for _, observe := range []worldmodel.Modality{worldmodel.ObserveImage, worldmodel.ObserveVector, worldmodel.ObserveBoth} {
				c := cfg
				c.Transition, c.GRU, c.Observe = kind, form, observe
				if observe == worldmodel.ObserveBoth {
					c.VectorTransform, c.ContinueHead = worldmodel.Symlog, true
				}
				out[fmt.Sprintf("%s/%s/%s", kind, form, observe)] = c
			}
		}
	}
	return out
}

// example is a model with random parameters, and its graphs as a runtime reads
// them.
type example struct {
	model  *worldmodel.Model
	params [][]float32
	graphs map[string]parsed
}

func newExample(t *testing.T, cfg worldmodel.Config) example {
	t.Helper()
	m, err := worldmodel.New(cfg, worldmodel.Dims{Height: 18, Width: 13, Channels: 3, ActionSize: 2, VectorSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	e := example{m, m.InitParams(rand.New(rand.NewPCG(1, 2))), map[string]parsed{}}
	random := rand.New(rand.NewPCG(3, 4))
	for _, values := range e.params { // biases too
		for i := range values {
			values[i] = 1.5*values[i] + 0.1*float32(random.NormFloat64())
		}
	}
	files, err := Export(Source{Model: m, Params: e.params, BitDepth: bits, Metadata: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var data bytes.Buffer
		if err := onnx.Write(&data, f.Model); err != nil {
			t.Fatal(err)
		}
		e.graphs[f.Name] = parse(t, data.Bytes())
	}
	return e
}

// inputs are random values for everything that a graph may read, by name. Only
// bytes are what they are; the rest are float32 numbers.
func (e example) inputs() map[string]array {
	random := rand.New(rand.NewPCG(5, 6))
	d, c := e.model.Dims(), e.model.Config()
	normal := func(dims ...int) array {
		a := zeros(dims...)
		for i := range a.values {
			a.values[i] = float64(float32(random.NormFloat64()))
		}
		return a
	}
	in := map[string]array{
		"deter": normal(batch, c.DeterSize), "stoch": normal(batch, c.StochSize), "encoder": normal(batch, c.DeterSize),
		"action": normal(batch, d.ActionSize), "noise": normal(batch, c.StochSize), "vector": normal(batch, d.VectorSize),
		"image": zeros(batch, d.Height, d.Width, d.Channels),
	}
	for i := range in["image"].values {
		in["image"].values[i] = float64(random.IntN(256))
	}
	return in
}

// reference computes the same outputs with the model's own graphs, on GoMLX's
// backend.
func (e example) reference(t *testing.T, in map[string]array) map[string]map[string][]float32 {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	names := []string{"action", "noise", "vector", "image"}
	names = append(names, e.stateNames()...)
	inputs := e.model.ParamInputs("", dtypes.Float32)
	n := len(inputs)
	data := slices.Clone(e.params)
	for _, name := range names {
		inputs = append(inputs, gx.Input{Name: name, Shape: shapes.Make(dtypes.Float32, in[name].dims...)})
		data = append(data, e.seen(t, name, in[name]))
	}
	var labels [][2]string
	p, err := gx.Compile(backend, "reference", inputs, func(_ *graph.Graph, nodes []*graph.Node) []*graph.Node {
		net, err := e.model.Bind(nodes[:n])
		if err != nil {
			panic(err)
		}
		x := nodes[n:]
		state, seen := net.StateFromNodes(x[4:]), worldmodel.Observation{Vectors: x[2], Images: x[3]}
		var out []*graph.Node
		add := func(file, name string, node *graph.Node) {
			labels = append(labels, [2]string{file, name})
			out = append(out, graph.MulScalar(node, float64(len(labels)))) // kept apart: the backend merges equal outputs
		}
		step := func(file string, next worldmodel.State, g worldmodel.Gaussian) {
			for i, node := range next.Nodes() {
				add(file, "next_"+e.stateNames()[i], node)
			}
			add(file, "mean", g.Mean)
			add(file, "std", g.Std)
			add(file, "reward", net.Reward(net.Features(next)))
			if e.model.Config().ContinueHead {
				add(file, "continue", net.Continue(net.Features(next)))
			}
		}
		next, _, posterior := net.StepPosterior(state, x[0], net.Embed(seen), x[1])
		step("filter", next, posterior)
		imagined, prior := net.StepPrior(state, x[0], x[1])
		step("imagine", imagined, prior)
		if see := e.model.Config().Observe; see != worldmodel.ObserveVector {
			add("decode", "image", net.Decode(net.Features(state)))
		}
		if see := e.model.Config().Observe; see != worldmodel.ObserveImage {
			add("decode", "vector", net.DecodeVector(net.Features(state)))
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return e.runReference(t, p, backend, inputs, data, labels)
}

// stateNames are the pieces of the state in the model's order.
func (e example) stateNames() (names []string) {
	for _, in := range e.graphs["filter"].inputs {
		if slices.Contains([]string{"deter", "stoch", "encoder"}, in.name) {
			names = append(names, in.name)
		}
	}
	return names
}

// seen are the values that the model's own graphs get: images as the scorer
// hands them over.
func (e example) seen(t *testing.T, name string, a array) []float32 {
	t.Helper()
	out := make([]float32, len(a.values))
	if name != "image" {
		for i, v := range a.values {
			out[i] = float32(v)
		}
		return out
	}
	pixels := make([]byte, len(a.values))
	for i, v := range a.values {
		pixels[i] = byte(v)
	}
	if err := replay.Centre(out, pixels, bits); err != nil {
		t.Fatal(err)
	}
	return out
}

func (e example) runReference(t *testing.T, p *gx.Program, backend compute.Backend, inputs []gx.Input, data [][]float32, labels [][2]string) map[string]map[string][]float32 {
	t.Helper()
	var buffers []compute.Buffer
	for i, values := range data {
		buf, err := gx.Upload(backend, values, inputs[i].Shape.Dimensions...)
		if err != nil {
			t.Fatal(err)
		}
		buffers = append(buffers, buf)
	}
	results, err := p.Run(t.Context(), buffers, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string][]float32{"filter": {}, "imagine": {}, "decode": {}}
	for i, buf := range results {
		values, err := gx.Download(buf)
		if err != nil {
			t.Fatal(err)
		}
		for k := range values {
			values[k] /= float32(i + 1)
		}
		out[labels[i][0]][labels[i][1]] = values
	}
	return out
}

// TestGraphsComputeTheModel runs the written graphs, operator by operator in
// plain loops, and compares every output with that of the model's own graphs:
// for every transition, recurrent cell and kind of observation.
func TestGraphsComputeTheModel(t *testing.T) {
	for name, cfg := range variants(t) {
		t.Run(name, func(t *testing.T) {
			e := newExample(t, cfg)
			in := e.inputs()
			for file, want := range e.reference(t, in) {
				got := e.graphs[file].run(t, in)
				if len(got) != len(want) {
					t.Errorf("%s has %d outputs, want %d", file, len(got), len(want))
				}
				for output, values := range want {
					compare(t, file+"/"+output, got[output], values)
				}
			}
		})
	}
}

func compare(t *testing.T, what string, got array, want []float32) {
	t.Helper()
	if len(got.values) != len(want) {
		t.Errorf("%s has %d values, want %d", what, len(got.values), len(want))
		return
	}
	largest, apart := 0., 0.
	for i, v := range want {
		largest = max(largest, math.Abs(float64(v)))
		apart = max(apart, math.Abs(float64(v)-got.values[i]))
	}
	if !(apart <= 1e-5*largest) || largest == 0 {
		t.Errorf("%s: largest difference %v of %v", what, apart, largest)
	}
}

// TestGraphsReadWhatIsDocumented: names, types and shapes of the RSSM's inputs and
// outputs, in order.
func TestGraphsReadWhatIsDocumented(t *testing.T) {
	e := newExample(t, variants(t)["rssm/reset_before/both"])
	for file, want := range map[string]string{
		"filter": "deter float[N 6], stoch float[N 4], action float[N 2], image uint8[N 18 13 3], vector float[N 3], noise float[N 4]" +
			" -> next_deter float[N 6], next_stoch float[N 4], mean float[N 4], std float[N 4], reward float[N], continue float[N]",
		"imagine": "deter float[N 6], stoch float[N 4], action float[N 2], noise float[N 4]" +
			" -> next_deter float[N 6], next_stoch float[N 4], mean float[N 4], std float[N 4], reward float[N], continue float[N]",
		"decode": "deter float[N 6], stoch float[N 4] -> image float[N 18 13 3], vector float[N 3]",
	} {
		list := func(values []parsedValue) string {
			var out []string
			for _, v := range values {
				kind := map[int]string{1: "float", 2: "uint8"}[v.kind]
				out = append(out, fmt.Sprintf("%s %s%v", v.name, kind, v.dims))
			}
			return strings.Join(out, ", ")
		}
		if got := list(e.graphs[file].inputs) + " -> " + list(e.graphs[file].outputs); got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
	none := newExample(t, variants(t)["deterministic/reset_before/image"])
	for _, in := range none.graphs["imagine"].inputs {
		if in.name == "noise" {
			t.Error("the deterministic transition reads noise")
		}
	}
}

func TestExportChecksItsSource(t *testing.T) {
	e := newExample(t, variants(t)["rssm/reset_before/image"])
	short := slices.Clone(e.params)
	short[2] = short[2][1:]
	for want, s := range map[string]Source{
		"bit depth 0":          {Model: e.model, Params: e.params},
		"1 parameters":         {Model: e.model, Params: e.params[:1], BitDepth: 5},
		"encoder/conv2/kernel": {Model: e.model, Params: short, BitDepth: 5},
	} {
		if _, err := Export(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
