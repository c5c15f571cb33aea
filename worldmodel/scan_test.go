package worldmodel

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx/gxtest"
)

// TestLoopsAreTheStepsWrittenOut compares every transition on a backend that
// prefers loops with one that does not: the losses, the gradients of all
// parameters, and what is observed and imagined.
func TestLoopsAreTheStepsWrittenOut(t *testing.T) {
	for _, kind := range transitions() {
		for _, form := range []GRUForm{ResetBefore, ResetAfter} {
			for _, overshooting := range []Overshooting{OvershootingNone, OvershootingClean, OvershootingKaixhin} {
				if form == ResetAfter && overshooting != OvershootingNone {
					continue
				}
				t.Run(string(kind)+"/"+string(form)+"/"+string(overshooting), func(t *testing.T) {
					cfg := microConfig()
					cfg.Transition, cfg.GRU = kind, form
					cfg.Objective.Overshooting, cfg.Objective.OvershootingDistance = overshooting, 3
					cfg.Objective.OvershootingRewardScale = 0.5
					compareLoops(t, newFixture(t, cfg, 2, 4))
				})
			}
		}
	}
}

func compareLoops(t *testing.T, f *fixture) {
	build := func(n *Net, in []*graph.Node) []*graph.Node {
		batch := n.BatchFromNodes(in)
		losses := n.Loss(batch)
		out := append(graph.Gradient(losses.Total, n.params...), losses.Nodes()...)
		predicted, rewards := n.OpenLoop(batch.Observation, batch.Actions, batch.Noise, 2)
		return apart(append(out, predicted.Images, rewards))
	}
	operands := f.batch()
	got := f.run(f.compileOn(gxtest.Looping(newBackend(t)), operands, build), operands...)
	want := f.run(f.compile(operands, build), operands...)
	names := make([]string, len(want))
	for i, spec := range f.m.ParamSpecs() {
		names[i] = "gradient of " + spec.Name
	}
	for i := range want {
		assertClose(t, names[i], got[i], want[i], 1e-11)
	}
	if slices.ContainsFunc(want[:len(f.params)], zero) && f.m.cfg.Transition == RSSM {
		t.Error("a parameter has no gradient, so that nothing is compared")
	}
}
