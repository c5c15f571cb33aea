package bench

import (
	"cmp"
	"slices"

	"github.com/orrery-rl/orrery/backend/cpu"
)

// Step is one step of a graph's schedule, or several that do the same.
type Step struct {
	Kind string `json:"kind"` // conv, dot, cluster, reduce, copy, fill or foreign
	What string `json:"what"` // operation and shapes
	// Text says also how it is done and what was fused; empty for groups.
	Text    string `json:"text,omitempty"`
	Count   int    `json:"count"`
	FLOPs   int64  `json:"flops"`
	Read    int64  `json:"read"`
	Written int64  `json:"written"`
	// Seconds is the shortest time of an execution, 0 if none was measured.
	Seconds float64 `json:"seconds"`
}

// FLOPS is operations a second, or 0 if the time was not measured.
func (s Step) FLOPS() float64 { return per(float64(s.FLOPs), s.Seconds) }

// Bandwidth is bytes a second, or 0 if the time was not measured.
func (s Step) Bandwidth() float64 { return per(float64(s.Read+s.Written), s.Seconds) }

// steps describes a schedule.
func steps(e *cpu.Executable) []Step {
	var out []Step
	for _, s := range e.Steps() {
		out = append(out, Step{
			Kind: s.Kind, What: s.What, Text: s.Text, Count: 1, FLOPs: s.FLOPs, Read: s.Read, Written: s.Written,
			Seconds: s.Took.Seconds(),
		})
	}
	return out
}

// GroupSteps adds up the steps that do the same work, the most expensive group
// first: by time, or by FLOPs and bytes where no time was measured.
func GroupSteps(steps []Step) []Step {
	groups := map[string]*Step{}
	for _, s := range steps {
		g, ok := groups[s.What]
		if !ok {
			g = &Step{Kind: s.Kind, What: s.What}
			groups[s.What] = g
		}
		g.Count += s.Count
		g.FLOPs += s.FLOPs
		g.Read += s.Read
		g.Written += s.Written
		g.Seconds += s.Seconds
	}
	var out []Step
	for _, g := range groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Step) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.FLOPs, a.FLOPs),
			cmp.Compare(b.Read+b.Written, a.Read+a.Written), cmp.Compare(a.What, b.What))
	})
	return out
}
