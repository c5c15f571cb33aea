//go:build mujoco

package mujoco

import (
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
)

// camera is the one that all tasks are seen by.
const camera = 0

// painter draws the scene as the camera sees it.
type painter interface {
	// draw fills dst with [height, width, 3] bytes from the top left. Positions in
	// d are up to date.
	draw(dst []byte, d *mj.Data) error
	close()
}

// newPainter returns what c asks for.
func newPainter(s *sim, c choices, image env.ImageSpec) (painter, error) {
	quality := mj.Suite
	if c.render == RenderFast {
		quality = mj.Fast
	}
	r, err := mj.NewRenderer(s.model, mj.Options{Width: image.Width, Height: image.Height, GL: c.gl, Quality: quality})
	if err != nil {
		return nil, err
	}
	return glPainter{r}, nil
}

// glPainter draws with MuJoCo's renderer.
type glPainter struct{ renderer *mj.Renderer }

func (p glPainter) draw(dst []byte, d *mj.Data) error { return p.renderer.RenderInto(dst, d, camera) }
func (p glPainter) close()                            { p.renderer.Close() }
