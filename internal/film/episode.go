package film

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/lettering"
	"github.com/orrery-rl/orrery/internal/media"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrNoImages marks an environment or an episode without images.
var ErrNoImages = errors.New("film: there are no images")

// maxStored bounds what a stored episode may hold, in bytes.
const maxStored = 1 << 30

// StoredStrip sets some frames of a stored episode (an .npz file) beside each
// other, from its first to its last.
func StoredStrip(fsys vfs.FS, path string, columns, scale int) (*image.RGBA, error) {
	images, err := storedImages(fsys, path)
	if err != nil {
		return nil, err
	}
	d := images.Dims
	pix, ok := images.Data.([]byte)
	if !ok || len(d) != 4 || len(pix) == 0 {
		return nil, fmt.Errorf("%w in %s", ErrNoImages, path)
	}
	size := d[1] * d[2] * d[3]
	var frames []*image.RGBA
	for _, i := range spaced(d[0], columns) {
		img, err := media.FromHWC(pix[i*size:][:size], d[1], d[2], d[3])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		frames = append(frames, media.Scale(img, scale))
	}
	return media.Row(scale, background, frames...), nil
}

func storedImages(fsys vfs.FS, path string) (npz.Array, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return npz.Array{}, fmt.Errorf("film: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return npz.Array{}, fmt.Errorf("film: %w", err)
	}
	file, err := npz.Open(f, info.Size(), maxStored)
	if err != nil {
		return npz.Array{}, fmt.Errorf("film: %s: %w", path, err)
	}
	if !slices.ContainsFunc(file.Headers(), func(h npz.Header) bool { return h.Name == "image" }) {
		return npz.Array{}, fmt.Errorf("%w in %s", ErrNoImages, path)
	}
	images, err := file.Read("image")
	if err != nil {
		return npz.Array{}, fmt.Errorf("film: %s: %w", path, err)
	}
	return images, nil
}

// Camera films the episode that is played in an environment. Where the agent's
// images are small, a twin of the environment with larger ones plays along: it
// is reset to the same seed and takes the same actions.
type Camera struct {
	env.Env
	twin  env.Env // nil: the agent's own images are filmed
	shots []shot
}

// shot is one moment: what is seen, and the return so far.
type shot struct {
	pix []byte
	sum float64
}

// NewCamera films e. twin may be nil; closing the camera closes both.
func NewCamera(e, twin env.Env) (*Camera, error) {
	c := &Camera{Env: e, twin: twin}
	if c.source().Spec().Image.Size() == 0 {
		return nil, fmt.Errorf("%w: %s shows none", ErrNoImages, e.Spec().Name)
	}
	return c, nil
}

// source is where pictures come from.
func (c *Camera) source() env.Env {
	if c.twin != nil {
		return c.twin
	}
	return c.Env
}

// Reset begins another film.
func (c *Camera) Reset(ctx context.Context, seed uint64) (env.Observation, error) {
	obs, err := c.Env.Reset(ctx, seed)
	if err != nil {
		return obs, err
	}
	seen := obs
	if c.twin != nil {
		if seen, err = c.twin.Reset(ctx, seed); err != nil {
			return obs, err
		}
	}
	c.shots = nil
	c.shoot(seen, 0)
	return obs, nil
}

// Step acts, and films what it leads to.
func (c *Camera) Step(ctx context.Context, action []float32) (env.Transition, error) {
	t, err := c.Env.Step(ctx, action)
	if err != nil {
		return t, err
	}
	seen := t
	if c.twin != nil {
		if seen, err = c.twin.Step(ctx, action); err != nil {
			return t, err
		}
		if seen.Reward != t.Reward || seen.Ended() != t.Ended() {
			return t, fmt.Errorf("film: %s does not play alike twice from one seed (rewards %g and %g); film the agent's own images instead", c.Spec().Name, t.Reward, seen.Reward)
		}
	}
	c.shoot(seen.Observation, c.shots[len(c.shots)-1].sum+t.Reward)
	return t, nil
}

func (c *Camera) shoot(obs env.Observation, sum float64) {
	c.shots = append(c.shots, shot{append([]byte(nil), obs.Image...), sum})
}

// Close closes the environments.
func (c *Camera) Close() error {
	if c.twin == nil {
		return c.Env.Close()
	}
	return errors.Join(c.twin.Close(), c.Env.Close())
}

// Frames are the film, enlarged by scale, with a line of text beneath that has
// the title, the decision and the return so far.
func (c *Camera) Frames(title string, scale int) ([]*image.RGBA, error) {
	spec := c.source().Spec()
	width := spec.Image.Width * scale
	size := min(max(float64(width)/18, 9), 18)
	face, err := lettering.New(size, false)
	if err != nil {
		return nil, err
	}
	defer face.Close()
	var frames []*image.RGBA
	for i, s := range c.shots {
		img, err := specFrame(s.pix, spec)
		if err != nil {
			return nil, err
		}
		text := fmt.Sprintf("%s   decision %d   return %.1f", title, i, s.sum)
		frames = append(frames, media.Stack(0, background, media.Scale(img, scale), caption(width, face, int(1.8*size), text)))
	}
	return frames, nil
}

// Return is what the episode has returned so far.
func (c *Camera) Return() float64 {
	if len(c.shots) == 0 {
		return 0
	}
	return c.shots[len(c.shots)-1].sum
}
