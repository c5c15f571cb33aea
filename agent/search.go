package agent

import (
	"slices"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// Search is what lay behind one decision in one environment, to be looked at.
type Search struct {
	// Scores are those of the last iteration's candidates, [J]: predicted sums of
	// rewards. Some may not be numbers.
	Scores []float32
	// Mean and Std are the final proposal, [H][A]; for plan.Categorical both are the
	// probabilities.
	Mean, Std [][]float32
	// Predicted is the score of what was followed: of the best candidate for methods
	// that execute it, or else the mean of the elites.
	Predicted float32
}

// ShowSearch returns what lay behind the last Act in environment i; it is false
// if nothing was searched. It changes nothing.
func (a *Agent) ShowSearch(i int) (s Search, ok bool, err error) {
	p := a.planner
	if len(p.last) != 3 {
		return s, false, nil
	}
	mean, err := p.row(p.last[0], i)
	if err != nil {
		return s, false, err
	}
	std, err := p.row(p.last[1], i)
	if err != nil {
		return s, false, err
	}
	if s.Scores, err = p.row(p.last[2], i); err != nil {
		return s, false, err
	}
	s.Mean, s.Std = slices.Collect(slices.Chunk(mean, a.dims.ActionSize)), slices.Collect(slices.Chunk(std, a.dims.ActionSize))
	s.Predicted = followed(s.Scores, a.cfg.Plan)
	return s, true, nil
}

// row is the part of environment i of a tensor [E, ...].
func (p *planner) row(buf compute.Buffer, i int) ([]float32, error) {
	all, err := gx.Download(buf)
	if err != nil {
		return nil, err
	}
	n := len(all) / p.layout.Envs
	return all[i*n:][:n:n], nil
}

// followed is the score of the plan that the method follows.
func followed(scores []float32, cfg plan.Config) float32 {
	sorted := slices.Sorted(slices.Values(scores)) // NaN first
	slices.Reverse(sorted)
	if cfg.Method == plan.Shooting || cfg.Method == plan.ICEM {
		return sorted[0]
	}
	return float32(mean(sorted[:min(cfg.Elites, len(sorted))]))
}
