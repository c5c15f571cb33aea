package learn

import (
	"context"

	"github.com/orrery-rl/orrery/metrics"
)

// update samples a batch and makes one optimiser step.
func (r *Run) update(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	number := r.counters.Updates + 1
	err := r.watch.time(phaseIO, func() error {
		r.sampler.SetStream(r.stream("sample", number))
		r.stream("posterior", number).FillNormal(r.learner.Noise())
		r.stream("rollout", number).FillNormal(r.learner.RolloutNoise())
		return r.sampler.Sample(ctx, r.learner.Batch())
	})
	if err != nil {
		return err
	}
	var stats Stats
	err = r.watch.time(phaseUpdate, func() (err error) {
		// An update that has begun is finished: its inputs are donated.
		stats, err = r.learner.Update(context.WithoutCancel(ctx), number)
		return err
	})
	if err != nil {
		return err
	}
	r.counters.Updates = number
	r.losses.add(stats)
	if number%int64(r.cfg.LogEvery) == 0 {
		return r.metrics.Record(metrics.Event{Kind: metrics.KindUpdate, Counters: r.counters, Values: r.losses.take(r.Model.LossNames())})
	}
	return nil
}

// average is the running mean of the statistics of several updates. It is part
// of a snapshot.
type average struct {
	Sums []float64 `json:"sums"`
	Norm float64   `json:"norm"`
	N    int       `json:"n"`
}

func (a *average) add(s Stats) {
	if len(a.Sums) != len(s.Losses) {
		*a = average{Sums: make([]float64, len(s.Losses))}
	}
	for i, v := range s.Losses {
		a.Sums[i] += v
	}
	a.Norm += s.GradNorm
	a.N++
}

// take returns the means by metric name, losses being those of the given names
// in their order, and starts again.
func (a *average) take(losses []string) map[string]float64 {
	values := map[string]float64{"grad/norm:1": a.Norm / float64(a.N)}
	for i, name := range losses {
		values["loss/"+name+":nats"] = a.Sums[i] / float64(a.N)
	}
	*a = average{}
	return values
}
