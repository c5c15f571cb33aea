package gx_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/orrery-rl/orrery/internal/gx"
)

func newBackend(t testing.TB) compute.Backend {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backend.Finalize)
	return backend
}

func upload[T float32 | float64 | int32](t testing.TB, backend compute.Backend, data []T, dims ...int) compute.Buffer {
	t.Helper()
	buf, err := gx.Upload(backend, data, dims...)
	if err != nil {
		t.Fatal(err)
	}
	return buf
}

func f32(name string, dims ...int) gx.Input {
	return gx.Input{Name: name, Shape: shapes.Make(dtypes.Float32, dims...)}
}

// scale is y = x*factor with x [2, 3] and a scalar factor.
func scale(t *testing.T, backend compute.Backend) *gx.Program {
	t.Helper()
	program, err := gx.Compile(backend, "scale", []gx.Input{f32("x", 2, 3), f32("factor")},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return []*graph.Node{graph.Mul(in[0], in[1])} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(program.Close)
	return program
}

func TestRunComputesOnBuffers(t *testing.T) {
	backend := newBackend(t)
	program := scale(t, backend)
	x, factor := upload(t, backend, []float32{1, 2, 3, 4, 5, 6}, 2, 3), upload(t, backend, []float32{2})
	out, err := program.Run(t.Context(), []compute.Buffer{x, factor}, []bool{true, false})
	if err != nil {
		t.Fatal(err)
	}
	got, err := gx.Download(out[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{2, 4, 6, 8, 10, 12}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := shapes.Make(dtypes.Float32, 2, 3); !program.Outputs()[0].Equal(want) {
		t.Errorf("output shape %s, want %s", program.Outputs()[0], want)
	}
	if err := gx.Finalize(out[0], nil, factor); err != nil {
		t.Errorf("finalize: %v", err)
	}
}

func TestRunNamesTheWrongInput(t *testing.T) {
	backend := newBackend(t)
	program := scale(t, backend)
	x, factor := upload(t, backend, make([]float32, 6), 2, 3), upload(t, backend, []float32{2})
	tests := []struct {
		name   string
		inputs []compute.Buffer
		donate []bool
		want   string
	}{
		{"too few", []compute.Buffer{x}, nil, "got 1 buffers, want 2"},
		{"transposed", []compute.Buffer{upload(t, backend, make([]float32, 6), 3, 2), factor}, nil, `input 0 "x" has shape`},
		{"element type", []compute.Buffer{x, upload(t, backend, []float64{2})}, nil, `input 1 "factor" has shape`},
		{"nil", []compute.Buffer{x, nil}, nil, `input 1 "factor" is nil`},
		{"flags", []compute.Buffer{x, factor}, []bool{true}, "1 donate flags for 2 buffers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := program.Run(t.Context(), test.inputs, test.donate)
			if !errors.Is(err, gx.ErrInput) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one that contains %q", err, test.want)
			}
		})
	}
}

func TestRunHonoursContextAndClose(t *testing.T) {
	backend := newBackend(t)
	program := scale(t, backend)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := program.Run(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled run: got %v", err)
	}
	program.Close()
	if _, err := program.Run(t.Context(), nil, nil); !errors.Is(err, gx.ErrClosed) {
		t.Errorf("closed run: got %v", err)
	}
}

func TestCompileReturnsPanicsAsErrors(t *testing.T) {
	backend := newBackend(t)
	build := func(f func(x *graph.Node) []*graph.Node) error {
		_, err := gx.Compile(backend, "bad", []gx.Input{f32("x", 2, 3)},
			func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return f(in[0]) })
		return err
	}
	var shapeErr *gx.ShapeError
	err := build(func(x *graph.Node) []*graph.Node { gx.CheckShape("images", x, 3, 2); return []*graph.Node{x} })
	if !errors.As(err, &shapeErr) || shapeErr.Tensor != "images" {
		t.Errorf("CheckShape: got %v", err)
	}
	for name, f := range map[string]func(x *graph.Node) []*graph.Node{
		"mismatched product": func(x *graph.Node) []*graph.Node { return []*graph.Node{graph.Dot(x, x).MatMul()} },
		"no outputs":         func(*graph.Node) []*graph.Node { return nil },
		"nil output":         func(*graph.Node) []*graph.Node { return []*graph.Node{nil} },
		"repeated output":    func(x *graph.Node) []*graph.Node { y := graph.Neg(x); return []*graph.Node{y, y} },
	} {
		if err := build(f); err == nil || !strings.Contains(err.Error(), `gx: compile "bad"`) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestCompileDoesNotHideBugs(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an index out of range inside build was swallowed")
		}
	}()
	_, _ = gx.Compile(newBackend(t), "bug", []gx.Input{f32("x")},
		func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return in[len(in):][:1:1][1:2] })
}

func TestCompileChecksInputs(t *testing.T) {
	backend := newBackend(t)
	for name, inputs := range map[string][]gx.Input{
		"unnamed":  {f32("")},
		"repeated": {f32("x"), f32("x")},
		"shape":    {{Name: "x"}},
	} {
		_, err := gx.Compile(backend, "bad", inputs,
			func(_ *graph.Graph, in []*graph.Node) []*graph.Node { return in })
		if !errors.Is(err, gx.ErrInput) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestBuffersRejectWrongData(t *testing.T) {
	backend := newBackend(t)
	if _, err := gx.Upload(backend, make([]float32, 5), 2, 3); !errors.Is(err, gx.ErrBuffer) {
		t.Errorf("upload of 5 values as [2 3]: got %v", err)
	}
	if _, err := gx.Upload(backend, make([]float32, 6), -2, -3); !errors.Is(err, gx.ErrBuffer) {
		t.Errorf("upload with negative sizes: got %v", err)
	}
	buf := upload(t, backend, []int32{1, 2}, 2)
	if _, err := gx.Download(buf); !errors.Is(err, gx.ErrBuffer) {
		t.Errorf("float32 download of int32: got %v", err)
	}
	if err := gx.DownloadInto(buf, make([]int32, 3)); !errors.Is(err, gx.ErrBuffer) {
		t.Errorf("download into 3 values: got %v", err)
	}
	if _, err := gx.View[float32](buf); !errors.Is(err, gx.ErrBuffer) {
		t.Errorf("float32 view of int32: got %v", err)
	}
}

func TestSharedBufferIsReadInPlace(t *testing.T) {
	backend := newBackend(t)
	program := scale(t, backend)
	x, data, err := gx.NewShared[float32](backend, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	factor := upload(t, backend, []float32{10})
	for round := range 2 {
		for i := range data {
			data[i] = float32(round + i)
		}
		out, err := program.Run(t.Context(), []compute.Buffer{x, factor}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gx.View[float32](out[0])
		if err != nil {
			t.Fatal(err)
		}
		if want := float32(10 * (round + 5)); got[5] != want {
			t.Errorf("round %d: last value %v, want %v", round, got[5], want)
		}
	}
}
