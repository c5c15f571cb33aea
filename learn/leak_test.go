package learn

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/orrery-rl/orrery/internal/rng"
	"github.com/orrery-rl/orrery/metrics"
)

// scarce is a backend whose uploads fail from the n-th on; it remembers the
// buffers of those that did not.
type scarce struct {
	compute.Backend
	left    int
	buffers []compute.Buffer
}

func (s *scarce) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	if s.left--; s.left < 0 {
		return nil, syscall.ENOMEM
	}
	buf, err := s.Backend.BufferFromFlatData(device, flat, shape)
	s.buffers = append(s.buffers, buf)
	return buf, err
}

// live is the number of buffers that nobody has released.
func (s *scarce) live() int {
	n := 0
	for _, b := range s.buffers {
		if shape, err := b.Shape(); err == nil && shape.Ok() {
			n++
		}
	}
	return n
}

// TestFailedUploadsLeaveNothing fails the first, the second, … upload.
func TestFailedUploadsLeaveNothing(t *testing.T) {
	e := newToy(t)
	p := parts(t, t.TempDir(), e)
	b := &scarce{Backend: p.Backend, left: 1 << 30}
	l, err := NewLearner(b, p.Model, p.Optimiser, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	values := p.Model.InitParams(rng.New(1, "init"))
	if err := l.SetState(values, zeros(values), zeros(values)); err != nil {
		t.Fatal(err)
	}
	if live := b.live(); live != 3*len(values) {
		t.Fatalf("%d buffers are alive: the test cannot see them", live)
	}
	played, err := PlayRandom(context.Background(), e, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	uploads := 3 * len(values)
	for name, f := range map[string]func() error{
		"set state": func() error { return l.SetState(values, zeros(values), zeros(values)) },
		"dream": func() error {
			_, err := Dream(context.Background(), b, p.Model, l.Params(), played, 2, 5, rng.New(1, "dream"))
			return err
		},
	} {
		for n := 0; ; n++ {
			b.left, b.buffers = n, nil
			if err := f(); err == nil {
				break
			} else if !errors.Is(err, syscall.ENOMEM) {
				t.Fatalf("%s, upload %d: %v", name, n, err)
			}
			if len(b.buffers) != n || b.live() > 0 {
				t.Fatalf("%s: of %d buffers before the failure %d are left", name, len(b.buffers), b.live())
			}
			if n > uploads {
				t.Fatalf("%s does not end", name)
			}
		}
	}
}

// closing is a listener that counts how often it is closed.
type closing struct{ closed int }

func (*closing) Write(metrics.Event) error { return nil }
func (c *closing) Close() error            { c.closed++; return nil }

func TestAnOpenThatFailsClosesTheListeners(t *testing.T) {
	for name, spoil := range map[string]func(*Parts){
		"early": func(p *Parts) { p.Schedule.BatchSize = 0 },
		"late":  func(p *Parts) { p.Dir = filepath.Join(p.Dir, "file") },
		"never": func(*Parts) {},
	} {
		p, c := parts(t, t.TempDir(), newToy(t)), &closing{}
		p.Listeners = []metrics.Sink{c}
		if err := os.WriteFile(filepath.Join(p.Dir, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		spoil(&p)
		r, err := Open(context.Background(), p)
		if name == "never" {
			if err != nil {
				t.Fatal(err)
			}
			err = r.Close()
		} else if err == nil {
			t.Errorf("%s: it was opened", name)
			err = r.Close()
		}
		if c.closed != 1 {
			t.Errorf("%s: closed %d times (%v)", name, c.closed, err)
		}
	}
}
