package bench

import (
	"errors"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/worldmodel"
)

// ErrNoSchedule reports a graph that our own backend did not compile, so that
// nothing is known of its steps.
var ErrNoSchedule = errors.New("bench: only the cpu backend can show a schedule")

// UpdateSteps compiles the graph of an update without running it and returns
// its schedule. Of cfg it needs the model, its dims, the optimiser and the shape
// of a batch.
func UpdateSteps(backend compute.Backend, cfg UpdateConfig) (s []Step, w GraphWork, err error) {
	model, err := worldmodel.New(cfg.Model, cfg.Dims)
	if err != nil {
		return nil, w, err
	}
	watch := newWatch(backend)
	l, err := learn.NewLearner(watch, model, cfg.Optimiser, cfg.BatchSize, cfg.ChunkLength)
	if err != nil {
		return nil, w, err
	}
	s, w, err = watch.cost("update").schedule()
	return s, w, errors.Join(err, l.Close())
}

// PlanSteps is UpdateSteps for the planner's graph. Of cfg it needs the model,
// its dims, the search and the number of environments.
func PlanSteps(backend compute.Backend, cfg PlanConfig) (s []Step, w GraphWork, err error) {
	model, err := worldmodel.New(cfg.Model, cfg.Dims)
	if err != nil {
		return nil, w, err
	}
	watch := newWatch(backend)
	a, err := agent.New(watch, model, agent.Config{Plan: cfg.Plan, BitDepth: cfg.BitDepth}, cfg.Envs)
	if err != nil {
		return nil, w, err
	}
	s, w, err = watch.cost("plan").schedule()
	return s, w, errors.Join(err, a.Close())
}

func (c *graphCost) schedule() ([]Step, GraphWork, error) {
	e := c.native()
	if e == nil {
		return nil, GraphWork{}, ErrNoSchedule
	}
	return steps(e), c.work(), nil
}
