package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/teleop"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/replay"
)

// The policies that have names; every other one is a path.
const (
	policyRandom = "random"
	policyHuman  = "human"
)

type collectOptions struct {
	policy, out       string
	env               config.Env
	episodes          int
	seed              uint64
	noise, fps        float64
	discrete, quiet   bool
	backend           config.Backend
	typedEnv, typedAt bool // --env; one of the other flags of the environment
	typedFPS          bool
}

func newCollect(a *app) *cobra.Command {
	o := &collectOptions{}
	cmd := &cobra.Command{
		Use: "collect", Short: "Record episodes to learn from offline", Args: exactArgs(),
		Long: `Collect plays episodes and writes each to a directory as one .npz file, in the
format of a run's episodes (docs/formats.md), for train --offline. Who acts is
--policy: random actions; a trained agent (a run's directory or a weights file),
with --noise to explore; or you, with the keys that the screen shows.

It adds --episodes to what the directory holds and overwrites nothing. Episode N
depends on the seed and on N alone, so that an interrupted collection goes on as
if it had not been. Ctrl-C, and q at the keyboard, keep the episodes that are
complete.`,
		Example: `  orrery collect --env cartpole-swingup --episodes 50 --out data/random
  orrery collect --policy runs/cartpole-swingup --noise 0.3 --episodes 20 --out data/agent
  orrery collect --policy human --env cartpole-balance --episodes 5 --out data/mine
  orrery collect --policy human --env toy-grid --discrete --fps 0 --out data/grid
  orrery train --offline data/random,data/agent,data/mine --env cartpole-swingup`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.typedEnv = cmd.Flags().Changed("env")
			o.typedAt = cmd.Flags().Changed("image-size") || cmd.Flags().Changed("action-repeat") || cmd.Flags().Changed("bit-depth")
			o.typedFPS = cmd.Flags().Changed("fps")
			return o.run(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.policy, "policy", policyRandom, "who acts: random, human, or a trained agent's RUN directory or weights FILE")
	f.StringVar(&o.env.Name, "env", "cartpole-swingup", "environment (see orrery env list; default: that of the trained agent)")
	f.IntVar(&o.env.ImageSize, "image-size", env.DefaultImageSize, "height and width of images in pixels")
	f.IntVar(&o.env.ActionRepeat, "action-repeat", 0, "simulator steps per decision (0: the environment's own default)")
	f.IntVar(&o.env.BitDepth, "bit-depth", 5, "bits that are kept of each colour channel")
	f.IntVarP(&o.episodes, "episodes", "n", 10, "episodes to add")
	f.Uint64Var(&o.seed, "seed", 0, "seed of initial states and actions")
	f.StringVarP(&o.out, "out", "o", "", "directory to write to")
	f.Float64Var(&o.noise, "noise", 0, "standard deviation of what is added to a trained agent's actions (training adds 0.3); with discrete actions the probability of a random one")
	f.BoolVar(&o.discrete, "discrete", false, "actions are choices: one component is 1, the others 0")
	f.Float64Var(&o.fps, "fps", 10, "decisions a second when you act; 0 waits for a key at each")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but warnings and errors")
	registerBackend(cmd, &o.backend)
	return cmd
}

// check refuses what contradicts itself.
func (o *collectOptions) check() error {
	trained := o.policy != policyRandom && o.policy != policyHuman
	switch {
	case o.out == "":
		return fmt.Errorf("%w: --out is missing: the directory to write episodes to", errUsage)
	case o.episodes < 1:
		return fmt.Errorf("%w: --episodes is %d; it must be at least 1", errUsage, o.episodes)
	case o.noise != 0 && !trained:
		return fmt.Errorf("%w: --noise is for trained agents; --policy is %s", errUsage, o.policy)
	case !(o.noise >= 0 && o.noise <= 10):
		return fmt.Errorf("%w: --noise is %v; it must lie in [0, 10]", errUsage, o.noise)
	case o.typedFPS && o.policy != policyHuman:
		return fmt.Errorf("%w: --fps is how fast a person acts; --policy is %s", errUsage, o.policy)
	case !(o.fps >= 0 && o.fps <= 1000):
		return fmt.Errorf("%w: --fps is %v; it must lie in [0, 1000]", errUsage, o.fps)
	case trained && o.typedAt:
		return fmt.Errorf("%w: --image-size, --action-repeat and --bit-depth are those that the agent was trained with", errUsage)
	case trained && o.discrete:
		return fmt.Errorf("%w: --discrete is what the agent was trained with (plan.planner=categorical)", errUsage)
	}
	return o.checkOut()
}

// checkOut keeps strangers' episodes out of runs, which would delete them.
func (o *collectOptions) checkOut() error {
	dir, err := filepath.Abs(o.out)
	if err != nil {
		return err
	}
	for _, run := range []string{dir, filepath.Dir(dir)} {
		if _, err := os.Stat(filepath.Join(run, configName)); err == nil {
			return fmt.Errorf("%w: --out %s belongs to the run in %s, whose episodes are its own; choose another directory, and give both to train --offline", errUsage, o.out, run)
		}
	}
	return nil
}

func (o *collectOptions) run(ctx context.Context, a *app) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	var opened closers
	defer func() { err = errors.Join(err, opened.close()) }()
	log := slog.New(slog.NewTextHandler(a.err, nil))
	r := learn.Recording{Seed: o.seed, Episodes: o.episodes, Log: log}
	if err := o.openPolicy(ctx, a, &r, &opened, log); err != nil {
		return err
	}
	if r.Store, err = o.openStore(ctx, r.Env.Spec(), &opened, log); err != nil {
		return err
	}
	first := r.Store.Next()
	err = o.record(ctx, a, r)
	if !o.quiet {
		fmt.Fprintf(a.out, "%d episodes in %s, %d of them new\n", r.Store.Episodes(), o.out, r.Store.Next()-first)
	}
	if errors.Is(err, learn.ErrQuit) {
		return nil
	}
	return err
}

// openPolicy makes who acts, and where. A person's terminal is taken over later.
func (o *collectOptions) openPolicy(ctx context.Context, a *app, r *learn.Recording, opened *closers, log *slog.Logger) error {
	if o.policy != policyRandom && o.policy != policyHuman {
		return o.openAgent(ctx, a, r, opened, log)
	}
	if o.policy == policyHuman {
		if err := a.interactive(); err != nil {
			return err
		}
	}
	run := config.Run{Env: o.env}
	e, err := a.openEnv(run)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	opened.add(e.Close)
	r.Env = e
	if o.policy == policyHuman {
		_, err := o.keys(e.Spec())
		return err
	}
	method := plan.CEM
	if o.discrete {
		method = plan.Categorical
	}
	r.Policy = learn.RandomPolicy(method, e.Spec().Action)
	return nil
}

// openAgent loads a trained agent and makes its environment.
func (o *collectOptions) openAgent(ctx context.Context, a *app, r *learn.Recording, opened *closers, log *slog.Logger) error {
	if _, err := os.Stat(o.policy); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: --policy is %q: neither random nor human, and there is no such run or file", errUsage, o.policy)
	}
	t, err := openTrained(ctx, o.policy, o.backend, log)
	if err != nil {
		return err
	}
	opened.add(t.close)
	if t.config.Plan.Method == plan.Categorical && o.noise > 1 {
		return fmt.Errorf("%w: --noise is %v, and the agent's actions are discrete: it is the probability of a random one, in [0, 1]", errUsage, o.noise)
	}
	if o.typedEnv {
		t.config.Env.Name = o.env.Name
	}
	e, err := t.env(a)
	if err != nil {
		return err
	}
	opened.add(e.Close)
	player, err := agent.New(t.backend, t.model, agent.Config{Plan: t.config.Plan, BitDepth: t.config.Env.BitDepth, ActionNoise: o.noise}, 1)
	if err != nil {
		return err
	}
	opened.add(player.Close)
	player.SetParams(t.params)
	r.Env, r.Policy = e, learn.AgentPolicy(player)
	return nil
}

// openStore opens the directory for us alone, and refuses one whose episodes are
// of another kind.
func (o *collectOptions) openStore(ctx context.Context, s env.Spec, opened *closers, log *slog.Logger) (*replay.Store, error) {
	if err := occupyDir(o.out, opened); err != nil {
		return nil, err
	}
	store, err := replay.Open(ctx, vfs.OS(), o.out, replay.Schema{
		Height: s.Image.Height, Width: s.Image.Width, Channels: s.Image.Channels, ActionSize: s.Action.Size, VectorSize: s.VectorSize,
	}, replay.Config{}, log)
	if err != nil {
		return nil, err
	}
	opened.add(store.Close)
	if bad := store.Skipped(); len(bad) > 0 {
		return nil, fmt.Errorf("%w: %d files in %s are no episodes of %s, or damaged (see above); choose another --out, or remove them", errUsage, len(bad), o.out, s.Name)
	}
	return store, nil
}

// record records, and tells how it goes.
func (o *collectOptions) record(ctx context.Context, a *app, r learn.Recording) (err error) {
	p := newProgress(a.out, config.Run{}, o.quiet)
	done := 0
	tell := func(e learn.Recorded) {
		done++
		text := fmt.Sprintf("episode %06d (%d/%d)  decisions %d  env_steps %d  return %.1f", e.Number, done, o.episodes, e.Decisions, e.EnvSteps, e.Return)
		if left := o.episodes - done; left > 0 {
			text += "  ETA " + since(time.Since(p.began)/time.Duration(done)*time.Duration(left))
		}
		p.line("%s", text)
	}
	if r.Told = tell; o.policy != policyHuman {
		return learn.Record(ctx, r)
	}
	stored, err := o.recordHuman(ctx, a, r)
	for _, e := range stored { // now that there is a screen to print to
		p.line("episode %06d  decisions %d  return %.1f", e.Number, e.Decisions, e.Return)
	}
	return err
}

// recordHuman lets a person act, again and again from the same initial state if
// they drop an episode, and gives the terminal back.
func (o *collectOptions) recordHuman(ctx context.Context, a *app, r learn.Recording) (stored []learn.Recorded, err error) {
	h, restore, err := startHuman(a, r.Env, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, restore()) }()
	r.Env, r.Policy = h, h
	r.Told = func(e learn.Recorded) { stored = append(stored, e); h.stored++ }
	for {
		r.Episodes = o.episodes - h.stored
		if err := learn.Record(ctx, r); !errors.Is(err, teleop.ErrDrop) {
			return stored, err
		}
	}
}
