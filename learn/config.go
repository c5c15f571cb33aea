package learn

import (
	"errors"
	"fmt"
)

// maxEnvs bounds the environments that act at once: more of them would make the
// weights that they act with too old.
const maxEnvs = 64

// Config is the schedule of Algorithm 1. Every field must be set; start from
// DefaultConfig.
type Config struct {
	// Episodes is the number of training episodes in all, seed episodes
	// included (paper: 1000). Raising it lets a finished run go on.
	Episodes int `yaml:"episodes" json:"episodes"`
	// SeedEpisodes (S, 5) is how many episodes of uniformly random actions are
	// collected before the first update.
	SeedEpisodes int `yaml:"seed_episodes" json:"seed_episodes"`
	// UpdatesPerCollect (C, 100) is how many updates precede each collected
	// episode.
	UpdatesPerCollect int `yaml:"updates_per_collect" json:"updates_per_collect"`
	// BatchSize (B, 50) is the number of chunks in an update.
	BatchSize int `yaml:"batch_size" json:"batch_size"`
	// ChunkLength (L, 50) is the number of consecutive records in a chunk.
	ChunkLength int `yaml:"chunk_length" json:"chunk_length"`
	// ActionNoise (0.3) is the standard deviation of the Gaussian noise added
	// to actions while collecting; evaluation adds none.
	ActionNoise float64 `yaml:"action_noise" json:"action_noise"`
	// Envs (N, 1) is the number of environments that episodes are collected in at
	// the same time: N times UpdatesPerCollect updates precede N episodes. What is
	// learned depends on N, but not on the processors.
	Envs int `yaml:"envs" json:"envs"`
	// RandomCollection collects with random actions instead of plans: the paper's
	// ablation of acting. Evaluations plan all the same.
	RandomCollection bool `yaml:"random_collection" json:"random_collection"`
	// EvalEvery is the number of training episodes between evaluations; 0
	// evaluates only when training ends.
	EvalEvery int `yaml:"eval_every" json:"eval_every"`
	// EvalEpisodes is the number of noise-free episodes of an evaluation, each
	// from its own initial state (paper: 10).
	EvalEpisodes int `yaml:"eval_episodes" json:"eval_episodes"`
	// LogEvery is the number of updates summarised in one metrics event.
	LogEvery int `yaml:"log_every" json:"log_every"`
	// Freeze names parts of the model whose parameters keep their values, for
	// example encoder; see [worldmodel.Model.InParts]. Their gradient is not part of
	// the norm that is clipped.
	Freeze []string `yaml:"freeze,omitempty" json:"freeze,omitempty"`
	// Offline is training from given episodes, in place of collecting; see
	// [OpenOffline].
	Offline OfflineConfig `yaml:"offline,omitempty" json:"offline,omitzero"`
	// From is the run or the file whose weights the run started with, and FromSHA256
	// says which these were; empty for random ones. They are kept for the record:
	// what begins a run is Parts.From.
	From       string `yaml:"from,omitempty" json:"from,omitempty"`
	FromSHA256 string `yaml:"from_sha256,omitempty" json:"from_sha256,omitempty"`
}

// DefaultConfig returns the paper's schedule (section 4 and appendix A).
func DefaultConfig() Config {
	return Config{
		Episodes: 1000, SeedEpisodes: 5, UpdatesPerCollect: 100,
		BatchSize: 50, ChunkLength: 50, ActionNoise: 0.3, Envs: 1,
		EvalEvery: 25, EvalEpisodes: 10, LogEvery: 25,
	}
}

// Validate reports every setting that cannot work, with its bound.
func (c Config) Validate() error {
	var errs []error
	atLeast := func(name string, v, low int) {
		if v < low {
			errs = append(errs, fmt.Errorf("learn: %s is %d; it must be at least %d", name, v, low))
		}
	}
	atLeast("seed_episodes", c.SeedEpisodes, 1)
	atLeast("episodes", c.Episodes, c.SeedEpisodes)
	atLeast("updates_per_collect", c.UpdatesPerCollect, 1)
	atLeast("batch_size", c.BatchSize, 1)
	atLeast("chunk_length", c.ChunkLength, 2)
	atLeast("eval_every", c.EvalEvery, 0)
	atLeast("eval_episodes", c.EvalEpisodes, 1)
	atLeast("log_every", c.LogEvery, 1)
	if c.Envs < 1 || c.Envs > maxEnvs {
		errs = append(errs, fmt.Errorf("learn: envs is %d; it must lie in [1, %d]", c.Envs, maxEnvs))
	}
	if !(c.ActionNoise >= 0 && c.ActionNoise <= 10) {
		errs = append(errs, fmt.Errorf("learn: action_noise is %v; it must lie in [0, 10]", c.ActionNoise))
	}
	return errors.Join(append(errs, c.Offline.Validate())...)
}
