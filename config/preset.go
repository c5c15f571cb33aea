package config

import (
	"fmt"

	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// Preset returns the complete configuration of that name:
//
//   - paper: the sizes and the schedule of Hafner et al. 2019;
//   - small: a model and a search that two processor cores learn cartpole
//     swing-up with in under an hour;
//   - tiny: seconds instead of minutes, for tests and for trying commands; it
//     learns next to nothing.
func Preset(name string) (Run, error) {
	model, err := worldmodel.PresetConfig(name)
	if err != nil {
		return Run{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	search, err := plan.PresetConfig(name)
	if err != nil {
		return Run{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	run := Run{
		Preset: name,
		Env:    Env{Name: "cartpole-swingup", ImageSize: 64, BitDepth: 5},
		Model:  model, Plan: search,
		Optimiser: optim.DefaultConfig(), Learn: learn.DefaultConfig(),
		Replay: Replay{MemoryMiB: 1024}, Backend: Backend{Name: "cpu"}, Watch: Watch{Live: true},
	}
	switch name {
	case "small":
		run.Learn.Episodes, run.Learn.UpdatesPerCollect = 130, 60
		run.Learn.BatchSize, run.Learn.ChunkLength = 32, 32
		run.Learn.EvalEvery, run.Learn.EvalEpisodes = 25, 5
	case "tiny":
		run.Env.ImageSize = 16
		run.Learn = learn.Config{
			Episodes: 6, SeedEpisodes: 2, UpdatesPerCollect: 5, BatchSize: 4, ChunkLength: 8,
			ActionNoise: 0.3, Envs: 1, EvalEvery: 2, EvalEpisodes: 2, LogEvery: 5,
		}
	}
	return run, nil
}
