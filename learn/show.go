package learn

import (
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/plan"
)

// showDecision shows what was just decided for the first environment, as soon as
// it is known what that earned. It does nothing unless somebody looks.
func (r *Run) showDecision(c *crew, jobs []*job, actions [][]float32, m manner) {
	j := jobs[0]
	if c != r.crews[0] || j.row != 0 || j.over || !r.Live.WantsDecision() {
		return
	}
	d := live.Decision{
		Counters: r.counters, Number: j.out.decisions,
		Size: sizeOf(r.Env.Spec().Image), Image: j.obs.Image, Action: actions[0],
	}
	if m.planned {
		if err := r.describe(&d, c); err != nil {
			r.Log.Warn("a decision could not be shown", "error", err)
			return
		}
	}
	j.after = func(reward float64) {
		d.Reward = float32(reward)
		r.Live.ShowDecision(d)
	}
}

// describe adds the search behind the last decision in a crew's first environment.
func (r *Run) describe(d *live.Decision, c *crew) error {
	s, ok, err := c.agent.ShowSearch(0)
	if err != nil || !ok {
		return err
	}
	d.Scores, d.Mean, d.Std, d.Predicted = s.Scores, s.Mean, s.Std, s.Predicted
	if r.Plan.Method == plan.Categorical {
		d.Std = nil // probabilities have none
	}
	return nil
}

func sizeOf(i env.ImageSpec) live.Size {
	return live.Size{Height: i.Height, Width: i.Width, Channels: i.Channels}
}
