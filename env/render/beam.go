package render

import "math"

// beam is a cone that holds a bundle of rays: everything within reach +
// spread*s of its axis, where s is the distance from the apex along the axis.
type beam struct {
	apex, axis    Vec3 // axis has length 1
	reach, spread float64
}

// touches reports whether a ball may meet the beam.
func (b *beam) touches(s *solid) bool {
	v := s.Position.sub(b.apex)
	along := v.dot(b.axis)
	if along < -s.radius {
		return false
	}
	limit := s.radius + b.reach + b.spread*max(along, 0)
	return v.dot(v)-along*along <= limit*limit
}

// cone is the beam from apex that holds the rays to all points; ok is false if
// no such cone opens to less than a right angle.
func cone(apex Vec3, points []Vec3) (b beam, ok bool) {
	b.apex = apex
	for _, p := range points {
		b.axis = b.axis.add(p.sub(apex).unit())
	}
	b.axis = b.axis.unit()
	for _, p := range points {
		d := p.sub(apex)
		along := d.dot(b.axis)
		if along <= 0 {
			return beam{}, false
		}
		b.spread = max(b.spread, math.Sqrt(max(d.dot(d)-along*along, 0))/along)
	}
	return b, true
}

// tube is the beam of parallel rays that leave points in the given direction.
func tube(points []Vec3, direction Vec3) beam {
	var centre Vec3
	for _, p := range points {
		centre = centre.add(p.scale(1 / float64(len(points))))
	}
	b := beam{apex: centre, axis: direction.unit()}
	for _, p := range points {
		b.reach = max(b.reach, p.sub(centre).length())
	}
	return b
}

// findBeams fills p.beams with bundles that hold every ray a moving geom could
// interrupt: the four lines of sight, the rays to the light and the mirrored
// rays. Where that is not possible the pixel is marked as always affected.
func (r *Renderer) findBeams(p *pixel, views [samples]ray) {
	camera := r.scene.Camera.Position
	var seen, lit, mirrored []Vec3
	mirror := -1
	for k := range p.samples {
		s := &p.samples[k]
		seen = append(seen, views[k].at(1))
		if s.light != (RGB{}) {
			lit = append(lit, views[k].at(s.depth))
		}
		if s.mirror >= 0 {
			p.always = p.always || mirror >= 0 && mirror != s.mirror
			mirror = s.mirror
			mirrored = append(mirrored, views[k].at(s.depth))
		}
	}
	p.addCone(camera, seen)
	if mirror >= 0 {
		plane := &r.fixed[mirror]
		height := camera.sub(plane.Position).dot(plane.Frame.Z)
		p.addCone(camera.along(-2*height, plane.Frame.Z), mirrored)
	}
	switch {
	case len(lit) > 0 && r.scene.Light.Directional:
		p.addBeam(tube(lit, r.scene.Light.Direction.scale(-1)))
	case len(lit) > 0:
		p.addCone(r.scene.Light.Position, lit)
	}
}

func (p *pixel) addCone(apex Vec3, points []Vec3) {
	b, ok := cone(apex, points)
	if !ok {
		p.always = true
		return
	}
	p.addBeam(b)
}

func (p *pixel) addBeam(b beam) {
	p.beams[p.beamCount] = b
	p.beamCount++
}

// affected reports whether any of the moving solids may change the pixel.
func (p *pixel) affected(moving []solid) bool {
	if p.always {
		return true
	}
	for b := range p.beams[:p.beamCount] {
		for i := range moving {
			if p.beams[b].touches(&moving[i]) {
				return true
			}
		}
	}
	return false
}
