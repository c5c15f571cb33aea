package control

import (
	"math"

	"github.com/orrery-rl/orrery/env/render"
	"github.com/orrery-rl/orrery/internal/rng"
)

// The numbers of the suite's reacher.xml, in SI units.
const (
	reacherStep    = 0.02
	reacherGear    = 0.05 // N m per unit of control
	reacherRadius  = 0.01 // of links and finger
	upperLength    = 0.12
	handLength     = 0.10 // of the capsule; the finger sits at fingerAt
	fingerAt       = 0.12
	wristReach     = 160 * math.Pi / 180
	reacherHeight  = 0.01
	arenaHalf      = 0.3
	limitTimeFloor = 2 * reacherStep // solreflimit, raised to two time steps
)

// newReacherArm is the arm at rest. The finger is part of the second link.
func newReacherArm() arm {
	upper, hand, finger := capsuleMass(reacherRadius, upperLength), capsuleMass(reacherRadius, handLength), sphereMass1000(reacherRadius)
	mass := hand + finger
	com := (hand*handLength/2 + finger*fingerAt) / mass
	inertia := capsuleInertia(hand, reacherRadius, handLength) + hand*(com-handLength/2)*(com-handLength/2) +
		0.4*finger*reacherRadius*reacherRadius + finger*(fingerAt-com)*(fingerAt-com)
	return arm{
		length1: upperLength, mass1: upper, com1: upperLength / 2, inertia1: capsuleInertia(upper, reacherRadius, upperLength),
		mass2: mass, com2: com, inertia2: inertia, damping: 0.01,
	}
}

func reacherTasks() []task {
	make := func(name, description string, target float64) task {
		return task{
			name: name, description: description, actions: 2, scene: reacherScene,
			repeat: 4, // the paper's choice, section 5
			vector: []string{"shoulder_rad", "wrist_rad", "to_target_x_m", "to_target_y_m", "shoulder_velocity_radps", "wrist_velocity_radps"},
			start:  func() (domain, error) { return &reacher{targetRadius: target}, nil },
		}
	}
	return []task{
		make("reacher-easy", "reach a large target with a two-link arm (control suite)", 0.05),
		make("reacher-hard", "reach a small target with a two-link arm (control suite)", 0.015),
	}
}

// reacherScene is the arena with the arm's foot.
func reacherScene() render.Scene {
	s := arenaScene()
	foot := render.Segment(render.Cylinder, render.Vec3{}, render.Vec3{Z: 0.02}, 0.011, decorationMaterial())
	s.Fixed = append(s.Fixed, foot)
	return s
}

// reacher is a two-link arm in a horizontal plane and a target.
type reacher struct {
	arm
	targetRadius float64
	target       render.Vec3
}

func (r *reacher) reset(draw *rng.Stream) {
	r.arm = newReacherArm()
	r.angle = pair{uniform(draw, math.Pi), uniform(draw, wristReach)}
	bearing := 2 * math.Pi * draw.Float64()
	distance := 0.05 + 0.15*draw.Float64()
	sin, cos := math.Sincos(bearing)
	r.target = render.Vec3{X: distance * sin, Y: distance * cos, Z: reacherHeight}
}

func (r *reacher) step(control []float64) {
	limit := softLimit{reach: wristReach, timeConstant: limitTimeFloor, inverse: r.massMatrix(1).inverse11()}
	r.stepEuler(reacherStep, pair{reacherGear * clamp(control[0]), reacherGear * clamp(control[1])}, limit)
}

// joints are the places of the elbow, the tip of the hand and the finger.
func (r *reacher) joints() (elbow, tip, finger render.Vec3) {
	sin1, cos1 := math.Sincos(r.angle[0])
	sin2, cos2 := math.Sincos(r.angle[0] + r.angle[1])
	elbow = render.Vec3{X: upperLength * cos1, Y: upperLength * sin1, Z: reacherHeight}
	along := func(d float64) render.Vec3 {
		return render.Vec3{X: elbow.X + d*cos2, Y: elbow.Y + d*sin2, Z: reacherHeight}
	}
	return elbow, along(handLength), along(fingerAt)
}

// reward is 1 while finger and target touch, seen from above.
func (r *reacher) reward([]float64) float64 {
	_, _, finger := r.joints()
	if math.Hypot(r.target.X-finger.X, r.target.Y-finger.Y) <= r.targetRadius+reacherRadius {
		return 1
	}
	return 0
}

func (r *reacher) vector() []float32 {
	_, _, finger := r.joints()
	return []float32{
		float32(r.angle[0]), float32(r.angle[1]),
		float32(r.target.X - finger.X), float32(r.target.Y - finger.Y),
		float32(r.angular[0]), float32(r.angular[1]),
	}
}

func (r *reacher) geoms() []render.Geom {
	elbow, tip, finger := r.joints()
	return []render.Geom{
		render.Segment(render.Capsule, render.Vec3{Z: reacherHeight}, elbow, reacherRadius, selfMaterial()),
		render.Segment(render.Capsule, elbow, tip, reacherRadius, selfMaterial()),
		ball(finger, reacherRadius, effectorMaterial()),
		ball(r.target, r.targetRadius, targetMaterial()),
	}
}
