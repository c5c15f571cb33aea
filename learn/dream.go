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

	"github.com/orrery-rl/orrery/agent"
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/gx"
	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// Trajectory is a piece of an episode that was played to be looked at.
type Trajectory struct {
	Spec    env.Spec
	Episode *replay.Episode
}

// Head returns the first n records, or all if there are fewer.
func (t *Trajectory) Head(n int) *Trajectory {
	return &Trajectory{Spec: t.Spec, Episode: cut(t.Episode, 0, min(n, t.Episode.Len()), t.Spec)}
}

// Play lets an agent for one environment, without exploration noise, act in an
// episode from seed. At least length records are played unless the episode ends
// before. What the agent draws is derived from seed; it keeps that stream, so that
// what it was begun with before is gone, and it needs Begin again to act elsewhere.
func Play(ctx context.Context, a *agent.Agent, e env.Env, seed uint64, length int) (*Trajectory, error) {
	if err := checkNoiseFree("play", a); err != nil {
		return nil, err
	}
	if err := a.Begin([]*rng.Stream{rng.New(seed, "play")}); err != nil {
		return nil, err
	}
	return play(ctx, e, seed, length, acted(a, []int{0}))
}

// PlayRandom is Play with uniformly random actions.
func PlayRandom(ctx context.Context, e env.Env, seed uint64, length int) (*Trajectory, error) {
	return play(ctx, e, seed, length, drawn(uniform(e.Spec().Action, rng.New(seed, "play"))))
}

func play(ctx context.Context, e env.Env, seed uint64, length int, act policy) (*Trajectory, error) {
	out, err := single(ctx, e, seed, length, act)
	if err != nil {
		return nil, err
	}
	return &Trajectory{Spec: e.Spec(), Episode: out.episode}, nil
}

// DreamResult sets what happened beside what the model made of it. Images are
// [T][H*W*C] uint8.
type DreamResult struct {
	Spec                      env.Spec
	Real, Imagined            [][]byte
	Rewards, PredictedRewards []float64 // [T]
}

// Dream reconstructs the first context frames of a trajectory and their rewards
// from the posterior, and predicts the others open loop from the actions alone
// (Hafner et al. 2019, figure 6).
func Dream(ctx context.Context, backend compute.Backend, model *worldmodel.Model, params []compute.Buffer, t *Trajectory, context, bitDepth int, stream *rng.Stream) (*DreamResult, error) {
	length, d := t.Episode.Len(), model.Dims()
	if context < 1 || context >= length {
		return nil, fmt.Errorf("learn: dream after %d frames of a trajectory of %d; it must be at least 1 and less than all", context, length)
	}
	if model.Config().Observe == worldmodel.ObserveVector {
		return nil, errors.New("learn: dream: the model observes vectors only (model.observe=vector), so it predicts no images")
	}
	data := append([]gx.Input{
		{Name: "actions", Shape: shapes.Make(dtypes.Float32, 1, length, d.ActionSize)},
		{Name: "noise", Shape: shapes.Make(dtypes.Float32, 1, length, model.Config().StochSize)},
	}, model.ObservationInputs(dtypes.Float32, 1, length)...)
	n := len(params)
	program, err := gx.Compile(backend, "dream", append(model.ParamInputs("", dtypes.Float32), data...), func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
		net, err := model.Bind(in[:n])
		if err != nil {
			panic(err)
		}
		predicted, rewards := net.OpenLoop(net.ObservationFromNodes(in[n+2:]), in[n], in[n+1], context)
		return []*graph.Node{predicted.Images, rewards}
	})
	if err != nil {
		return nil, err
	}
	defer program.Close()
	inputs, err := dreamInputs(backend, data, t, bitDepth, stream)
	if err != nil {
		return nil, err
	}
	defer gx.Finalize(inputs...)
	out, err := program.Run(ctx, slices.Concat(params, inputs), nil)
	if err != nil {
		return nil, err
	}
	defer gx.Finalize(out...)
	return dreamResult(t, out)
}

// dreamInputs uploads actions, zero noise, so that predictions follow means, and
// observations.
func dreamInputs(backend compute.Backend, data []gx.Input, t *Trajectory, bitDepth int, stream *rng.Stream) ([]compute.Buffer, error) {
	images := make([]float32, len(t.Episode.Images))
	if err := replay.Dequantise(images, t.Episode.Images, bitDepth, stream); err != nil {
		return nil, err
	}
	values := [][]float32{t.Episode.Actions, make([]float32, data[1].Shape.Size()), images, t.Episode.Vectors}
	inputs := make([]compute.Buffer, len(data))
	for i, in := range data {
		var err error
		if inputs[i], err = gx.Upload(backend, values[i], in.Shape.Dimensions...); err != nil {
			return nil, errors.Join(err, gx.Finalize(inputs...))
		}
	}
	return inputs, nil
}

func dreamResult(t *Trajectory, out []compute.Buffer) (*DreamResult, error) {
	pixels, err := gx.Download(out[0])
	if err != nil {
		return nil, err
	}
	predicted, err := gx.Download(out[1])
	if err != nil {
		return nil, err
	}
	r := &DreamResult{Spec: t.Spec}
	size := t.Spec.Image.Size()
	for i := range t.Episode.Len() {
		r.Real = append(r.Real, t.Episode.Images[i*size:][:size])
		r.Imagined = append(r.Imagined, toBytes(pixels[i*size:][:size]))
		r.Rewards = append(r.Rewards, float64(t.Episode.Rewards[i]))
		r.PredictedRewards = append(r.PredictedRewards, float64(predicted[i]))
	}
	return r, nil
}

// toBytes maps image means in [-0.5, 0.5) to bytes, clipping what the decoder
// overshoots. Unlike the inverse of dequantisation it keeps all 256 levels.
func toBytes(x []float32) []byte {
	out := make([]byte, len(x))
	for i, v := range x {
		out[i] = byte(min(max((v+0.5)*256, 0), 255))
	}
	return out
}
