package move

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// crew is a pool that starts a goroutine for every task.
type crew struct{}

func (crew) Workers() int { return 3 }

func (crew) Run(ctx context.Context, tasks int, f func(task, worker int)) error {
	var wg sync.WaitGroup
	for task := range tasks {
		wg.Go(func() { f(task, task%3) })
	}
	wg.Wait()
	return ctx.Err()
}

// indices returns all positions of a tensor in row-major order.
func indices(dims []int) [][]int {
	all := [][]int{{}}
	for _, d := range dims {
		var next [][]int
		for _, at := range all {
			for i := range d {
				next = append(next, append(slices.Clone(at), i))
			}
		}
		all = next
	}
	return all
}

func flat(dims, at []int) int {
	i := 0
	for k, d := range dims {
		i = i*d + at[k]
	}
	return i
}

// counting returns 1, 2, ... n.
func counting(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i + 1)
	}
	return out
}

// run copies by the plan into a slice of n elements with canaries behind.
func run(t *rapid.T, n int, copyTo func(dst []int64) error) []int64 {
	all := make([]int64, n+8)
	for i := range all {
		all[i] = -7
	}
	if err := copyTo(all[:n:n]); err != nil {
		t.Fatal(err)
	}
	for _, v := range all[n:] {
		if v != -7 {
			t.Fatal("wrote behind the result")
		}
	}
	return all[:n]
}

// shape draws up to 4 axes; now and then one is long enough for several squares.
func shape(t *rapid.T) []int {
	dims := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "dims")
	if len(dims) > 0 && rapid.Bool().Draw(t, "long") {
		dims[rapid.IntRange(0, len(dims)-1).Draw(t, "which")] = rapid.IntRange(14, 40).Draw(t, "length")
	}
	return dims
}

// expect compares a copy with what from says about every element of the result.
func expect(t *rapid.T, got []int64, out []int, from func(at []int) int64) {
	for _, at := range indices(out) {
		if g, w := got[flat(out, at)], from(at); g != w {
			t.Fatalf("element %v of %v is %d, want %d", at, out, g, w)
		}
	}
}

func TestTransposeEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := shape(t)
		perm := rapid.Permutation(counting(len(dims))).Draw(t, "perm")
		axes, out := make([]int, len(dims)), make([]int, len(dims))
		for i, p := range perm {
			axes[i] = int(p) - 1
			out[i] = dims[axes[i]]
		}
		p, err := NewTranspose(dims, axes)
		if err != nil {
			t.Fatal(err)
		}
		src := counting(product(dims))
		got := run(t, len(src), func(dst []int64) error { return Run(context.Background(), crew{}, p, dst, src) })
		expect(t, got, out, func(at []int) int64 {
			in := make([]int, len(at))
			for i, a := range axes {
				in[a] = at[i]
			}
			return src[flat(dims, in)]
		})
	})
}

func TestSliceEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := shape(t)
		starts, limits, steps, out := make([]int, len(dims)), make([]int, len(dims)), make([]int, len(dims)), make([]int, len(dims))
		for i, d := range dims {
			starts[i] = rapid.IntRange(0, d).Draw(t, "start")
			limits[i] = rapid.IntRange(starts[i], d).Draw(t, "limit")
			steps[i] = rapid.IntRange(1, 3).Draw(t, "step")
			for k := starts[i]; k < limits[i]; k += steps[i] {
				out[i]++
			}
		}
		p, err := NewSlice(dims, starts, limits, steps)
		if err != nil {
			t.Fatal(err)
		}
		src := counting(product(dims))
		got := run(t, product(out), func(dst []int64) error { return Run(context.Background(), crew{}, p, dst, src) })
		expect(t, got, out, func(at []int) int64 {
			in := slices.Clone(at)
			for i := range in {
				in[i] = starts[i] + at[i]*steps[i]
			}
			return src[flat(dims, in)]
		})
	})
}

func TestReverseEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := shape(t)
		var axes []int
		for i := range dims {
			if rapid.Bool().Draw(t, "reversed") {
				axes = append(axes, i)
			}
		}
		p, err := NewReverse(dims, axes)
		if err != nil {
			t.Fatal(err)
		}
		src := counting(product(dims))
		got := run(t, len(src), func(dst []int64) error { return Run(context.Background(), crew{}, p, dst, src) })
		expect(t, got, dims, func(at []int) int64 {
			in := slices.Clone(at)
			for _, a := range axes {
				in[a] = dims[a] - 1 - at[a]
			}
			return src[flat(dims, in)]
		})
	})
}

func TestBroadcastEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := shape(t)
		var dims, axes []int
		for i, d := range out {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				dims, axes = append(dims, d), append(axes, i)
			case 1:
				dims, axes = append(dims, 1), append(axes, i)
			}
		}
		p, err := NewBroadcast(dims, axes, out)
		if err != nil {
			t.Fatal(err)
		}
		src := counting(product(dims))
		got := run(t, product(out), func(dst []int64) error { return Run(context.Background(), crew{}, p, dst, src) })
		expect(t, got, out, func(at []int) int64 {
			in := make([]int, len(dims))
			for i, a := range axes {
				in[i] = at[a] % dims[i]
			}
			return src[flat(dims, in)]
		})
	})
}

func TestPadEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := shape(t)
		low, high, interior, out := make([]int, len(dims)), make([]int, len(dims)), make([]int, len(dims)), make([]int, len(dims))
		for i, d := range dims {
			interior[i] = rapid.IntRange(0, 2).Draw(t, "interior")
			whole := spread(d, interior[i])
			low[i] = rapid.IntRange(-whole, 3).Draw(t, "low")
			high[i] = rapid.IntRange(-(whole+low[i]), 3).Draw(t, "high")
			out[i] = whole + low[i] + high[i]
		}
		p, err := NewPad(dims, low, high, interior)
		if err != nil {
			t.Fatal(err)
		}
		src := counting(product(dims))
		got := run(t, product(out), func(dst []int64) error {
			return RunPad(context.Background(), crew{}, p, dst, src, 99)
		})
		expect(t, got, out, func(at []int) int64 {
			in := slices.Clone(at)
			for i, d := range dims {
				k := at[i] - low[i]
				in[i] = k / (interior[i] + 1)
				if k < 0 || k%(interior[i]+1) != 0 || in[i] >= d {
					return 99
				}
			}
			return src[flat(dims, in)]
		})
	})
}

func TestConcatenateEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := append(shape(t), 2)
		axis := rapid.IntRange(0, len(dims)-1).Draw(t, "axis")
		var shapes [][]int
		var sources [][]int64
		out, owner := slices.Clone(dims), []int{}
		out[axis] = 0
		for k := range rapid.IntRange(1, 4).Draw(t, "tensors") {
			part := slices.Clone(dims)
			part[axis] = rapid.IntRange(0, 3).Draw(t, "length")
			values := counting(product(part))
			for i := range values {
				values[i] += int64(10000 * k)
			}
			for range part[axis] {
				owner = append(owner, k)
			}
			shapes, sources, out[axis] = append(shapes, part), append(sources, values), out[axis]+part[axis]
		}
		c, err := NewConcatenate(shapes, axis)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, product(out), func(dst []int64) error {
			return RunConcatenate(context.Background(), crew{}, c, dst, sources)
		})
		expect(t, got, out, func(at []int) int64 {
			k, in := owner[at[axis]], slices.Clone(at)
			in[axis] -= slices.Index(owner, k)
			return sources[k][flat(shapes[k], in)]
		})
	})
}

func TestGatherEqualsLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, rowLen := rapid.IntRange(1, 50).Draw(t, "rows"), rapid.IntRange(0, 9).Draw(t, "rowLen")
		at := rapid.SliceOf(rapid.Int32Range(0, int32(rows-1))).Draw(t, "at")
		src := counting(rows * rowLen)
		got := run(t, len(at)*rowLen, func(dst []int64) error {
			return Gather(context.Background(), crew{}, dst, src, at, rowLen)
		})
		expect(t, got, []int{len(at), rowLen}, func(i []int) int64 { return src[int(at[i[0]])*rowLen+i[1]] })
	})
}

// TestLargeTranspositionsInParts makes plans of many tasks, of awkward sizes.
func TestLargeTranspositionsInParts(t *testing.T) {
	for _, dims := range [][]int{{100_003, 3}, {3, 100_003}, {257, 511}, {70_000}, {5, 129, 301}} {
		axes := make([]int, len(dims))
		for i := range axes {
			axes[i] = len(dims) - 1 - i
		}
		p, err := NewTranspose(dims, axes)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := make([]float32, product(dims)), make([]float32, product(dims))
		for i := range src {
			src[i] = float32(i)
		}
		if err := Run(context.Background(), crew{}, p, dst, src); err != nil {
			t.Fatal(err)
		}
		strides := rowMajor(dims)
		for i, v := range dst {
			from, rest := 0, i
			for _, a := range slices.Backward(axes) {
				from += rest % dims[a] * strides[a]
				rest /= dims[a]
			}
			if v != float32(from) {
				t.Fatalf("%v: element %d is %g, want %d", dims, i, v, from)
			}
		}
	}
}

func TestPlansRejectNonsense(t *testing.T) {
	plan := func(_ *Plan, err error) error { return err }
	pad := func(_ *Pad, err error) error { return err }
	join := func(_ *Concatenate, err error) error { return err }
	whole, err := NewReverse([]int{4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for i, err := range []error{
		plan(NewTranspose([]int{2, 3}, []int{0, 0})),
		plan(NewTranspose([]int{2, 3}, []int{0})),
		plan(NewTranspose([]int{2, -3}, []int{0, 1})),
		plan(NewSlice([]int{4}, []int{3}, []int{2}, []int{1})),
		plan(NewSlice([]int{4}, []int{0}, []int{5}, []int{1})),
		plan(NewSlice([]int{4}, []int{0}, []int{4}, []int{0})),
		plan(NewSlice([]int{4}, nil, nil, nil)),
		plan(NewReverse([]int{4}, []int{1})),
		plan(NewReverse([]int{4}, []int{0, 0})),
		plan(NewBroadcast([]int{2}, []int{0}, []int{3})),
		plan(NewBroadcast([]int{2}, nil, []int{2})),
		pad(NewPad([]int{2}, []int{-2}, []int{-1}, []int{0})),
		pad(NewPad([]int{2}, []int{0}, []int{0}, []int{-1})),
		join(NewConcatenate(nil, 0)),
		join(NewConcatenate([][]int{{2, 3}, {2, 4}}, 0)),
		Run(ctx, crew{}, whole, make([]byte, 3), make([]byte, 4)),
		Run(ctx, crew{}, whole, make([]byte, 4), make([]byte, 3)),
		Gather(ctx, crew{}, make([]byte, 4), make([]byte, 4), []int32{0, 2}, 2),
		Gather(ctx, crew{}, make([]byte, 4), make([]byte, 4), []int64{-1}, 2),
		Gather(ctx, crew{}, make([]byte, 3), make([]byte, 4), []int64{0, 1}, 2),
	} {
		if !errors.Is(err, ErrShape) {
			t.Errorf("case %d: error %v, want ErrShape", i, err)
		}
	}
}

func TestRunStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p, err := NewReverse([]int{4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(ctx, crew{}, p, make([]byte, 4), make([]byte, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// alone is a pool without goroutines.
type alone struct{}

func (alone) Workers() int { return 1 }

func (alone) Run(_ context.Context, tasks int, f func(task, worker int)) error {
	for task := range tasks {
		f(task, 0)
	}
	return nil
}

// BenchmarkTranspose compares with memory speed and with the plain loop, on one worker.
func BenchmarkTranspose(b *testing.B) {
	for _, dims := range [][]int{{1024, 1024}, {100_000, 32}, {32, 100_000}} {
		n := product(dims)
		src, dst := make([]float32, n), make([]float32, n)
		p, err := NewTranspose(dims, []int{1, 0})
		if err != nil {
			b.Fatal(err)
		}
		measure := func(name string, f func()) {
			b.Run(fmt.Sprintf("%v/%s", dims, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
		measure("plan", func() {
			if err := Run(context.Background(), alone{}, p, dst, src); err != nil {
				b.Fatal(err)
			}
		})
		measure("copy", func() { copy(dst, src) })
		measure("plain", func() {
			for i := range dims[1] {
				for j := range dims[0] {
					dst[i*dims[0]+j] = src[j*dims[1]+i]
				}
			}
		})
	}
}
