package learn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
)

// ErrQuit is what the policy of a person returns when that person has had enough.
var ErrQuit = errors.New("quit")

// Policy chooses the actions of recorded episodes.
type Policy interface {
	// Begin starts an episode, whose randomness comes from the stream.
	Begin(stream *rng.Stream) error
	// Act chooses the action for what is observed, within the environment's bounds.
	Act(ctx context.Context, obs env.Observation) ([]float32, error)
}

// RandomPolicy draws actions like those that a planner of the given method can
// choose, each as likely as any other.
func RandomPolicy(method plan.Method, spec env.ActionSpec) Policy {
	return &randomPolicy{method: method, spec: spec}
}

type randomPolicy struct {
	method plan.Method
	spec   env.ActionSpec
	draw   func() []float32
}

func (p *randomPolicy) Begin(stream *rng.Stream) error {
	p.draw = random(p.method, p.spec, stream)
	return nil
}

func (p *randomPolicy) Act(context.Context, env.Observation) ([]float32, error) {
	return p.draw(), nil
}

// AgentPolicy lets an agent for one environment act, with its noise. The agent keeps
// the stream of Begin, and draws from it, until the next: nobody else may.
func AgentPolicy(a *agent.Agent) Policy { return agentPolicy{a} }

type agentPolicy struct{ *agent.Agent }

func (p agentPolicy) Begin(stream *rng.Stream) error {
	return p.Agent.Begin([]*rng.Stream{stream})
}

func (p agentPolicy) Act(ctx context.Context, obs env.Observation) ([]float32, error) {
	actions, err := p.Agent.Act(ctx, []env.Observation{obs})
	if err != nil {
		return nil, err
	}
	return actions[0], nil
}

// Recording says what Record records.
type Recording struct {
	Env    env.Env
	Policy Policy
	// Store takes the episodes, after those that are there.
	Store *replay.Store
	// Episodes is how many to add.
	Episodes int
	// Seed is where all randomness derives from: that of an episode depends on it and
	// on the episode's number in the store, so that what is recorded in two sittings
	// is what one would have recorded.
	Seed uint64
	// Told is called for each stored episode; it may be nil.
	Told func(Recorded)
	// Log is told of environments that break; it may be nil.
	Log *slog.Logger
}

// Recorded describes a stored episode.
type Recorded struct {
	// Number is its number in the store.
	Number int
	// Decisions and EnvSteps count what it took, Return is its undiscounted return.
	Decisions, EnvSteps int64
	Return              float64
}

// Record plays episodes and stores each when it has ended. When the context is
// cancelled or the policy returns ErrQuit the episode at hand is dropped and the
// error returned; those before it stay.
func Record(ctx context.Context, r Recording) error {
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	for range r.Episodes {
		number := r.Store.Next()
		out, err := r.play(ctx, number)
		if err != nil {
			return err
		}
		if _, err := r.Store.Append(ctx, out.episode); err != nil {
			return fmt.Errorf("learn: store episode %d: %w", number, err)
		}
		if r.Told != nil {
			r.Told(Recorded{Number: number, Decisions: out.decisions, EnvSteps: out.envSteps, Return: out.ret})
		}
	}
	return nil
}

// play plays one episode, again if the environment breaks; see [Run.again].
func (r Recording) play(ctx context.Context, number int) (out outcome, err error) {
	tasks := len(r.Env.Spec().Tasks)
	for attempt := 0; ; attempt++ {
		version := versionAt(attempt)
		stream := func(kind string) *rng.Stream {
			return rng.New(r.Seed, fmt.Sprintf("%s/%d", versionOf("record/"+kind, version), number))
		}
		if err := r.Policy.Begin(stream("act")); err != nil {
			return out, err
		}
		seed := env.TaskSeed(stream("reset").Uint64(), int64(number), tasks)
		out, err = single(ctx, r.Env, seed, 0, chosen(r.Policy))
		switch {
		case err == nil, !errors.Is(err, env.ErrBroken):
			return out, err
		case ctx.Err() != nil: // whatever stopped us may have stopped the simulator, too
			return out, errors.Join(ctx.Err(), err)
		case attempt == maxBroken-1:
			return out, fmt.Errorf("learn: episode %d broke %d times in a row: %w", number, maxBroken, err)
		}
		r.Log.Warn("the environment broke; the episode is dropped and played again", "env", r.Env.Spec().Name, "episode", number, "attempt", attempt+1, "error", err)
	}
}
