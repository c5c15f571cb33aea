package control

import "math"

// The numbers of the suite's cartpole.xml, in SI units.
const (
	timestep = 0.01 // one env step
	gravity  = 9.81

	cartMass    = 1.0
	cartDamping = 5e-4 // N s/m
	sliderLimit = 1.8  // m, to either side
	sliderTime  = 0.08 // s, the time constant of the limit

	poleMass    = 0.1
	poleRadius  = 0.045
	poleLength  = 1.0 // of the capsule's cylinder; its ends are half spheres
	poleCOM     = poleLength / 2
	poleDamping = 2e-6 // N m s/rad

	gear = 10.0 // N per unit of control
)

// poleInertia is the moment of inertia of the pole about a transverse axis
// through its centre of mass, in kg m^2: a solid capsule of constant density, as
// MuJoCo computes it. Its mass is shared between the cylinder and the two half
// spheres, which are moved to the cylinder's ends.
const (
	sphereMass   = poleMass * 4 * poleRadius / (4*poleRadius + 3*poleLength)
	cylinderMass = poleMass - sphereMass

	poleInertia = cylinderMass*(3*poleRadius*poleRadius+poleLength*poleLength)/12 +
		sphereMass*(2*poleRadius*poleRadius/5+3*poleRadius*poleLength/8+poleLength*poleLength/4)
)

// pair holds one value for the slider and one for the hinge.
type pair [2]float64

// plus is p + k*q.
func (p pair) plus(k float64, q pair) pair { return pair{p[0] + k*q[0], p[1] + k*q[1]} }

// cartpole is the mechanical state: a cart on a horizontal slider carrying a
// pole on a free hinge about the y axis.
//
// Positions are the cart's x in m and the pole's angle in rad, 0 when upright
// and growing towards +x; velocities are their time derivatives.
type cartpole struct {
	position, velocity pair
	damping            pair // friction of the joints, N s/m and N m s/rad
	limited            bool // whether the slider's soft limit acts
}

func newCartpole() cartpole {
	return cartpole{damping: pair{cartDamping, poleDamping}, limited: true}
}

// step advances by one env step with the classical fourth-order Runge-Kutta
// method, the force being held constant. control is clamped to [-1, 1], as the
// actuator does.
func (c *cartpole) step(control float64) {
	const h = timestep
	force := gear * min(max(control, -1), 1)
	q, v := c.position, c.velocity
	a1 := c.acceleration(q, v, force)
	v2 := v.plus(h/2, a1)
	a2 := c.acceleration(q.plus(h/2, v), v2, force)
	v3 := v.plus(h/2, a2)
	a3 := c.acceleration(q.plus(h/2, v2), v3, force)
	v4 := v.plus(h, a3)
	a4 := c.acceleration(q.plus(h, v3), v4, force)
	c.position = q.plus(h/6, v).plus(h/3, v2).plus(h/3, v3).plus(h/6, v4)
	c.velocity = v.plus(h/6, a1).plus(h/3, a2).plus(h/3, a3).plus(h/6, a4)
}

// acceleration solves M(q) a = force - damping*v - bias(q, v), plus the force of
// the slider's limit where it is active.
func (c *cartpole) acceleration(q, v pair, force float64) pair {
	sin, cos := math.Sincos(q[1])
	const lever = poleMass * poleCOM
	load := pair{
		force - c.damping[0]*v[0] + lever*sin*v[1]*v[1],
		-c.damping[1]*v[1] + lever*gravity*sin,
	}
	m := massMatrix(cos)
	a := m.solve(load)
	if c.limited {
		limit := softLimit{reach: sliderLimit, timeConstant: sliderTime, inverse: massMatrix(1).inverse00()}
		push := limit.force(q[0], v[0], a[0], m.inverse00())
		a = m.solve(load.plus(push, pair{1, 0}))
	}
	return a
}

// symmetric is the 2x2 matrix [[a, b], [b, c]].
type symmetric struct{ a, b, c float64 }

// massMatrix is M at the pole angle whose cosine is given.
func massMatrix(cos float64) symmetric {
	return symmetric{
		a: cartMass + poleMass,
		b: poleMass * poleCOM * cos,
		c: poleMass*poleCOM*poleCOM + poleInertia,
	}
}

func (m symmetric) determinant() float64 { return m.a*m.c - m.b*m.b }

// inverse00 is the upper left element of the inverse.
func (m symmetric) inverse00() float64 { return m.c / m.determinant() }

func (m symmetric) solve(y pair) pair {
	d := m.determinant()
	return pair{(m.c*y[0] - m.b*y[1]) / d, (m.a*y[1] - m.b*y[0]) / d}
}

// energy is kinetic plus potential energy in J, zero for a resting cart with
// the pole horizontal.
func (c *cartpole) energy() float64 {
	m := massMatrix(math.Cos(c.position[1]))
	v := c.velocity
	kinetic := (m.a*v[0]*v[0] + 2*m.b*v[0]*v[1] + m.c*v[1]*v[1]) / 2
	return kinetic + poleMass*gravity*poleCOM*math.Cos(c.position[1])
}
