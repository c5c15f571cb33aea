package film

import (
	"context"
	"errors"
	"image"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/toy"
	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
)

// dreamOf is a dream of n frames of 2x2 pixels, the real ones of value i, the
// model's of value 100+i.
func dreamOf(n, channels int) *learn.DreamResult {
	d := &learn.DreamResult{}
	d.Spec.Image = env.ImageSpec{Height: 2, Width: 2, Channels: channels}
	for i := range n {
		real, imagined := make([]byte, 4*channels), make([]byte, 4*channels)
		for k := range real {
			real[k], imagined[k] = byte(i), byte(100+i)
		}
		d.Real, d.Imagined = append(d.Real, real), append(d.Imagined, imagined)
		d.Rewards, d.PredictedRewards = append(d.Rewards, float64(i)), append(d.PredictedRewards, 0)
	}
	return d
}

func TestDreamShowsBothAndMarksWhatWasSeen(t *testing.T) {
	for _, channels := range []int{1, 3} {
		frames, err := Dream(dreamOf(4, channels), 2, 3)
		if err != nil || len(frames) != 4 {
			t.Fatalf("%d frames, %v", len(frames), err)
		}
		for i, f := range frames {
			if got := f.RGBAAt(0, 0).R; got != byte(i) {
				t.Errorf("frame %d: the real one shows %d", i, got)
			}
			below := f.RGBAAt(0, 6+3) // after the gap
			if seen := below == dreamColor; seen != (i < 2) {
				t.Errorf("frame %d: outlined %v (%v)", i, seen, below)
			}
			if i >= 2 && below.R != byte(100+i) {
				t.Errorf("frame %d: the model's shows %v", i, below)
			}
		}
	}
}

func TestStripsSpanFromFirstToLast(t *testing.T) {
	strip, err := DreamStrip(dreamOf(9, 3), 1, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strip.Bounds().Size(), image.Pt(3*2+2, 2*2+1); got != want {
		t.Fatalf("size %v, want %v", got, want)
	}
	for column, want := range []byte{0, 4, 8} {
		if got := strip.RGBAAt(3*column, 0).R; got != want {
			t.Errorf("column %d shows frame %d, want %d", column, got, want)
		}
	}
	if got := spaced(3, 10); len(got) != 3 || got[2] != 2 {
		t.Errorf("three frames in ten columns: %v", got)
	}
	if got := spaced(5, 1); len(got) != 1 || got[0] != 0 {
		t.Errorf("one column: %v", got)
	}
}

func TestStoredStrip(t *testing.T) {
	fsys := vfs.OS()
	stored := func(arrays ...npz.Array) string {
		path := filepath.Join(t.TempDir(), "000000.npz")
		if err := vfs.WriteFileDurable(fsys, path, func(w io.Writer) error { return npz.Write(w, arrays) }); err != nil {
			t.Fatal(err)
		}
		return path
	}
	strip, err := StoredStrip(fsys, stored(npz.Array{Name: "image", Dims: []int{3, 1, 1, 1}, Data: []byte{1, 2, 3}}), 2, 2)
	if err != nil || strip.Bounds().Size() != image.Pt(6, 2) || strip.RGBAAt(5, 1).G != 3 {
		t.Errorf("%v, %v", strip, err)
	}
	for name, path := range map[string]string{
		"no array":    stored(npz.Array{Name: "reward", Dims: []int{1}, Data: []float32{1}}),
		"no pixels":   stored(npz.Array{Name: "image", Dims: []int{3, 0, 0, 3}, Data: []byte{}}),
		"other types": stored(npz.Array{Name: "image", Dims: []int{1, 1, 1, 1}, Data: []float32{1}}),
	} {
		if _, err := StoredStrip(fsys, path, 2, 2); !errors.Is(err, ErrNoImages) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := StoredStrip(fsys, stored(npz.Array{Name: "image", Dims: []int{1, 1, 1, 2}, Data: []byte{1, 2}}), 1, 1); err == nil {
		t.Error("two channels are shown")
	}
	if _, err := StoredStrip(fsys, "absent.npz", 1, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// dot makes the toy environment with images of a size.
func dot(t *testing.T, size int) env.Env {
	t.Helper()
	r := env.NewRegistry()
	if err := toy.Register(r); err != nil {
		t.Fatal(err)
	}
	e, err := r.New("toy-dot", env.Options{Height: size, Width: size, BitDepth: 8})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// play gives the camera a few equal actions.
func play(t *testing.T, c *Camera, decisions int) error {
	t.Helper()
	if _, err := c.Reset(context.Background(), 7); err != nil {
		return err
	}
	for range decisions {
		if _, err := c.Step(context.Background(), make([]float32, c.Spec().Action.Size)); err != nil {
			return err
		}
	}
	return nil
}

func TestCameraFilmsTheTwinAndCountsTheReturn(t *testing.T) {
	c, err := NewCamera(dot(t, 16), dot(t, 64))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 { // a reset begins another film
		if err := play(t, c, 5); err != nil {
			t.Fatal(err)
		}
	}
	frames, err := c.Frames("episode 1", 1)
	if err != nil || len(frames) != 6 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	b := frames[0].Bounds()
	if b.Dx() != 64 || b.Dy() <= 64 {
		t.Errorf("frames of %v; want the twin's 64 pixels and a line beneath", b)
	}
	for i, f := range frames {
		if f.Bounds() != b || !f.Opaque() {
			t.Errorf("frame %d is unlike the first", i)
		}
	}
	if c.Return() == 0 {
		t.Error("no return was counted")
	}
}

// moody pays something else than its twin.
type moody struct{ env.Env }

func (m moody) Step(ctx context.Context, action []float32) (env.Transition, error) {
	t, err := m.Env.Step(ctx, action)
	t.Reward += 0.5
	return t, err
}

func TestTwinThatPlaysDifferentlyIsRefused(t *testing.T) {
	c, err := NewCamera(dot(t, 16), moody{dot(t, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := play(t, c, 1); err == nil || !strings.Contains(err.Error(), "does not play alike") {
		t.Errorf("error %v", err)
	}
}
