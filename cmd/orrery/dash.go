package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/dashboard"
	"github.com/orrery-rl/orrery/internal/httpguard"
)

// runsDir is where runs are looked for when none is named.
const runsDir = "runs"

type dashOptions struct {
	addr, token string
	hosts       []string
}

func newDash(a *app) *cobra.Command {
	o := &dashOptions{}
	cmd := &cobra.Command{
		Use: "dash [RUN...]", Short: "Show runs on a local web page while they go", Args: cobra.ArbitraryArgs,
		Long: `Dash serves a web page with the curves of runs, what the agent sees and what its
model makes of it, and keeps it up to date. A RUN is the directory of a run or a
file of events (*.jsonl); without one, every run under runs/ is shown, also
those that begin later. Runs are only read, so it does not matter whether they
go on, have ended, or are on another machine's disk.

The page is reachable from this machine alone. Another --addr demands a token,
which is part of the address that is printed. It is the one in $` + tokenVariable + ` if
there is one, which keeps other users of this machine out, too.`,
		Example: `  orrery dash
  orrery dash runs/rssm runs/ssm
  orrery dash results/cartpole-ablations/rssm.jsonl
  orrery dash --addr 0.0.0.0:6006      for other machines, with a token`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), a, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", "", "HOST:PORT to listen on (default: this machine alone, the first free port from 6006)")
	f.StringVar(&o.token, "token", "", "what a browser must show (default: $"+tokenVariable+"; made up if --addr is reachable from elsewhere); other users of this machine can read it on the command line")
	f.StringArrayVar(&o.hosts, "host", nil, "another name under which the page is asked for, behind a proxy; may be repeated")
	return cmd
}

func (o *dashOptions) run(ctx context.Context, a *app, runs []string) error {
	log := slog.New(slog.NewTextHandler(a.err, nil))
	server, err := httpguard.Listen(httpguard.Config{Addr: o.addr, Token: cmp.Or(o.token, os.Getenv(tokenVariable)), Hosts: o.hosts, Log: log})
	if err != nil {
		return dashError(err)
	}
	cfg := dashboard.Config{Runs: runs, Log: log}
	if len(runs) == 0 {
		cfg.Root = runsDir
	}
	for _, path := range runs {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(a.out, "%s is not there yet; waiting for it\n", path)
		}
	}
	a.idle.Store(true)
	fmt.Fprintf(a.out, "dashboard at %s (Ctrl-C ends it)\n", server.URL())
	return dashboard.Serve(ctx, server, cfg)
}

// dashError marks what was typed wrongly.
func dashError(err error) error {
	if errors.Is(err, httpguard.ErrConfig) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return err
}

// anyPort is the value of --dash without an address.
const anyPort = "auto"

// registerDash registers the flag of train that serves the dashboard.
func registerDash(cmd *cobra.Command, addr *string) {
	f := cmd.Flags()
	f.StringVar(addr, "dash", "", "serve the dashboard, at HOST:PORT if given as --dash=HOST:PORT (default: this machine alone, the first free port from 6006)")
	f.Lookup("dash").NoOptDefVal = anyPort
}

// openDash serves the dashboard of a run in the background until opened is
// closed. An address that cannot be had is an error, before any work is done.
func openDash(ctx context.Context, out io.Writer, addr, dir string, log *slog.Logger, opened *closers) error {
	if addr == "" {
		return nil
	}
	if addr == anyPort {
		addr = ""
	}
	server, err := httpguard.Listen(httpguard.Config{Addr: addr, Token: os.Getenv(tokenVariable), Log: log})
	if err != nil {
		if errors.Is(err, httpguard.ErrConfig) {
			return fmt.Errorf("%w: --dash: %w", config.ErrInvalid, err)
		}
		return fmt.Errorf("--dash: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it lasts as long as the run is saving itself
	ended := make(chan error, 1)
	go func() { ended <- dashboard.Serve(ctx, server, dashboard.Config{Runs: []string{dir}, Log: log}) }()
	opened.add(func() error {
		cancel()
		if err := <-ended; err != nil {
			log.Warn("the dashboard ended badly", "error", err)
		}
		return nil
	})
	fmt.Fprintf(out, "dashboard at %s\n", server.URL())
	return nil
}
