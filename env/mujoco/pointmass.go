//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/env/control"
	"github.com/orrery-rl/orrery/internal/rng"
)

// pointMass is a ball on a table, pushed along two directions.
type pointMass struct {
	*sim
	mass, target int  // geoms
	hard         bool // directions are drawn, instead of along x and y
	near, small  control.Tolerance
}

func newPointMass(s *sim, f *finder, hard bool) *pointMass {
	p := &pointMass{sim: s, mass: f.geom("pointmass"), target: f.geom("target"), hard: hard}
	size := point(s.model.GeomSize(), p.target)[0]
	p.near = f.tolerance(0, size, size, control.Gaussian, 0.1)
	p.small = f.tolerance(0, 0, 1, control.Quadratic, 0)
	return p
}

func (p *pointMass) start(draw *rng.Stream) error {
	p.randomJoints(draw)
	if p.hard {
		x1, y1 := direction(draw)
		x2, y2 := direction(draw)
		for math.Abs(x1*x2+y1*y2) > 0.9 { // too nearly parallel
			x2, y2 = direction(draw)
		}
		p.push(x1, y1, x2, y2)
	}
	return nil
}

// push makes the two controls act along these directions.
func (p *pointMass) push(x1, y1, x2, y2 float64) {
	copy(p.model.WrapPrm(), []float64{x1, y1, x2, y2})
}

// direction draws from the unit circle.
func direction(draw *rng.Stream) (x, y float64) {
	x, y = draw.NormFloat64(), draw.NormFloat64()
	length := math.Sqrt(x*x + y*y)
	return x / length, y / length
}

func (p *pointMass) names() []string {
	return []string{"x_m", "y_m", "velocity_x_mps", "velocity_y_mps"}
}

func (p *pointMass) observe(dst []float64) []float64 {
	return append(append(dst, p.data.Qpos()...), p.data.Qvel()...)
}

// reward is that of being near the target, less a little for large controls.
func (p *pointMass) reward() float64 {
	all := p.data.GeomXpos()
	near := p.near.At(distance(point(all, p.target), point(all, p.mass)))
	return near * smallControls(p.small, p.data.Ctrl())
}
