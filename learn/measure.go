package learn

import (
	"math"
	"runtime/metrics"
	"time"

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/plan"
)

// average is the running mean of the statistics of several updates. It is part
// of a snapshot.
type average struct {
	Sums    []float64 `json:"sums"`
	Norm    float64   `json:"norm"`
	Clipped int       `json:"clipped"` // updates
	N       int       `json:"n"`
}

// add takes in an update whose gradient is clipped beyond clip, or never if that
// is 0.
func (a *average) add(s Stats, clip float64) {
	if len(a.Sums) != len(s.Losses) {
		*a = average{Sums: make([]float64, len(s.Losses))}
	}
	for i, v := range s.Losses {
		a.Sums[i] += v
	}
	a.Norm += s.GradNorm
	if clip > 0 && s.GradNorm > clip {
		a.Clipped++
	}
	a.N++
}

// take returns the means by metric name, losses being those of the given names
// in their order, and starts again.
func (a *average) take(losses []string) map[string]float64 {
	n := float64(a.N)
	values := map[string]float64{"grad/norm:1": a.Norm / n, "grad/clipped:ratio": float64(a.Clipped) / n}
	for i, name := range losses {
		values["loss/"+name+":nats"] = a.Sums[i] / n
	}
	*a = average{}
	return values
}

// pace is the time that the updates of this process since the last event took.
type pace struct {
	sample, update time.Duration
	n              int
}

// take adds the means to values and starts again.
func (p *pace) take(values map[string]float64) {
	values["time/sample:seconds"] = p.sample.Seconds() / float64(p.n)
	values["time/update:seconds"] = p.update.Seconds() / float64(p.n)
	*p = pace{}
}

// searches sums the statistics of the searches of an episode.
type searches struct {
	sum agent.SearchStats
	n   int
}

// add takes in an agent's last search for environment i, if there was one.
func (s *searches) add(a *agent.Agent, i int) {
	one, ok := a.LastSearch(i)
	if !ok {
		return
	}
	s.sum.Best += one.Best
	s.sum.Elite += one.Elite
	s.sum.Mean += one.Mean
	s.sum.Gain += one.Gain
	s.sum.Std += one.Std
	s.n++
}

// report adds the means to values.
func (s *searches) report(values map[string]float64, method plan.Method) {
	if s.n == 0 {
		return
	}
	n := float64(s.n)
	values["plan/best:reward"] = s.sum.Best / n
	values["plan/elite:reward"] = s.sum.Elite / n
	values["plan/mean:reward"] = s.sum.Mean / n
	values["plan/gain:reward"] = s.sum.Gain / n
	if method != plan.Categorical {
		values["plan/std:1"] = s.sum.Std / n
	}
}

// paramNorm is the norm of all parameters together.
func (l *Learner) paramNorm() (float64, error) {
	sum := 0.0
	for _, buf := range l.Params() {
		values, err := gx.Download(buf)
		if err != nil {
			return 0, err
		}
		for _, v := range values {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum), nil
}

// processMemory is what the Go runtime has from the operating system, in bytes.
func processMemory() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return float64(sample[0].Value.Uint64())
}
