package render

import "math"

// surface is a point of a solid with all that its colour depends on.
type surface struct {
	point, normal Vec3
	material      *Material
	texture       RGB // multiplies the lighting; white without a texture
}

// first is the pass of the headlight: ambient, diffuse and highlight, clamped.
// toward is the direction to the viewer, taken as constant over the picture.
func (h Headlight) first(s *surface, toward Vec3) RGB {
	facing := s.normal.dot(toward)
	c := s.material.Color.scale(h.Ambient + h.Diffuse*max(facing, 0))
	c = c.offset(h.Specular * highlight(s, toward, toward))
	return c.clamp().mul(s.texture)
}

// lamp is a light with what its rays have in common.
type lamp struct {
	Light
	axis Vec3    // unit direction that it shines to
	edge float64 // cosine of the cutoff
}

func newLamp(l Light) lamp {
	return lamp{Light: l, axis: l.Direction.unit(), edge: math.Cos(l.Cutoff * math.Pi / 180)}
}

// second is the pass of the light, as it adds where no shadow falls. It is black
// where no light arrives.
func (l *lamp) second(s *surface, toward Vec3) RGB {
	to := l.ray(s.point).direction.unit()
	facing := s.normal.dot(to)
	if facing <= 0 {
		return RGB{}
	}
	c := s.material.Color.scale(l.Diffuse * facing)
	c = c.offset(l.Specular * highlight(s, to, toward)).scale(l.brightness(to))
	return c.clamp().mul(s.texture)
}

// ray goes from p to the light; t = 1 is the light itself, or far beyond
// everything if the light is directional.
func (l *lamp) ray(p Vec3) ray {
	if l.Directional {
		const far = 1000 // m
		return ray{p, l.axis.scale(-far)}
	}
	return ray{p, l.Position.sub(p)}
}

// brightness is the share of the light that leaves it towards a point from
// which it lies in the unit direction to.
func (l *lamp) brightness(to Vec3) float64 {
	if l.Directional {
		return 1
	}
	cos := -to.dot(l.axis)
	if cos < l.edge {
		return 0
	}
	return power(cos, l.Exponent)
}

// reaches reports whether p lies in the cone of the light.
func (l *lamp) reaches(p Vec3) bool {
	return l.Directional || -l.ray(p).direction.unit().dot(l.axis) >= l.edge
}

// highlight is the Blinn-Phong term for the unit directions to light and
// viewer, zero on the side away from the light.
func highlight(s *surface, to, toward Vec3) float64 {
	if s.material.Specular == 0 || s.normal.dot(to) <= 0 {
		return 0
	}
	half := to.add(toward).unit()
	return s.material.Specular * power(max(s.normal.dot(half), 0), 128*s.material.Shininess)
}

// power is math.Pow(x, y) for x in [0, 1], to the bit down to 1e-300: for small
// whole y it multiplies in the same order, without the care for extreme numbers.
func power(x, y float64) float64 {
	const small = 256
	n := int(y)
	if !(y >= 0 && y <= small) || float64(n) != y {
		return math.Pow(x, y)
	}
	p := 1.0
	for ; n != 0; n >>= 1 {
		if n&1 == 1 {
			p *= x
		}
		x *= x
	}
	return p
}

// at is the checker's colour around local x, y, averaged over a rectangle of the
// given widths in m, so that squares narrower than a pixel fade into grey
// instead of flickering.
func (c *Checker) at(x, y, widthX, widthY float64) RGB {
	wave := squareWave(x/c.Square, widthX/c.Square) * squareWave(y/c.Square, widthY/c.Square)
	return c.Odd.mix(c.Even, 0.5+0.5*wave)
}

// squareWave is the average over [x-w/2, x+w/2] of the wave that is +1 where
// floor(x) is even and -1 where it is odd.
func squareWave(x, w float64) float64 {
	const least = 1e-6 // below this the average is the value itself
	w = max(w, least)
	return (triangle(x+w/2) - triangle(x-w/2)) / w
}

// triangle is the integral of the square wave: up over [0, 1], down over [1, 2].
func triangle(x float64) float64 {
	x -= 2 * math.Floor(x/2)
	return min(x, 2-x)
}
