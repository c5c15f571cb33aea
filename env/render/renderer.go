package render

import (
	"fmt"
	"math"
)

// samples is the number of points within a pixel at which it is looked at.
const samples = 4

// maxKeptPixels bounds the memory of the fixed scene (about 700 bytes a pixel).
// Larger pictures are traced anew, row by row, for each call of Draw.
const maxKeptPixels = 1 << 16

// Renderer draws one scene at one size. It keeps buffers between calls: use one
// Renderer per goroutine.
type Renderer struct {
	scene         Scene
	light         lamp // of the scene
	height, width int
	side          float64 // of a pixel at distance 1
	toward        Vec3    // unit direction to the viewer
	fixed, moving []solid
	background    [][]pixel // by row, or one row for all if shared
	shared        bool
}

// pixel is what one pixel shows of the fixed scene.
type pixel struct {
	samples   [samples]sample
	color     [3]byte // when no moving geom affects it
	always    bool    // whether the beams do not hold all rays
	beams     [3]beam // the rays a moving geom would have to touch
	beamCount int
}

// sample is what one sample of a pixel sees of the fixed scene.
type sample struct {
	depth      float64 // parameter of the ray; +Inf for the sky
	color      RGB     // without light and without reflection
	light      RGB     // what the light adds where no moving geom is in its way
	mirror     int     // index of the reflecting geom, -1 for none
	mirrorT    float64 // where the mirrored ray meets the fixed scene
	reflection RGB     // what it sees there
}

// NewRenderer prepares to draw scene with the given size in pixels, each at
// least 1. It fails with [ErrScene] if the scene cannot be drawn.
func NewRenderer(scene Scene, height, width int) (*Renderer, error) {
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("render: a picture of %dx%d pixels cannot be drawn", height, width)
	}
	if err := scene.validate(); err != nil {
		return nil, err
	}
	r := &Renderer{height: height, width: width}
	r.look(scene)
	r.keepBackground()
	return r, nil
}

// look makes scene, which is valid, the one that is drawn.
func (r *Renderer) look(scene Scene) {
	r.scene = scene
	r.side = 2 * math.Tan(scene.Camera.FovY*math.Pi/360) / float64(r.height)
	r.toward = scene.Camera.Frame.Z
	r.light = newLamp(scene.Light)
	r.fixed = r.fixed[:0]
	for _, g := range scene.Fixed {
		r.fixed = append(r.fixed, newSolid(g))
	}
}

// Size is the number of bytes of a picture: height * width * 3.
func (r *Renderer) Size() int { return r.height * r.width * 3 }

// Draw writes the fixed scene with the moving geoms into dst as [height, width,
// 3] bytes of RGB, row-major from the top left. It fails if dst has not Size
// bytes or a geom cannot be drawn. Moving geoms must not be planes, and do not
// reflect.
func (r *Renderer) Draw(dst []byte, moving []Geom) error {
	if len(dst) != r.Size() {
		return fmt.Errorf("render: the destination has %d bytes, a %dx%d picture has %d", len(dst), r.height, r.width, r.Size())
	}
	r.moving = r.moving[:0]
	for i, g := range moving {
		if err := g.validate(); err != nil {
			return fmt.Errorf("moving geom %d: %w", i, err)
		}
		if g.Shape == Plane {
			return fmt.Errorf("moving geom %d: %w: planes belong to the fixed scene", i, ErrScene)
		}
		r.moving = append(r.moving, newSolid(g))
	}
	for y := range r.height {
		r.drawRow(dst[3*r.width*y:][:3*r.width], y)
	}
	return nil
}

func (r *Renderer) drawRow(dst []byte, y int) {
	row := r.backgroundRow(y)
	for x := range row {
		color := row[x].color
		if row[x].affected(r.moving) {
			color = r.pixelColor(&row[x], x, y)
		}
		copy(dst[3*x:], color[:])
	}
}

// pixelColor is the mean of the samples.
func (r *Renderer) pixelColor(p *pixel, x, y int) [3]byte {
	var sum RGB
	for k := range p.samples {
		sum = sum.add(r.sampleColor(r.primary(x, y, k), &p.samples[k]))
	}
	return meanColor(sum)
}

// meanColor rounds the mean of the samples, given their sum, to bytes.
func meanColor(sum RGB) [3]byte {
	toByte := func(v float64) byte { return byte(v*(255.0/samples) + 0.5) }
	return [3]byte{toByte(sum.R), toByte(sum.G), toByte(sum.B)}
}

// primary is the ray through sample k of pixel x, y. Its parameter is the
// distance along the line of sight.
func (r *Renderer) primary(x, y, k int) ray {
	// A rotated grid: edges that are nearly horizontal or nearly vertical both
	// move in quarter pixels.
	across, down := [samples]float64{0.375, 0.875, 0.125, 0.625}[k], (float64(k)+0.5)/samples
	return r.through(float64(x)+across, float64(y)+down)
}

// through is the ray through a place of the picture, in pixels from the top left.
func (r *Renderer) through(x, y float64) ray {
	u := (x - float64(r.width)/2) * r.side
	v := (float64(r.height)/2 - y) * r.side
	f := r.scene.Camera.Frame
	d := Vec3{u*f.X.X + v*f.Y.X - f.Z.X, u*f.X.Y + v*f.Y.Y - f.Z.Y, u*f.X.Z + v*f.Y.Z - f.Z.Z}
	return ray{r.scene.Camera.Position, d}
}

// sampleColor adds what the moving geoms change to a sample of the fixed scene.
func (r *Renderer) sampleColor(view ray, s *sample) RGB {
	if i, t, normal := nearest(r.moving, view, s.depth); i >= 0 {
		return r.solidColor(&r.moving[i], view.at(t), normal)
	}
	c := s.color
	if s.light != (RGB{}) {
		if !blocked(r.moving, r.light.ray(view.at(s.depth))) {
			c = c.add(s.light)
		}
	}
	if s.mirror >= 0 {
		c = c.add(r.reflected(view, s))
	}
	return c.clamp()
}

// reflected is the reflection at a sample of a mirroring plane.
func (r *Renderer) reflected(view ray, s *sample) RGB {
	plane := &r.fixed[s.mirror]
	mirrored := bounce(view, s.depth, plane.Frame.Z)
	i, t, normal := nearest(r.moving, mirrored, s.mirrorT)
	if i < 0 {
		return s.reflection
	}
	return r.solidColor(&r.moving[i], mirrored.at(t), normal).scale(plane.Material.Reflectance)
}

// bounce is view reflected at its point t on a plane with the given normal.
func bounce(view ray, t float64, normal Vec3) ray {
	return ray{view.at(t), view.direction.along(-2*view.direction.dot(normal), normal)}
}

// solidColor is the colour of a point on an untextured solid, with shadows.
func (r *Renderer) solidColor(s *solid, point, normal Vec3) RGB {
	at := surface{point: point, normal: normal, material: &s.Material, texture: RGB{1, 1, 1}}
	c := r.scene.Headlight.first(&at, r.toward)
	light := r.light.second(&at, r.toward)
	if light == (RGB{}) {
		return c
	}
	if toLight := r.light.ray(point); !blocked(r.fixed, toLight) && !blocked(r.moving, toLight) {
		c = c.add(light)
	}
	return c.clamp()
}
