//go:build mujoco

package mj

/*
#include "draw.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/orrery-rl/orrery/env/render"
)

// This file turns a scene as MuJoCo would draw it into one for package render.

// look is what of a model's looks does not depend on the state.
type look struct {
	sky      render.Sky
	checkers []*render.Checker // by material; nil for others
	tints    []render.RGB      // by material: the mean of its texture, white without

	stretched map[int]*render.Checker // by material, for the last plane's size
}

func newLook(m *C.mjModel) look {
	l := look{sky: skyOf(m), stretched: map[int]*render.Checker{}}
	for mat := range int(m.nmat) {
		checker, tint := surfaceOf(m, mat)
		l.checkers, l.tints = append(l.checkers, checker), append(l.tints, tint)
	}
	return l
}

// picture is a texture of the model.
type picture struct {
	texels        []byte
	width, height int
	channels      int
}

func pictureOf(m *C.mjModel, tex int) picture {
	var channels C.int
	texels := C.mjx_texels(m, C.int(tex), &channels)
	p := picture{
		width:  int(ints(unsafe.Pointer(m.tex_width), tex+1)[tex]),
		height: int(ints(unsafe.Pointer(m.tex_height), tex+1)[tex]), channels: int(channels),
	}
	p.texels = unsafe.Slice((*byte)(texels), p.width*p.height*p.channels)
	return p
}

func (p *picture) at(x, y int) render.RGB {
	t := p.texels[p.channels*(p.width*y+x):]
	c := func(i int) float64 { return float64(t[i%p.channels]) / 255 }
	return render.RGB{R: c(0), G: c(1), B: c(2)}
}

// mean is the average colour.
func (p *picture) mean() render.RGB {
	var sum [3]int
	n := p.width * p.height
	for i := range n {
		for c := range sum {
			sum[c] += int(p.texels[i*p.channels+c%p.channels])
		}
	}
	k := 1 / (255 * float64(max(n, 1)))
	return render.RGB{R: k * float64(sum[0]), G: k * float64(sum[1]), B: k * float64(sum[2])}
}

// surfaceOf is the pattern of a material on planes, or its mean colour if it has
// no squares.
func surfaceOf(m *C.mjModel, mat int) (*render.Checker, render.RGB) {
	white := render.RGB{R: 1, G: 1, B: 1}
	tex := int(C.mjx_materialTexture(m, C.int(mat)))
	if tex < 0 {
		return nil, white
	}
	p := pictureOf(m, tex)
	w, h := p.width/4, p.height/4
	even, odd := p.at(3*w, h), p.at(w, h)
	if even == odd || p.at(w, 3*h) != even || p.at(3*w, 3*h) != odd {
		return nil, p.mean()
	}
	repeat := float64(floats32(unsafe.Pointer(m.mat_texrepeat), 2*mat+1)[2*mat])
	// A repetition has two squares and covers 2 m.
	return &render.Checker{Even: even, Odd: odd, Square: 1 / max(repeat, 1e-6)}, white
}

// skyOf is the model's sky, black without one. A cube map has its faces one below
// the other: right, left, up, down, front, back.
func skyOf(m *C.mjModel) render.Sky {
	for tex, kind := range ints(unsafe.Pointer(m.tex_type), int(m.ntex)) {
		if kind != C.mjTEXTURE_SKYBOX {
			continue
		}
		p := pictureOf(m, tex)
		face := func(i int) render.RGB { return p.common(p.width*i + p.width/2) }
		if p.height < 6*p.width {
			return render.Sky{Top: face(0), Bottom: face(0)}
		}
		return render.Sky{Top: face(2), Bottom: face(3), Stars: p.stars()}
	}
	return render.Sky{}
}

// common is the darkest of the colours around the middle of row y, where there may
// be stars.
func (p *picture) common(y int) render.RGB {
	best := render.RGB{R: 2, G: 2, B: 2}
	for x := max(p.width/2-2, 0); x < min(p.width/2+3, p.width); x++ {
		if c := p.at(x, y); c.R+c.G+c.B < best.R+best.G+best.B {
			best = c
		}
	}
	return best
}

// stars is the share of white texels.
func (p *picture) stars() float64 {
	white := 0
	for i := 0; i+2 < len(p.texels); i += p.channels {
		if p.texels[i] == 255 && p.texels[i+1] == 255 && p.texels[i+2] == 255 {
			white++
		}
	}
	return float64(white) / float64(p.width*p.height)
}

// sceneOf translates a view: what belongs to the world to dst, and the rest is
// appended to moving. Lights are grey, the first that casts shadows is the light,
// and what is less than half opaque is left out.
func (l *look) sceneOf(m *C.mjModel, v *C.mjvScene, dst *render.Scene, moving []render.Geom) ([]render.Geom, error) {
	dst.Sky, dst.Camera = l.sky, cameraOf(v)
	dst.Headlight, dst.Light = lightsOf(v)
	dst.Fixed = dst.Fixed[:0]
	geoms := unsafe.Slice(v.geoms, int(v.ngeom))
	for i := range geoms {
		g := &geoms[i]
		if g.rgba[3] < 0.5 {
			continue
		}
		one, err := l.geomOf(m, g)
		if err != nil {
			return moving, err
		}
		if g.category == C.mjCAT_STATIC || one.Shape == render.Plane {
			dst.Fixed = append(dst.Fixed, one)
		} else {
			moving = append(moving, one)
		}
	}
	return moving, nil
}

func vec(v [3]C.float) render.Vec3 {
	return render.Vec3{X: float64(v[0]), Y: float64(v[1]), Z: float64(v[2])}
}

func minus(v render.Vec3) render.Vec3 { return render.Vec3{X: -v.X, Y: -v.Y, Z: -v.Z} }

// cameraOf is the middle of the two eyes.
func cameraOf(v *C.mjvScene) render.Camera {
	left, right := &v.camera[0], &v.camera[1]
	a, b := vec(left.pos), vec(right.pos)
	up, back := vec(left.up), minus(vec(left.forward))
	frame := render.FrameOf(up, back) // up, back and right are at right angles
	return render.Camera{
		Position: render.Vec3{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2, Z: (a.Z + b.Z) / 2},
		Frame:    render.Frame{X: frame.Z, Y: frame.X, Z: frame.Y},
		FovY:     2 * 180 / math.Pi * math.Atan(float64(left.frustum_top-left.frustum_bottom)/2/float64(left.frustum_near)),
	}
}

func grey(c [3]C.float) float64 { return float64(c[0]+c[1]+c[2]) / 3 }

func lightsOf(v *C.mjvScene) (render.Headlight, render.Light) {
	var head render.Headlight
	light := render.Light{Directional: true, Direction: render.Vec3{Z: -1}}
	found := false
	for i := range int(v.nlight) {
		switch l := &v.lights[i]; {
		case l.headlight != 0:
			head = render.Headlight{Ambient: grey(l.ambient), Diffuse: grey(l.diffuse), Specular: grey(l.specular)}
		case !found && l.castshadow != 0:
			found = true
			head.Ambient += grey(l.ambient)
			light = render.Light{
				Position: vec(l.pos), Direction: vec(l.dir), Directional: C.mjx_directional(l) != 0,
				Diffuse: grey(l.diffuse), Specular: grey(l.specular), Cutoff: float64(l.cutoff), Exponent: float64(l.exponent),
			}
		}
	}
	return head, light
}

var shapes = map[C.int]render.Shape{
	C.mjGEOM_PLANE: render.Plane, C.mjGEOM_SPHERE: render.Sphere, C.mjGEOM_CAPSULE: render.Capsule,
	C.mjGEOM_CYLINDER: render.Cylinder, C.mjGEOM_BOX: render.Box, C.mjGEOM_ELLIPSOID: render.Ellipsoid,
}

func (l *look) geomOf(m *C.mjModel, g *C.mjvGeom) (render.Geom, error) {
	shape, ok := shapes[C.int(C.mjx_geomType(g))]
	if !ok {
		return render.Geom{}, fmt.Errorf("%w: a geom of type %d can be drawn by MuJoCo only", ErrOptions, int(C.mjx_geomType(g)))
	}
	s := vec(g.size)
	if shape == render.Capsule || shape == render.Cylinder {
		s = render.Vec3{X: s.X, Y: s.Z}
	}
	if shape == render.Plane {
		s.Z = 0
	}
	column := func(i int) render.Vec3 {
		return render.Vec3{X: float64(g.mat[i]), Y: float64(g.mat[3+i]), Z: float64(g.mat[6+i])}
	}
	return render.Geom{
		Shape: shape, Size: s, Position: vec(g.pos), Frame: render.FrameOf(column(0), column(1)), Material: l.materialOf(m, g, shape),
	}, nil
}

func (l *look) materialOf(m *C.mjModel, g *C.mjvGeom, shape render.Shape) render.Material {
	out := render.Material{
		Color:    render.RGB{R: float64(g.rgba[0]), G: float64(g.rgba[1]), B: float64(g.rgba[2])},
		Specular: float64(g.specular), Shininess: float64(g.shininess), Reflectance: float64(g.reflectance),
	}
	mat := int(C.mjx_material(m, g))
	if mat < 0 {
		return out
	}
	if l.checkers[mat] != nil && shape == render.Plane {
		out.Checker = l.checkerOf(m, mat, g)
	}
	t := l.tints[mat]
	out.Color = render.RGB{R: out.Color.R * t.R, G: out.Color.G * t.G, B: out.Color.B * t.B}
	return out
}

// checkerOf is the pattern of a material on a plane; unless it is uniform it is
// stretched with the plane.
func (l *look) checkerOf(m *C.mjModel, mat int, g *C.mjvGeom) *render.Checker {
	uniform := unsafe.Slice((*byte)(unsafe.Pointer(m.mat_texuniform)), mat+1)[mat]
	if uniform != 0 || g.size[0] <= 0 {
		return l.checkers[mat]
	}
	size := float64(g.size[0])
	if l.stretched[mat] == nil || l.stretched[mat].Square != l.checkers[mat].Square*size {
		stretched := *l.checkers[mat]
		stretched.Square *= size
		l.stretched[mat] = &stretched
	}
	return l.stretched[mat]
}
