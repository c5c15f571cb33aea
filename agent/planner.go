package agent

import (
	"context"
	"errors"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// imagination lets a planner search in a world model.
type imagination struct {
	net   *worldmodel.Net
	noise int
}

// StepPrior implements plan.Model.
func (m imagination) StepPrior(state plan.State, action, noise *graph.Node) plan.State {
	next, _ := m.net.StepPrior(m.net.StateFromNodes(state), action, noise)
	return next.Nodes()
}

// Score implements plan.Model.
func (m imagination) Score(state plan.State) *graph.Node {
	return m.net.Reward(m.net.Features(m.net.StateFromNodes(state)))
}

// NoiseSize implements plan.Model.
func (m imagination) NoiseSize() int { return m.noise }

// mortal is imagination in a model that predicts where episodes end; the
// planner counts later rewards by the probability of getting there.
type mortal struct{ imagination }

// Continue is the probability, [N], that the episode goes on after each state.
func (m mortal) Continue(state plan.State) *graph.Node {
	return m.net.Continue(m.net.Features(m.net.StateFromNodes(state)))
}

// imagine returns what the planner searches in.
func imagine(net *worldmodel.Net, model *worldmodel.Model) plan.Model {
	m := imagination{net: net, noise: model.NoiseSize()}
	if model.Config().ContinueHead {
		return mortal{m}
	}
	return m
}

// planner is the compiled search of E environments with its noise.
type planner struct {
	program *gx.Program
	noise   []*gx.Staged[float32]
	draws   []draw
	action  []float32 // [E, A]
}

// draw is one noise tensor: rows of E blocks, each block filled by the stream
// of its environment.
type draw struct {
	data        []float32
	rows, block int
}

func newPlanner(backend compute.Backend, model *worldmodel.Model, cfg plan.Config, envs int) (*planner, error) {
	size, states := model.Dims().ActionSize, stateInputs(model, envs)
	layout := cfg.Noise(envs, size, model.NoiseSize())
	inputs := slices.Concat(model.ParamInputs("", dtypes.Float32), states, layout.Inputs())
	n, k := len(model.ParamSpecs()), len(states)
	program, err := gx.Compile(backend, "plan", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		m := imagine(bind(model, in[:n]), model)
		return []*graph.Node{plan.CEM(cfg, m, in[n:n+k], size, in[n+k:]).Action}
	})
	if err != nil {
		return nil, err
	}
	p := &planner{program: program, action: make([]float32, envs*size)}
	for _, in := range layout.Inputs() {
		staged, err := gx.NewStaged[float32](backend, in.Shape.Dimensions...)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		rows := in.Shape.Dimensions[0] // time leads
		p.noise = append(p.noise, staged)
		p.draws = append(p.draws, draw{staged.Data, rows, len(staged.Data) / rows / envs})
	}
	return p, nil
}

// plan returns the first action of the plan of each environment, [E, A],
// without noise; the slice is overwritten by the next call.
func (p *planner) plan(ctx context.Context, params, state []compute.Buffer, streams []*rng.Stream) ([]float32, error) {
	for _, d := range p.draws {
		d.fill(streams)
	}
	noise, err := gx.Buffers(p.noise...)
	if err != nil {
		return nil, err
	}
	out, err := p.program.Run(ctx, slices.Concat(params, state, noise), nil)
	if err != nil {
		return nil, err
	}
	if err := gx.DownloadInto(out[0], p.action); err != nil {
		return nil, err
	}
	return p.action, gx.Finalize(out...)
}

func (d draw) fill(streams []*rng.Stream) {
	for row := range d.rows {
		for e, s := range streams {
			s.FillNormal(d.data[(row*len(streams)+e)*d.block:][:d.block])
		}
	}
}

func (p *planner) close() error {
	p.program.Close()
	return gx.CloseAll(p.noise...)
}
