package render

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// tileSide is the side in pixels of the squares that a picture is traced in.
const tileSide = 8

// Tracer draws scenes in which anything may change between two pictures, the
// camera and the light included. It keeps nothing but buffers: use one Tracer per
// goroutine. Pictures are drawn by as many goroutines as there are processors. A picture is that of a [Renderer] of the same scene, but for the stars,
// which are averaged over pixels instead of samples, to one level of 255.
//
// What most rays of a small square miss is sorted out once for the square: a cone
// holds its lines of sight, another the rays from what they meet to the light, and
// a third the mirrored rays.
type Tracer struct {
	r     Renderer
	tiles []tile // one for each goroutine
}

// tile is a square of the picture in the making.
type tile struct {
	r                    *Renderer
	hits                 []hit   // by sample
	seen, shading, image []solid // what the rays of the tile may meet
	origin               []int   // of seen in the scene
	lit, mirrored        []Vec3  // places of the tile
}

// hit is a line of sight and where it ends.
type hit struct {
	view ray
	meeting
}

// NewTracer prepares to draw pictures of the given size in pixels, each at least
// 1.
func NewTracer(height, width int) (*Tracer, error) {
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("render: a picture of %dx%d pixels cannot be drawn", height, width)
	}
	rows := (height + tileSide - 1) / tileSide
	t := &Tracer{r: Renderer{height: height, width: width}, tiles: make([]tile, min(runtime.GOMAXPROCS(0), rows))}
	for i := range t.tiles {
		t.tiles[i].r = &t.r
	}
	return t, nil
}

// Size is the number of bytes of a picture: height * width * 3.
func (t *Tracer) Size() int { return t.r.Size() }

// Draw writes the scene into dst as [height, width, 3] bytes of RGB, row-major
// from the top left. It fails if dst has not Size bytes, and with [ErrScene] if
// the scene cannot be drawn.
func (t *Tracer) Draw(dst []byte, scene *Scene) error {
	r := &t.r
	if len(dst) != r.Size() {
		return fmt.Errorf("render: the destination has %d bytes, a %dx%d picture has %d", len(dst), r.height, r.width, r.Size())
	}
	if err := scene.validate(); err != nil {
		return err
	}
	r.look(*scene)
	var next atomic.Int64
	var running sync.WaitGroup
	for i := range t.tiles[1:] {
		running.Go(func() { t.tiles[1+i].drawRows(dst, &next) })
	}
	t.tiles[0].drawRows(dst, &next)
	running.Wait()
	return nil
}

// drawRows draws rows of tiles as long as next has one.
func (t *tile) drawRows(dst []byte, next *atomic.Int64) {
	r := t.r
	for {
		y := int(next.Add(1)-1) * tileSide
		if y >= r.height {
			return
		}
		for x := 0; x < r.width; x += tileSide {
			t.draw(dst, x, y, min(x+tileSide, r.width), min(y+tileSide, r.height))
		}
	}
}

// draw draws the pixels from x0, y0 to before x1, y1.
func (t *tile) draw(dst []byte, x0, y0, x1, y1 int) {
	t.findSeen(x0, y0, x1, y1)
	t.hits = t.hits[:0]
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			for k := range samples {
				view := t.r.primary(x, y, k)
				i, d, normal := nearest(t.seen, view, math.Inf(1))
				if i >= 0 {
					i = t.origin[i]
				}
				t.hits = append(t.hits, hit{view, meeting{i, d, normal}})
			}
		}
	}
	t.findReached()
	hits := t.hits
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			color := t.pixelColor(x, y, hits)
			hits = hits[samples:]
			copy(dst[3*(t.r.width*y+x):], color[:])
		}
	}
}

// pixelColor is the mean of the samples of one pixel. Where all see the sky or the
// same open floor, they share what hardly differs.
func (t *tile) pixelColor(x, y int, hits []hit) [3]byte {
	if hits[0].index < 0 && hits[1].index < 0 && hits[2].index < 0 && hits[3].index < 0 {
		centre := t.r.through(float64(x)+0.5, float64(y)+0.5)
		return meanColor(t.r.skyColor(centre, 1).scale(samples))
	}
	if t.open(hits) {
		return t.floorColor(hits)
	}
	var sum RGB
	for k := range samples {
		s := t.r.shade(hits[k].view, hits[k].meeting, t.shading, t.image)
		sum = sum.add(s.color.add(s.light).add(s.reflection).clamp())
	}
	return meanColor(sum)
}

// floorColor is the mean of the samples of a pixel that [tile.open] reports. The
// light changes so little within it that one sample's stands for all; the pattern
// does not.
func (t *tile) floorColor(hits []hit) [3]byte {
	r, plane := t.r, &t.r.fixed[hits[0].index]
	middle := hits[0].view.at(hits[0].t).scale(0.5).along(0.5, hits[samples-1].view.at(hits[samples-1].t))
	at := surface{point: middle, normal: hits[0].normal, material: &plane.Material, texture: RGB{1, 1, 1}}
	bright := r.scene.Headlight.first(&at, r.toward).add(r.light.second(&at, r.toward))
	var sum RGB
	for k := range samples {
		c := bright
		if plane.Material.Checker != nil {
			c = c.mul(r.checkerColor(plane, hits[k].view, hits[k].t, 0.5))
		}
		sum = sum.add(c.clamp())
	}
	return meanColor(sum)
}

// open reports whether the samples of a pixel lie on one plane that shows neither
// a shadow nor a reflection nor the edge of the light.
func (t *tile) open(hits []hit) bool {
	if len(t.shading)+len(t.image) > 0 || hits[0].index < 0 || t.r.fixed[hits[0].index].Shape != Plane {
		return false
	}
	lit := t.r.light.reaches(hits[0].view.at(hits[0].t))
	for i := range hits[1:samples] {
		h := &hits[1+i]
		if h.index != hits[0].index || t.r.light.reaches(h.view.at(h.t)) != lit {
			return false
		}
	}
	return true
}

// findSeen fills t.seen for the tile.
func (t *tile) findSeen(x0, y0, x1, y1 int) {
	r := t.r
	t.seen, t.origin = t.seen[:0], t.origin[:0]
	corner := func(x, y int) Vec3 {
		u := (float64(x) - float64(r.width)/2) * r.side
		v := (float64(r.height)/2 - float64(y)) * r.side
		f := r.scene.Camera.Frame
		return r.scene.Camera.Position.along(u, f.X).along(v, f.Y).along(-1, f.Z)
	}
	b, ok := cone(r.scene.Camera.Position, []Vec3{corner(x0, y0), corner(x1, y0), corner(x0, y1), corner(x1, y1)})
	for i := range r.fixed {
		if !ok || b.touches(&r.fixed[i]) {
			t.seen, t.origin = append(t.seen, r.fixed[i]), append(t.origin, i)
		}
	}
}

// findReached fills t.shading and t.image with what the secondary rays of the
// tile may meet.
func (t *tile) findReached() {
	r := t.r
	t.lit, t.mirrored = t.lit[:0], t.mirrored[:0]
	mirror, several := -1, false
	for i := range t.hits {
		h := &t.hits[i]
		if h.index < 0 {
			continue
		}
		at := h.view.at(h.t)
		t.lit = append(t.lit, at)
		if s := &r.fixed[h.index]; s.Shape == Plane && s.Material.Reflectance > 0 {
			several = several || mirror >= 0 && mirror != h.index
			mirror = h.index
			t.mirrored = append(t.mirrored, at)
		}
	}
	b, ok := t.toLight()
	t.shading = r.touched(t.shading[:0], b, ok, -1)
	t.shading = slices.DeleteFunc(t.shading, func(s solid) bool { return t.belowLight(&s) })
	t.image = t.image[:0]
	switch {
	case several:
		t.image = append(t.image, r.fixed...)
	case mirror >= 0:
		plane := &r.fixed[mirror]
		camera := r.scene.Camera.Position
		height := camera.sub(plane.Position).dot(plane.Frame.Z)
		b, ok := cone(camera.along(-2*height, plane.Frame.Z), t.mirrored)
		// The mirror itself is behind all that it reflects.
		t.image = r.touched(t.image, b, ok, mirror)
	}
}

// belowLight reports whether s is a plane that no ray from t.lit to the light can
// meet, because all of them lead away from it.
func (t *tile) belowLight(s *solid) bool {
	light := &t.r.light
	if s.Shape != Plane {
		return false
	}
	if light.Directional {
		return light.axis.dot(s.Frame.Z) < 0
	}
	height := light.Position.sub(s.Position).dot(s.Frame.Z)
	for _, p := range t.lit {
		if p.sub(s.Position).dot(s.Frame.Z) > height {
			return false
		}
	}
	return true
}

// toLight holds the rays from t.lit to the light; ok is false if nothing does.
func (t *tile) toLight() (b beam, ok bool) {
	light := &t.r.scene.Light
	if light.Directional {
		return tube(t.lit, light.Direction.scale(-1)), true
	}
	return cone(light.Position, t.lit)
}

// touched appends the solids that b touches, all of them without a beam, but for
// the one with index without.
func (r *Renderer) touched(dst []solid, b beam, ok bool, without int) []solid {
	for i := range r.fixed {
		if i != without && (!ok || b.touches(&r.fixed[i])) {
			dst = append(dst, r.fixed[i])
		}
	}
	return dst
}
