package learn

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/worldmodel"
)

// learned makes updates of a tiny model on random data with parts frozen, and
// returns its state before and after, and the statistics of the first update.
func learned(t *testing.T, b compute.Backend, m *worldmodel.Model, opt optim.Config, frozen ...string) (before, after [3][][]float32, first Stats) {
	t.Helper()
	l := newLearner(t, b, m, opt, 2, 4, frozen...)
	var err error
	if before[0], before[1], before[2], err = l.State(); err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		fill(l, i)
		stats, err := l.Update(context.Background(), i+1)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = stats
		}
	}
	if after[0], after[1], after[2], err = l.State(); err != nil {
		t.Fatal(err)
	}
	return before, after, first
}

// newPulledModel is a model without free nats, so that every parameter has a
// gradient.
func newPulledModel(t *testing.T) *worldmodel.Model {
	t.Helper()
	m := newModel(t, newToy(t))
	cfg := m.Config()
	cfg.FreeNats = 0
	m, err := worldmodel.New(cfg, m.Dims())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fill draws a batch.
func fill(l *Learner, number int64) {
	stream := rng.New(uint64(number), "batch")
	batch := l.Batch()
	for _, x := range [][]float32{batch.Images, batch.Actions, batch.Rewards} {
		for i := range x {
			x[i] = stream.Float32() - 0.5
		}
	}
	stream.FillNormal(l.Noise())
}

// TestFrozenPartsKeepTheirBits: every tensor of a frozen part, and its moments,
// stay as they were, every other one moves.
func TestFrozenPartsKeepTheirBits(t *testing.T) {
	b, m := newBackend(t), newPulledModel(t)
	for _, frozen := range [][]string{{"encoder"}, {"decoder", "reward"}, {"rssm"}, {"encoder", "rssm/prior", "decoder"}, {"encoder", "rssm", "decoder"}} {
		before, after, _ := learned(t, b, m, optim.DefaultConfig(), frozen...)
		still, err := m.InParts(frozen)
		if err != nil {
			t.Fatal(err)
		}
		for i, spec := range m.ParamSpecs() {
			for group, name := range []string{"parameter", "first moment", "second moment"} {
				if same := slices.EqualFunc(before[group][i], after[group][i], bitwise); same != still[i] {
					t.Errorf("frozen %v: %s of %s stayed: %v, want %v", frozen, name, spec.Name, same, still[i])
				}
			}
		}
	}
}

func bitwise(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// TestFrozenGradientsAreNotInTheNorm compares the norm of the first update, which
// all learners make at the same point, with that of the gradients that are left.
func TestFrozenGradientsAreNotInTheNorm(t *testing.T) {
	b, m := newBackend(t), newPulledModel(t)
	squares := gradientSquares(t, b, m)
	for _, frozen := range [][]string{nil, {"encoder"}, {"decoder", "rssm/posterior"}} {
		_, _, stats := learned(t, b, m, optim.DefaultConfig(), frozen...)
		still, err := m.InParts(frozen)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for i, s := range squares {
			if !still[i] {
				want += s
			}
		}
		if want = math.Sqrt(want); math.Abs(stats.GradNorm-want) > 1e-4*want {
			t.Errorf("frozen %v: the norm is %v, want %v", frozen, stats.GradNorm, want)
		}
	}
}

// gradientSquares are the squared norms of the gradients of the first update.
func gradientSquares(t *testing.T, b compute.Backend, m *worldmodel.Model) []float64 {
	t.Helper()
	l, err := NewLearner(b, m, optim.DefaultConfig(), 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fill(l, 0)
	n := len(m.ParamSpecs())
	p, err := gx.Compile(b, "gradients", append(m.ParamInputs("", dtypes.Float32), m.BatchInputs(dtypes.Float32, 2, 4)...), func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net := bindOrPanic(m, in[:n])
		return graph.Gradient(net.Loss(net.BatchFromNodes(in[n:])).Total, in[:n]...)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var inputs []compute.Buffer
	for i, values := range m.InitParams(rng.New(1, "init")) {
		buf, err := gx.Upload(b, values, m.ParamSpecs()[i].Dims...)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, buf)
	}
	data, err := gx.Buffers(l.data[:len(l.data)-1]...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), append(inputs, data...), nil)
	if err != nil {
		t.Fatal(err)
	}
	squares := make([]float64, n)
	for i, buf := range out {
		values, err := gx.Download(buf)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			squares[i] += float64(v) * float64(v)
		}
	}
	return squares
}

func bindOrPanic(m *worldmodel.Model, params []*graph.Node) *worldmodel.Net {
	net, err := m.Bind(params)
	if err != nil {
		panic(err)
	}
	return net
}

// TestFreezingIsRefusedBeforeTheStart: parts that do not exist, and all of them.
func TestFreezingIsRefusedBeforeTheStart(t *testing.T) {
	for want, names := range map[string][]string{
		`no part "encodr"; it has encoder, rssm, decoder, reward`: {"encodr"},
		"nothing would be learned":                                {"encoder", "rssm", "decoder", "reward"},
	} {
		p := parts(t, t.TempDir(), newToy(t))
		p.Schedule.Freeze = names
		if _, err := Open(context.Background(), p); !errors.Is(err, ErrParts) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

// TestFrozenRunsResume: a run with a frozen encoder keeps the initial one, also
// when it goes on.
func TestFrozenRunsResume(t *testing.T) {
	whole, dir := t.TempDir(), t.TempDir()
	frozen := func(dir string, episodes int) Parts {
		p := parts(t, dir, newToy(t))
		p.Model, p.Schedule.Freeze, p.Schedule.Episodes = newPulledModel(t), []string{"encoder"}, episodes
		return p
	}
	for _, p := range []Parts{frozen(whole, 6), frozen(dir, 4), frozen(dir, 6)} {
		if _, err := train(t, context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
	sameRun(t, dir, whole)
	s, _, _ := contents(t, dir)
	m := newModel(t, newToy(t))
	first := m.InitParams(rng.New(7, "init/0"))
	for i, p := range s.Params {
		if same := slices.Equal(p.Data, first[i]); same != strings.HasPrefix(p.Name, "encoder/") {
			t.Errorf("%s is as it was initialised: %v", p.Name, same)
		}
	}
}
