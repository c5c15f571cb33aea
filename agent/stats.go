package agent

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// SearchStats describe the search behind one decision in one environment. Scores
// are predicted sums of rewards over the horizon.
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

// LastSearch describes the search of the last Act for environment i. It is false
// when nothing was searched, and for searches with a deadline, which do not keep
// their scores.
func (a *Agent) LastSearch(i int) (SearchStats, bool) {
	if len(a.planner.stats) == 0 {
		return SearchStats{}, false
	}
	return a.planner.stats[i], true
}

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

// shown are the tensors of found.shown, or nothing when nothing is searched.
func shown(r plan.Result, scores *graph.Node) []*graph.Node {
	if scores == nil {
		return nil
	}
	return distinct([]*graph.Node{r.Mean, r.Std, scores})
}

// statsOf reads the scores of a search, for each environment; there are none if
// nothing was searched.
func statsOf(scores []compute.Buffer, envs int) ([]SearchStats, error) {
	if len(scores) != scored {
		return nil, nil
	}
	var values [scored][]float32
	for i, buf := range scores {
		var err error
		if values[i], err = gx.Download(buf); err != nil {
			return nil, err
		}
	}
	best, elite, all, std := values[0], values[1], values[2], values[3]
	stats, last, each := make([]SearchStats, envs), len(best)-envs, len(std)/envs
	for e := range stats {
		stats[e] = SearchStats{
			Best: float64(best[last+e]), Elite: float64(elite[last+e]), Mean: float64(all[last+e]),
			Gain: float64(elite[last+e]) - float64(elite[e]), Std: mean(std[e*each:][:each]),
		}
	}
	return stats, nil
}

func mean(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}
