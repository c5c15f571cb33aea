package score

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// program is a compiled graph of one chunk.
type program struct {
	*gx.Program
	inputs []gx.Input // after the parameters
}

// compile makes a program for chunks of length records.
func (s *Scorer) compile(name string, length int, build func(*worldmodel.Net, worldmodel.Batch) []*graph.Node) (*program, error) {
	data := s.model.BatchInputs(dtypes.Float32, 1, length)
	inputs := append(s.model.ParamInputs("", dtypes.Float32), data...)
	n := len(inputs) - len(data)
	p, err := gx.Compile(s.backend, name, inputs, func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, err := s.model.Bind(in[:n])
		if err != nil {
			panic(err)
		}
		return build(net, net.BatchFromNodes(in[n:]))
	})
	if err != nil {
		return nil, err
	}
	return &program{p, data}, nil
}

// reads reports whether the model's batches have a field.
func (s *Scorer) reads(field string) bool {
	return slices.ContainsFunc(s.model.BatchInputs(dtypes.Float32, 1, 1), func(in gx.Input) bool { return in.Name == field })
}

// run executes a program on a chunk and returns its outputs.
func (s *Scorer) run(ctx context.Context, p *program, chunk *replay.Episode, stream *rng.Stream) (out [][]float32, err error) {
	var buffers []compute.Buffer
	defer func() {
		if e := gx.Finalize(buffers...); err == nil {
			err = e
		}
	}()
	for _, in := range p.inputs {
		values, err := s.values(in, chunk, stream)
		if err != nil {
			return nil, err
		}
		buf, err := gx.Upload(s.backend, values, in.Shape.Dimensions...)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, buf)
	}
	results, err := p.Run(ctx, slices.Concat(s.params, buffers), nil)
	if err != nil {
		return nil, err
	}
	buffers = append(buffers, results...)
	for _, buf := range results {
		values, err := gx.Download(buf)
		if err != nil {
			return nil, err
		}
		out = append(out, values)
	}
	return out, nil
}

// values is what an input takes from a chunk, or noise.
func (s *Scorer) values(in gx.Input, chunk *replay.Episode, stream *rng.Stream) ([]float32, error) {
	switch in.Name {
	case "images":
		return s.images(chunk.Images, stream)
	case "vectors":
		return chunk.Vectors, nil
	case "actions":
		return chunk.Actions, nil
	case "rewards":
		return chunk.Rewards, nil
	case "continues":
		return chunk.Continues, nil
	case "noise", "rollout_noise":
		noise := make([]float32, in.Shape.Size())
		if !s.cfg.Deterministic {
			stream.FillNormal(noise)
		}
		return noise, nil
	}
	return nil, fmt.Errorf("the model reads %q, which episodes do not have", in.Name)
}

func (s *Scorer) images(bytes []byte, stream *rng.Stream) ([]float32, error) {
	out := make([]float32, len(bytes))
	if s.cfg.Deterministic {
		return out, replay.Centre(out, bytes, s.cfg.BitDepth)
	}
	return out, replay.Dequantise(out, bytes, s.cfg.BitDepth, stream)
}

// losses are the terms of the objective on a chunk.
func (s *Scorer) losses(ctx context.Context, chunk *replay.Episode, stream *rng.Stream) (map[string]float64, error) {
	p, err := s.closedLoop(chunk.Len())
	if err != nil {
		return nil, err
	}
	out, err := s.run(ctx, p, chunk, stream)
	if err != nil {
		return nil, err
	}
	losses := map[string]float64{}
	for i, name := range s.model.LossNames() {
		losses[name] = float64(out[i][0])
	}
	return losses, nil
}

// maxPrograms bounds the programs that are kept: the chunks of a task have few
// different lengths.
const maxPrograms = 4

// closedLoop returns the program for chunks of a length.
func (s *Scorer) closedLoop(length int) (*program, error) {
	if p := s.closed[length]; p != nil {
		return p, nil
	}
	if len(s.closed) == maxPrograms {
		s.forget()
	}
	p, err := s.compile("score", length, func(net *worldmodel.Net, b worldmodel.Batch) []*graph.Node {
		return net.Loss(b).Nodes()
	})
	if err == nil {
		s.closed[length] = p
	}
	return p, err
}

func (s *Scorer) forget() {
	for _, p := range s.closed {
		p.Close()
	}
	clear(s.closed)
}
