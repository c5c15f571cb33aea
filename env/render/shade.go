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

// second is the pass of the light, as it adds where no shadow falls. It is black
// where no light arrives.
func (l *Light) second(s *surface, toward Vec3) RGB {
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
func (l *Light) ray(p Vec3) ray {
	if l.Directional {
		const far = 1000 // m
		return ray{p, l.Direction.unit().scale(-far)}
	}
	return ray{p, l.Position.sub(p)}
}

// brightness is the share of the light that leaves it towards a point from
// which it lies in the unit direction to.
func (l *Light) brightness(to Vec3) float64 {
	if l.Directional {
		return 1
	}
	cos := -to.dot(l.Direction.unit())
	if cos < math.Cos(l.Cutoff*math.Pi/180) {
		return 0
	}
	return math.Pow(cos, l.Exponent)
}

// highlight is the Blinn-Phong term for the unit directions to light and
// viewer, zero on the side away from the light.
func highlight(s *surface, to, toward Vec3) float64 {
	if s.material.Specular == 0 || s.normal.dot(to) <= 0 {
		return 0
	}
	half := to.add(toward).unit()
	return s.material.Specular * math.Pow(max(s.normal.dot(half), 0), 128*s.material.Shininess)
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
