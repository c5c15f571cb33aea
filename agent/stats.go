package agent

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// SearchStats describe the search behind one decision, each the mean over the
// agent's environments. Scores are predicted sums of rewards over the horizon.
type SearchStats struct {
	// Best, Elite and Mean are the highest score of the last iteration's
	// candidates, the mean score of its elites, and that of all its candidates.
	Best, Elite, Mean float64
	// Gain is Elite minus that of the first iteration.
	Gain float64
	// Std is the mean standard deviation of the final proposal over decisions of
	// the plan and components of the action; for plan.Categorical it is the mean
	// probability, which says nothing.
	Std float64
}

// LastSearch describes the search of the last Act. It is false when nothing was
// searched, and for searches with a deadline, which do not keep their scores.
func (a *Agent) LastSearch() (SearchStats, bool) { return a.planner.stats, a.planner.searched }

// scored is how many tensors SearchStats are read from: best, elite and mean
// score [I, E], and the proposal's standard deviation [E, H, A].
const scored = 4

// scores are these tensors of a search, or nothing when nothing is searched.
func scores(r plan.Result) []*graph.Node {
	if r.Best == nil {
		return nil
	}
	return distinct([]*graph.Node{r.Best, r.EliteScore, r.MeanScore, r.Std})
}

// statsOf reads the scores of a search; it is false if there are none.
func statsOf(scores []compute.Buffer, envs int) (s SearchStats, ok bool, err error) {
	if len(scores) != scored {
		return s, false, nil
	}
	var values [scored][]float32
	for i, buf := range scores {
		if values[i], err = gx.Download(buf); err != nil {
			return s, false, err
		}
	}
	last := len(values[0]) - envs
	s = SearchStats{Best: mean(values[0][last:]), Elite: mean(values[1][last:]), Mean: mean(values[2][last:]), Std: mean(values[3])}
	s.Gain = s.Elite - mean(values[1][:envs])
	return s, true, nil
}

func mean(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}
