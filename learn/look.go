package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/metrics/live"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// lookContext is how many frames the dream has seen that is shown of an episode.
const lookContext = 5

// lookHorizons are how many frames after these its error is measured.
func lookHorizons() []int { return []int{1, 5, 10, 20, 50} }

// lookout is what the model makes of a piece of an episode: a program that
// reconstructs it, dreams it, and measures how far the dream is off.
type lookout struct {
	backend compute.Backend
	program *gx.Program
	data    []gx.Input // actions, noise, observations
	length  int        // T, records of the piece
	spec    env.Spec
}

// newLookout returns nothing where there are no images, or no frames to dream.
func newLookout(backend compute.Backend, model *worldmodel.Model, spec env.Spec) (*lookout, error) {
	length := min(lookContext+slices.Max(lookHorizons()), spec.Decisions()+1)
	if model.Config().Observe == worldmodel.ObserveVector || length <= lookContext {
		return nil, nil
	}
	l := &lookout{backend: backend, length: length, spec: spec}
	l.data = append([]gx.Input{
		{Name: "actions", Shape: shapes.Make(dtypes.Float32, 1, length, model.Dims().ActionSize)},
		{Name: "noise", Shape: shapes.Make(dtypes.Float32, 1, length, model.Config().StochSize)},
	}, model.ObservationInputs(dtypes.Float32, 1, length)...)
	n := len(model.ParamSpecs())
	var err error
	l.program, err = gx.Compile(backend, "look", append(model.ParamInputs("", dtypes.Float32), l.data...), func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, err := model.Bind(in[:n])
		if err != nil {
			panic(err)
		}
		seen, actions, noise := net.ObservationFromNodes(in[n+2:]), in[n], in[n+1]
		posterior, _ := net.OpenLoop(seen, actions, noise, length)
		dream, rewards := net.OpenLoop(seen, actions, noise, lookContext)
		squares := graph.Square(graph.Sub(dream.Images, seen.Images))
		return []*graph.Node{posterior.Images, dream.Images, rewards, graph.MulScalar(graph.ReduceSum(squares, 2, 3, 4), 0.5)}
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// view is what a lookout found of the n records of a piece: images [n][H*W*C],
// predicted rewards and half the squared error of the dream's images, [n].
type view struct {
	reconstruction, dream [][]byte
	rewards, errors       []float32
}

// at looks at a piece of at most length records. Its end is repeated if it is
// shorter, which does not influence what comes before.
func (l *lookout) at(ctx context.Context, params []compute.Buffer, piece *replay.Episode, bitDepth int, stream *rng.Stream) (v view, err error) {
	n := piece.Len()
	whole := &Trajectory{Spec: l.spec, Episode: extended(piece, l.length-n, l.spec)}
	inputs, err := dreamInputs(l.backend, l.data, whole, bitDepth, stream)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, gx.Finalize(inputs...)) }()
	out, err := l.program.Run(ctx, slices.Concat(params, inputs), nil)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, gx.Finalize(out...)) }()
	var values [4][]float32
	for i, buf := range out {
		if values[i], err = gx.Download(buf); err != nil {
			return v, err
		}
	}
	v.reconstruction, v.dream = l.frames(values[0], n), l.frames(values[1], n)
	v.rewards, v.errors = values[2][:n], values[3][:n]
	return v, nil
}

// episode is what is shown of a piece of an episode: as many of its frames as there
// is room for.
func (v view) episode(piece *replay.Episode, size live.Size) live.Episode {
	n := min(len(v.rewards), size.MostFrames())
	return live.Episode{
		Size: size, Context: min(lookContext, n), Real: slices.Collect(slices.Chunk(piece.Images[:n*size.Bytes()], size.Bytes())),
		Reconstruction: v.reconstruction[:n], Dream: v.dream[:n], Rewards: piece.Rewards[:n], Predicted: v.rewards[:n],
	}
}

// extended repeats the last record of an episode.
func extended(ep *replay.Episode, times int, spec env.Spec) *replay.Episode {
	return &replay.Episode{
		Images: repeatLast(ep.Images, spec.Image.Size(), times), Vectors: repeatLast(ep.Vectors, spec.VectorSize, times),
		Actions: repeatLast(ep.Actions, spec.Action.Size, times),
	}
}

func repeatLast[T any](x []T, each, times int) []T {
	return slices.Concat(x, slices.Repeat(x[len(x)-each:], times))
}

// frames turns the first n images into bytes.
func (l *lookout) frames(pixels []float32, n int) [][]byte {
	size := l.spec.Image.Size()
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = toBytes(pixels[i*size:][:size])
	}
	return frames
}

// look shows what the model makes of an episode that was just collected, and
// returns how far its predictions are off. What goes wrong here costs the view,
// not the run.
func (r *Run) look(ctx context.Context, j *job) (values map[string]float64) {
	if r.lookout == nil || j.out.episode.Len() <= lookContext {
		return nil
	}
	err := r.watch.time(phaseIO, func() (err error) {
		values, err = r.lookAt(ctx, j)
		return err
	})
	if err != nil {
		r.Log.Warn("what the model makes of an episode could not be computed; it is not shown any more", "episode", j.number, "error", err)
		r.lookout.program.Close()
		r.lookout = nil
	}
	return values
}

func (r *Run) lookAt(ctx context.Context, j *job) (map[string]float64, error) {
	stream, n := r.stream("look", j.number), min(r.lookout.length, j.out.episode.Len())
	from := stream.IntN(j.out.episode.Len() - n + 1)
	piece := cut(j.out.episode, from, n, r.lookout.spec)
	v, err := r.lookout.at(ctx, r.learner.Params(), piece, r.BitDepth, stream)
	if err != nil {
		return nil, err
	}
	if r.Live.WantsEpisode() {
		e := v.episode(piece, sizeOf(r.lookout.spec.Image))
		e.Counters, e.Number, e.First = r.counters, j.number, int64(from)
		r.Live.ShowEpisode(e)
	}
	values := map[string]float64{}
	for _, h := range lookHorizons() {
		if at := lookContext + h - 1; at < n {
			values[fmt.Sprintf("openloop/image_%d:nats", h)] = float64(v.errors[at])
		}
	}
	return values, nil
}

// cut returns n records of an episode.
func cut(ep *replay.Episode, from, n int, spec env.Spec) *replay.Episode {
	part := func(each int) (int, int) { return from * each, (from + n) * each }
	out := &replay.Episode{Rewards: ep.Rewards[from : from+n], Continues: ep.Continues[from : from+n]}
	lo, hi := part(spec.Image.Size())
	out.Images = ep.Images[lo:hi]
	lo, hi = part(spec.Action.Size)
	out.Actions = ep.Actions[lo:hi]
	lo, hi = part(spec.VectorSize)
	out.Vectors = ep.Vectors[lo:hi]
	return out
}
