package learn

import (
	"context"
	"errors"
	"testing"

	"github.com/gomlx/compute"
)

var errNoGraph = errors.New("this graph cannot be compiled")

// stubborn is a backend that fails to compile one graph.
type stubborn struct {
	compute.Backend
	left int // graphs before that one
}

// Builder implements compute.Backend.
func (s *stubborn) Builder(name string) compute.Builder {
	return &stubbornBuilder{s.Backend.Builder(name), s}
}

type stubbornBuilder struct {
	compute.Builder
	of *stubborn
}

// Compile implements compute.Builder.
func (b *stubbornBuilder) Compile() (compute.Executable, error) {
	if b.of.left--; b.of.left == -1 {
		return nil, errNoGraph
	}
	return b.Builder.Compile()
}

// TestGraphsThatCannotBeCompiledAreErrors: whichever it is, of a run that collects
// and shows itself, and of one that does not collect.
func TestGraphsThatCannotBeCompiledAreErrors(t *testing.T) {
	data := openData(t, recorded(t, 4))
	for name, open := range map[string]func(*stubborn) (interface{ Close() error }, error){
		"collecting": func(s *stubborn) (interface{ Close() error }, error) {
			p := several(t, t.TempDir(), 2, plain)
			p.Backend, p.Live = s, &gallery{}
			return Open(context.Background(), p)
		},
		"offline": func(s *stubborn) (interface{ Close() error }, error) {
			p := offline(t, t.TempDir(), data)
			p.Backend = s
			return OpenOffline(context.Background(), p)
		},
	} {
		backend, graphs := newBackend(t), 0
		for ; ; graphs++ {
			r, err := open(&stubborn{backend, graphs})
			if err == nil {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				break
			}
			if !errors.Is(err, errNoGraph) {
				t.Fatalf("%s, graph %d: %v", name, graphs, err)
			}
		}
		if graphs < 4 {
			t.Errorf("%s has %d graphs only", name, graphs)
		}
	}
}
