// Package paper has what the PlaNet paper reports, to compare runs with
// (Hafner et al. 2019, arXiv:1811.04551).
package paper

import "strings"

// EnvSteps are those after which the scores were taken: 1000 episodes.
const EnvSteps = 1e6

// scores are table 1: the mean of 5 seeds and 10 episodes each.
var scores = map[string]float64{
	"cartpole-swingup": 821, "reacher-easy": 832, "cheetah-run": 662,
	"finger-spin": 700, "ball-in-cup-catch": 930, "cup-catch": 930, "walker-walk": 951,
}

// Return is the undiscounted return that the paper reports for an environment,
// by its name here: ours, dmc/TASK with or without options, py:dm_control:TASK.
func Return(env string) (float64, bool) {
	if task, ok := strings.CutPrefix(env, "dmc/"); ok {
		env, _, _ = strings.Cut(task, ":")
	}
	v, ok := scores[strings.ReplaceAll(strings.TrimPrefix(env, "py:dm_control:"), "_", "-")]
	return v, ok
}
