package render

import "math"

// solid is a geom prepared for tracing.
type solid struct {
	Geom
	radius float64 // of the ball around the centre; +Inf for planes
}

func newSolid(g Geom) solid {
	s := solid{Geom: g}
	switch g.Shape {
	case Plane:
		s.radius = math.Inf(1)
	case Sphere:
		s.radius = g.Size.X
	case Capsule:
		s.radius = g.Size.X + g.Size.Y
	case Cylinder:
		s.radius = math.Hypot(g.Size.X, g.Size.Y)
	case Box:
		s.radius = g.Size.length()
	case Ellipsoid:
		s.radius = max(g.Size.X, g.Size.Y, g.Size.Z)
	}
	return s
}

// mayMeet is a quick test: false means that r misses s.
func (s *solid) mayMeet(r ray) bool {
	c := s.Position.sub(r.origin)
	d := r.direction
	along, dd := c.dot(d), d.dot(d)
	return c.dot(c)*dd-along*along <= s.radius*s.radius*dd
}

// meet returns the smallest t > 0 at which r enters s, +Inf if it misses. Rays
// that start inside a solid do not see it. The normal is the outward unit normal
// there, in the world.
func (s *solid) meet(r ray) (t float64, normal Vec3) {
	if s.Shape != Plane && !s.mayMeet(r) {
		return math.Inf(1), Vec3{}
	}
	o, d := s.Frame.local(r.origin.sub(s.Position)), s.Frame.local(r.direction)
	var n Vec3
	switch s.Shape {
	case Plane:
		t, n = meetPlane(o, d, s.Size)
	case Sphere:
		t, n = meetSphere(o, d, s.Size.X)
	case Capsule:
		t, n = meetCapsule(o, d, s.Size.X, s.Size.Y)
	case Cylinder:
		t, n = meetCylinder(o, d, s.Size.X, s.Size.Y)
	case Box:
		t, n = meetBox(o, d, s.Size)
	case Ellipsoid:
		t, n = meetEllipsoid(o, d, s.Size)
	}
	if math.IsInf(t, 1) {
		return t, Vec3{}
	}
	return t, s.Frame.world(n)
}

func meetPlane(o, d, half Vec3) (float64, Vec3) {
	t := -o.Z / d.Z
	if !(d.Z < 0 && t > 0) {
		return math.Inf(1), Vec3{}
	}
	x, y := o.X+t*d.X, o.Y+t*d.Y
	if half.X > 0 && math.Abs(x) > half.X || half.Y > 0 && math.Abs(y) > half.Y {
		return math.Inf(1), Vec3{}
	}
	return t, Vec3{Z: 1}
}

// enter is the smaller root of a t^2 + 2b t + c = 0, if it is positive.
func enter(a, b, c float64) float64 {
	disc := b*b - a*c
	if a <= 0 || disc < 0 {
		return math.Inf(1)
	}
	if t := (-b - math.Sqrt(disc)) / a; t > 0 {
		return t
	}
	return math.Inf(1)
}

func meetSphere(o, d Vec3, r float64) (float64, Vec3) {
	t := enter(d.dot(d), o.dot(d), o.dot(o)-r*r)
	return t, o.along(t, d).scale(1 / r)
}

// meetSide meets the lateral surface of a cylinder about z with |z| <= half.
func meetSide(o, d Vec3, r, half float64) (float64, Vec3) {
	t := enter(d.X*d.X+d.Y*d.Y, o.X*d.X+o.Y*d.Y, o.X*o.X+o.Y*o.Y-r*r)
	p := o.along(t, d)
	if !(math.Abs(p.Z) <= half) {
		return math.Inf(1), Vec3{}
	}
	return t, Vec3{p.X / r, p.Y / r, 0}
}

func meetCapsule(o, d Vec3, r, half float64) (float64, Vec3) {
	if t, n := meetSide(o, d, r, half); !math.IsInf(t, 1) && o.X*o.X+o.Y*o.Y > r*r {
		return t, n
	}
	upper, nu := meetSphere(Vec3{o.X, o.Y, o.Z - half}, d, r)
	lower, nl := meetSphere(Vec3{o.X, o.Y, o.Z + half}, d, r)
	if upper <= lower {
		return upper, nu
	}
	return lower, nl
}

func meetCylinder(o, d Vec3, r, half float64) (float64, Vec3) {
	t, n := meetSide(o, d, r, half)
	side := -math.Copysign(1, d.Z) // the cap that faces the ray
	tc := (side*half - o.Z) / d.Z
	x, y := o.X+tc*d.X, o.Y+tc*d.Y
	if tc > 0 && tc < t && x*x+y*y <= r*r {
		return tc, Vec3{Z: side}
	}
	return t, n
}

func meetBox(o, d, half Vec3) (float64, Vec3) {
	t, leave, normal := math.Inf(-1), math.Inf(1), Vec3{}
	slab := func(o, d, h float64, axis Vec3) bool {
		if d == 0 {
			return math.Abs(o) <= h
		}
		sign := math.Copysign(1, d)
		if near := (-sign*h - o) / d; near > t {
			t, normal = near, axis.scale(-sign)
		}
		leave = min(leave, (sign*h-o)/d)
		return true
	}
	if !slab(o.X, d.X, half.X, Vec3{X: 1}) || !slab(o.Y, d.Y, half.Y, Vec3{Y: 1}) || !slab(o.Z, d.Z, half.Z, Vec3{Z: 1}) {
		return math.Inf(1), Vec3{}
	}
	if t <= 0 || t > leave {
		return math.Inf(1), Vec3{}
	}
	return t, normal
}

// meetEllipsoid squeezes the ellipsoid into a unit sphere.
func meetEllipsoid(o, d, half Vec3) (float64, Vec3) {
	o, d = Vec3{o.X / half.X, o.Y / half.Y, o.Z / half.Z}, Vec3{d.X / half.X, d.Y / half.Y, d.Z / half.Z}
	t := enter(d.dot(d), o.dot(d), o.dot(o)-1)
	p := o.along(t, d)
	return t, Vec3{p.X / half.X, p.Y / half.Y, p.Z / half.Z}.unit()
}

// nearest returns the index of the solid that r meets first, -1 for none, with
// t and the normal there. Only meetings before limit count.
func nearest(solids []solid, r ray, limit float64) (index int, t float64, normal Vec3) {
	index, t = -1, limit
	for i := range solids {
		if ti, n := solids[i].meet(r); ti < t {
			index, t, normal = i, ti, n
		}
	}
	return index, t, normal
}

// blocked reports whether any solid lies on r before t = 1.
func blocked(solids []solid, r ray) bool {
	const end = 1 - 1e-9
	for i := range solids {
		if t, _ := solids[i].meet(r); t < end {
			return true
		}
	}
	return false
}
