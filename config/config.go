// Package config composes the settings of a run from each package's own Config:
// a complete preset, then configuration files, then single settings, each layer
// overriding the one before. What comes out is validated as a whole, printed,
// stored beside the run and compared when the run is resumed.
package config

import (
	"errors"
	"fmt"

	"github.com/orrery-rl/orrery/internal/optim"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ErrInvalid marks every error about settings: unknown names, wrong types,
// values out of range, contradictions.
var ErrInvalid = errors.New("invalid configuration")

// Run is every setting of a training run.
type Run struct {
	// Preset names the sizes everything else starts from: paper, small or tiny.
	Preset string `yaml:"preset" json:"preset"`
	// Seed is the one number that all randomness of the run derives from.
	Seed uint64 `yaml:"seed" json:"seed"`
	// Env selects and shapes the environment.
	Env Env `yaml:"env" json:"env"`
	// Model is the world model's architecture and objective.
	Model worldmodel.Config `yaml:"model" json:"model"`
	// Optimiser is Adam and its gradient clipping.
	Optimiser optim.Config `yaml:"optimiser" json:"optimiser"`
	// Plan is the planner.
	Plan plan.Config `yaml:"plan" json:"plan"`
	// Learn is the schedule of Algorithm 1.
	Learn learn.Config `yaml:"learn" json:"learn"`
	// Replay is the episode store.
	Replay Replay `yaml:"replay" json:"replay"`
	// Backend is what executes the graphs.
	Backend Backend `yaml:"backend" json:"backend"`
	// Watch is what a run shows of itself.
	Watch Watch `yaml:"watch" json:"watch"`
}

// Watch says what a run shows while it goes. It does not influence what is
// learned.
type Watch struct {
	// Live (true) keeps the latest decision and episode in the run's directory,
	// with what the model makes of them, and measures open-loop errors.
	Live bool `yaml:"live" json:"live"`
}

// Env selects the environment and what the agent sees of it.
type Env struct {
	// Name is a registered environment, for example cartpole-swingup.
	Name string `yaml:"name" json:"name"`
	// ActionRepeat (R) is the number of simulator steps per decision; 0 takes
	// the environment's own default.
	ActionRepeat int `yaml:"action_repeat" json:"action_repeat"`
	// ImageSize is the height and width of the image in pixels.
	ImageSize int `yaml:"image_size" json:"image_size"`
	// BitDepth (b, 5) is the number of bits kept per colour channel, 1 to 8.
	BitDepth int `yaml:"bit_depth" json:"bit_depth"`
}

// Replay limits the episode store.
type Replay struct {
	// MemoryMiB is how many MiB of images stay in memory; the rest is read from
	// disk when sampled.
	MemoryMiB int `yaml:"memory_mib" json:"memory_mib"`
}

// Backend chooses what executes the graphs. It is not part of a run's identity:
// a run may be resumed on another one.
type Backend struct {
	// Name is cpu (ours), go (GoMLX's portable reference) or xla:PLUGIN.
	Name string `yaml:"name" json:"name"`
	// Threads is the number of worker threads; 0 takes one per processor.
	Threads int `yaml:"threads" json:"threads"`
	// Path forces a family of kernels: generic, avx2, avx512 or amx; empty or auto
	// takes the best the machine has.
	Path string `yaml:"path" json:"path"`
	// Precision is that of large products: f32, bf16 (rounded operands, float32 sums;
	// on CPUs that have instructions for it) or auto, which is f32 for now.
	Precision string `yaml:"precision" json:"precision"`
}

// Validate reports every setting that cannot work, each with its bound; the
// result matches ErrInvalid.
func (r Run) Validate() error {
	errs := []error{r.Model.Validate(), r.Optimiser.Validate(), r.Plan.Validate(), r.Learn.Validate()}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(r.Env.Name != "", "env.name is empty; `orrery env list` shows the choices")
	check(r.Env.ActionRepeat >= 0, "env.action_repeat is %d; it must not be negative", r.Env.ActionRepeat)
	check(r.Env.ImageSize >= 8 && r.Env.ImageSize <= 1024, "env.image_size is %d; it must lie in [8, 1024]", r.Env.ImageSize)
	check(r.Env.BitDepth >= 1 && r.Env.BitDepth <= 8, "env.bit_depth is %d; it must lie in [1, 8]", r.Env.BitDepth)
	check(r.Replay.MemoryMiB >= 1, "replay.memory_mib is %d; it must be at least 1", r.Replay.MemoryMiB)
	check(r.Backend.Threads >= 0, "backend.threads is %d; it must not be negative", r.Backend.Threads)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w:\n%w", ErrInvalid, err)
	}
	return nil
}
