package control

import (
	"math"

	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// The numbers of the suite's acrobot.xml, in SI units.
const (
	acrobotStep   = 0.01
	acrobotGear   = 2.0 // N m per unit of control, at the elbow
	acrobotLink   = 1.0
	acrobotUpper  = 0.05 // radius
	acrobotLower  = 0.049
	acrobotHeight = 2.0
	acrobotTarget = 4.0 // height of the target
)

func acrobotTask() task {
	return task{
		name: "acrobot-swingup", description: "swing up two links by the torque between them (control suite)",
		actions: 1, repeat: 4, scene: acrobotScene,
		vector: []string{"upper_sin", "lower_sin", "upper_cos", "lower_cos", "shoulder_velocity_radps", "elbow_velocity_radps"},
		start: func() (domain, error) {
			near, err := NewTolerance(0, 0.2, 1, Gaussian, 0.1)
			return &acrobot{near: near}, err
		},
	}
}

// acrobot is two links that hang from a hinge, upright at 0.
type acrobot struct {
	arm
	near Tolerance
}

func newAcrobotArm() arm {
	return arm{
		length1: acrobotLink, mass1: 1, mass2: 1, com1: acrobotLink / 2, com2: acrobotLink / 2,
		inertia1: capsuleInertia(1, acrobotUpper, acrobotLink), inertia2: capsuleInertia(1, acrobotLower, acrobotLink),
		gravity: gravity, damping: 0.05,
	}
}

func (a *acrobot) reset(draw *rng.Stream) {
	a.arm = newAcrobotArm()
	a.angle = pair{uniform(draw, math.Pi), uniform(draw, math.Pi)}
}

func (a *acrobot) step(control []float64) {
	a.stepRK4(acrobotStep, pair{0, acrobotGear * clamp(control[0])})
}

// joints are the places of the elbow and the tip.
func (a *acrobot) joints() (elbow, tip render.Vec3) {
	sin1, cos1 := math.Sincos(a.angle[0])
	sin2, cos2 := math.Sincos(a.angle[0] + a.angle[1])
	elbow = render.Vec3{X: acrobotLink * sin1, Z: acrobotHeight + acrobotLink*cos1}
	return elbow, render.Vec3{X: elbow.X + acrobotLink*sin2, Z: elbow.Z + acrobotLink*cos2}
}

// reward falls with the distance of the tip from the target.
func (a *acrobot) reward([]float64) float64 {
	_, tip := a.joints()
	return a.near.At(math.Hypot(tip.X, tip.Z-acrobotTarget))
}

func (a *acrobot) vector() []float32 {
	sin1, cos1 := math.Sincos(a.angle[0])
	sin2, cos2 := math.Sincos(a.angle[0] + a.angle[1])
	return []float32{
		float32(sin1), float32(sin2), float32(cos1), float32(cos2),
		float32(a.angular[0]), float32(a.angular[1]),
	}
}

func (a *acrobot) geoms() []render.Geom {
	elbow, tip := a.joints()
	return []render.Geom{
		render.Segment(render.Capsule, render.Vec3{Z: acrobotHeight}, elbow, acrobotUpper, selfMaterial()),
		render.Segment(render.Capsule, elbow, tip, acrobotLower, selfMaterial()),
	}
}

// acrobotScene is what never moves: floor, hinge, light and camera 0. The target
// is in a group that the suite does not draw.
func acrobotScene() render.Scene {
	return render.Scene{
		Camera: render.Camera{
			Position: render.Vec3{Y: -6, Z: 2},
			Frame:    render.Frame{X: render.Vec3{X: 1}, Y: render.Vec3{Z: 1}, Z: render.Vec3{Y: -1}},
			FovY:     45,
		},
		Headlight: suiteHeadlight(), Light: spotLight(6), Sky: suiteSky(),
		Fixed: []render.Geom{
			suiteFloor(3, 0),
			render.Segment(render.Cylinder, render.Vec3{Y: -0.06, Z: acrobotHeight}, render.Vec3{Y: 0.06, Z: acrobotHeight}, 0.051, decorationMaterial()),
		},
	}
}
