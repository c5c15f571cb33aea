package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/film"
	"github.com/orrery-rl/orrery/internal/httpguard"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/prom"
	"github.com/orrery-rl/orrery/metrics/tensorboard"
)

// tokenVariable holds the token of servers that others may reach: a command line
// would show it to every user of the machine.
const tokenVariable = "ORRERY_TOKEN"

// sinkOptions are the listeners that a training run may have beside the
// terminal.
type sinkOptions struct {
	tensorboard bool
	prometheus  string
}

func (s *sinkOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.tensorboard, "tensorboard", false, "keep files for TensorBoard in the run's directory, under tensorboard/")
	f.StringVar(&s.prometheus, "prometheus", "", "serve /metrics for Prometheus at HOST:PORT or PORT; without a host, on this machine only; others need the token in $"+tokenVariable+", or one is made")
}

// open starts what was asked for. What listens on the network ends with opened.
func (s *sinkOptions) open(a *app, dir string, run config.Run, p *progress, opened *closers) ([]metrics.Sink, error) {
	var sinks []metrics.Sink
	if s.prometheus != "" {
		sink, err := s.servePrometheus(a, p, opened)
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, sink)
	}
	if s.tensorboard {
		sink, err := tensorboard.New(tensorboardConfig(dir, filepath.Join(dir, tensorboardDir), run))
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, metrics.Background(sink))
	}
	return sinks, nil
}

// servePrometheus listens at once, so that a port that is taken is told before
// anything is computed.
func (s *sinkOptions) servePrometheus(a *app, p *progress, opened *closers) (metrics.Sink, error) {
	log := slog.New(slog.NewTextHandler(a.err, nil))
	server, err := httpguard.Listen(httpguard.Config{Addr: s.prometheus, Token: os.Getenv(tokenVariable), Log: log})
	if err != nil {
		return nil, fmt.Errorf("%w: --prometheus %s: %w", errUsage, s.prometheus, err)
	}
	sink := prom.New()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", sink.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, mux) }()
	opened.add(func() error { cancel(); return <-served })
	p.line("metrics for Prometheus at %s", metricsURL(server))
	return sink, nil
}

// metricsURL is what to scrape, with the token if one is needed.
func metricsURL(s *httpguard.Server) string {
	u, err := url.Parse(s.URL())
	if err != nil {
		return s.URL()
	}
	u.Path = "/metrics"
	return u.String()
}

// tensorboardDir is where the files for TensorBoard are in a run's directory.
const tensorboardDir = "tensorboard"

// tensorboardConfig projects the run in a directory.
func tensorboardConfig(dir, out string, run config.Run) tensorboard.Config {
	c := tensorboard.Config{FS: vfs.OS(), Source: filepath.Join(dir, learn.MetricsName), Dir: out, Pictures: stripsOf(dir)}
	if text, err := run.YAML(); err == nil {
		c.Notes = map[string]string{"run/config:yaml": "```yaml\n" + string(text) + "```"}
	}
	return c
}

// The strips of episodes: which are shown, and how.
const (
	stripEvery   = 10
	stripColumns = 10
	stripScale   = 2
)

// stripsOf shows the first and every tenth episode of the run in a directory, as
// it lies there.
func stripsOf(dir string) func(metrics.Event) ([]tensorboard.Picture, error) {
	return func(e metrics.Event) ([]tensorboard.Picture, error) {
		n := e.Counters.Episodes
		if e.Kind != metrics.KindEpisode || n != 1 && n%stripEvery != 0 {
			return nil, nil
		}
		strip, err := film.StoredStrip(vfs.OS(), learn.EpisodePath(dir, n), stripColumns, stripScale)
		switch {
		case errors.Is(err, film.ErrNoImages), errors.Is(err, fs.ErrNotExist):
			return nil, nil // of vectors only, or a run that was kept without its episodes
		case err != nil:
			return nil, err
		}
		return []tensorboard.Picture{{Tag: "episode/strip", About: "Frames of a training episode, from its first to its last.", Image: strip}}, nil
	}
}
