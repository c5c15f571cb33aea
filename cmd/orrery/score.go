package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/score"
	"github.com/orrery-rl/orrery/worldmodel"
)

type scoreOptions struct {
	checkpoint, episodes, profile string
	length                        int
	seed                          uint64
	deterministic, json           bool
	backend                       config.Backend
}

func newScore(a *app) *cobra.Command {
	o := &scoreOptions{}
	cmd := &cobra.Command{
		Use: "score", Short: "Measure a model on given episodes", Args: exactArgs(),
		Long: `Score prints the terms of the training objective on stored episodes, and the
error of images predicted from the actions alone, 1 to 50 records after five that
the model saw. Terms are in the units of training's metrics (docs/metrics.md).

Each episode is one chunk from the zero state, in pieces of at most --length
records; with --length 50 it is cut like the chunks of training. --profile
replaces the objective's weights and variants by those of a published code.`,
		Example: `  orrery score --checkpoint runs/cartpole-swingup --episodes runs/cartpole-swingup/episodes
  orrery score --checkpoint planet.safetensors --episodes held-out --profile kaixhin --deterministic --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	f.StringVar(&o.checkpoint, "checkpoint", "", "run directory, snapshot or weights file")
	f.StringVar(&o.episodes, "episodes", "", "directory of episodes (*.npz)")
	f.StringVar(&o.profile, "profile", "", "objective: "+strings.Join(worldmodel.ProfileNames(), ", ")+" (default: the model's own)")
	f.IntVar(&o.length, "length", score.DefaultLength, "most records of a chunk")
	f.Uint64Var(&o.seed, "seed", 1, "seed of samples")
	f.BoolVar(&o.deterministic, "deterministic", false, "means of states and centres of colour bins instead of samples")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	registerBackend(cmd, &o.backend)
	return cmd
}

// scoreReport is what score prints; its JSON form is stable.
type scoreReport struct {
	score.Result
	Records       int              `json:"records"`
	Deterministic bool             `json:"deterministic"`
	Profile       string           `json:"profile,omitempty"`
	Counters      metrics.Counters `json:"trained"`
	WeightsSHA256 string           `json:"weights_sha256"`
}

func (o *scoreOptions) run(ctx context.Context, a *app) error {
	files, err := o.files()
	if err != nil {
		return err
	}
	t, err := openTrained(ctx, o.checkpoint, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		return err
	}
	defer t.close()
	if err := o.adoptProfile(t); err != nil {
		return err
	}
	report, err := o.score(ctx, t, files)
	if err != nil {
		return err
	}
	if o.json {
		enc := json.NewEncoder(a.out)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return report.print(a)
}

// files lists the episodes, by name.
func (o *scoreOptions) files() ([]string, error) {
	if o.checkpoint == "" || o.episodes == "" {
		return nil, fmt.Errorf("%w: score needs --checkpoint and --episodes", errUsage)
	}
	entries, err := os.ReadDir(o.episodes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".npz") {
			files = append(files, filepath.Join(o.episodes, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: %s holds no episodes (*.npz)", errUsage, o.episodes)
	}
	return files, nil
}

// adoptProfile exchanges the model's objective. The parameters stay the same.
func (o *scoreOptions) adoptProfile(t *trained) error {
	if o.profile == "" {
		return nil
	}
	cfg, err := t.config.Model.WithProfile(o.profile)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	t.model, err = worldmodel.New(cfg, t.model.Dims())
	return err
}

func (o *scoreOptions) score(ctx context.Context, t *trained, files []string) (report scoreReport, err error) {
	s, err := score.New(t.backend, t.model, t.params, score.Config{
		Length: o.length, BitDepth: t.config.Env.BitDepth, Deterministic: o.deterministic, Seed: o.seed,
	})
	if err != nil {
		return report, errors.Join(errUsage, err)
	}
	defer s.Close()
	for _, path := range files {
		ep, err := replay.ReadFile(vfs.OS(), path, s.Schema())
		if err != nil {
			return report, err
		}
		if err := s.Add(ctx, filepath.Base(path), ep); err != nil {
			return report, err
		}
		report.Records += ep.Len()
	}
	report.Result, report.Deterministic, report.Profile = s.Result(), o.deterministic, o.profile
	report.Counters, report.WeightsSHA256 = t.counters, t.sha256
	return report, nil
}

func (r scoreReport) print(a *app) error {
	fmt.Fprintf(a.out, "%d episodes, %d records\n", len(r.Episodes), r.Records)
	for _, name := range slices.Sorted(maps.Keys(r.Losses)) {
		fmt.Fprintf(a.out, "  %-20s %10.4f nats\n", name, r.Losses[name])
	}
	for _, h := range score.Horizons() {
		key := strconv.Itoa(h)
		if v, ok := r.OpenLoop.Image[key]; ok {
			fmt.Fprintf(a.out, "  image after %2d records without looking %10.4f nats (%d pieces)\n", h, v, r.OpenLoop.Pieces[key])
		}
	}
	return nil
}
