package control

import "math"

// The slider's limit is soft. MuJoCo asks that the joint, once beyond its
// limit by p (negative), accelerates like a damped spring,
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
// Source: MuJoCo documentation, chapter Computation, "Constraint model".
const (
	limitTimeConstant = 0.08 // solreflimit, s
	limitDampingRatio = 1.0  // solreflimit
	limitImpedanceMin = 0.9  // solimplimit: at the limit
	limitImpedanceMax = 0.95 // solimplimit: from limitWidth beyond it
	limitWidth        = 1e-3 // solimplimit, m
	limitMidpoint     = 0.5  // solimplimit: where the sigmoid bends
	// The sigmoid's power is 2, which impedance writes out.
)

// limitForce is the force in N on the cart along +x that the slider's limits
// add, given its position x, velocity v, its acceleration a without them, and
// inverseMass = J M^-1 J' at the present angle. It is 0 within the limits.
func limitForce(x, v, a, inverseMass float64) float64 {
	beyond := math.Abs(x) - sliderLimit
	if beyond <= 0 {
		return 0
	}
	inward := -math.Copysign(1, x) // the Jacobian of the active limit
	d := impedance(beyond)
	const (
		b = 2 / (limitImpedanceMax * limitTimeConstant)
		k = 1 / (limitImpedanceMax * limitTimeConstant * limitDampingRatio) /
			(limitImpedanceMax * limitTimeConstant * limitDampingRatio)
	)
	wanted := -b*inward*v + k*d*beyond
	regulariser := (1 - d) / d * massMatrix(1).inverse00()
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
