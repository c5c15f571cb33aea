package gx_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

// tensor is a small row-major float64 tensor for the reference loops.
type tensor struct {
	dims []int
	data []float64
}

func newTensor(dims ...int) tensor {
	size := 1
	for _, d := range dims {
		size *= d
	}
	return tensor{dims, make([]float64, size)}
}

func randomTensor(random *rand.Rand, dims ...int) tensor {
	t := newTensor(dims...)
	for i := range t.data {
		t.data[i] = random.NormFloat64()
	}
	return t
}

func (t tensor) at(i, j, k, l int) *float64 {
	d := t.dims
	return &t.data[((i*d[1]+j)*d[2]+k)*d[3]+l]
}

// operation pairs a graph operation with plain loops over the same definition.
type operation struct {
	name      string
	graph     func(x, kernel *graph.Node, stride int) *graph.Node
	reference func(x, kernel tensor, stride int) tensor
}

func operations() []operation {
	return []operation{{"conv", gx.Conv2D, naiveConv}, {"transposed", gx.ConvTranspose2D, naiveTransposed}}
}

func naiveConv(x, k tensor, stride int) tensor {
	y := newTensor(x.dims[0], (x.dims[1]-k.dims[0])/stride+1, (x.dims[2]-k.dims[1])/stride+1, k.dims[3])
	forEachTap(y, k, func(n, p, q, i, j, c, d int) {
		*y.at(n, p, q, d) += *x.at(n, p*stride+i, q*stride+j, c) * *k.at(i, j, c, d)
	})
	return y
}

// naiveTransposed scatters every input pixel; the kernel is flipped because it
// is stored in correlation order.
func naiveTransposed(x, k tensor, stride int) tensor {
	y := newTensor(x.dims[0], (x.dims[1]-1)*stride+k.dims[0], (x.dims[2]-1)*stride+k.dims[1], k.dims[3])
	forEachTap(x, k, func(n, p, q, i, j, c, d int) {
		*y.at(n, p*stride+i, q*stride+j, d) += *x.at(n, p, q, c) * *k.at(k.dims[0]-1-i, k.dims[1]-1-j, c, d)
	})
	return y
}

// forEachTap visits every (batch, pixel, kernel position, channel pair).
func forEachTap(pixels, k tensor, visit func(n, p, q, i, j, c, d int)) {
	for n := range pixels.dims[0] {
		for p := range pixels.dims[1] {
			for q := range pixels.dims[2] {
				for tap := range k.dims[0] * k.dims[1] {
					for pair := range k.dims[2] * k.dims[3] {
						visit(n, p, q, tap/k.dims[1], tap%k.dims[1], pair/k.dims[3], pair%k.dims[3])
					}
				}
			}
		}
	}
}

// valueAndGradients runs op in the graph and returns the output and the
// gradients of <output, adjoint> with respect to x and the kernel.
func valueAndGradients(t *testing.T, backend compute.Backend, op operation, stride int, x, kernel, adjoint tensor) [3][]float64 {
	t.Helper()
	input := func(name string, v tensor) gx.Input {
		return gx.Input{Name: name, Shape: shapes.Make(dtypes.Float64, v.dims...)}
	}
	program, err := gx.Compile(backend, op.name, []gx.Input{input("x", x), input("kernel", kernel), input("adjoint", adjoint)},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			y := op.graph(in[0], in[1], stride)
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[2])), in[0], in[1])...)
		})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	out, err := program.Run(t.Context(), []compute.Buffer{
		upload(t, backend, x.data, x.dims...), upload(t, backend, kernel.data, kernel.dims...), upload(t, backend, adjoint.data, adjoint.dims...),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var values [3][]float64
	for i, buf := range out {
		shape, err := buf.Shape()
		if err != nil {
			t.Fatal(err)
		}
		values[i] = make([]float64, shape.Size())
		if err := gx.DownloadInto(buf, values[i]); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// differences returns the gradient of <reference(x, kernel), adjoint> with
// respect to every entry of v, which is x.data or kernel.data. The reference is
// linear in each, so a central difference of step 1 is exact up to rounding.
func differences(op operation, stride int, x, kernel, adjoint tensor, v []float64) []float64 {
	gradient := make([]float64, len(v))
	for i, old := range v {
		v[i] = old + 1
		plus := dot(op.reference(x, kernel, stride).data, adjoint.data)
		v[i] = old - 1
		minus := dot(op.reference(x, kernel, stride).data, adjoint.data)
		v[i] = old
		gradient[i] = (plus - minus) / 2
	}
	return gradient
}

func assertClose(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*(1+math.Abs(want[i]))) {
			t.Fatalf("%s[%d] = %.12g, want %.12g", what, i, got[i], want[i])
		}
	}
}

// checkOperation compares value and both gradients with loops and differences.
func checkOperation(t *testing.T, backend compute.Backend, op operation, size, k, stride, in, out int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(size), uint64(100*k+stride)))
	x, kernel := randomTensor(random, 2, size, size+1, in), randomTensor(random, k, k, in, out)
	want := op.reference(x, kernel, stride)
	adjoint := randomTensor(random, want.dims...)
	got := valueAndGradients(t, backend, op, stride, x, kernel, adjoint)
	assertClose(t, "output", got[0], want.data, 1e-12)
	assertClose(t, "input gradient", got[1], differences(op, stride, x, kernel, adjoint, x.data), 1e-10)
	assertClose(t, "kernel gradient", got[2], differences(op, stride, x, kernel, adjoint, kernel.data), 1e-10)
}

// TestGradientsMatchDifferences covers every kernel size and stride, with sizes
// that leave 0, 1 and 2 trailing rows unread.
func TestGradientsMatchDifferences(t *testing.T) {
	backend := newBackend(t)
	for _, op := range operations() {
		for k := 1; k <= 7; k++ {
			for stride := 1; stride <= 3; stride++ {
				for rest := range stride {
					size := k + stride + rest
					if op.name == "transposed" {
						size = 2 + rest
					}
					t.Run(fmt.Sprintf("%s/k%d/s%d/n%d", op.name, k, stride, size), func(t *testing.T) {
						checkOperation(t, backend, op, size, k, stride, 2, 2)
					})
				}
			}
		}
	}
}

// TestGradientsMatchDifferencesOnModelShapes uses the spatial sizes of the
// paper's encoder (64, 31, 14, 6; kernel 4) and decoder (1, 5, 13, 30; kernels
// 5, 5, 6, 6) with one channel, stride 2.
func TestGradientsMatchDifferencesOnModelShapes(t *testing.T) {
	backend := newBackend(t)
	ops := operations()
	for _, size := range []int{6, 14, 31} {
		t.Run(fmt.Sprintf("conv/%d", size), func(t *testing.T) { checkOperation(t, backend, ops[0], size, 4, 2, 1, 1) })
	}
	for _, layer := range [][2]int{{1, 5}, {5, 5}, {13, 6}} {
		t.Run(fmt.Sprintf("transposed/%d", layer[0]), func(t *testing.T) {
			checkOperation(t, backend, ops[1], layer[0], layer[1], 2, 1, 1)
		})
	}
	t.Run("conv/64", func(t *testing.T) { checkLargeGradient(t, backend, ops[0], 64, 4) })
	t.Run("transposed/30", func(t *testing.T) { checkLargeGradient(t, backend, ops[1], 30, 6) })
}

// checkLargeGradient compares one random direction only: the operation is
// linear in x and in the kernel, so <gradient, v> must be <op(v), adjoint>.
func checkLargeGradient(t *testing.T, backend compute.Backend, op operation, size, k int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(size), uint64(k)))
	x, kernel := randomTensor(random, 1, size, size, 3), randomTensor(random, k, k, 3, 2)
	adjoint := randomTensor(random, op.reference(x, kernel, 2).dims...)
	got := valueAndGradients(t, backend, op, 2, x, kernel, adjoint)
	for i := range 4 {
		vx, vk := randomTensor(random, x.dims...), randomTensor(random, kernel.dims...)
		wantX := dot(op.reference(vx, kernel, 2).data, adjoint.data)
		wantK := dot(op.reference(x, vk, 2).data, adjoint.data)
		assertClose(t, fmt.Sprintf("directions %d", i), []float64{dot(got[1], vx.data), dot(got[2], vk.data)}, []float64{wantX, wantK}, 1e-10)
	}
}

// TestTransposedIsAdjoint checks <conv(x), y> = <x, transposed(y)> for one
// kernel: in correlation order the transposed convolution takes it reversed,
// with channels exchanged.
func TestTransposedIsAdjoint(t *testing.T) {
	backend := newBackend(t)
	random := rand.New(rand.NewPCG(1, 2))
	ops := operations()
	for _, layer := range []struct{ size, k int }{{14, 4}, {13, 5}, {30, 6}} {
		x, kernel := randomTensor(random, 2, layer.size, layer.size, 3), randomTensor(random, layer.k, layer.k, 3, 4)
		y := randomTensor(random, naiveConv(x, kernel, 2).dims...)
		flipped := newTensor(layer.k, layer.k, 4, 3)
		for i := range layer.k * layer.k * 12 {
			p, q, c, d := i/12/layer.k, i/12%layer.k, i/4%3, i%4
			*flipped.at(layer.k-1-p, layer.k-1-q, d, c) = *kernel.at(p, q, c, d)
		}
		forward := valueAndGradients(t, backend, ops[0], 2, x, kernel, y)
		back := valueAndGradients(t, backend, ops[1], 2, y, flipped, x)
		assertClose(t, fmt.Sprintf("adjoint of size %d", layer.size),
			[]float64{dot(forward[0], y.data)}, []float64{dot(back[0], x.data)}, 1e-12)
	}
}

// TestSecondDerivative differentiates the gradient itself: the convolutions the
// gradient adds are in the table too, with strides, dilations and negative
// padding. f = <conv(x, k), conv(x, k)>/2 is quadratic, so the Hessian applied
// to v is exact by differences of the gradient.
func TestSecondDerivative(t *testing.T) {
	backend := newBackend(t)
	random := rand.New(rand.NewPCG(3, 4))
	x, kernel, v := randomTensor(random, 1, 7, 7, 2), randomTensor(random, 4, 4, 2, 2), randomTensor(random, 1, 7, 7, 2)
	input := func(name string, v tensor) gx.Input {
		return gx.Input{Name: name, Shape: shapes.Make(dtypes.Float64, v.dims...)}
	}
	program, err := gx.Compile(backend, "hessian", []gx.Input{input("x", x), input("kernel", kernel), input("v", v)},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
			f := graph.MulScalar(graph.ReduceAllSum(graph.Square(gx.Conv2D(in[0], in[1], 2))), 0.5)
			gradient := graph.Gradient(f, in[0])[0]
			return []*graph.Node{graph.Gradient(graph.ReduceAllSum(graph.Mul(gradient, in[2])), in[0])[0]}
		})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	out, err := program.Run(t.Context(), []compute.Buffer{
		upload(t, backend, x.data, x.dims...), upload(t, backend, kernel.data, kernel.dims...), upload(t, backend, v.data, v.dims...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, len(x.data))
	if err := gx.DownloadInto(out[0], got); err != nil {
		t.Fatal(err)
	}
	// H v is convT(conv(v)): compare <w, H v> with <conv(w), conv(v)>.
	w := randomTensor(random, x.dims...)
	want := dot(naiveConv(w, kernel, 2).data, naiveConv(v, kernel, 2).data)
	assertClose(t, "w.H.v", []float64{dot(got, w.data)}, []float64{want}, 1e-11)
}

func TestConvolutionRefusesBadOperands(t *testing.T) {
	backend := newBackend(t)
	for name, test := range map[string]struct {
		x, kernel []int
		stride    int
	}{
		"rank":     {[]int{2, 8, 8}, []int{3, 3, 1, 1}, 1},
		"channels": {[]int{1, 8, 8, 2}, []int{3, 3, 1, 1}, 1},
		"stride":   {[]int{1, 8, 8, 1}, []int{3, 3, 1, 1}, 0},
	} {
		for _, op := range operations() {
			_, err := gx.Compile(backend, "bad", []gx.Input{f32("x", test.x...), f32("kernel", test.kernel...)},
				func(_ *graph.Graph, in []*graph.Node) []*graph.Node {
					return []*graph.Node{op.graph(in[0], in[1], test.stride)}
				})
			if err == nil {
				t.Errorf("%s %s: accepted", op.name, name)
			}
		}
	}
}
