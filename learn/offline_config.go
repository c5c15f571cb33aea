package learn

import (
	"errors"
	"fmt"
)

// OfflineConfig is the schedule of training from given episodes. Of the settings
// in Config it uses BatchSize, ChunkLength, EvalEpisodes, LogEvery and Freeze.
type OfflineConfig struct {
	// Episodes are the directories of the episodes (*.npz) to learn from; empty
	// means that the run collects its own.
	Episodes []string `yaml:"episodes,omitempty" json:"episodes,omitempty"`
	// Updates is the number of updates in all; 0 takes as many as Config would make
	// while collecting. Raising it lets a finished run go on.
	Updates int `yaml:"updates,omitempty" json:"updates,omitempty"`
	// HoldOut keeps every so-manieth episode from being learned from, to judge the
	// model by; 0 means every tenth, a negative number none. At least 2.
	HoldOut int `yaml:"hold_out,omitempty" json:"hold_out,omitempty"`
	// ValidateEvery is the number of updates between validations on the episodes
	// held out, EvalEvery that between evaluations in the environment, SaveEvery
	// that between snapshots. Zeros mean 5 times UpdatesPerCollect, Config.EvalEvery
	// times UpdatesPerCollect, and twice UpdatesPerCollect. Negative numbers validate
	// or evaluate only when training ends.
	ValidateEvery int `yaml:"validate_every,omitempty" json:"validate_every,omitempty"`
	EvalEvery     int `yaml:"eval_every,omitempty" json:"eval_every,omitempty"`
	SaveEvery     int `yaml:"save_every,omitempty" json:"save_every,omitempty"`
}

// Validate reports every setting that cannot work.
func (c OfflineConfig) Validate() error {
	var errs []error
	if c.Updates < 0 {
		errs = append(errs, fmt.Errorf("learn: offline.updates is %d; it must not be negative", c.Updates))
	}
	if c.HoldOut == 1 {
		errs = append(errs, errors.New("learn: offline.hold_out is 1, which leaves nothing to learn from; it must be at least 2, or negative to hold out nothing"))
	}
	if c.SaveEvery < 0 {
		errs = append(errs, fmt.Errorf("learn: offline.save_every is %d; it must not be negative", c.SaveEvery))
	}
	return errors.Join(errs...)
}

// OfflineSchedule is Config.Offline with what its zeros stand for.
func (c Config) OfflineSchedule() OfflineConfig {
	o := c.Offline
	fill := func(x *int, value int) {
		if *x == 0 {
			*x = value
		}
	}
	fill(&o.Updates, (c.Episodes-c.SeedEpisodes)*c.UpdatesPerCollect)
	fill(&o.HoldOut, 10)
	fill(&o.ValidateEvery, 5*c.UpdatesPerCollect)
	fill(&o.EvalEvery, c.EvalEvery*c.UpdatesPerCollect)
	fill(&o.SaveEvery, 2*c.UpdatesPerCollect)
	return o
}
