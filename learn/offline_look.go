package learn

import (
	"context"
	"errors"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// maxValidation is the largest number of batches of a validation.
const maxValidation = 10

// validator computes the objective on episodes that are not learned from. It
// borrows the memory of the learner's batch, so it must not run during an update.
type validator struct {
	learner *Learner
	program *gx.Program
	sampler *replay.Sampler
	batches int // about as many as the episodes fill
}

func newValidator(b compute.Backend, m *worldmodel.Model, l *Learner, s *replay.Sampler, records int) (*validator, error) {
	shape := l.Batch().B * l.Batch().L
	v := &validator{learner: l, sampler: s, batches: min((records+shape-1)/shape, maxValidation)}
	n := len(m.ParamSpecs())
	inputs := append(m.ParamInputs("", dtypes.Float32), m.BatchInputs(dtypes.Float32, l.Batch().B, l.Batch().L)...)
	var err error
	v.program, err = gx.Compile(b, "validate", inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, err := m.Bind(in[:n])
		if err != nil {
			panic(err)
		}
		return net.Loss(net.BatchFromNodes(in[n:])).Nodes()
	})
	return v, err
}

// losses returns the mean of each term over the batches, in the order of the
// model's LossNames. stream makes the randomness of batch i, which is the same
// each time.
func (v *validator) losses(ctx context.Context, stream func(kind string, i int64) *rng.Stream) ([]float64, error) {
	var sums []float64
	for i := range v.batches {
		v.sampler.SetStream(stream("validate/sample", int64(i)))
		stream("validate/posterior", int64(i)).FillNormal(v.learner.Noise())
		stream("validate/rollout", int64(i)).FillNormal(v.learner.RolloutNoise())
		if err := v.sampler.Sample(ctx, v.learner.Batch()); err != nil {
			return nil, err
		}
		values, err := v.batch(ctx)
		if err != nil {
			return nil, err
		}
		if sums == nil {
			sums = make([]float64, len(values))
		}
		for k, x := range values {
			sums[k] += x / float64(v.batches)
		}
	}
	return sums, nil
}

// batch runs the program on what the learner's batch holds.
func (v *validator) batch(ctx context.Context) ([]float64, error) {
	data, err := gx.Buffers(v.learner.data[:len(v.learner.data)-1]...) // without Adam's
	if err != nil {
		return nil, err
	}
	out, err := v.program.Run(ctx, slices.Concat(v.learner.Params(), data), nil)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(out))
	for i, buf := range out {
		var x [1]float32
		if err := gx.DownloadInto(buf, x[:]); err != nil {
			return nil, errors.Join(err, gx.Finalize(out...))
		}
		values[i] = float64(x[0])
	}
	return values, gx.Finalize(out...)
}

func (v *validator) close() {
	if v.program != nil {
		v.program.Close()
	}
}

// validate records the losses on the episodes held out.
func (o *Offline) validate(ctx context.Context) error {
	losses, err := o.validator.losses(ctx, o.stream)
	if err != nil {
		return err
	}
	o.mark.Validated = o.counters.Updates
	values := map[string]float64{}
	for i, name := range o.Model.LossNames() {
		values["validation/"+name+":nats"] = losses[i]
	}
	return o.metrics.Record(metrics.Event{Kind: metrics.KindValidation, Counters: o.counters, Values: values})
}

// evaluate plays the evaluation episodes, from the same initial states each time.
// Training does not need the environment: one that keeps breaking costs the
// evaluation and not the run.
func (o *Offline) evaluate(ctx context.Context) error {
	start := o.Now()
	o.judge.SetParams(o.learner.Params())
	tasks := o.others[0].Spec().Tasks
	ev, err := o.judged(ctx, func(i, _ int) uint64 {
		return env.TaskSeed(o.stream("evaluate", int64(i)).Uint64(), int64(i), len(tasks))
	}, func(attempt int, err error) error { return o.again(ctx, attempt, err) })
	if err != nil && !errors.Is(err, errGivenUp) {
		return err
	}
	o.mark.Evaluated = o.counters.Updates
	if err != nil {
		return nil
	}
	return o.metrics.Record(metrics.Event{
		Kind: metrics.KindEvaluation, Counters: o.counters, Text: ev.text(tasks), Values: ev.values(o.Now().Sub(start)),
	})
}

// errGivenUp ends an evaluation whose environment keeps breaking.
var errGivenUp = errors.New("given up")

// again decides about an evaluation whose environment broke for the attempt-th time.
func (o *Offline) again(ctx context.Context, attempt int, err error) error {
	if ctx.Err() != nil { // whatever stopped us may have stopped the simulator, too
		return errors.Join(ctx.Err(), err)
	}
	o.Log.Warn("the environment broke in an evaluation", "env", o.envName(), "updates", o.counters.Updates, "attempt", attempt, "error", err)
	if attempt == maxBroken {
		return errGivenUp
	}
	return nil
}
