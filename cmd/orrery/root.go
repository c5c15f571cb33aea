package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/learn"
)

// Exit codes, listed in the help.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// errUsage marks errors in what was typed.
var errUsage = errors.New("usage")

// app is what every subcommand shares.
type app struct {
	out, err io.Writer
	envs     *env.Registry
	began    time.Time   // when the program started
	idle     atomic.Bool // an interrupt ends it at once: there is nothing to finish
	// terminal takes over the terminal of a person who acts; interactive says
	// beforehand what stands in the way.
	terminal    func() (*terminal, error)
	interactive func() error
}

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr, envs: env.NewRegistry(), began: time.Now()}
	a.terminal = func() (*terminal, error) { return openTerminal(os.Stdin, stdout) }
	a.interactive = func() error { _, err := screenOf(os.Stdin, stdout); return err }
	ctx, stop := a.interruptible(ctx)
	defer stop()
	if err := registerEnvironments(a.envs, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		fmt.Fprintln(stderr, "orrery:", err)
		return exitFailure
	}
	root := newRoot(a)
	if err := complete(a, root); err != nil {
		fmt.Fprintln(stderr, "orrery:", err)
		return exitFailure
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return exitCode(root.ExecuteContext(ctx), stderr)
}

func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, learn.ErrInterrupted), errors.Is(err, context.Canceled):
		if errors.Is(err, learn.ErrInterrupted) && err.Error() != learn.ErrInterrupted.Error() {
			fmt.Fprintln(stderr, "orrery:", err) // something else failed, too
		}
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "orrery:", err)
	if errors.Is(err, errUsage) || errors.Is(err, config.ErrInvalid) || errors.Is(err, learn.ErrParts) || strings.HasPrefix(err.Error(), "unknown command") {
		return exitUsage
	}
	return exitFailure
}

// interruptible returns a context that the first interrupt cancels, so that the
// run can save itself; the second ends the process at once.
func (a *app) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	quit := make(chan struct{})
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		for seen := 0; ; seen++ {
			select {
			case <-quit:
				return
			case <-signals:
			}
			if seen > 0 {
				os.Exit(exitInterrupted)
			}
			if a.idle.Load() {
				fmt.Fprintln(a.err) // below the terminal's ^C
			} else {
				fmt.Fprintln(a.err, "\norrery: interrupted: finishing the current step; again to quit at once")
			}
			cancel()
		}
	}()
	return ctx, func() { signal.Stop(signals); close(quit); <-joined; cancel() }
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "orrery",
		Short: "Learn a world model from pixels and plan with it",
		Long: `Orrery is PlaNet in Go: an agent that sees only images learns a latent
dynamics model of its world and acts by planning in it.

Exit codes: 0 success, 1 failure, 2 wrong usage or configuration,
130 interrupted (a training run was saved and can go on).`,
		Example: `  orrery train                         learn cartpole swing-up with the defaults
  orrery eval runs/cartpole-swingup    ten noise-free episodes of the trained agent
  orrery dream runs/cartpole-swingup   a GIF of what the model predicts
  orrery env list                      the environments`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w (see %s --help)", errUsage, err, cmd.CommandPath())
	})
	root.AddCommand(newTrain(a), newCollect(a), newEval(a), newDream(a), newVideo(a), newImport(a), newExport(a), newScore(a), newEnv(a), newPlot(a), newReport(a), newDash(a), newTensorboard(a), newBench(a), newDoctor(a), newVersion(a))
	return root
}

// exactArgs is cobra.ExactArgs with an error that is marked as usage and says
// what was expected.
func exactArgs(what ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(what) {
			return nil
		}
		given := fmt.Sprintf("%d arguments", len(args))
		if len(args) == 1 {
			given = fmt.Sprintf("1 argument, %q", args[0])
		}
		return fmt.Errorf("%w: %s takes %s, not %s (see %s --help)",
			errUsage, cmd.CommandPath(), describeArgs(what), given, cmd.CommandPath())
	}
}

func describeArgs(what []string) string {
	if len(what) == 0 {
		return "no arguments"
	}
	return strings.Join(what, " and ")
}
