package relation

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/orrery-rl/orrery/backend/cpu/internal/kernel"
)

// unitRoundoff of float32.
const unitRoundoff = 1.0 / (1 << 24)

// goPool is a Pool of n goroutines per phase; each takes every n-th task.
type goPool int

func (p goPool) Workers() int { return int(p) }

func (p goPool) Run(ctx context.Context, tasks int, f func(task, worker int)) error {
	var wg sync.WaitGroup
	for w := range int(p) {
		wg.Go(func() {
			for task := w; task < tasks; task += int(p) {
				f(task, w)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// forEachPath runs f with the kernels of every path, and again with those in bfloat16
// where it has some; a path that the CPU lacks is skipped by name.
func forEachPath(t *testing.T, f func(t *testing.T, table *kernel.Table)) {
	for _, p := range []kernel.Path{kernel.Generic, kernel.AVX2, kernel.AVX512, kernel.AMX} {
		table, err := kernel.New(p)
		if err != nil {
			t.Run(p.String(), func(t *testing.T) {
				t.Skipf("hardware path missing: %v; CI tests the paths that its processor has", err)
			})
			continue
		}
		t.Run(p.String(), func(t *testing.T) { f(t, table.Exact()) })
		if table.Pairs != nil {
			t.Run(p.String()+"-bf16", func(t *testing.T) { f(t, table) })
			t.Run(p.String()+"-blocks", func(t *testing.T) { f(t, withBlocks(table)) })
		}
	}
}

// operands returns what a product multiplies: the values themselves, or, if it rounds
// them, the nearest bfloat16 numbers, whose products are exact in float32.
func operands(table *kernel.Table, p *Product, x, w []float32) (rx, rw []float32) {
	if !strings.Contains(p.String(), "bfloat16") {
		return x, w
	}
	round := func(x []float32) []float32 {
		words := make([]float32, len(x))
		table.Pairs.Interleave(words, x, nil)
		for i, word := range words {
			words[i] = math.Float32frombits(math.Float32bits(word) << 16)
		}
		return words
	}
	return round(x), round(w)
}

// convReference computes s in float64 by its definition: seven loops and the relation.
// mag is the sum of the magnitudes of the products and n their number.
func convReference(s ConvSpec, x, w []float32) (out, mag []float64, n []int) {
	s, err := s.normal()
	if err != nil {
		panic(err)
	}
	size := s.OutputSize()
	for img := range s.Batch {
		for oy := range size[0] {
			for ox := range size[1] {
				for o := range s.OutChannels {
					var sum, abs float64
					count := 0
					for ky := range s.Kernel[0] {
						for kx := range s.Kernel[1] {
							y := oy*s.Stride[0] + ky*s.KernelDilation[0] - s.PadLow[0]
							xx := ox*s.Stride[1] + kx*s.KernelDilation[1] - s.PadLow[1]
							if y < 0 || xx < 0 || y%s.InputDilation[0] != 0 || xx%s.InputDilation[1] != 0 {
								continue
							}
							y, xx = y/s.InputDilation[0], xx/s.InputDilation[1]
							if y >= s.Input[0] || xx >= s.Input[1] {
								continue
							}
							for i := range s.InChannels {
								p := float64(x[s.X.at(img, y, xx, i)]) * float64(w[s.W.at(i, ky, kx, o)])
								sum, abs, count = sum+p, abs+math.Abs(p), count+1
							}
						}
					}
					out, mag, n = append(out, sum), append(mag, abs), append(n, count)
				}
			}
		}
	}
	return out, mag, n
}

// at is the offset of an element.
func (l Layout) at(outer, y, x, inner int) int {
	return l.Offset + outer*l.Outer + y*l.Height + x*l.Width + inner*l.Inner
}

// dense lays out (outer, height, width, inner) in the order of perm, outermost first.
func denseLayout(perm [4]int, sizes [4]int) Layout {
	var stride [4]int
	next := 1
	for i := 3; i >= 0; i-- {
		stride[perm[i]] = next
		next *= sizes[perm[i]]
	}
	return Layout{Outer: stride[0], Height: stride[1], Width: stride[2], Inner: stride[3]}
}

var (
	nhwc = [4]int{0, 1, 2, 3}
	hwio = [4]int{1, 2, 0, 3}
)

// dense fills in row-major layouts: NHWC, HWIO, NHWC.
func dense(s ConvSpec) ConvSpec {
	out := s.OutputSize()
	s.X = denseLayout(nhwc, [4]int{s.Batch, s.Input[0], s.Input[1], s.InChannels})
	s.W = denseLayout(hwio, [4]int{s.InChannels, s.Kernel[0], s.Kernel[1], s.OutChannels})
	s.Out = denseLayout(nhwc, [4]int{s.Batch, out[0], out[1], s.OutChannels})
	return s
}

// random returns n values in [-1, 1), the same for the same seed.
func random(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	s := make([]float32, n)
	for i := range s {
		s[i] = r.Float32()*2 - 1
	}
	return s
}

// sizes returns the elements of the three tensors.
func (s ConvSpec) sizes() (x, w, out int) {
	o := s.OutputSize()
	return s.Batch * s.Input[0] * s.Input[1] * s.InChannels,
		s.InChannels * s.Kernel[0] * s.Kernel[1] * s.OutChannels,
		s.Batch * o[0] * o[1] * s.OutChannels
}

// guard is the number of elements around an output that must stay NaN.
const guard = 40

// guardedOutput returns n elements inside a larger array of NaN.
func guardedOutput(n int) (all, out []float32) {
	all = make([]float32, n+2*guard)
	for i := range all {
		all[i] = float32(math.NaN())
	}
	return all, all[guard : guard+n : guard+n]
}

// intact reports a write outside of a guarded output.
func intact(all []float32) error {
	for i, v := range all {
		if (i < guard || i >= len(all)-guard) && v == v {
			return fmt.Errorf("element %d outside of the output was written", i-guard)
		}
	}
	return nil
}

// coverage counts how often the epilogue sees each element, and whether it saw the final
// value.
type coverage struct {
	mu   sync.Mutex
	seen []int
	at   []float32
}

func (c *coverage) epilogue(dst []float32) Epilogue {
	c.seen, c.at = make([]int, len(dst)), make([]float32, len(dst))
	return func(_, lo, hi int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := lo; i < hi; i++ {
			c.seen[i]++
			c.at[i] = dst[i]
		}
	}
}

// check reports elements that the epilogue did not see once in their final state.
func (c *coverage) check(dst []float32) error {
	for i, n := range c.seen {
		if n != 1 || c.at[i] != dst[i] {
			return fmt.Errorf("epilogue saw element %d %d times, value %g, final %g", i, n, c.at[i], dst[i])
		}
	}
	return nil
}

// checkConv runs s and compares it with the reference, element by element, within the
// bound of a sum of count+1 rounded terms.
func checkConv(table *kernel.Table, s ConvSpec, workers int) error {
	nx, nw, ny := s.sizes()
	x, w := random(nx, 1), random(nw, 2)
	conv, err := NewConv(table, s, workers)
	if err != nil {
		return err
	}
	all, dst := guardedOutput(ny)
	var cover coverage
	scratch := nanScratch(conv.Scratch())
	err = conv.Run(context.Background(), goPool(workers), dst, x, w, scratch, cover.epilogue(dst))
	if err != nil {
		return err
	}
	rx, rw := operands(table, conv, x, w)
	want, mag, count := convReference(s, rx, rw)
	i, flops := 0, int64(0)
	size := s.OutputSize()
	for img := range s.Batch {
		for oy := range size[0] {
			for ox := range size[1] {
				for o := range s.OutChannels {
					got := float64(dst[s.Out.at(img, oy, ox, o)])
					tol := float64(count[i]+2) * unitRoundoff * mag[i]
					if !(math.Abs(got-want[i]) <= tol) {
						return fmt.Errorf("%v: (%d,%d,%d,%d) = %g, want %g within %g", conv, img, oy, ox, o, got, want[i], tol)
					}
					flops += 2 * int64(count[i])
					i++
				}
			}
		}
	}
	if flops != conv.FLOPs() {
		return fmt.Errorf("FLOPs() = %d, want %d", conv.FLOPs(), flops)
	}
	if err := cover.check(dst); err != nil {
		return fmt.Errorf("%v: %w", conv, err)
	}
	return intact(all)
}

// nanScratch returns scratch memory that poisons results when it is read unwritten.
func nanScratch(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(math.NaN())
	}
	return s
}
