package worldmodel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

func preset(t testing.TB, name string, actions int) *Model {
	t.Helper()
	cfg, err := PresetConfig(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(cfg, Dims{Height: 64, Width: 64, Channels: 3, ActionSize: actions})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPaperParameterCounts holds the counts of the paper's published code, in
// all and by part, for 6, 2 and 1 actions.
func TestPaperParameterCounts(t *testing.T) {
	for actions, want := range map[int]int{6: 5293220, 2: 5292420, 1: 5292220} {
		if got := preset(t, "paper", actions).NumParams(); got != want {
			t.Errorf("%d actions: %d parameters, want %d", actions, got, want)
		}
	}
	parts := map[string]int{}
	for _, spec := range preset(t, "paper", 6).ParamSpecs() {
		part, _, _ := strings.Cut(spec.Name, "/")
		parts[part] += spec.Size()
	}
	for part, want := range map[string]int{"encoder": 690144, "rssm": 557320, "decoder": 3795555, "reward": 250201} {
		if parts[part] != want {
			t.Errorf("%s has %d parameters, want %d", part, parts[part], want)
		}
	}
}

// TestVariantParameterCounts: the reward head of the paper's text has 86,601
// parameters; resetting after the product costs one more bias vector.
func TestVariantParameterCounts(t *testing.T) {
	cfg := preset(t, "paper", 6).Config()
	dims := preset(t, "paper", 6).Dims()
	cfg.RewardLayers, cfg.GRU = []int{200, 200}, ResetAfter
	m, err := New(cfg, dims)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.NumParams(), 5293220-250201+86601+200; got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
}

// TestParamNamesAreStable: checkpoints depend on these names and shapes.
func TestParamNamesAreStable(t *testing.T) {
	var got []string
	for _, spec := range preset(t, "paper", 6).ParamSpecs() {
		got = append(got, spec.Name+strings.ReplaceAll(fmt.Sprint(spec.Dims), " ", ","))
	}
	want := strings.Fields(`
		encoder/conv1/kernel[4,4,3,32] encoder/conv1/bias[32]
		encoder/conv2/kernel[4,4,32,64] encoder/conv2/bias[64]
		encoder/conv3/kernel[4,4,64,128] encoder/conv3/bias[128]
		encoder/conv4/kernel[4,4,128,256] encoder/conv4/bias[256]
		rssm/input/kernel[36,200] rssm/input/bias[200]
		rssm/gru/gates/kernel[400,400] rssm/gru/gates/bias[400]
		rssm/gru/candidate/kernel[400,200] rssm/gru/candidate/bias[200]
		rssm/prior/hidden/kernel[200,200] rssm/prior/hidden/bias[200]
		rssm/prior/stats/kernel[200,60] rssm/prior/stats/bias[60]
		rssm/posterior/deter/kernel[200,200] rssm/posterior/deter/bias[200]
		rssm/posterior/embed/kernel[1024,200]
		rssm/posterior/stats/kernel[200,60] rssm/posterior/stats/bias[60]
		decoder/input/kernel[230,1024] decoder/input/bias[1024]
		decoder/deconv1/kernel[1024,5,5,128] decoder/deconv1/bias[128]
		decoder/deconv2/kernel[5,5,128,64] decoder/deconv2/bias[64]
		decoder/deconv3/kernel[6,6,64,32] decoder/deconv3/bias[32]
		decoder/deconv4/kernel[6,6,32,3] decoder/deconv4/bias[3]
		reward/layer1/kernel[230,300] reward/layer1/bias[300]
		reward/layer2/kernel[300,300] reward/layer2/bias[300]
		reward/layer3/kernel[300,300] reward/layer3/bias[300]
		reward/output/kernel[300,1] reward/output/bias[1]`)
	if !slices.Equal(got, want) {
		t.Errorf("parameters are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestLayerSizes: 64 pixels shrink to 31, 14, 6, 2 and grow through 5, 13, 30.
func TestLayerSizes(t *testing.T) {
	if got, want := fmt.Sprint(encoderSizes(64, 64)), "[[31 31] [14 14] [6 6] [2 2]]"; got != want {
		t.Errorf("encoder sizes %s, want %s", got, want)
	}
	want := "[{[5 5] [5 5]} {[5 5] [13 13]} {[6 6] [30 30]} {[6 6] [64 64]}]"
	if got := fmt.Sprint(decoderLayers(64, 64)); got != want {
		t.Errorf("decoder layers %s, want %s", got, want)
	}
	if got := preset(t, "paper", 1).EmbedSize(); got != 1024 {
		t.Errorf("embedding has %d values, want 1024", got)
	}
}

// TestDecoderReachesEverySize follows the output size rule (n-1)*2+k.
func TestDecoderReachesEverySize(t *testing.T) {
	for height := minImage; height <= 260; height++ {
		for _, width := range []int{height, height + 1, 2*height + 3, minImage} {
			size := [2]int{1, 1}
			for _, layer := range decoderLayers(height, width) {
				for i := range size {
					size[i] = (size[i]-1)*stride + layer.kernel[i]
				}
				if size != layer.size {
					t.Fatalf("%dx%d: layer gives %v, recorded %v", height, width, size, layer.size)
				}
			}
			if size != [2]int{height, width} {
				t.Fatalf("%dx%d decodes to %v", height, width, size)
			}
			for _, s := range encoderSizes(height, width) {
				if min(s[0], s[1]) < 1 {
					t.Fatalf("%dx%d encodes to %v", height, width, s)
				}
			}
		}
	}
}

// TestModelRunsOnEveryImageSize encodes and decodes zeros; the shapes are
// asserted by the net itself.
func TestModelRunsOnEveryImageSize(t *testing.T) {
	cfg, err := PresetConfig("tiny")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Depth = 1
	backend := newBackend(t)
	for _, dims := range []Dims{{8, 8, 1, 1, 0}, {16, 16, 3, 2, 0}, {32, 32, 3, 1, 0}, {20, 33, 2, 1, 0}, {64, 64, 3, 6, 0}, {84, 84, 1, 1, 0},
		{96, 96, 3, 1, 0}, {128, 128, 3, 1, 0}, {48, 128, 3, 1, 0}} {
		m, err := New(cfg, dims)
		if err != nil {
			t.Fatal(err)
		}
		inputs := append(m.ParamInputs("", dtypes.Float32),
			gx.Input{Name: "images", Shape: shapes.Make(dtypes.Float32, 2, dims.Height, dims.Width, dims.Channels)},
			gx.Input{Name: "features", Shape: shapes.Make(dtypes.Float32, 2, m.FeatureSize())})
		_, err = gx.Compile(backend, "sizes", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			count := len(in) - 2
			net, err := m.Bind(in[:count])
			if err != nil {
				panic(err)
			}
			return []*graph.Node{net.Encode(in[count]), net.Decode(in[count+1])}
		})
		if err != nil {
			t.Errorf("%+v: %v", dims, err)
		}
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := New(Config{RewardLayers: []int{0}, MinStd: math.NaN(), FreeNats: -1, KLScale: -1, RewardScale: math.Inf(1)},
		Dims{Height: 7, Width: 5000})
	for _, want := range []string{"depth", "deter_size", "stoch_size", "hidden_size", "reward_layers[0]", "gru", "min_std",
		"free_nats", "kl_scale", "reward_scale", "image height is 7", "nearest possible is 8", "nearest possible is 1024", "action size"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from %v", want, err)
		}
	}
}

func TestPresets(t *testing.T) {
	last := math.MaxInt
	for _, name := range PresetNames() {
		m := preset(t, name, 1)
		if m.NumParams() >= last {
			t.Errorf("%s is not smaller than its predecessor", name)
		}
		last = m.NumParams()
	}
	if _, err := PresetConfig("papr"); err == nil || !strings.Contains(err.Error(), "paper, small, tiny") {
		t.Errorf("unknown preset: %v", err)
	}
}

// TestModelKeepsItsConfig: neither the caller's slice nor a returned one is the
// model's.
func TestModelKeepsItsConfig(t *testing.T) {
	cfg := microConfig()
	m, err := New(cfg, Dims{Height: 16, Width: 16, Channels: 1, ActionSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	cfg.RewardLayers[0] = 99
	m.Config().RewardLayers[0] = 98
	if got := m.Config().RewardLayers[0]; got != 7 {
		t.Errorf("reward layer became %d", got)
	}
}

// TestInitialValues: kernels fill their Glorot interval, biases are constant,
// the gates' is one, and a stream gives the same parameters again.
func TestInitialValues(t *testing.T) {
	m := preset(t, "small", 1)
	params := m.InitParams(rand.New(rand.NewPCG(3, 3)))
	for i, spec := range m.ParamSpecs() {
		low, high := slices.Min(params[i]), slices.Max(params[i])
		want := [2]float64{spec.Init.Mean - spec.Init.Limit, spec.Init.Mean + spec.Init.Limit}
		if float64(low) < want[0]-1e-6 || float64(high) > want[1]+1e-6 {
			t.Errorf("%s spans [%v, %v], limits are %v", spec.Name, low, high, want)
		}
		if spec.Size() > 1000 && float64(high-low) < 0.98*(want[1]-want[0]) {
			t.Errorf("%s spans only [%v, %v] of %v", spec.Name, low, high, want)
		}
	}
	limits := map[string]Init{
		"encoder/conv2/kernel":        {Limit: math.Sqrt(6. / (16 * (16 + 32)))},
		"decoder/deconv1/kernel":      {Limit: math.Sqrt(6. / (25 * (512 + 64)))},
		"rssm/gru/gates/bias":         {Mean: 1},
		"rssm/gru/candidate/bias":     {},
		"rssm/prior/stats/kernel":     {Limit: math.Sqrt(6. / (200 + 30))},
		"rssm/posterior/embed/kernel": {Limit: math.Sqrt(6. / (200 + 512 + 200))},
	}
	for _, spec := range m.ParamSpecs() {
		if want, ok := limits[spec.Name]; ok && math.Abs(spec.Init.Limit-want.Limit)+math.Abs(spec.Init.Mean-want.Mean) > 1e-12 {
			t.Errorf("%s starts as %+v, want %+v", spec.Name, spec.Init, want)
		}
	}
	for i, again := range m.InitParams(rand.New(rand.NewPCG(3, 3))) {
		if !slices.Equal(params[i], again) {
			t.Errorf("%s differs when drawn again", m.ParamSpecs()[i].Name)
		}
	}
}

func TestBindNamesTheWrongParameter(t *testing.T) {
	m, err := New(microConfig(), Dims{Height: 16, Width: 16, Channels: 1, ActionSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	bind := func(change func(in []gx.Input) []gx.Input) error {
		_, err := gx.Compile(newBackend(t), "bind", change(m.ParamInputs("p/", dtypes.Float32)),
			func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
				if _, err := m.Bind(in); err != nil {
					panic(err)
				}
				return in
			})
		return err
	}
	for want, change := range map[string]func(in []gx.Input) []gx.Input{
		"bind got":                func(in []gx.Input) []gx.Input { return in[1:] },
		`"encoder/conv1/bias" is`: func(in []gx.Input) []gx.Input { in[1].Shape = shapes.Make(dtypes.Float32, 9); return in },
		`"rssm/input/bias" is`: func(in []gx.Input) []gx.Input {
			i := slices.IndexFunc(in, func(x gx.Input) bool { return x.Name == "p/rssm/input/bias" })
			in[i].Shape.DType = dtypes.Float64
			return in
		},
		"must be Float32 or Float64": func(in []gx.Input) []gx.Input {
			for i := range in {
				in[i].Shape.DType = dtypes.Int32
			}
			return in
		},
	} {
		if err := bind(change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that contains %q", err, want)
		}
	}
}

// TestModelsCompileConcurrently is for the race detector: the gradients are
// installed once, whoever comes first.
func TestModelsCompileConcurrently(t *testing.T) {
	f := newFixture(t, microConfig(), 1, 2)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			f.compile(f.batch(), func(n *Net, in []*graph.Node) []*graph.Node {
				return graph.Gradient(n.Loss(n.BatchFromNodes(in)).Total, n.params...)
			})
		})
	}
	group.Wait()
}
