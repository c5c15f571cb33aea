package score

import (
	"context"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// span is the number of records of an open-loop piece: the context and the
// furthest horizon.
func span() int { return Context + slices.Max(Horizons()) }

// addOpenLoop predicts pieces of an episode that follow one another. The last
// one may be shorter; it is extended by its last record, which comes after all
// that is measured.
func (s *Scorer) addOpenLoop(ctx context.Context, ep *replay.Episode, stream *rng.Stream) error {
	if !s.reads("images") {
		return nil
	}
	for from := 0; from+Context < ep.Len(); from += span() {
		there := min(span(), ep.Len()-from)
		chunk := extend(piece(ep, s.Schema(), from, from+there), s.Schema(), span()-there)
		errors, err := s.openLoop(ctx, chunk, stream)
		if err != nil {
			return err
		}
		for i, h := range Horizons() {
			if at := Context + h - 1; at < there {
				s.errors[i][0] += float64(errors[at])
				s.errors[i][1]++
			}
		}
	}
	return nil
}

// extend repeats the last record n times.
func extend(ep *replay.Episode, schema replay.Schema, n int) *replay.Episode {
	return &replay.Episode{
		Images: repeatLast(ep.Images, schema.ImageSize(), n), Actions: repeatLast(ep.Actions, schema.ActionSize, n),
		Rewards: repeatLast(ep.Rewards, 1, n), Continues: repeatLast(ep.Continues, 1, n), Vectors: repeatLast(ep.Vectors, schema.VectorSize, n),
	}
}

func repeatLast[T any](x []T, each, n int) []T {
	return slices.Concat(x, slices.Repeat(x[len(x)-each:], n))
}

// openLoop returns half the squared error of each image of a chunk.
func (s *Scorer) openLoop(ctx context.Context, chunk *replay.Episode, stream *rng.Stream) ([]float32, error) {
	if s.open == nil {
		p, err := s.compile("open loop", span(), func(net *worldmodel.Net, b worldmodel.Batch) []*graph.Node {
			predicted, _ := net.OpenLoop(b.Observation, b.Actions, b.Noise, Context)
			squares := graph.Square(graph.Sub(predicted.Images, b.Images))
			return []*graph.Node{graph.MulScalar(graph.ReduceSum(squares, 2, 3, 4), 0.5)}
		})
		if err != nil {
			return nil, err
		}
		s.open = p
	}
	out, err := s.run(ctx, s.open, chunk, stream)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
