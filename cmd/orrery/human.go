package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/internal/teleop"
	"github.com/orrery-rl/orrery/learn"
)

// holdFor is for how long a key acts in real time after it was heard of last.
const holdFor = 0.3 // seconds

// human is a person at a terminal: the policy that acts, and the environment that
// shows what happens.
type human struct {
	env.Env
	player   *teleop.Player
	episodes int // to be recorded
	stored   int
	// of the episode at hand
	decisions int
	ret       float64
}

// keys are those that a person acts with.
func (o *collectOptions) keys(s env.Spec) (teleop.Keymap, error) {
	keys, err := teleop.NewKeymap(s.Action.Size, o.discrete)
	if err != nil {
		return keys, fmt.Errorf("%w: %w", errUsage, err)
	}
	return keys, nil
}

// startHuman takes over the terminal. The returned function gives it back.
func startHuman(a *app, e env.Env, o *collectOptions) (*human, func() error, error) {
	keys, err := o.keys(e.Spec())
	if err != nil {
		return nil, nil, err
	}
	t, err := a.terminal()
	if err != nil {
		return nil, nil, err
	}
	cfg := teleop.Config{Keys: keys, In: t.in, Out: t.out, Size: t.size, Stop: t.stop, Hold: max(1, int(holdFor*o.fps))}
	stopTicker := func() {}
	if o.fps > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / o.fps))
		cfg.Tick, stopTicker = ticker.C, ticker.Stop
	}
	player, err := teleop.Start(cfg)
	if err != nil {
		stopTicker()
		return nil, nil, errors.Join(err, t.restore())
	}
	return &human{Env: e, player: player, episodes: o.episodes}, func() error {
		stopTicker()
		return errors.Join(player.Close(), t.restore())
	}, nil
}

// Begin implements learn.Policy.
func (h *human) Begin(*rng.Stream) error {
	h.player.Begin()
	h.decisions, h.ret = 0, 0
	return nil
}

// Act implements learn.Policy.
func (h *human) Act(ctx context.Context, _ env.Observation) ([]float32, error) {
	action, err := h.player.Act(ctx)
	if errors.Is(err, teleop.ErrQuit) {
		return nil, learn.ErrQuit
	}
	return action, err
}

// Reset implements env.Env.
func (h *human) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	obs, err := h.Env.Reset(ctx, seed)
	if err != nil {
		return obs, err
	}
	return obs, h.show(obs)
}

// Step implements env.Env.
func (h *human) Step(ctx context.Context, action []float32) (env.Transition, error) {
	tr, err := h.Env.Step(ctx, action)
	if err != nil {
		return tr, err
	}
	h.decisions++
	h.ret += tr.Reward
	return tr, h.show(tr.Observation)
}

func (h *human) show(obs env.Observation) error {
	spec := h.Spec()
	title := fmt.Sprintf("%s   episode %d of %d   decision %d of %d   return %.1f",
		spec.Name, h.stored+1, h.episodes, h.decisions, spec.Decisions(), h.ret)
	if spec.Image == (env.ImageSpec{}) {
		return h.player.Show(title, nil, measurements(spec, obs))
	}
	picture, err := frameOf(obs, spec)
	if err != nil {
		return err
	}
	return h.player.Show(title, picture, "")
}

// measurements names the values of a vector.
func measurements(spec env.Spec, obs env.Observation) string {
	var parts []string
	for i, v := range obs.Vector {
		parts = append(parts, fmt.Sprintf("%s %.2f", spec.VectorNames[i], v))
	}
	return strings.Join(parts, "  ")
}
