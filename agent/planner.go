package agent

import (
	"context"
	"errors"
	"slices"
	"time"

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

// planner is the compiled search of E environments, its noise, and what it keeps
// between decisions.
type planner struct {
	backend compute.Backend
	model   *worldmodel.Model
	method  plan.Planner
	whole   *whole   // nil until a decision without a deadline
	anytime *anytime // nil until a decision with one
	layout  plan.NoiseLayout
	budget  time.Duration // 0: none
	noise   []*gx.Staged[float32]
	numbers [][]float32 // what the noise holds
	kept    []gx.Input
	carry   []compute.Buffer
	action  []float32 // [E, A]

	stats []SearchStats    // of the last search, for each environment; or nothing
	last  []compute.Buffer // see found.shown
}

// searcher runs a search: given parameters, state, carry and noise.
type searcher interface {
	run(ctx context.Context, params, state, carry, noise []compute.Buffer, deadline time.Time) (found, error)
}

// found is what a search returns; the caller owns it.
type found struct {
	action compute.Buffer
	carry  []compute.Buffer // for the next decision
	scores []compute.Buffer // see statsOf
	// shown are the final proposal's mean and deviation [E, H, A] and the scores of
	// the last iteration's candidates [E, J], where something was searched.
	shown []compute.Buffer
}

func newPlanner(backend compute.Backend, model *worldmodel.Model, cfg plan.Config, envs int) (*planner, error) {
	method, err := plan.New(cfg, envs, model.Dims().ActionSize, model.NoiseSize())
	if err != nil {
		return nil, err
	}
	p := &planner{
		backend: backend, model: model, method: method, layout: method.Noise(), kept: method.Carry(), action: make([]float32, envs*model.Dims().ActionSize),
		budget: cfg.Deadline,
	}
	if _, err := p.searcher(p.budget > 0); err != nil {
		return nil, err
	}
	for _, in := range p.layout.Inputs() {
		staged, err := gx.NewStaged[float32](backend, in.Shape.Dimensions...)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.noise, p.numbers = append(p.noise, staged), append(p.numbers, staged.Data)
	}
	if err := p.reset(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// deadline is the earlier of the budget's end and the context's deadline.
func (p *planner) deadline(ctx context.Context) (at time.Time, limited bool) {
	at, limited = ctx.Deadline()
	if p.budget > 0 {
		if end := time.Now().Add(p.budget); !limited || end.Before(at) {
			at, limited = end, true
		}
	}
	return at, limited
}

// searcher compiles the search in pieces, for decisions with a deadline, or in one
// graph, when the first decision asks for it.
func (p *planner) searcher(limited bool) (s searcher, err error) {
	if limited {
		if p.anytime == nil {
			if p.anytime, err = newAnytime(p.backend, p.model, p.method); err != nil {
				return nil, err
			}
		}
		return p.anytime, nil
	}
	if p.whole == nil {
		if p.whole, err = newWhole(p.backend, p.model, p.method); err != nil {
			return nil, err
		}
	}
	return p.whole, nil
}

// reset forgets what was kept of the episode before.
func (p *planner) reset() error {
	var zero []compute.Buffer
	for _, in := range p.kept {
		buf, err := gx.Upload(p.backend, make([]float32, in.Shape.Size()), in.Shape.Dimensions...)
		if err != nil {
			return errors.Join(err, gx.Finalize(zero...))
		}
		zero = append(zero, buf)
	}
	old := p.carry
	p.carry = zero
	return gx.Finalize(old...)
}

// plan returns the action that the plan of each environment begins with, [E, A],
// without noise; the slice is overwritten by the next call.
func (p *planner) plan(ctx context.Context, params, state []compute.Buffer, streams []*rng.Stream) ([]float32, error) {
	deadline, limited := p.deadline(ctx)
	search, err := p.searcher(limited)
	if err != nil {
		return nil, err
	}
	if err := p.layout.Fill(streams, p.numbers); err != nil {
		return nil, err
	}
	noise, err := gx.Buffers(p.noise...)
	if err != nil {
		return nil, err
	}
	f, err := search.run(ctx, params, state, p.carry, noise, deadline)
	if err != nil {
		return nil, err
	}
	old := slices.Concat(p.carry, p.last)
	p.carry, p.last = f.carry, f.shown
	err = p.read(f)
	if err := errors.Join(err, gx.Finalize(append(slices.Concat(old, f.scores), f.action)...)); err != nil {
		return nil, err
	}
	return p.action, nil
}

// read copies the action and the statistics of what was found.
func (p *planner) read(f found) (err error) {
	if err := gx.DownloadInto(f.action, p.action); err != nil {
		return err
	}
	p.stats, err = statsOf(f.scores, p.layout.Envs)
	return err
}

func (p *planner) close() error {
	if p.whole != nil {
		p.whole.close()
	}
	if p.anytime != nil {
		p.anytime.close()
	}
	return errors.Join(gx.CloseAll(p.noise...), gx.Finalize(slices.Concat(p.carry, p.last)...))
}

// whole is a search in one graph.
type whole struct {
	program *gx.Program
	carry   int // tensors
}

func newWhole(backend compute.Backend, model *worldmodel.Model, method plan.Planner) (*whole, error) {
	states, carry := stateInputs(model, method.Noise().Envs), method.Carry()
	inputs := slices.Concat(model.ParamInputs("", dtypes.Float32), states, carry, method.Noise().Inputs())
	n, k, c := len(model.ParamSpecs()), len(states), len(carry)
	program, err := gx.Compile(backend, "plan", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		m := imagine(bind(model, in[:n]), model)
		result := plan.Build(method, m, in[n:n+k], in[n+k:n+k+c], in[n+k+c:])
		return slices.Concat([]*graph.Node{result.Action}, result.Carry, scores(result), shown(result, result.Scores))
	})
	if err != nil {
		return nil, err
	}
	return &whole{program, c}, nil
}

func (w *whole) run(ctx context.Context, params, state, carry, noise []compute.Buffer, _ time.Time) (found, error) {
	out, err := w.program.Run(ctx, slices.Concat(params, state, carry, noise), nil)
	if err != nil {
		return found{}, err
	}
	f := found{action: out[0], carry: out[1:][:w.carry]}
	if rest := out[1+w.carry:]; len(rest) > 0 {
		f.scores, f.shown = rest[:scored], rest[scored:]
	}
	return f, nil
}

func (w *whole) close() { w.program.Close() }
