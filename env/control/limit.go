package control

import "math"

// softLimit is a joint's limit, which is soft. MuJoCo asks that the joint, once
// beyond its limit by p (negative), accelerates like a damped spring,
//
//	aref = -b v - k p,   b = 2/(dmax tau),   k = 1/(dmax tau zeta)^2
//
// with solref (tau, zeta), and softens that wish by an impedance d(p) between
// solimp's d0 and dmax. For a single constraint the convex problem MuJoCo
// solves numerically has a closed form. With A = J M^-1 J', the acceleration a0
// without the limit, and the regulariser R = (1-d)/d * A(qpos0), the force is
//
//	f = max(0, (aref - J a0)/(A + R))
//
// The damping ratio zeta is 1 throughout the suite.
// Source: MuJoCo documentation, chapter Computation, "Constraint model".
type softLimit struct {
	reach        float64 // the joint stays between -reach and reach
	timeConstant float64 // tau, s; at least two time steps
	inverse      float64 // A at the model's reference position
}

const (
	limitImpedanceMin = 0.9  // solimplimit: at the limit
	limitImpedanceMax = 0.95 // solimplimit: from limitWidth beyond it
	limitWidth        = 1e-3 // solimplimit, m or rad
	limitMidpoint     = 0.5  // solimplimit: where the sigmoid bends
	// The sigmoid's power is 2, which impedance writes out.
)

// force is the force along the joint, in N or N m, that the limit adds, given
// the joint's position x, velocity v, its acceleration a without it, and
// inverseMass = J M^-1 J' at present. It is 0 within the limits.
func (l softLimit) force(x, v, a, inverseMass float64) float64 {
	beyond := math.Abs(x) - l.reach
	if beyond <= 0 {
		return 0
	}
	inward := -math.Copysign(1, x) // the Jacobian of the active limit
	d := impedance(beyond)
	b := 2 / (limitImpedanceMax * l.timeConstant)
	k := 1 / (limitImpedanceMax * l.timeConstant) / (limitImpedanceMax * l.timeConstant)
	wanted := -b*inward*v + k*d*beyond
	regulariser := (1 - d) / d * l.inverse
	return inward * max(0, (wanted-inward*a)/(inverseMass+regulariser))
}

// impedance is MuJoCo's d(r) for a violation of r >= 0 m: a sigmoid of two
// parabolas.
func impedance(r float64) float64 {
	y, x := 1.0, r/limitWidth
	switch {
	case x <= limitMidpoint:
		y = x * x / limitMidpoint
	case x < 1:
		y = 1 - (1-x)*(1-x)/(1-limitMidpoint)
	}
	return limitImpedanceMin + y*(limitImpedanceMax-limitImpedanceMin)
}
