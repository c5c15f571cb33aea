package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// PlanConfig is the decision to measure.
type PlanConfig struct {
	Model worldmodel.Config
	Dims  worldmodel.Dims
	Plan  plan.Config
	// Envs (E) is the number of environments that are planned for at once.
	Envs     int
	BitDepth int
	// Count is the number of measured decisions, at least 1.
	Count int
	// Profile measures every step of the planner's graph, too.
	Profile bool
	// Began is when the program started.
	Began time.Time
}

// PlanReport is what decisions cost.
type PlanReport struct {
	Envs       int    `json:"envs"`
	Horizon    int    `json:"horizon"`
	Candidates int    `json:"candidates"`
	Iterations int    `json:"iterations"`
	Backend    string `json:"backend"`
	// Build is the time until filter and planner can run; Compile is the
	// backend's part of the planner.
	Build   float64 `json:"build_seconds"`
	Compile float64 `json:"compile_seconds"`
	// FirstPlan is the time from the start of the program to the first action.
	FirstPlan float64 `json:"first_plan_seconds"`
	// Total is a decision for all environments; it is the sum of Filter and
	// Search (the two graphs) and Rest (dequantising, the candidates' noise).
	Total  Spread `json:"total"`
	Filter Spread `json:"filter"`
	Search Spread `json:"search"`
	Rest   Spread `json:"rest"`

	Work      GraphWork `json:"work"` // of Search
	FLOPS     float64   `json:"flops_per_second"`
	Bandwidth float64   `json:"bytes_per_second"`
	// ModelSteps is how many imagined decisions a second the search evaluates.
	ModelSteps float64 `json:"model_steps_per_second"`
	Process    Process `json:"process"`
	Steps      []Step  `json:"steps,omitempty"`
}

// Plan measures decisions of a new world model that sees random pixels.
func Plan(ctx context.Context, backend compute.Backend, cfg PlanConfig, report Report) (r PlanReport, err error) {
	if cfg.Count < 1 {
		return r, fmt.Errorf("bench: %d plans; measure at least 1", cfg.Count)
	}
	p, err := newPlans(backend, cfg, report)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	report.say("first plan")
	if _, err := p.one(ctx); err != nil {
		return r, err
	}
	first := time.Since(cfg.Began)
	native := p.watch.cost("plan").native()
	if cfg.Profile && native != nil {
		native.Profile(true)
	}
	report.say("%d plans", cfg.Count)
	if err := p.measure(ctx); err != nil {
		return r, err
	}
	r = p.report()
	r.FirstPlan = first.Seconds()
	if cfg.Profile && native != nil {
		r.Steps = steps(native)
	}
	return r, nil
}

// plans is an agent with something to look at.
type plans struct {
	cfg    PlanConfig
	watch  *watch
	agent  *agent.Agent
	params []compute.Buffer
	seen   []env.Observation
	build  time.Duration

	parts   []planTime
	process Process
}

// planTime says where the time of one decision went.
type planTime struct{ filter, search, rest time.Duration }

func newPlans(backend compute.Backend, cfg PlanConfig, report Report) (p *plans, err error) {
	p = &plans{cfg: cfg, watch: newWatch(backend)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	model, err := worldmodel.New(cfg.Model, cfg.Dims)
	if err != nil {
		return p, err
	}
	report.say("compiling the plan of %d candidates x %d iterations x %d decisions for %d environments",
		cfg.Plan.Candidates, cfg.Plan.Iterations, cfg.Plan.Horizon, cfg.Envs)
	start := time.Now()
	if p.agent, err = agent.New(p.watch, model, agent.Config{Plan: cfg.Plan, BitDepth: cfg.BitDepth}, cfg.Envs); err != nil {
		return p, err
	}
	p.build = time.Since(start)
	if p.params, err = uploadParams(backend, model); err != nil {
		return p, err
	}
	p.agent.SetParams(p.params)
	return p, p.begin()
}

func uploadParams(backend compute.Backend, model *worldmodel.Model) (params []compute.Buffer, err error) {
	values := model.InitParams(rng.New(1, "bench/params"))
	for i, spec := range model.ParamSpecs() {
		buf, err := gx.Upload(backend, values[i], spec.Dims...)
		if err != nil {
			return params, err
		}
		params = append(params, buf)
	}
	return params, nil
}

// begin starts an episode of random pictures in every environment.
func (p *plans) begin() error {
	var streams []*rng.Stream
	d := p.cfg.Dims
	for e := range p.cfg.Envs {
		s := rng.New(uint64(e), "bench/plan")
		image := make([]byte, d.Height*d.Width*d.Channels)
		for i := range image {
			image[i] = byte(s.Uint64())
		}
		streams, p.seen = append(streams, s), append(p.seen, env.Observation{Image: image, Vector: make([]float32, d.VectorSize)})
	}
	return p.agent.Begin(streams)
}

func (p *plans) one(ctx context.Context) (t planTime, err error) {
	start := time.Now()
	if _, err := p.agent.Act(ctx, p.seen); err != nil {
		return t, err
	}
	t.filter, t.search = p.watch.cost("filter").last, p.watch.cost("plan").last
	t.rest = time.Since(start) - t.filter - t.search
	return t, nil
}

func (p *plans) measure(ctx context.Context) error {
	before := used()
	for range p.cfg.Count {
		t, err := p.one(ctx)
		if err != nil {
			return err
		}
		p.parts = append(p.parts, t)
	}
	p.process = process(before, p.cfg.Count)
	return nil
}

func (p *plans) report() PlanReport {
	cost, c := p.watch.cost("plan"), p.cfg.Plan
	r := PlanReport{
		Envs: p.cfg.Envs, Horizon: c.Horizon, Candidates: c.Candidates, Iterations: c.Iterations, Backend: p.watch.Description(),
		Build: p.build.Seconds(), Compile: cost.compile.Seconds(), Work: cost.work(),
		Filter:  spreadOf(p.parts, func(t planTime) time.Duration { return t.filter }),
		Search:  spreadOf(p.parts, func(t planTime) time.Duration { return t.search }),
		Rest:    spreadOf(p.parts, func(t planTime) time.Duration { return t.rest }),
		Total:   spreadOf(p.parts, func(t planTime) time.Duration { return t.filter + t.search + t.rest }),
		Process: p.process,
	}
	r.FLOPS = per(float64(r.Work.FLOPs), r.Search.Median)
	r.Bandwidth = per(float64(r.Work.Read+r.Work.Written), r.Search.Median)
	r.ModelSteps = per(float64(p.cfg.Envs*c.Candidates*c.Iterations*c.Horizon), r.Search.Median)
	return r
}

func (p *plans) close() error {
	err := gx.Finalize(p.params...)
	if p.agent != nil {
		err = errors.Join(err, p.agent.Close())
	}
	return err
}
