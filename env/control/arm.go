package control

import "math"

// capsuleInertia is the moment of inertia of a solid capsule about a transverse
// axis through its centre, in kg m^2, as MuJoCo computes it: the mass is shared
// between the cylinder and two half spheres, which are moved to its ends.
func capsuleInertia(mass, radius, length float64) float64 {
	sphere := mass * 4 * radius / (4*radius + 3*length)
	cylinder := mass - sphere
	return cylinder*(3*radius*radius+length*length)/12 +
		sphere*(2*radius*radius/5+3*radius*length/8+length*length/4)
}

// capsuleMass is the mass of a capsule of 1000 kg/m^3.
func capsuleMass(radius, length float64) float64 {
	return 1000 * math.Pi * radius * radius * (length + 4*radius/3)
}

// sphereMass1000 is the mass of a ball of 1000 kg/m^3.
func sphereMass1000(radius float64) float64 { return 1000 * 4 * math.Pi / 3 * radius * radius * radius }

// arm is two links in a plane: the second hangs at the end of the first and its
// angle counts from there. Angles are in rad.
type arm struct {
	length1        float64 // of the first link, m
	mass1, mass2   float64
	com1, com2     float64 // distance of the centres of mass from the hinges, m
	inertia1       float64 // about the centres of mass, kg m^2
	inertia2       float64
	gravity        float64 // pulls towards angle pi; 0 in a horizontal plane
	damping        float64 // of both hinges, N m s/rad
	angle, angular pair    // positions and velocities
}

// massMatrix is M for an angle of the second hinge whose cosine is given.
func (a *arm) massMatrix(cos float64) symmetric {
	far := a.inertia2 + a.mass2*a.com2*a.com2
	coupling := a.mass2 * a.length1 * a.com2 * cos
	return symmetric{
		a: a.inertia1 + a.mass1*a.com1*a.com1 + a.mass2*a.length1*a.length1 + far + 2*coupling,
		b: far + coupling,
		c: far,
	}
}

// load is everything that accelerates but the constraint: torque, damping,
// centrifugal forces and gravity.
func (a *arm) load(q, v, torque pair) pair {
	swing := a.mass2 * a.length1 * a.com2 * math.Sin(q[1])
	sin1, sin12 := math.Sin(q[0]), math.Sin(q[0]+q[1])
	return pair{
		torque[0] - a.damping*v[0] + swing*(2*v[0]*v[1]+v[1]*v[1]) +
			a.gravity*((a.mass1*a.com1+a.mass2*a.length1)*sin1+a.mass2*a.com2*sin12),
		torque[1] - a.damping*v[1] - swing*v[0]*v[0] + a.gravity*a.mass2*a.com2*sin12,
	}
}

// acceleration solves M a = load.
func (a *arm) acceleration(q, v, torque pair) pair {
	m := a.massMatrix(math.Cos(q[1]))
	return m.solve(a.load(q, v, torque))
}

// inverse11 is the lower right element of the inverse.
func (m symmetric) inverse11() float64 { return m.a / m.determinant() }

// stepRK4 advances by h seconds with the classical Runge-Kutta method.
func (a *arm) stepRK4(h float64, torque pair) {
	q, v := a.angle, a.angular
	a1 := a.acceleration(q, v, torque)
	v2 := v.plus(h/2, a1)
	a2 := a.acceleration(q.plus(h/2, v), v2, torque)
	v3 := v.plus(h/2, a2)
	a3 := a.acceleration(q.plus(h/2, v2), v3, torque)
	v4 := v.plus(h, a3)
	a4 := a.acceleration(q.plus(h, v3), v4, torque)
	a.angle = q.plus(h/6, v).plus(h/3, v2).plus(h/3, v3).plus(h/6, v4)
	a.angular = v.plus(h/6, a1).plus(h/3, a2).plus(h/3, a3).plus(h/6, a4)
}

// stepEuler advances by h seconds with MuJoCo's semi-implicit Euler method:
// velocities first, with the damping implicit, then positions. limit acts on the
// second hinge.
func (a *arm) stepEuler(h float64, torque pair, limit softLimit) {
	q, v := a.angle, a.angular
	m := a.massMatrix(math.Cos(q[1]))
	load := a.load(q, v, torque)
	free := m.solve(load)
	load[1] += limit.force(q[1], v[1], free[1], m.inverse11())
	m.a += h * a.damping
	m.c += h * a.damping
	a.angular = v.plus(h, m.solve(load))
	a.angle = q.plus(h, a.angular)
}

// energy is kinetic plus potential energy in J.
func (a *arm) energy() float64 {
	m := a.massMatrix(math.Cos(a.angle[1]))
	v := a.angular
	kinetic := (m.a*v[0]*v[0] + 2*m.b*v[0]*v[1] + m.c*v[1]*v[1]) / 2
	cos1, cos12 := math.Cos(a.angle[0]), math.Cos(a.angle[0]+a.angle[1])
	return kinetic + a.gravity*((a.mass1*a.com1+a.mass2*a.length1)*cos1+a.mass2*a.com2*cos12)
}
