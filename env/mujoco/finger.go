//go:build mujoco

package mujoco

import (
	"math"

	"github.com/orrery-rl/orrery/internal/rng"
)

// finger is a two-link finger beside a body on a hinge; its tasks share the
// state.
type finger struct {
	*sim
	proximal, distal                                int // sensors
	proximalVelocity, distalVelocity, hingeVelocity int
	tip, target, spinner, touchTop, touchBottom     int
	targetSite, tipSite                             int
}

func newFinger(s *sim, f *finder) finger {
	return finger{
		sim: s, proximal: f.sensor("proximal"), distal: f.sensor("distal"),
		proximalVelocity: f.sensor("proximal_velocity"), distalVelocity: f.sensor("distal_velocity"), hingeVelocity: f.sensor("hinge_velocity"),
		tip: f.sensor("tip"), target: f.sensor("target"), spinner: f.sensor("spinner"),
		touchTop: f.sensor("touchtop"), touchBottom: f.sensor("touchbottom"),
		targetSite: f.site("target"), tipSite: f.site("tip"),
	}
}

// randomFree draws a state in which finger and body do not touch.
func (g *finger) randomFree(draw *rng.Stream) error {
	return g.free(func() { g.randomJoints(draw) })
}

func (g *finger) names() []string {
	return []string{
		"proximal_rad", "distal_rad", "tip_x_m", "tip_z_m", "proximal_velocity_radps", "distal_velocity_radps",
		"hinge_velocity_radps", "touch_top_log_n", "touch_bottom_log_n",
	}
}

// fromHinge is where a sensor of a position is relative to the hinge.
func (g *finger) fromHinge(sensor int) (x, z float64) {
	d := g.data.Sensordata()
	return d[sensor] - d[g.spinner], d[sensor+2] - d[g.spinner+2]
}

func (g *finger) observe(dst []float64) []float64 {
	d := g.data.Sensordata()
	x, z := g.fromHinge(g.tip)
	return append(dst, d[g.proximal], d[g.distal], x, z, d[g.proximalVelocity], d[g.distalVelocity],
		d[g.hingeVelocity], math.Log1p(d[g.touchTop]), math.Log1p(d[g.touchBottom]))
}

// fingerSpin hides tip and target and makes the hinge turn easily.
type fingerSpin struct {
	finger
	hinge int // degree of freedom
}

func newFingerSpin(s *sim, f *finder) *fingerSpin {
	return &fingerSpin{finger: newFinger(s, f), hinge: f.dof("hinge")}
}

func (g *fingerSpin) start(draw *rng.Stream) error {
	g.prepare()
	return g.randomFree(draw)
}

// prepare edits the model.
func (g *fingerSpin) prepare() {
	colours := g.model.SiteRGBA()
	colours[4*g.targetSite+3], colours[4*g.tipSite+3] = 0, 0
	g.model.DofDamping()[g.hinge] = 0.03
}

// reward is 1 for spinning fast enough, in one direction.
func (g *fingerSpin) reward() float64 { return indicator(g.data.Sensordata()[g.hingeVelocity] <= -15) }

// fingerTurn has a target for the tip, on its circle.
type fingerTurn struct {
	finger
	radius     float64 // of the target
	cap, hinge int     // geom of the body, and the body
}

func newFingerTurn(s *sim, f *finder, radius float64) *fingerTurn {
	return &fingerTurn{finger: newFinger(s, f), radius: radius, cap: f.geom("cap1"), hinge: f.body("spinner")}
}

func (g *fingerTurn) start(draw *rng.Stream) error {
	sin, cos := math.Sincos(between(draw, -math.Pi, math.Pi))
	size, hinge := point(g.model.GeomSize(), g.cap), point(g.data.Xpos(), g.hinge)
	reach := size[0] + size[1]
	g.place(hinge[0]+reach*sin, hinge[2]+reach*cos)
	return g.randomFree(draw)
}

// place puts the target somewhere in the plane.
func (g *fingerTurn) place(x, z float64) {
	at := point(g.model.SitePos(), g.targetSite)
	at[0], at[2] = x, z
	point(g.model.SiteSize(), g.targetSite)[0] = g.radius
}

func (g *fingerTurn) names() []string {
	return append(g.finger.names(), "target_x_m", "target_z_m", "distance_m")
}

func (g *fingerTurn) observe(dst []float64) []float64 {
	x, z := g.fromHinge(g.target)
	return append(g.finger.observe(dst), x, z, g.distance())
}

// distance is how far the tip is outside the target, negative inside.
func (g *fingerTurn) distance() float64 {
	targetX, targetZ := g.fromHinge(g.target)
	tipX, tipZ := g.fromHinge(g.tip)
	x, z := targetX-tipX, targetZ-tipZ
	return math.Sqrt(x*x+z*z) - point(g.model.SiteSize(), g.targetSite)[0]
}

func (g *fingerTurn) reward() float64 { return indicator(g.distance() <= 0) }
