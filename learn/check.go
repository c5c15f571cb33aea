package learn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/plan"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ErrParts is matched by what Open refuses before it computes or writes
// anything: settings out of range, or parts that do not go together.
var ErrParts = errors.New("the parts of the run do not fit")

// validate reports everything about the parts that can be known to fail later.
func (p Parts) validate() error {
	spec := p.Env.Spec()
	err := errors.Join(
		p.Schedule.Validate(), p.Optimiser.Validate(), checkPlan(p.Plan, spec.Action.Size),
		checkModel(p.Model.Dims(), spec), checkActions(spec), checkLength(p.Schedule.ChunkLength, spec),
		checkStart(p.Model, p.Schedule.Freeze, p.From))
	if err != nil {
		return fmt.Errorf("learn: %w: %w", ErrParts, err)
	}
	return nil
}

// checkModel compares the sizes of a model with those of an environment. A model
// that knows of no vector reads none.
func checkModel(d worldmodel.Dims, spec env.Spec) error {
	i := spec.Image
	have := worldmodel.Dims{Height: i.Height, Width: i.Width, Channels: i.Channels, ActionSize: spec.Action.Size, VectorSize: spec.VectorSize}
	if d.VectorSize == 0 {
		have.VectorSize = 0
	}
	if d != have {
		return fmt.Errorf("the model is for %+v, %s has %+v; make the model from the environment's Spec", d, spec.Name, have)
	}
	return nil
}

// checkPlan demands a planner for actions of a size.
func checkPlan(c plan.Config, actionSize int) error {
	_, err := plan.New(c, 1, actionSize, 0)
	return err
}

// checkActions demands the bounds that agents act in.
func checkActions(spec env.Spec) error {
	for i := range spec.Action.Low {
		if low, high := spec.Action.Low[i], spec.Action.High[i]; low != -1 || high != 1 {
			return fmt.Errorf("component %d of the actions of %s lies in [%v, %v], agents act in [-1, 1]; wrap it in env.NormaliseActions", i, spec.Name, low, high)
		}
	}
	return nil
}

// CheckLimit demands that episodes end, which learning needs and the contract of
// environments does not.
func CheckLimit(spec env.Spec) error {
	if spec.MaxEnvSteps > 0 {
		return nil
	}
	remedy := "wrap it in env.TimeLimit"
	if strings.HasPrefix(spec.Name, "exec:") {
		remedy = "add max_steps to its spec (docs/remote-environments.md)"
	}
	return fmt.Errorf("episodes of %s have no limit (MaxEnvSteps is 0) and might never end; %s", spec.Name, remedy)
}

// checkLength demands episodes that end, and that a chunk fits into: one of n
// decisions has n+1 records.
func checkLength(chunk int, spec env.Spec) error {
	records := spec.Decisions() + 1
	if err := CheckLimit(spec); err != nil {
		return err
	}
	if records < chunk {
		return fmt.Errorf("learn.chunk_length is %d, but episodes of %s have at most %d records (%d env steps, action repeat %d); set it to at most %d",
			chunk, spec.Name, records, spec.MaxEnvSteps, spec.ActionRepeat, records)
	}
	return nil
}

// checkStart demands that something is learned, and that the weights a new run
// starts from are the model's.
func checkStart(model *worldmodel.Model, frozen []string, from *Weights) error {
	_, err := moving(model, frozen)
	if from == nil {
		return err
	}
	return errors.Join(err, from.check(model))
}

// checkNoiseFree refuses an agent whose returns would not be its best.
func checkNoiseFree(what string, a *agent.Agent) error {
	if noise := a.ActionNoise(); noise != 0 {
		return fmt.Errorf("learn: %s: the agent adds noise of %v to its actions; make one with ActionNoise 0", what, noise)
	}
	return nil
}

// CollectingMemory is about how many bytes collecting takes at its height: the
// planner's random numbers, and the episodes that are being played.
func (p Parts) CollectingMemory() int64 {
	return p.searchMemory(p.Schedule.Envs) + int64(p.Schedule.Envs)*p.episodeSize()
}

// searchMemory is how many bytes the random numbers of a plan take for so many
// environments.
func (p Parts) searchMemory(envs int) int64 {
	numbers := 0
	for _, in := range p.Plan.Noise(envs, p.Env.Spec().Action.Size, p.Model.NoiseSize()).Inputs() {
		numbers += in.Shape.Size()
	}
	return 4 * int64(numbers)
}

// episodeSize is how many bytes the longest episode takes, in memory and, but
// for a kilobyte, on disk.
func (p Parts) episodeSize() int64 {
	spec := p.Env.Spec()
	return int64(spec.Decisions()+1) * int64(spec.Image.Size()+4*(spec.Action.Size+spec.VectorSize+2))
}
