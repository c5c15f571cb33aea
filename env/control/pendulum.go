package control

import (
	"math"

	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// The numbers of the suite's pendulum.xml, in SI units.
const (
	pendulumStep    = 0.02
	pendulumLength  = 0.5
	pendulumMass    = 1.0
	pendulumBall    = 0.05 // radius
	pendulumDamping = 0.1
	pendulumHeight  = 0.6
	pendulumInertia = pendulumMass * (pendulumLength*pendulumLength + 0.4*pendulumBall*pendulumBall)
)

func pendulumTask() task {
	return task{
		name: "pendulum-swingup", description: "swing a weak pendulum up and keep it upright (control suite)",
		actions: 1, repeat: 4, scene: pendulumScene,
		vector: []string{"pole_cos", "pole_sin", "velocity_radps"},
		start:  func() (domain, error) { return &pendulum{}, nil },
	}
}

// pendulum is a ball on a massless pole, 0 when upright; angle in rad and its
// velocity.
type pendulum struct{ angle, velocity float64 }

func (p *pendulum) reset(draw *rng.Stream) { *p = pendulum{angle: uniform(draw, math.Pi)} }

// step is MuJoCo's semi-implicit Euler method with implicit damping.
func (p *pendulum) step(control []float64) {
	load := clamp(control[0]) - pendulumDamping*p.velocity + pendulumMass*gravity*pendulumLength*math.Sin(p.angle)
	p.velocity += pendulumStep * load / (pendulumInertia + pendulumStep*pendulumDamping)
	p.angle += pendulumStep * p.velocity
}

// reward is 1 within 8 degrees of upright.
func (p *pendulum) reward([]float64) float64 {
	if math.Cos(p.angle) >= math.Cos(8*math.Pi/180) {
		return 1
	}
	return 0
}

func (p *pendulum) vector() []float32 {
	sin, cos := math.Sincos(p.angle)
	return []float32{float32(cos), float32(sin), float32(p.velocity)}
}

func (p *pendulum) geoms() []render.Geom {
	sin, cos := math.Sincos(p.angle)
	hinge := render.Vec3{Z: pendulumHeight}
	tip := render.Vec3{X: pendulumLength * sin, Z: pendulumHeight + pendulumLength*cos}
	return []render.Geom{
		render.Segment(render.Capsule, hinge, tip, 0.02, selfMaterial()),
		ball(tip, pendulumBall, effectorMaterial()),
	}
}

// pendulumScene is what never moves: floor, hinge, light and camera 0.
func pendulumScene() render.Scene {
	const diagonal = math.Sqrt2 / 2
	return render.Scene{
		Camera: render.Camera{
			Position: render.Vec3{Y: -1.5, Z: 2},
			Frame: render.Frame{
				X: render.Vec3{X: 1}, Y: render.Vec3{Y: diagonal, Z: diagonal}, Z: render.Vec3{Y: -diagonal, Z: diagonal},
			},
			FovY: 45,
		},
		Headlight: suiteHeadlight(), Light: spotLight(2), Sky: suiteSky(),
		Fixed: []render.Geom{
			suiteFloor(2, 0),
			render.Segment(render.Cylinder, render.Vec3{Y: -0.03, Z: pendulumHeight}, render.Vec3{Y: 0.03, Z: pendulumHeight}, 0.021, decorationMaterial()),
		},
	}
}
