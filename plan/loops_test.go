package plan_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/orrery-rl/orrery/plan"
)

// loops are the planners once more, for one environment, in plain loops and
// float64, straight from their papers: no tensors, masks or ranks. A sequence is
// [H][A].
type loops struct {
	cfg     plan.Config
	actions int
	target  []float32
	noise   [][]float32 // as the planner's layout has it
	mean    sequence    // of the decision before
	kept    []sequence  // its best elites
}

type sequence [][]float64

func (l *loops) sequence(value func(t, k int) float64) sequence {
	s := make(sequence, l.cfg.Horizon)
	for t := range s {
		for k := range l.actions {
			s[t] = append(s[t], value(t, k))
		}
	}
	return s
}

func (l *loops) filled(v float64) sequence {
	return l.sequence(func(int, int) float64 { return v })
}

// shifted moves a sequence on by a decision.
func (l *loops) shifted(s sequence) sequence {
	last := make([]float64, l.actions)
	if l.cfg.Method == plan.ICEM {
		last = s[len(s)-1]
	}
	return append(slices.Clone(s[1:]), last)
}

// score is that of the quadratic toy, whose target moves by the sum of the latent
// numbers at every step; the mean of its rollouts.
func (l *loops) score(s sequence, latent []float32, candidate, candidates int) float64 {
	total, m := 0.0, l.cfg.Rollouts
	for rollout := range m {
		moved := 0.0
		for t := range s {
			moved += float64(latent[t*candidates*m+candidate*m+rollout])
			for k, a := range s[t] {
				d := a - float64(l.target[k]) - moved
				total -= d * d / float64(m)
			}
		}
	}
	return total
}

// sampled are the candidates that a Gaussian proposal draws.
func (l *loops) sampled(mean, std sequence, eps []float32) (out []sequence) {
	n := len(eps) / l.cfg.Horizon / l.actions
	for j := range n {
		out = append(out, l.sequence(func(t, k int) float64 {
			return min(max(mean[t][k]+std[t][k]*float64(eps[(t*n+j)*l.actions+k]), -1), 1)
		}))
	}
	return out
}

// ranked sorts candidates by score, the best first, and returns the scores too.
func (l *loops) ranked(candidates []sequence, latent []float32) ([]sequence, []float64) {
	scores := map[*float64]float64{}
	for j, c := range candidates {
		scores[&c[0][0]] = l.score(c, latent, j, len(candidates))
	}
	slices.SortStableFunc(candidates, func(a, b sequence) int { return cmp.Compare(scores[&b[0][0]], scores[&a[0][0]]) })
	var sorted []float64
	for _, c := range candidates {
		sorted = append(sorted, scores[&c[0][0]])
	}
	return candidates, sorted
}

// moments are the mean and deviation of weighted sequences.
func (l *loops) moments(all []sequence, weight func(i int) float64) (mean, std sequence) {
	mean = l.sequence(func(t, k int) (sum float64) {
		for i, s := range all {
			sum += weight(i) * s[t][k]
		}
		return sum
	})
	std = l.sequence(func(t, k int) (sum float64) {
		for i, s := range all {
			sum += weight(i) * (s[t][k] - mean[t][k]) * (s[t][k] - mean[t][k])
		}
		return math.Sqrt(sum)
	})
	return mean, std
}

// blend is m of the old and the rest of the new.
func (l *loops) blend(old, next sequence, m float64) sequence {
	return l.sequence(func(t, k int) float64 { return m*old[t][k] + (1-m)*next[t][k] })
}

// decide is one decision: the first action, and the last proposal.
func (l *loops) decide() (action []float64, mean, std sequence) {
	switch l.cfg.Method {
	case plan.Categorical:
		return l.choose()
	case plan.Shooting:
		best, _ := l.ranked(l.sampled(l.filled(0), l.filled(1), l.noise[0]), l.noise[1])
		return best[0][0], best[0], l.filled(1)
	}
	c := l.cfg
	mean, std = l.filled(0), l.filled(map[plan.Method]float64{plan.CEM: 1, plan.ICEM: c.ICEM.InitStd, plan.MPPI: c.MPPI.InitStd}[c.Method])
	kept := []sequence{}
	if l.mean != nil {
		mean = l.shifted(l.mean)
	}
	for range int(c.ICEM.Keep * float64(c.Elites)) {
		if c.Method == plan.ICEM {
			kept = append(kept, l.filled(0))
		}
	}
	for i, s := range l.kept {
		kept[i] = l.shifted(s)
	}
	var best sequence
	for i := range c.Iterations {
		candidates := append(l.sampled(mean, std, l.noise[2*i]), kept...)
		if c.Method == plan.ICEM && i == c.Iterations-1 {
			candidates = append(candidates, l.blend(mean, mean, 0))
		}
		for j, s := range candidates { // of their own, to be told apart
			candidates[j] = l.blend(s, s, 0)
		}
		ranked, scores := l.ranked(candidates, l.noise[2*i+1])
		elites := ranked[:c.Elites]
		best = elites[0]
		switch c.Method {
		case plan.MPPI:
			sum := 0.0
			for j := range elites {
				sum += math.Exp(c.MPPI.Temperature * (scores[j] - scores[0]))
			}
			next, spread := l.moments(elites, func(j int) float64 { return math.Exp(c.MPPI.Temperature*(scores[j]-scores[0])) / sum })
			mean = l.blend(mean, next, c.MPPI.Momentum)
			std = l.sequence(func(t, k int) float64 { return min(max(spread[t][k], c.MPPI.MinStd), c.MPPI.InitStd) })
		case plan.ICEM:
			next, spread := l.moments(elites, func(int) float64 { return 1 / float64(c.Elites) })
			mean, std = l.blend(mean, next, c.ICEM.Momentum), l.blend(std, spread, c.ICEM.Momentum)
			kept = slices.Clone(elites[:len(kept)])
		default:
			mean, std = l.moments(elites, func(int) float64 { return 1 / float64(c.Elites) })
		}
	}
	if c.Method != plan.CEM || c.WarmStart {
		l.mean = mean
	}
	l.kept = kept
	if c.Method == plan.ICEM {
		return best[0], mean, std
	}
	return mean[0], mean, std
}

// choose is the categorical planner.
func (l *loops) choose() (action []float64, p, _ sequence) {
	p = l.filled(1 / float64(l.actions))
	for i := range l.cfg.Iterations {
		gumbel := l.noise[2*i]
		n := len(gumbel) / l.cfg.Horizon / l.actions
		var candidates []sequence
		for j := range n {
			s := l.filled(0)
			for t := range s {
				best := 0
				at := func(k int) float64 { return math.Log(p[t][k]) + float64(gumbel[(t*n+j)*l.actions+k]) }
				for k := range l.actions {
					if at(k) > at(best) {
						best = k
					}
				}
				s[t][best] = 1
			}
			candidates = append(candidates, s)
		}
		ranked, _ := l.ranked(candidates, l.noise[2*i+1])
		p, _ = l.moments(ranked[:l.cfg.Elites], func(int) float64 { return 1 / float64(l.cfg.Elites) })
		p = l.blend(l.filled(1/float64(l.actions)), p, l.cfg.Categorical.Smoothing)
	}
	action = make([]float64, l.actions)
	action[slices.Index(p[0], slices.Max(p[0]))] = 1
	return action, p, p
}

// TestMethodsMatchPlainLoops compares three decisions of every method, noise in
// the model, several rollouts, with planners in plain loops.
func TestMethodsMatchPlainLoops(t *testing.T) {
	for name, cfg := range map[string]plan.Config{
		"cem":         with(plan.CEM),
		"cem, warm":   with(plan.CEM, func(c *plan.Config) { c.WarmStart = true }),
		"icem":        with(plan.ICEM),
		"mppi":        with(plan.MPPI),
		"shooting":    with(plan.Shooting),
		"categorical": with(plan.Categorical),
	} {
		cfg.Horizon, cfg.Iterations, cfg.Candidates, cfg.Elites, cfg.Rollouts = 4, 3, 40, 8, 2
		if cfg.Method == plan.Shooting {
			cfg.Iterations = 1
		}
		const actions = 3
		target := []float32{0.7, -0.4, 0.1}
		ep := newEpisode(t, cfg, toy{score: quadratic, noise: 1}, actions, 1)
		l := &loops{cfg: cfg, actions: actions, target: target}
		for decision := range 3 {
			action, mean, std := ep.decide(target, uint64(decision))
			l.noise = ep.noise
			wantAction, wantMean, wantStd := l.decide()
			for what, pair := range map[string][2][]float64{
				"action": {wide(action), wantAction}, "mean": {wide(mean), slices.Concat(wantMean...)}, "std": {wide(std), slices.Concat(wantStd...)},
			} {
				got, want := pair[0], pair[1]
				if len(got) != len(want) {
					t.Fatalf("%s: decision %d: %s has %d values, want %d", name, decision, what, len(got), len(want))
				}
				for i := range got {
					if math.Abs(got[i]-want[i]) > 1e-5 {
						t.Errorf("%s: decision %d: %s is %.6f, plain loops give %.6f", name, decision, what, got, want)
						break
					}
				}
			}
		}
	}
}

func wide(x []float32) (out []float64) {
	for _, v := range x {
		out = append(out, float64(v))
	}
	return out
}

// TestRolloutsAreAveraged: a candidate's score is the mean over rollouts, each with
// latent numbers of its own, and without latent numbers along the means.
func TestRolloutsAreAveraged(t *testing.T) {
	moved := func(m plan.Config) (best float32, latent [][]float32) {
		m.Horizon, m.Iterations, m.Candidates, m.Elites = 1, 1, 2, 1
		p := problem{cfg: m, model: toy{score: movedTo, noise: 1}, actions: 1, targets: []float32{0}}
		p.noise = normals(p.layout(), 5)
		return solve(t, p).best[0], p.noise
	}
	best, noise := moved(plan.Config{Rollouts: 3})
	x := noise[1]
	if want := max((x[0]+x[1]+x[2])/3, (x[3]+x[4]+x[5])/3); len(x) != 6 || math.Abs(float64(best-want)) > 1e-6 {
		t.Errorf("best score %v of latent numbers %v, want %v", best, x, want)
	}
	if best, noise := moved(plan.Config{MeanRollouts: true}); len(noise) != 1 || best != 0 {
		t.Errorf("along the means the best score is %v with %d tensors of noise, want 0 with one", best, len(noise))
	}
}
