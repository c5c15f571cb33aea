package sched

import (
	"fmt"
	"strings"
	"time"
)

// Step describes one step of a program for people and for measurements.
type Step struct {
	// Kind is conv, dot, pack, cluster, reduce, copy, fill or foreign.
	Kind string
	// What is the operation with its shapes; steps of the same What do the same
	// work.
	What string
	// Text is everything: What, how it is done and what was fused.
	Text string
	// FLOPs counts the multiply-adds of a product as two operations each; other
	// steps have none.
	FLOPs int64
	// Read and Written are bytes: every operand that comes from memory once, and
	// every result once, whatever the caches do about it.
	Read, Written int64
	// Took is the shortest time that the step took while profiling was on.
	Took time.Duration
}

// Steps describes the schedule in order.
func (p *Program) Steps() []Step {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Step, len(p.steps))
	for i, s := range p.steps {
		out[i] = describe(s)
		if p.took != nil {
			out[i].Took = p.took[i]
		}
	}
	return out
}

// Profile starts to measure the time of each step anew, or stops.
func (p *Program) Profile(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.profiling = on; on {
		p.took = make([]time.Duration, len(p.steps))
	}
}

// Memory is the size in bytes of one execution's intermediate results, and of
// the scratch memory of its products.
func (p *Program) Memory() (arena, scratch int64) {
	return int64(4*p.arena + p.bytes), int64(4 * p.scratch)
}

// timed runs the steps and notes how long each took.
func (p *Program) timed(r *run) {
	took := make([]time.Duration, len(p.steps))
	for i, s := range p.steps {
		start := time.Now()
		if s.run(r); r.err != nil {
			return
		}
		took[i] = time.Since(start)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range took {
		if p.took[i] == 0 || t < p.took[i] {
			p.took[i] = t
		}
	}
}

func describe(s step) Step {
	d := Step{Text: s.String()}
	d.Kind, d.What = kindOf(s)
	switch s := s.(type) {
	case *productStep:
		d.FLOPs, d.Read, d.Written = s.product.FLOPs(), 4*int64(s.operands), s.dst.bytes()
		if s.epilogue != nil {
			d.What += " + cluster"
			d.addCluster(s.epilogue, s.dst)
		}
	case *packStep:
		d.Read, d.Written = s.w.bytes(), s.dst.bytes()
	case *clusterStep:
		d.addCluster(s, nil)
	case *reduceStep:
		d.Read, d.Written = 4*int64(s.outer*s.middle*s.inner), s.dst.bytes()
	case *copyStep:
		d.Read = s.src.bytes()
		d.Written = int64(s.src.size()) * s.src.st.width()
	case *fillStep:
		d.Written = s.dst.bytes()
	case *foreignStep:
		for _, v := range s.in {
			d.Read += v.bytes()
		}
		d.Written = s.dst.bytes()
	}
	return d
}

// addCluster adds what a cluster moves. product is the result that it finds in
// the cache, or nil.
func (d *Step) addCluster(c *clusterStep, product *storage) {
	for _, in := range c.inputs {
		if in.view.st != product {
			d.Read += in.view.bytes()
		}
	}
	for _, o := range c.outputs {
		if o.st != product {
			d.Written += o.st.bytes()
		}
	}
}

// kindOf names the kind of a step, and its operation with shapes.
func kindOf(s step) (kind, what string) {
	switch s := s.(type) {
	case *productStep:
		kind, _, _ = strings.Cut(s.what, " ")
		return kind, s.what
	case *packStep:
		return "pack", fmt.Sprintf("pack %d floats", s.dst.size)
	case *clusterStep:
		return "cluster", fmt.Sprintf("cluster %v of %d", s.dims, len(s.instrs))
	case *reduceStep:
		return "reduce", fmt.Sprintf("%s [%d, %d, %d]", s.op, s.outer, s.middle, s.inner)
	case *copyStep:
		return "copy", s.String()
	case *fillStep:
		return "fill", s.String()
	}
	return "foreign", s.String()
}

func (st *storage) width() int64 {
	if st.isBool {
		return 1
	}
	return 4
}

func (st *storage) bytes() int64 { return int64(st.size) * st.width() }

// bytes is the size of the elements a view shows, repeated ones counted once.
func (v view) bytes() int64 {
	n := v.st.width()
	for i, d := range v.dims {
		if v.strides[i] != 0 {
			n *= int64(d)
		}
	}
	return n
}
