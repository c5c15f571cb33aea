package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// anytime is a search in pieces: one program for each iteration, or several like
// ones, between which the time is looked at.
type anytime struct {
	params, states int
	perIteration   int
	start, finish  *gx.Program
	steps          []*gx.Program
}

func newAnytime(backend compute.Backend, model *worldmodel.Model, method plan.Planner) (*anytime, error) {
	states, noise := stateInputs(model, method.Noise().Envs), method.Noise().Inputs()
	a := &anytime{params: len(model.ParamSpecs()), states: len(states)}
	var err error
	// The first parameter and the first noise tensor lend the graph an element type
	// and give the finish its noise where there is nothing else.
	params := model.ParamInputs("", dtypes.Float32)
	compile := func(name string, inputs []gx.Input, build func(in []*graph.Node) []*graph.Node) *gx.Program {
		if err != nil {
			return nil
		}
		var p *gx.Program
		p, err = gx.Compile(backend, name, inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return build(in) })
		return p
	}
	n, k, m := a.params, a.states, len(method.Memory())
	if m > 0 {
		a.start = compile("plan start", slices.Concat(params[:1], method.Carry()), func(in []*graph.Node) []*graph.Node {
			return distinct(method.Start(in[0], in[1:]))
		})
	}
	if method.Iterations() > 0 {
		a.perIteration = len(noise) / method.Iterations()
	}
	for i := range method.Iterations() {
		if j := method.Like(i); j < i {
			a.steps = append(a.steps, a.steps[j])
			continue
		}
		inputs := slices.Concat(params, states, method.Memory(), noise[i*a.perIteration:][:a.perIteration])
		a.steps = append(a.steps, compile(fmt.Sprintf("plan step %d", i), inputs, func(in []*graph.Node) []*graph.Node {
			memory, scores := method.Step(i, imagine(bind(model, in[:n]), model), in[n:n+k], in[n+k:n+k+m], in[n+k+m:])
			return distinct(append([]*graph.Node{scores.All}, memory...))
		}))
	}
	last := method.Memory()
	if m == 0 {
		last = noise
	}
	a.finish = compile("plan finish", last, func(in []*graph.Node) []*graph.Node {
		result := method.Finish(in, in)
		return distinct(slices.Concat([]*graph.Node{result.Action, result.Mean, result.Std}, result.Carry))
	})
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// distinct wraps nodes, which may repeat and may be inputs, so that each is an
// output of its own.
func distinct(nodes []*graph.Node) []*graph.Node {
	out := make([]*graph.Node, len(nodes))
	for i, n := range nodes {
		out[i] = graph.Identity(n)
	}
	return out
}

// run ends with the first iteration that is over after the deadline. That deadline
// may be the context's; one iteration is always done, so there is a plan to return,
// and only a context that was cancelled fails.
func (a *anytime) run(ctx context.Context, params, state, carry, noise []compute.Buffer, deadline time.Time) (found, error) {
	memory, err := a.begin(ctx, params, carry, noise)
	if err != nil {
		return found{}, err
	}
	var scores []compute.Buffer // one, of the last iteration
	for i, step := range a.steps {
		if i > 0 && !time.Now().Before(deadline) {
			break
		}
		old := scores
		scores, memory, err = a.advance(ctx, step, slices.Concat(params, state), memory, noise[i*a.perIteration:][:a.perIteration])
		if err := errors.Join(err, gx.Finalize(old...)); err != nil {
			return found{}, err
		}
	}
	out, err := a.finish.Run(context.WithoutCancel(ctx), memory, nil)
	if a.start != nil { // otherwise memory is the noise, which is not ours
		err = errors.Join(err, gx.Finalize(memory...))
	}
	if err != nil {
		return found{}, errors.Join(err, gx.Finalize(scores...))
	}
	return found{action: out[0], carry: out[3:], shown: append(out[1:3:3], scores...)}, nil
}

// begin is the memory before the first iteration; it is the noise for a method
// that has no memory.
func (a *anytime) begin(ctx context.Context, params, carry, noise []compute.Buffer) ([]compute.Buffer, error) {
	if a.start == nil {
		return noise, nil
	}
	return a.start.Run(context.WithoutCancel(ctx), slices.Concat(params[:1], carry), nil)
}

// advance is one iteration, with the scores of its candidates; it takes memory
// over, also when it fails.
func (a *anytime) advance(ctx context.Context, step *gx.Program, given, memory, eps []compute.Buffer) (scores, next []compute.Buffer, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, nil, errors.Join(fmt.Errorf("agent: plan: %w", ctx.Err()), gx.Finalize(memory...))
	}
	out, err := step.Run(context.WithoutCancel(ctx), slices.Concat(given, memory, eps), nil)
	if err := errors.Join(err, gx.Finalize(memory...)); err != nil {
		return nil, nil, errors.Join(err, gx.Finalize(out...))
	}
	return out[:1:1], out[1:], nil
}

func (a *anytime) close() {
	closed := map[*gx.Program]bool{nil: true}
	for _, p := range slices.Concat(a.steps, []*gx.Program{a.start, a.finish}) {
		if !closed[p] {
			closed[p] = true
			p.Close()
		}
	}
}
