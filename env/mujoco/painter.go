//go:build mujoco

package mujoco

import (
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
)

// camera is the one that all tasks are seen by.
const camera = 0

// painter draws the scene as a camera sees it: [height, width, 3] bytes from the
// top left. Positions in the data are up to date.
type painter interface {
	RenderInto(dst []byte, d *mj.Data, camera int) error
	Close()
}

// newPainter returns what c asks for.
func newPainter(s *sim, c choices, image env.ImageSpec) (painter, error) {
	options := mj.Options{Width: image.Width, Height: image.Height, GL: c.gl, Quality: mj.Suite}
	switch c.render {
	case RenderGo:
		return mj.NewCaster(s.model, options)
	case RenderFast:
		options.Quality = mj.Fast
	}
	return mj.NewRenderer(s.model, options)
}
