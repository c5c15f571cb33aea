package parity

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/format/torchfile"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/kaixhin"
	"github.com/orrery-rl/orrery/worldmodel"
)

// kaixhinCheckpoint unpacks the checkpoint under testdata.
func kaixhinCheckpoint(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open("testdata/kaixhin/models_1.pth.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func importKaixhin(t testing.TB, data []byte) (*kaixhin.Model, *worldmodel.Model) {
	t.Helper()
	f, err := torchfile.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := kaixhin.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	m, err := worldmodel.New(got.Config, got.Dims)
	if err != nil {
		t.Fatal(err)
	}
	return got, m
}

// kaixhinGraph filters an episode along the posterior means and evaluates the
// heads: all that the fixtures hold.
func kaixhinGraph(t testing.TB, b tested, m *worldmodel.Model, length int) *gx.Program {
	t.Helper()
	inputs := m.ParamInputs("", dtypes.Float32)
	n := len(inputs)
	inputs = append(inputs, m.ObservationInputs(dtypes.Float32, length)...)
	inputs = append(inputs, gx.Input{Name: "actions", Shape: shapes.Make(dtypes.Float32, 1, length, m.Dims().ActionSize)})
	p, err := gx.Compile(b.Backend, "kaixhin", inputs, func(g *graph.Graph, x []*graph.Node) []*graph.Node {
		net, err := m.Bind(x[:n])
		if err != nil {
			panic(err)
		}
		embed := net.Embed(net.ObservationFromNodes(x[n : n+1]))
		zeros := graph.Zeros(g, shapes.Make(dtypes.Float32, 1, length, m.Config().StochSize))
		seq := net.Observe(graph.Reshape(embed, 1, length, m.EmbedSize()), x[n+1], zeros)
		features := graph.Reshape(seq.Features, length, m.FeatureSize())
		kl := seq.Posterior.KL(seq.Prior)
		decode := net.Decode
		if m.Config().Observe == worldmodel.ObserveVector {
			decode = net.DecodeVector
		}
		return []*graph.Node{
			embed, features, seq.Prior.Mean, seq.Prior.Std, seq.Posterior.Mean, seq.Posterior.Std,
			decode(features), net.Reward(features), kl,
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestImportedCheckpointComputesTheSame compares an imported model with what
// that repository's modules compute of the same weights.
func TestImportedCheckpointComputesTheSame(t *testing.T) {
	got, m := importKaixhin(t, kaixhinCheckpoint(t))
	want := loadFixture(t, "kaixhin", "expected.npz")
	episode := loadFixture(t, "kaixhin", "episode.npz")
	images, actions := episode.get(t, "image"), episode.get(t, "action")
	length := images.dims[0]
	pixels := make([]float32, len(images.values))
	for i, v := range images.values { // the centres of 32 bins
		pixels[i] = (float32(int(v)/8)+0.5)/32 - 0.5
	}
	onEveryPath(t, func(t *testing.T, b tested) {
		p := kaixhinGraph(t, b, m, length)
		out := run(t, b.Backend, p, slices.Concat(got.Params, [][]float32{pixels, actions.values}))
		size := m.Dims().Height * m.Dims().Width * m.Dims().Channels
		var belief, decoded []float32
		for i := range length {
			features := out[1][i*m.FeatureSize():][:m.FeatureSize()]
			belief = append(belief, features[got.Config.StochSize:]...)
			if i%4 == 0 {
				decoded = append(decoded, out[6][i*size:][:size]...)
			}
		}
		for name, values := range map[string][]float32{
			"embed": channelsFirst(out[0], 256), "belief": belief, "decoded": decoded,
			"prior_mean": out[2], "prior_std": out[3], "posterior_mean": out[4], "posterior_std": out[5],
			"predicted_reward": out[7], "kl": out[8],
		} {
			expected := want.get(t, name)
			compareTensor(t, name, values, expected.dims, expected, b.tolerance)
		}
	})
}

// TestImportedVectorModelComputesTheSame is the same for a model that sees
// vectors.
func TestImportedVectorModelComputesTheSame(t *testing.T) {
	data, err := os.ReadFile("testdata/kaixhin/symbolic_1.pth")
	if err != nil {
		t.Fatal(err)
	}
	got, m := importKaixhin(t, data)
	want := loadFixture(t, "kaixhin", "symbolic.npz")
	vectors, actions := want.get(t, "vector"), want.get(t, "action")
	length := vectors.dims[0]
	onEveryPath(t, func(t *testing.T, b tested) {
		p := kaixhinGraph(t, b, m, length)
		out := run(t, b.Backend, p, slices.Concat(got.Params, [][]float32{vectors.values, actions.values}))
		var belief []float32
		for features := range slices.Chunk(out[1], m.FeatureSize()) {
			belief = append(belief, features[got.Config.StochSize:]...)
		}
		for name, values := range map[string][]float32{
			"embed": out[0], "belief": belief, "decoded": out[6], "predicted_reward": out[7],
			"prior_mean": out[2], "prior_std": out[3], "posterior_mean": out[4], "posterior_std": out[5],
		} {
			expected := want.get(t, name)
			compareTensor(t, name, values, expected.dims, expected, b.tolerance)
		}
	})
}

// channelsFirst reorders each embedding of four pixels to (channel, pixel).
func channelsFirst(embed []float32, channels int) []float32 {
	out := make([]float32, 0, len(embed))
	for row := range slices.Chunk(embed, 4*channels) {
		for c := range channels {
			for pixel := range 4 {
				out = append(out, row[pixel*channels+c])
			}
		}
	}
	return out
}
