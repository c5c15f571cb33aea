package render

import (
	"errors"
	"fmt"
)

// ErrScene marks scenes and geoms that cannot be drawn.
var ErrScene = errors.New("render: invalid scene")

// Scene is everything there is to see, except for what moves.
type Scene struct {
	Camera    Camera
	Headlight Headlight
	Light     Light
	Sky       Sky
	Fixed     []Geom
}

// Camera is a pinhole looking along its -Z axis, with Y up in the picture.
type Camera struct {
	Position Vec3
	Frame    Frame
	FovY     float64 // vertical field of view in degrees, in (0, 180)
}

// Headlight shines from the camera along its line of sight, without shadows.
// The three intensities are grey values.
type Headlight struct{ Ambient, Diffuse, Specular float64 }

// Light is the light that casts shadows. Intensities are grey values.
type Light struct {
	Position          Vec3 // ignored if Directional
	Direction         Vec3 // where it shines to
	Directional       bool // parallel rays instead of a cone
	Diffuse, Specular float64
	Cutoff            float64 // half angle of the cone in degrees; nothing outside
	Exponent          float64 // falls off as cos(angle)^Exponent within the cone
}

// Sky is a gradient by elevation with stars, infinitely far away.
type Sky struct {
	Top, Bottom RGB     // straight up, straight down
	Stars       float64 // share of the texels of a 800x800 cube face that are white
}

// Shape says how Geom.Size is read. The axis of round shapes is local z.
type Shape int

// The shapes, named and measured as in MuJoCo.
const (
	Plane     Shape = iota // half size X, Y, 0 for infinite; seen from +Z only
	Sphere                 // radius X
	Capsule                // radius X, half length Y of the cylinder between the ends
	Cylinder               // radius X, half length Y
	Box                    // half sizes X, Y, Z
	Ellipsoid              // half axes X, Y, Z
)

// Geom is one solid.
type Geom struct {
	Shape    Shape
	Size     Vec3
	Position Vec3 // of the centre
	Frame    Frame
	Material Material
}

// Material says how a surface looks.
type Material struct {
	Color       RGB
	Specular    float64  // strength of highlights, 0 to 1
	Shininess   float64  // sharpness of highlights, 0 to 1 (exponent / 128)
	Reflectance float64  // share of a mirror image added; planes of the fixed scene only
	Checker     *Checker // multiplies Color; planes only, nil for none
}

// Checker is a pattern of squares in a plane's local x and y.
type Checker struct {
	Even, Odd RGB     // by the parity of floor(x/Square) + floor(y/Square)
	Square    float64 // side of one square in m
}

// Segment returns a capsule or cylinder of the given radius whose axis runs
// from a to b.
func Segment(shape Shape, a, b Vec3, radius float64, m Material) Geom {
	return Geom{
		Shape:    shape,
		Size:     Vec3{X: radius, Y: b.sub(a).length() / 2},
		Position: a.add(b).scale(0.5),
		Frame:    ZAlong(b.sub(a)),
		Material: m,
	}
}

// validate reports the first thing about g that cannot be drawn.
func (g Geom) validate() error {
	s := g.Size
	ok := s.finite() && s.X > 0
	switch g.Shape {
	case Plane:
		ok = s.finite() && s.X >= 0 && s.Y >= 0
	case Sphere:
	case Capsule, Cylinder:
		ok = ok && s.Y >= 0
	case Box, Ellipsoid:
		ok = ok && s.Y > 0 && s.Z > 0
	default:
		return fmt.Errorf("%w: shape %d is not known", ErrScene, g.Shape)
	}
	if !ok {
		return fmt.Errorf("%w: shape %d cannot have size %v", ErrScene, g.Shape, s)
	}
	if !g.Position.finite() {
		return fmt.Errorf("%w: shape %d is at %v", ErrScene, g.Shape, g.Position)
	}
	if !g.Frame.valid() {
		return fmt.Errorf("%w: the axes %v are not unit vectors at right angles; use Upright or ZAlong", ErrScene, g.Frame)
	}
	if c := g.Material.Checker; c != nil && !(c.Square > 0) {
		return fmt.Errorf("%w: a checker square has side %g m, want more than 0", ErrScene, c.Square)
	}
	return nil
}

func (s Scene) validate() error {
	if f := s.Camera.FovY; !(f > 0 && f < 180) {
		return fmt.Errorf("%w: field of view is %g degrees, want more than 0 and less than 180", ErrScene, f)
	}
	if !s.Camera.Position.finite() || !s.Camera.Frame.valid() {
		return fmt.Errorf("%w: the camera has no proper pose", ErrScene)
	}
	if !s.Light.Position.finite() || !s.Light.Direction.finite() {
		return fmt.Errorf("%w: the light has no proper pose", ErrScene)
	}
	for i, g := range s.Fixed {
		if err := g.validate(); err != nil {
			return fmt.Errorf("fixed geom %d: %w", i, err)
		}
	}
	return nil
}
