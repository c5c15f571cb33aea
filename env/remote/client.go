package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"github.com/orrery-rl/orrery/env"
)

// ErrChild is wrapped by every failure of the program that runs the
// environment: it ended, did not answer in time, reported an error or sent what
// is not the protocol. The episode is lost; the next Reset starts the program
// again. It wraps env.ErrBroken.
var ErrChild = fmt.Errorf("remote environment: %w", env.ErrBroken)

// Config says which program to run and how long to wait for it.
type Config struct {
	// Name is the name of the task in the Spec and in logs; empty means the one
	// the program gives.
	Name string

	// Command is the program, looked up in PATH, and its arguments.
	Command []string

	// Dir is the program's working directory; empty means ours.
	Dir string

	// Env are additional variables, each NAME=value.
	Env []string

	// Height and Width of the images returned, in pixels. The program is told
	// and may draw so; what it draws otherwise is scaled. Both 0 means the
	// program's own size.
	Height, Width int

	// StartTimeout, ResetTimeout and StepTimeout bound how long the program may
	// take to describe itself, to reset and to step; 0 means one minute, one
	// minute and half a minute.
	StartTimeout, ResetTimeout, StepTimeout time.Duration

	// Log receives the lines of the program's standard error; nil discards
	// them.
	Log *slog.Logger

	// preamble is written before the first frame.
	preamble []byte
}

func (c Config) withDefaults() Config {
	or := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	or(&c.StartTimeout, time.Minute)
	or(&c.ResetTimeout, time.Minute)
	or(&c.StepTimeout, time.Minute/2)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if len(c.Command) == 0 || c.Command[0] == "" {
		return fmt.Errorf("remote: %w: Command is empty", env.ErrOptions)
	}
	if (c.Height == 0) != (c.Width == 0) {
		return fmt.Errorf("remote: %w: Height is %d and Width %d; give both or none", env.ErrOptions, c.Height, c.Width)
	}
	return env.Options{Height: c.Height, Width: c.Width}.Validate()
}

// client is the bare environment: it trusts its caller on the order of calls
// and on actions, as env.Guard ensures.
type client struct {
	cfg   Config
	child *child // nil after a failure, until the next Reset
	decl  declaration
}

// Open starts the program and returns its environment, with the wrappers of
// env.Standard for opts (of which Height and Width are ignored in favour of
// cfg's). It fails with ErrChild if the program does not describe a valid
// environment in time.
//
// The program outlives ctx, which bounds the start only; Close ends it.
func Open(ctx context.Context, cfg Config, opts env.Options) (env.Env, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &client{cfg: cfg.withDefaults()}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return env.Standard(c, opts, c.decl.spec.MaxEnvSteps)
}

// Spec implements env.Env.
func (c *client) Spec() env.Spec { return c.decl.spec }

// start runs the program and reads what it declares, which must be what it
// declared before if it ran before.
func (c *client) start(ctx context.Context) error {
	child, err := start(c.cfg)
	if err != nil {
		return fmt.Errorf("%w: start %q: %w", ErrChild, c.cfg.Command[0], err)
	}
	c.child = child
	hello := request{Type: "hello", Protocol: Protocol, Height: c.cfg.Height, Width: c.cfg.Width}
	a, _, err := c.exchange(ctx, c.cfg.StartTimeout, hello, c.cfg.preamble, nil, 0)
	if err != nil {
		return err
	}
	decl, err := declare(a, c.cfg)
	if err == nil && c.decl.spec.Name != "" {
		err = c.decl.differs(decl)
	}
	if err != nil {
		return c.fail(err)
	}
	c.decl = decl
	c.child.stderr.start()
	return nil
}

// Reset implements env.Env. It starts the program if it does not run.
func (c *client) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	if c.child == nil {
		c.cfg.Log.Warn("starting the environment again", "env", c.decl.spec.Name)
		if err := c.start(ctx); err != nil {
			return env.Observation{}, err
		}
	}
	a, payload, err := c.exchange(ctx, c.cfg.ResetTimeout, request{Type: "reset", Seed: &seed}, nil, nil, c.decl.size())
	if err != nil {
		return env.Observation{}, err
	}
	return c.observe(a, payload)
}

// Step implements env.Env.
func (c *client) Step(ctx context.Context, action []float32) (env.Transition, error) {
	return c.StepRepeated(ctx, action, 1)
}

// StepRepeated implements env.Repeater: the program repeats the action.
func (c *client) StepRepeated(ctx context.Context, action []float32, n int) (env.Transition, error) {
	if c.child == nil {
		return env.Transition{}, env.ErrNotReset
	}
	payload := make([]byte, 0, 4*len(action))
	for _, v := range action {
		payload = binary.LittleEndian.AppendUint32(payload, math.Float32bits(v))
	}
	a, state, err := c.exchange(ctx, c.cfg.StepTimeout, request{Type: "step", Repeat: n}, nil, payload, c.decl.size())
	if err != nil {
		return env.Transition{}, err
	}
	obs, err := c.observe(a, state)
	if err != nil {
		return env.Transition{}, err
	}
	t := env.Transition{Observation: obs, Reward: a.Reward, Terminated: a.Terminated, Truncated: a.Truncated, EnvSteps: a.Steps}
	if a.Steps < 1 || a.Steps > n || a.Steps < n && !t.Ended() {
		return env.Transition{}, c.fail(fmt.Errorf("%w: it took %d steps of %d", errGarbage, a.Steps, n))
	}
	return t, nil
}

// observe decodes the observation of a state.
func (c *client) observe(a answer, payload []byte) (env.Observation, error) {
	if a.Type != "state" {
		return env.Observation{}, c.fail(fmt.Errorf("%w: it answers %q, want \"state\"", errGarbage, a.Type))
	}
	obs, err := c.decl.decode(payload)
	if err != nil {
		return env.Observation{}, c.fail(err)
	}
	return obs, nil
}

// exchange sends preamble and one frame and reads one. Any failure ends the
// child; it wraps ctx.Err() if ctx ended, else ErrChild.
func (c *client) exchange(ctx context.Context, timeout time.Duration, header request, preamble, payload []byte, limit int) (answer, []byte, error) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, state, err := c.child.exchange(bounded, func(w io.Writer) error {
		if len(preamble) > 0 {
			if _, err := w.Write(preamble); err != nil {
				return err
			}
		}
		return writeFrame(w, header, payload)
	}, limit)
	switch {
	case err == nil:
		return a, state, nil
	case ctx.Err() != nil:
		c.fail(err) // the child may be anywhere in the call
		return answer{}, nil, fmt.Errorf("remote: %s: %w", header.Type, ctx.Err())
	case bounded.Err() != nil:
		err = fmt.Errorf("no answer to %q within %v", header.Type, timeout)
	}
	return answer{}, nil, c.fail(err)
}

// fail ends the child because of cause and returns that as an ErrChild.
func (c *client) fail(cause error) error {
	patience := time.Duration(0)
	if errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) {
		patience = grace / 4 // it is about to end and may still say why
	}
	child := c.child
	c.child = nil
	end := child.stop(patience)
	return child.obituary(cause, end)
}

// Close implements env.Env: the program is asked to end, and killed if it does
// not.
func (c *client) Close() error {
	if c.child == nil {
		return nil
	}
	child := c.child
	c.child = nil
	child.part()
	child.stop(grace / 4)
	return nil
}
