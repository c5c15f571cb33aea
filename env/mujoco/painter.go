//go:build mujoco

package mujoco

import (
	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/env/mujoco/internal/mj"
)

// painter draws the scene as camera 0 sees it.
type painter interface {
	draw(dst []byte, d *mj.Data) error
	close() error
}

type blank struct{}

func (blank) draw([]byte, *mj.Data) error { return nil }
func (blank) close() error                { return nil }

func newPainter(*sim, choices, env.ImageSpec) (painter, error) { return blank{}, nil }
