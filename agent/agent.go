package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ErrNotReady is returned by Act before SetParams and Begin.
var ErrNotReady = errors.New("agent: not ready")

// Config is how an agent sees and acts.
type Config struct {
	// Plan is the planner's search.
	Plan plan.Config
	// BitDepth (b, 5) is the number of bits per colour channel; it must be what
	// the model was trained with.
	BitDepth int
	// ActionNoise is the standard deviation of the Gaussian noise added to every
	// action before it is clipped; 0 for evaluation, 0.3 while collecting. With
	// discrete actions it is the probability of a random one.
	ActionNoise float64
}

// Agent acts in a fixed number of environments (E) with one world model.
type Agent struct {
	cfg     Config
	dims    worldmodel.Dims
	envs    int
	backend compute.Backend
	filter  *filter
	planner *planner
	streams []*rng.Stream
	params  []compute.Buffer
	actions []float32 // [E, A], executed at the previous decision
}

// New compiles the filter and the planner for envs environments. The model's
// parameters are set, and replaced at any time, by SetParams. Close releases
// what New compiled.
func New(backend compute.Backend, model *worldmodel.Model, cfg Config, envs int) (*Agent, error) {
	if err := cfg.Plan.Validate(); err != nil {
		return nil, err
	}
	if envs < 1 {
		return nil, fmt.Errorf("agent: %d environments; it must be at least 1", envs)
	}
	a := &Agent{cfg: cfg, dims: model.Dims(), envs: envs, backend: backend}
	var err error
	if a.filter, err = newFilter(backend, model, envs); err != nil {
		return nil, err
	}
	if a.planner, err = newPlanner(backend, model, cfg.Plan, envs); err != nil {
		return nil, errors.Join(err, a.filter.close())
	}
	a.actions = make([]float32, envs*a.dims.ActionSize)
	return a, nil
}

// Envs is the number of environments the agent acts in.
func (a *Agent) Envs() int { return a.envs }

// ActionNoise is the noise that the agent adds to its actions; see Config.
func (a *Agent) ActionNoise() float64 { return a.cfg.ActionNoise }

// SetParams gives the agent the model's parameters, in the order of the model's
// ParamSpecs. The agent reads the buffers and does not own them; they must stay
// valid until the next SetParams.
func (a *Agent) SetParams(params []compute.Buffer) { a.params = params }

// Begin starts an episode in every environment: the state and the previous
// action become zero, and environment i draws all its randomness from
// streams[i], which the agent uses until the next Begin. An environment whose
// stream is nil rests, see Rest.
func (a *Agent) Begin(streams []*rng.Stream) error {
	if len(streams) != a.envs {
		return fmt.Errorf("agent: %d random streams for %d environments", len(streams), a.envs)
	}
	a.streams = slices.Clone(streams)
	clear(a.actions)
	return errors.Join(a.filter.reset(), a.planner.reset())
}

// Rest lets environment i take no part until the next Begin, because its episode
// is over. Its observations are not read, it draws nothing, and its actions mean
// nothing; those of the others do not change.
func (a *Agent) Rest(i int) {
	if i >= 0 && i < len(a.streams) { // there are none before Begin
		a.streams[i] = nil
	}
}

// Act returns the action for each environment, [E][A] in [-1, 1], given what
// each one shows: it updates the state with the previous action and the
// observation, plans from it, adds ActionNoise, clips, and remembers what it returned as the
// action that will have been executed at the next call.
func (a *Agent) Act(ctx context.Context, obs []env.Observation) ([][]float32, error) {
	if a.params == nil || a.streams == nil {
		return nil, fmt.Errorf("%w: call SetParams and Begin first", ErrNotReady)
	}
	if err := a.observe(ctx, obs); err != nil {
		return nil, err
	}
	mean, err := a.planner.plan(ctx, a.params, a.filter.state, a.streams)
	if err != nil {
		return nil, err
	}
	a.execute(mean)
	out := make([][]float32, a.envs)
	for i := range out {
		out[i] = append([]float32(nil), a.actions[i*a.dims.ActionSize:][:a.dims.ActionSize]...)
	}
	return out, nil
}

// observe writes what the model sees into the filter and advances it.
func (a *Agent) observe(ctx context.Context, obs []env.Observation) error {
	if len(obs) != a.envs {
		return fmt.Errorf("agent: %d observations for %d environments", len(obs), a.envs)
	}
	for i, o := range obs {
		if a.streams[i] == nil {
			continue
		}
		if err := a.see(i, o); err != nil {
			return fmt.Errorf("agent: environment %d: %w", i, err)
		}
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return fmt.Errorf("agent: %w", err)
	}
	// What is shown is taken in even if the time for the plan is over.
	return a.filter.step(context.WithoutCancel(ctx), a.params, a.actions, a.streams)
}

// see writes what the model sees of environment i.
func (a *Agent) see(i int, o env.Observation) error {
	if images := a.filter.images; images != nil {
		d, size := a.dims, len(images)/a.envs
		if len(o.Image) != size {
			return fmt.Errorf("it shows %d bytes, the model expects %dx%dx%d", len(o.Image), d.Height, d.Width, d.Channels)
		}
		if err := replay.Dequantise(images[i*size:][:size], o.Image, a.cfg.BitDepth, a.streams[i]); err != nil {
			return err
		}
	}
	if vectors := a.filter.vectors; vectors != nil {
		size := len(vectors) / a.envs
		if len(o.Vector) != size {
			return fmt.Errorf("its vector has %d values, the model expects %d", len(o.Vector), size)
		}
		copy(vectors[i*size:], o.Vector)
	}
	return nil
}

// execute turns planned actions into executed ones.
func (a *Agent) execute(mean []float32) {
	if a.cfg.Plan.Method == plan.Categorical {
		a.executeDiscrete(mean)
		return
	}
	for i, m := range mean {
		if s := a.streams[i/a.dims.ActionSize]; s != nil && a.cfg.ActionNoise > 0 {
			m += float32(a.cfg.ActionNoise * s.NormFloat64())
		}
		a.actions[i] = min(max(m, -1), 1)
	}
}

// executeDiscrete explores by replacing the one-hot action of an environment by a
// random one with probability ActionNoise.
func (a *Agent) executeDiscrete(planned []float32) {
	copy(a.actions, planned)
	n := a.dims.ActionSize
	for e, s := range a.streams {
		if s != nil && a.cfg.ActionNoise > 0 && s.Float64() < a.cfg.ActionNoise {
			action := a.actions[e*n:][:n]
			clear(action)
			action[s.IntN(n)] = 1
		}
	}
}

// Close releases the compiled graphs. The agent must not be used afterwards.
func (a *Agent) Close() error {
	return errors.Join(a.planner.close(), a.filter.close())
}
