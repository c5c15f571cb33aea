package gx

import (
	"context"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// deviceLike is a backend whose memory the host cannot see.
type deviceLike struct{ compute.Backend }

func (deviceLike) HasSharedBuffers() bool { return false }

func TestStagedInputsAreReadAtEachRun(t *testing.T) {
	host, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Finalize()
	for name, backend := range map[string]compute.Backend{"shared": host, "device": deviceLike{host}} {
		t.Run(name, func(t *testing.T) {
			in := Input{Name: "x", Shape: shapes.Make(dtypes.Float32, 3)}
			p, err := Compile(backend, "double", []Input{in}, func(_ *graph.Graph, x []*graph.Node) []*graph.Node {
				return []*graph.Node{graph.Add(x[0], x[0])}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			staged, err := NewStaged[float32](backend, 3)
			if err != nil {
				t.Fatal(err)
			}
			defer staged.Close()
			for _, x := range []float32{1, 20} {
				copy(staged.Data, []float32{x, 2 * x, 3 * x})
				got := runStaged(t, p, staged)
				if want := []float32{2 * x, 4 * x, 6 * x}; !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
			if err := CloseAll(staged, nil, staged); err != nil {
				t.Errorf("closed twice: %v", err)
			}
		})
	}
}

func runStaged(t *testing.T, p *Program, staged ...*Staged[float32]) []float32 {
	t.Helper()
	bufs, err := Buffers(staged...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), bufs, nil)
	if err != nil {
		t.Fatal(err)
	}
	values, err := Download(out[0])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestStagedRefusesNegativeSizes(t *testing.T) {
	host, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Finalize()
	for _, backend := range []compute.Backend{host, deviceLike{host}} {
		if _, err := NewStaged[float32](backend, 2, -1); err == nil {
			t.Error("no error")
		}
	}
}
