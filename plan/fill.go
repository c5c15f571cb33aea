package plan

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/orrery-rl/orrery/internal/rng"
)

// Fill draws the random numbers of one plan: dst[i] receives input i of Inputs
// and must have its size. It takes a single number from stream, from which a
// stream for each tensor is derived, so the tensors are filled on all
// processors and the result does not depend on how many there are.
func (l NoiseLayout) Fill(stream *rng.Stream, dst [][]float32) error {
	inputs := l.Inputs()
	if len(dst) != len(inputs) {
		return fmt.Errorf("plan: got %d noise buffers, want %d", len(dst), len(inputs))
	}
	for i, in := range inputs {
		if len(dst[i]) != in.Shape.Size() {
			return fmt.Errorf("plan: noise buffer %q has %d values, want %d for the shape %v", in.Name, len(dst[i]), in.Shape.Size(), in.Shape.Dimensions)
		}
	}
	key := stream.Uint64()
	parallel(len(inputs), func(i int) { rng.New(key, inputs[i].Name).FillNormal(dst[i]) })
	return nil
}

// parallel calls f for 0 to n-1 on all processors and returns when all are done.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
