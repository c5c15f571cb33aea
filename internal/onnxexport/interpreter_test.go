package onnxexport

import (
	"math"
	"slices"
	"strconv"
	"testing"
)

// array is a tensor of any element type, row-major.
type array struct {
	dims   []int
	values []float64
}

func zeros(dims ...int) array { return array{dims, make([]float64, size(dims))} }

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

func dimension(f field) string {
	if f.number == 2 {
		return string(f.bytes)
	}
	return strconv.FormatUint(f.number64, 10)
}

// run evaluates a graph operator by operator in float64, straight from the
// definitions in ONNX's Operators.md, for the attributes that the exporter uses.
func (p parsed) run(t *testing.T, inputs map[string]array) map[string]array {
	t.Helper()
	values := map[string]array{}
	for name, a := range p.values {
		values[name] = a
	}
	for _, in := range p.inputs {
		a, ok := inputs[in.name]
		if !ok {
			t.Fatalf("the graph reads %s", in.name)
		}
		for i, d := range in.dims[1:] {
			if strconv.Itoa(a.dims[i+1]) != d {
				t.Fatalf("%s is declared as %v, given %v", in.name, in.dims, a.dims)
			}
		}
		values[in.name] = a
	}
	for _, n := range p.nodes {
		var x []array
		for _, name := range n.inputs {
			a, ok := values[name]
			if !ok {
				t.Fatalf("%s reads %q, which is not there yet", n.op, name)
			}
			x = append(x, a)
		}
		for i, result := range evaluate(t, n, x) {
			if _, taken := values[n.outputs[i]]; taken {
				t.Fatalf("%s is computed twice", n.outputs[i])
			}
			values[n.outputs[i]] = result
		}
	}
	out := map[string]array{}
	for _, o := range p.outputs {
		a := values[o.name]
		if len(a.dims) != len(o.dims) {
			t.Fatalf("%s is declared as %v, computed as %v", o.name, o.dims, a.dims)
		}
		for i, d := range o.dims[1:] {
			if strconv.Itoa(a.dims[i+1]) != d {
				t.Fatalf("%s is declared as %v, computed as %v", o.name, o.dims, a.dims)
			}
		}
		out[o.name] = a
	}
	return out
}

var unary = map[string]func(float64) float64{
	"Relu": func(v float64) float64 { return max(v, 0) }, "Tanh": math.Tanh, "Exp": math.Exp, "Log": math.Log, "Abs": math.Abs, "Floor": math.Floor,
	"Sigmoid": func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }, "Softplus": func(v float64) float64 { return math.Log(1 + math.Exp(v)) },
	"Sign": func(v float64) float64 {
		switch {
		case v > 0:
			return 1
		case v < 0:
			return -1
		}
		return 0
	},
	"Identity": func(v float64) float64 { return v }, "Cast": func(v float64) float64 { return v },
}

var pairwise = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b },
}

func evaluate(t *testing.T, n parsedNode, x []array) []array {
	t.Helper()
	if f := unary[n.op]; f != nil {
		out := zeros(x[0].dims...)
		for i, v := range x[0].values {
			out.values[i] = f(v)
		}
		return []array{out}
	}
	if f := pairwise[n.op]; f != nil {
		out := zeros(x[0].dims...)
		if len(x[1].dims) > 0 && !slices.Equal(x[0].dims, x[1].dims) {
			t.Fatalf("%s of %v and %v", n.op, x[0].dims, x[1].dims)
		}
		for i, v := range x[0].values {
			out.values[i] = f(v, x[1].values[i%len(x[1].values)])
		}
		return []array{out}
	}
	switch n.op {
	case "Gemm":
		return []array{product(x[0], x[1], x[2].values)}
	case "MatMul":
		return []array{product(x[0], x[1], make([]float64, x[1].dims[1]))}
	case "Concat":
		return []array{concat(x)}
	case "Split":
		return split(x[0], x[1].values)
	case "Transpose":
		return []array{transpose(x[0], n.ints["perm"])}
	case "Flatten":
		return []array{{[]int{x[0].dims[0], size(x[0].dims[1:])}, x[0].values}}
	case "Reshape":
		return []array{reshape(x[0], x[1].values)}
	case "Conv":
		return []array{convolve(x[0], x[1], x[2].values, n.ints["strides"])}
	case "ConvTranspose":
		return []array{convolveTransposed(x[0], x[1], x[2].values, n.ints["strides"])}
	}
	t.Fatalf("operator %s", n.op)
	return nil
}

func product(x, w array, bias []float64) array {
	rows, in, cols := x.dims[0], w.dims[0], w.dims[1]
	out := zeros(rows, cols)
	for r := range rows {
		for c := range cols {
			sum := bias[c]
			for k := range in {
				sum += x.values[r*in+k] * w.values[k*cols+c]
			}
			out.values[r*cols+c] = sum
		}
	}
	return out
}

// concat joins matrices along axis 1.
func concat(x []array) array {
	out := array{dims: []int{x[0].dims[0], 0}}
	for _, a := range x {
		out.dims[1] += a.dims[1]
	}
	for r := range out.dims[0] {
		for _, a := range x {
			out.values = append(out.values, a.values[r*a.dims[1]:][:a.dims[1]]...)
		}
	}
	return out
}

// split cuts a matrix along axis 1.
func split(x array, sizes []float64) (out []array) {
	from := 0
	for _, s := range sizes {
		part := array{dims: []int{x.dims[0], int(s)}}
		for r := range x.dims[0] {
			part.values = append(part.values, x.values[r*x.dims[1]+from:][:int(s)]...)
		}
		out, from = append(out, part), from+int(s)
	}
	return out
}

func reshape(x array, to []float64) array {
	dims, free, known := make([]int, len(to)), -1, 1
	for i, d := range to {
		switch d {
		case -1:
			free = i
			continue
		case 0:
			dims[i] = x.dims[i]
		default:
			dims[i] = int(d)
		}
		known *= dims[i]
	}
	if free >= 0 {
		dims[free] = len(x.values) / known
	}
	return array{dims, x.values}
}

func transpose(x array, axes []int) array {
	out := zeros(x.dims...)
	for i, a := range axes {
		out.dims = append(slices.Clone(out.dims[:i]), append([]int{x.dims[a]}, out.dims[i+1:]...)...)
	}
	for i, v := range x.values {
		at, rest := make([]int, len(x.dims)), i
		for k := len(x.dims) - 1; k >= 0; k-- {
			at[k], rest = rest%x.dims[k], rest/x.dims[k]
		}
		to := 0
		for k, a := range axes {
			to = to*out.dims[k] + at[a]
		}
		out.values[to] = v
	}
	return out
}

// convolve is x [N, C, H, W] with w [M, C, kH, kW].
func convolve(x, w array, bias []float64, strides []int) array {
	n, c, h, wd := x.dims[0], x.dims[1], x.dims[2], x.dims[3]
	m, kh, kw := w.dims[0], w.dims[2], w.dims[3]
	oh, ow := (h-kh)/strides[0]+1, (wd-kw)/strides[1]+1
	out := zeros(n, m, oh, ow)
	each(n, m, oh, ow, func(b, o, i, j int) {
		sum := bias[o]
		each(c, kh, kw, 1, func(k, p, q, _ int) {
			sum += x.values[((b*c+k)*h+i*strides[0]+p)*wd+j*strides[1]+q] * w.values[((o*c+k)*kh+p)*kw+q]
		})
		out.values[((b*m+o)*oh+i)*ow+j] = sum
	})
	return out
}

// convolveTransposed is x [N, C, H, W] with w [C, M, kH, kW].
func convolveTransposed(x, w array, bias []float64, strides []int) array {
	n, c, h, wd := x.dims[0], x.dims[1], x.dims[2], x.dims[3]
	m, kh, kw := w.dims[1], w.dims[2], w.dims[3]
	oh, ow := (h-1)*strides[0]+kh, (wd-1)*strides[1]+kw
	out := zeros(n, m, oh, ow)
	each(n, m, oh, ow, func(b, o, i, j int) { out.values[((b*m+o)*oh+i)*ow+j] = bias[o] })
	each(n, c, h, wd, func(b, k, i, j int) {
		each(m, kh, kw, 1, func(o, p, q, _ int) {
			out.values[((b*m+o)*oh+i*strides[0]+p)*ow+j*strides[1]+q] += x.values[((b*c+k)*h+i)*wd+j] * w.values[((k*m+o)*kh+p)*kw+q]
		})
	})
	return out
}

func each(a, b, c, d int, f func(i, j, k, l int)) {
	for i := range a {
		for j := range b {
			for k := range c {
				for l := range d {
					f(i, j, k, l)
				}
			}
		}
	}
}
