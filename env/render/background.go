package render

import "math"

// keepBackground traces the fixed scene once, or reserves the one row that is
// traced again and again if all rows would take too much memory.
func (r *Renderer) keepBackground() {
	if r.height*r.width > maxKeptPixels {
		r.shared = true
		r.background = [][]pixel{make([]pixel, r.width)}
		return
	}
	r.background = make([][]pixel, r.height)
	for y := range r.background {
		r.background[y] = make([]pixel, r.width)
		r.traceRow(r.background[y], y)
	}
}

func (r *Renderer) backgroundRow(y int) []pixel {
	if r.shared {
		r.traceRow(r.background[0], y)
		return r.background[0]
	}
	return r.background[y]
}

// traceRow fills the pixels of row y. It does not look at the moving geoms.
func (r *Renderer) traceRow(row []pixel, y int) {
	for x := range row {
		p := &row[x]
		*p = pixel{}
		var views [samples]ray
		for k := range p.samples {
			views[k] = r.primary(x, y, k)
			p.samples[k] = r.trace(views[k])
		}
		p.color = p.fixedColor()
		r.findBeams(p, views)
	}
}

// fixedColor is the mean of the samples when nothing moves.
func (p *pixel) fixedColor() [3]byte {
	var sum RGB
	for k := range p.samples {
		s := &p.samples[k]
		sum = sum.add(s.color.add(s.light).add(s.reflection).clamp())
	}
	return meanColor(sum)
}

// trace is one sample of the fixed scene.
func (r *Renderer) trace(view ray) sample {
	i, t, normal := nearest(r.fixed, view, math.Inf(1))
	return r.shade(view, meeting{i, t, normal}, r.fixed, r.fixed)
}

// meeting is where a ray meets the solid with the given index, -1 for none.
type meeting struct {
	index  int
	t      float64
	normal Vec3
}

// shade is the sample where view meets the fixed scene. Only the solids of
// shading can keep the light away from there, and only those of mirrored can be
// seen in the mirror.
func (r *Renderer) shade(view ray, m meeting, shading, mirrored []solid) sample {
	i, t, normal := m.index, m.t, m.normal
	if i < 0 {
		return sample{depth: t, color: r.skyColor(view, 0.5), mirror: -1}
	}
	hit := &r.fixed[i]
	s := sample{depth: t, mirror: -1}
	at := surface{point: view.at(t), normal: normal, material: &hit.Material, texture: RGB{1, 1, 1}}
	if hit.Shape == Plane && hit.Material.Checker != nil {
		at.texture = r.checkerColor(hit, view, t, 0.5)
	}
	s.color = r.scene.Headlight.first(&at, r.toward)
	if light := r.light.second(&at, r.toward); light != (RGB{}) && !blocked(shading, r.light.ray(at.point)) {
		s.light = light
	}
	if hit.Shape == Plane && hit.Material.Reflectance > 0 {
		s.mirror = i
		s.mirrorT, s.reflection = r.traceMirror(mirrored, bounce(view, t, normal), hit.Material.Reflectance)
	}
	return s
}

// skyColor is the sky in the direction of view, averaged over a square of the given
// width in pixels.
func (r *Renderer) skyColor(view ray, pixels float64) RGB {
	return r.scene.Sky.color(view.direction, r.side*pixels*faceTexels/2)
}

// traceMirror is what a mirrored ray sees of the given solids. The sky is not
// reflected.
func (r *Renderer) traceMirror(solids []solid, mirrored ray, reflectance float64) (float64, RGB) {
	i, t, normal := nearest(solids, mirrored, math.Inf(1))
	if i < 0 {
		return t, RGB{}
	}
	s := &solids[i]
	return t, r.solidColor(s, mirrored.at(t), normal).scale(reflectance)
}

// checkerColor is the texture of a plane where view meets it, averaged over the
// part of the plane that a square of the given width in pixels covers.
func (r *Renderer) checkerColor(plane *solid, view ray, t, pixels float64) RGB {
	local := func(p Vec3) Vec3 { return plane.Frame.local(p.sub(plane.Position)) }
	at := local(view.at(t))
	f := r.scene.Camera.Frame
	var wx, wy float64
	for _, side := range []Vec3{f.X, f.Y} {
		// The ray beside it meets the unbounded plane nearby.
		next := view.direction.along(r.side*pixels, side)
		tn := local(view.origin).Z / -plane.Frame.Z.dot(next)
		edge := local(view.origin.along(tn, next)).sub(at)
		if !edge.finite() || tn <= 0 {
			edge = Vec3{X: plane.Material.Checker.Square, Y: plane.Material.Checker.Square}
		}
		wx, wy = wx+math.Abs(edge.X), wy+math.Abs(edge.Y)
	}
	return plane.Material.Checker.at(at.X, at.Y, wx, wy)
}
