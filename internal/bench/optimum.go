package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
)

// OptimumConfig is a control task whose best actions are known.
type OptimumConfig struct {
	// Plan is the planner that is measured.
	Plan plan.Config
	// Actions (A) is the number of components of an action; a plan has H*A.
	Actions int
	// Envs is how many targets are followed at the same time.
	Envs int
	// Decisions is the length of an episode.
	Decisions int
}

// OptimumReport says how well a planner did.
type OptimumReport struct {
	// Return is the mean over environments and decisions of -|a - a*|^2, of the
	// action executed a and the best one a*; the optimum is 0.
	Return float64 `json:"return"`
	// Error is the standard error of Return over environments.
	Error float64 `json:"standard_error"`
	// Evaluations is the number of model steps of a decision.
	Evaluations int `json:"evaluations"`
	// Seconds is the median time of a decision of one environment, noise included.
	Seconds float64 `json:"seconds"`
}

// Optimum follows moving targets: the reward of decision t is -|a - a*(t)|^2, and
// a*(t) moves smoothly within the bounds, so that a plan is worth something at the
// next decision. The score of a plan is that sum over its horizon. Targets and
// noise follow from fixed seeds.
func Optimum(ctx context.Context, backend compute.Backend, cfg OptimumConfig) (r OptimumReport, err error) {
	if cfg.Envs < 2 || cfg.Decisions < 1 || cfg.Actions < 1 {
		return r, fmt.Errorf("bench: %d environments, %d decisions, %d components; they must be at least 2, 1 and 1", cfg.Envs, cfg.Decisions, cfg.Actions)
	}
	p, err := newPursuit(backend, cfg)
	if err != nil {
		return r, err
	}
	defer p.program.Close()
	sums := make([]float64, cfg.Envs)
	var times []time.Duration
	for t := range cfg.Decisions {
		start := time.Now()
		actions, err := p.decide(ctx, t)
		if err != nil {
			return r, err
		}
		times = append(times, time.Since(start)/time.Duration(cfg.Envs))
		for i, a := range actions {
			d := float64(a) - target(i, t)
			sums[i/cfg.Actions] -= d * d / float64(cfg.Decisions)
		}
	}
	r = OptimumReport{Evaluations: cfg.Plan.Evaluations(), Seconds: NewSpread(times).Median}
	r.Return, r.Error = meanAndError(sums)
	return r, nil
}

// target is the best value of component i, counted over environments, at
// decision t: a sine of a period of 10 to 30 decisions.
func target(i, t int) float64 {
	period := 10 + float64(7*i%21)
	return 0.8 * math.Sin(2*math.Pi*float64(t)/period+float64(i))
}

func meanAndError(x []float64) (mean, standardError float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		standardError += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, math.Sqrt(standardError / n)
}

// pursuit is a compiled planner with what it keeps.
type pursuit struct {
	cfg     OptimumConfig
	backend compute.Backend
	layout  plan.NoiseLayout
	program *gx.Program
	streams []*rng.Stream
	numbers [][]float32
	carry   [][]float32
}

func newPursuit(backend compute.Backend, cfg OptimumConfig) (*pursuit, error) {
	planner, err := plan.New(cfg.Plan, cfg.Envs, cfg.Actions, 0)
	if err != nil {
		return nil, err
	}
	p := &pursuit{cfg: cfg, backend: backend, layout: planner.Noise()}
	width := cfg.Plan.Horizon * cfg.Actions
	inputs := append([]gx.Input{{Name: "targets", Shape: shapes.Make(dtypes.Float32, cfg.Envs, width)}}, planner.Carry()...)
	k := len(inputs)
	inputs = append(inputs, planner.Noise().Inputs()...)
	p.program, err = gx.Compile(backend, "optimum", inputs, func(g *graph.Graph, in []*graph.Node) []*graph.Node {
		start := plan.State{in[0], graph.Zeros(g, shapes.Make(dtypes.Float32, cfg.Envs, 1))}
		result := plan.Build(planner, quadratic{cfg.Actions}, start, in[1:k], in[k:])
		return append([]*graph.Node{result.Action}, result.Carry...)
	})
	if err != nil {
		return nil, err
	}
	for _, in := range planner.Carry() {
		p.carry = append(p.carry, make([]float32, in.Shape.Size()))
	}
	for _, in := range planner.Noise().Inputs() {
		p.numbers = append(p.numbers, make([]float32, in.Shape.Size()))
	}
	for e := range cfg.Envs {
		p.streams = append(p.streams, rng.New(uint64(e), "bench/planners"))
	}
	return p, nil
}

// decide returns the actions of decision t, [E, A].
func (p *pursuit) decide(ctx context.Context, t int) (actions []float32, err error) {
	if err := p.layout.Fill(p.streams, p.numbers); err != nil {
		return nil, err
	}
	var buffers []compute.Buffer
	defer func() { err = errors.Join(err, gx.Finalize(buffers...)) }()
	data := slices.Concat([][]float32{p.ahead(t)}, p.carry, p.numbers)
	for i, in := range p.program.Inputs() {
		buf, err := gx.Upload(p.backend, data[i], in.Shape.Dimensions...)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, buf)
	}
	out, err := p.program.Run(ctx, buffers, nil)
	if err != nil {
		return nil, err
	}
	buffers = append(buffers, out...)
	if actions, err = gx.Download(out[0]); err != nil {
		return nil, err
	}
	for i := range p.carry {
		if err := gx.DownloadInto(out[1+i], p.carry[i]); err != nil {
			return nil, err
		}
	}
	return actions, nil
}

// ahead is the targets from decision t on, [E, H*A].
func (p *pursuit) ahead(t int) []float32 {
	out := make([]float32, 0, p.cfg.Envs*p.cfg.Plan.Horizon*p.cfg.Actions)
	for e := range p.cfg.Envs {
		for h := range p.cfg.Plan.Horizon {
			for k := range p.cfg.Actions {
				out = append(out, float32(target(e*p.cfg.Actions+k, t+h)))
			}
		}
	}
	return out
}

// quadratic is the world: its state is the targets still ahead [N, H*A], the next
// first, and the reward of the last action [N, 1].
type quadratic struct{ actions int }

// NoiseSize implements plan.Model.
func (quadratic) NoiseSize() int { return 0 }

// StepPrior implements plan.Model.
func (q quadratic) StepPrior(s plan.State, action, _ *graph.Node) plan.State {
	next := graph.SliceAxis(s[0], 1, graph.AxisRange(0, q.actions))
	reward := graph.Neg(graph.ReduceAndKeep(graph.Square(graph.Sub(action, next)), graph.ReduceSum, 1))
	if s[0].Shape().Dimensions[1] == q.actions {
		return plan.State{next, reward}
	}
	return plan.State{graph.SliceAxis(s[0], 1, graph.AxisRangeToEnd(q.actions)), reward}
}

// Score implements plan.Model.
func (quadratic) Score(s plan.State) *graph.Node { return graph.Squeeze(s[1], 1) }
