package control

import (
	"errors"
	"math"

	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// The numbers of the suite's point_mass.xml, in SI units.
const (
	pointStep    = 0.02
	pointMassKg  = 0.3
	pointDamping = 1.0
	pointGear    = 0.1 // N per unit of control
	pointReach   = 0.29
	pointRadius  = 0.01
	pointTarget  = 0.015 // radius of the target
)

func pointMassTask() task {
	return task{
		name: "point-mass-easy", description: "push a point mass to the middle of a square (control suite)",
		actions: 2, repeat: 4, scene: arenaScene,
		vector: []string{"x_m", "y_m", "velocity_x_mps", "velocity_y_mps"},
		start: func() (domain, error) {
			near, err1 := NewTolerance(0, pointTarget, pointTarget, Gaussian, 0.1)
			small, err2 := NewTolerance(0, 0, 1, Quadratic, 0)
			return &pointMass{near: near, small: small}, errors.Join(err1, err2)
		},
	}
}

// pointMass is a ball on two slides with a target at the origin.
type pointMass struct {
	position, velocity pair
	near, small        Tolerance
}

func (p *pointMass) reset(draw *rng.Stream) {
	p.position = pair{uniform(draw, pointReach), uniform(draw, pointReach)}
	p.velocity = pair{}
}

// step is MuJoCo's semi-implicit Euler method with implicit damping; the slides
// do not act on each other.
func (p *pointMass) step(control []float64) {
	limit := softLimit{reach: pointReach, timeConstant: 2 * pointStep, inverse: 1 / pointMassKg}
	for i := range p.position {
		load := pointGear*clamp(control[i]) - pointDamping*p.velocity[i]
		load += limit.force(p.position[i], p.velocity[i], load/pointMassKg, 1/pointMassKg)
		p.velocity[i] += pointStep * load / (pointMassKg + pointStep*pointDamping)
		p.position[i] += pointStep * p.velocity[i]
	}
}

// reward is that of being near the target, less a little for large controls.
func (p *pointMass) reward(control []float64) float64 {
	small := (p.small.At(control[0]) + p.small.At(control[1])) / 2
	return p.near.At(math.Hypot(p.position[0], p.position[1])) * (4 + small) / 5
}

func (p *pointMass) vector() []float32 {
	return []float32{float32(p.position[0]), float32(p.position[1]), float32(p.velocity[0]), float32(p.velocity[1])}
}

func (p *pointMass) geoms() []render.Geom {
	at := render.Vec3{X: p.position[0], Y: p.position[1], Z: pointRadius}
	return []render.Geom{
		ball(at, pointRadius, selfMaterial()),
		ball(render.Vec3{Z: pointRadius}, pointTarget, targetMaterial()),
	}
}
