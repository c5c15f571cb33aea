package render

import "math"

// Vec3 is a point or a direction in metres, z pointing up.
type Vec3 struct{ X, Y, Z float64 }

func (a Vec3) add(b Vec3) Vec3              { return Vec3{a.X + b.X, a.Y + b.Y, a.Z + b.Z} }
func (a Vec3) sub(b Vec3) Vec3              { return Vec3{a.X - b.X, a.Y - b.Y, a.Z - b.Z} }
func (a Vec3) scale(k float64) Vec3         { return Vec3{k * a.X, k * a.Y, k * a.Z} }
func (a Vec3) dot(b Vec3) float64           { return a.X*b.X + a.Y*b.Y + a.Z*b.Z }
func (a Vec3) length() float64              { return math.Sqrt(a.dot(a)) }
func (a Vec3) along(k float64, b Vec3) Vec3 { return Vec3{a.X + k*b.X, a.Y + k*b.Y, a.Z + k*b.Z} }

// unit is a scaled to length 1; the zero vector stays zero.
func (a Vec3) unit() Vec3 {
	l := a.length()
	if l == 0 {
		return a
	}
	return a.scale(1 / l)
}

func (a Vec3) cross(b Vec3) Vec3 {
	return Vec3{a.Y*b.Z - a.Z*b.Y, a.Z*b.X - a.X*b.Z, a.X*b.Y - a.Y*b.X}
}

func (a Vec3) finite() bool {
	s := a.X + a.Y + a.Z
	return !math.IsNaN(s) && !math.IsInf(s, 0)
}

// RGB is a colour with linear components, 0 black to 1 full.
type RGB struct{ R, G, B float64 }

func (a RGB) add(b RGB) RGB            { return RGB{a.R + b.R, a.G + b.G, a.B + b.B} }
func (a RGB) scale(k float64) RGB      { return RGB{k * a.R, k * a.G, k * a.B} }
func (a RGB) mul(b RGB) RGB            { return RGB{a.R * b.R, a.G * b.G, a.B * b.B} }
func (a RGB) offset(k float64) RGB     { return RGB{a.R + k, a.G + k, a.B + k} }
func (a RGB) mix(b RGB, k float64) RGB { return a.scale(1 - k).add(b.scale(k)) }
func (a RGB) clamp() RGB               { return RGB{clamp(a.R), clamp(a.G), clamp(a.B)} }

func clamp(x float64) float64 { return min(max(x, 0), 1) }

// Frame is an orientation: the directions of the local axes in the world. They
// are unit vectors at right angles, X x Y = Z.
type Frame struct{ X, Y, Z Vec3 }

// Upright is the frame of the world itself.
func Upright() Frame {
	return Frame{X: Vec3{X: 1}, Y: Vec3{Y: 1}, Z: Vec3{Z: 1}}
}

// ZAlong returns a frame whose z axis points along direction; the other two
// axes are arbitrary. A zero direction gives [Upright].
func ZAlong(direction Vec3) Frame {
	z := direction.unit()
	if z == (Vec3{}) {
		return Upright()
	}
	helper := Vec3{X: 1}
	if math.Abs(z.X) > 0.9 {
		helper = Vec3{Y: 1}
	}
	x := helper.sub(z.scale(helper.dot(z))).unit()
	return Frame{X: x, Y: z.cross(x), Z: z}
}

// FrameOf returns the frame whose x axis has the direction of x and whose y axis
// lies with it in the plane of x and y, on the side of y. Without such a plane it
// gives [ZAlong] the x axis.
func FrameOf(x, y Vec3) Frame {
	x = x.unit()
	z := x.cross(y).unit()
	if z == (Vec3{}) {
		return ZAlong(x)
	}
	return Frame{X: x, Y: z.cross(x), Z: z}
}

// local expresses the world direction d in the frame.
func (f Frame) local(d Vec3) Vec3 { return Vec3{f.X.dot(d), f.Y.dot(d), f.Z.dot(d)} }

// world is the inverse of local.
func (f Frame) world(d Vec3) Vec3 {
	return f.X.scale(d.X).along(d.Y, f.Y).along(d.Z, f.Z)
}

// valid reports whether the axes are unit vectors at right angles.
func (f Frame) valid() bool {
	const tolerance = 1e-6
	near := func(a, b float64) bool { return math.Abs(a-b) <= tolerance }
	return near(f.X.dot(f.X), 1) && near(f.Y.dot(f.Y), 1) &&
		near(f.X.dot(f.Y), 0) && near(f.X.cross(f.Y).sub(f.Z).length(), 0)
}

// ray is the half line origin + t*direction, t > 0. The direction need not have
// length 1.
type ray struct{ origin, direction Vec3 }

func (r ray) at(t float64) Vec3 { return r.origin.along(t, r.direction) }
