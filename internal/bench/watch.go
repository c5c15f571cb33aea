package bench

import (
	"time"

	"github.com/gomlx/compute"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/internal/gx"
)

// watch is a backend that notes what its graphs cost. It passes everything on.
type watch struct {
	compute.Backend
	graphs map[string]*graphCost
}

// graphCost is what one compiled graph cost so far.
type graphCost struct {
	executable compute.Executable // as the backend made it
	compile    time.Duration
	last       time.Duration // of the last execution
}

func newWatch(b compute.Backend) *watch {
	return &watch{Backend: b, graphs: map[string]*graphCost{}}
}

// cost is that of the graph with the given name, which must have been compiled.
func (w *watch) cost(graph string) *graphCost { return w.graphs[graph] }

// PrefersLoops passes on what graphs are built by, see gx.PrefersLoops.
func (w *watch) PrefersLoops() bool { return gx.PrefersLoops(w.Backend) }

// Builder implements compute.Backend.
func (w *watch) Builder(name string) compute.Builder {
	return &watchedBuilder{Builder: w.Backend.Builder(name), watch: w}
}

type watchedBuilder struct {
	compute.Builder
	watch *watch
}

// Compile implements compute.Builder.
func (b *watchedBuilder) Compile() (compute.Executable, error) {
	name, start := b.Name(), time.Now()
	e, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	cost := &graphCost{executable: e, compile: time.Since(start)}
	b.watch.graphs[name] = cost
	return &watchedExecutable{Executable: e, cost: cost}, nil
}

type watchedExecutable struct {
	compute.Executable
	cost *graphCost
}

// Execute implements compute.Executable.
func (e *watchedExecutable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	start := time.Now()
	out, err := e.Executable.Execute(inputs, donate, device)
	e.cost.last = time.Since(start)
	return out, err
}

// native is the graph as our backend compiled it, or nil.
func (c *graphCost) native() *cpu.Executable {
	if e, ok := c.executable.(*cpu.Executable); ok && e.Native() {
		return e
	}
	return nil
}

// GraphWork is what one execution of a graph has to do. It is zero when the
// graph was not compiled by our own backend, which alone can tell.
type GraphWork struct {
	FLOPs   int64 `json:"flops"`
	Read    int64 `json:"read"`
	Written int64 `json:"written"`
	Steps   int   `json:"steps"`
	// Arena and Scratch are the sizes of intermediate results and of the scratch
	// memory of products.
	Arena   int64 `json:"arena"`
	Scratch int64 `json:"scratch"`
}

func (c *graphCost) work() (w GraphWork) {
	e := c.native()
	if e == nil {
		return w
	}
	for _, s := range e.Steps() {
		w.FLOPs += s.FLOPs
		w.Read += s.Read
		w.Written += s.Written
		w.Steps++
	}
	w.Arena, w.Scratch = e.Memory()
	return w
}
