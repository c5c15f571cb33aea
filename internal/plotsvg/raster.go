package plotsvg

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"golang.org/x/image/vector"

	letters "github.com/orrery-rl/orrery/internal/lettering"
)

// raster is the surface that paints pixels, scale of them for one of the plot.
type raster struct {
	img   *image.RGBA
	scale float64
	faces map[lettering]*letters.Face
	err   error // the first
}

func newRaster(width, height, scale float64) *raster {
	return &raster{
		img: image.NewRGBA(image.Rect(0, 0, int(width*scale), int(height*scale))), scale: scale,
		faces: map[lettering]*letters.Face{},
	}
}

func (r *raster) close() {
	for _, f := range r.faces {
		_ = f.Close() // it holds memory only
	}
}

func (r *raster) page(p paint) {
	draw.Draw(r.img, r.img.Bounds(), image.NewUniform(rgba(p.colour, 0)), image.Point{}, draw.Src)
}

// fill paints polygons of one orientation, which may overlap.
func (r *raster) fill(polygons [][]point, p paint) {
	b := r.img.Bounds()
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	for _, polygon := range polygons {
		for i, at := range oriented(polygon) {
			x, y := float32(at.x*r.scale), float32(at.y*r.scale)
			if i == 0 {
				z.MoveTo(x, y)
			} else {
				z.LineTo(x, y)
			}
		}
		z.ClosePath()
	}
	z.Draw(r.img, b, image.NewUniform(rgba(p.colour, p.opacity)), image.Point{})
}

// oriented turns a polygon so that overlapping ones add up instead of
// cancelling.
func oriented(polygon []point) []point {
	twice := 0.0
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		twice += p.x*q.y - q.x*p.y
	}
	if twice >= 0 {
		return polygon
	}
	out := make([]point, len(polygon))
	for i, p := range polygon {
		out[len(out)-1-i] = p
	}
	return out
}

func (r *raster) lines(all [][]point, p paint) {
	var strokes [][]point
	for _, line := range all {
		if p.dashed {
			for _, dash := range dashes(line, 5, 4) {
				strokes = append(strokes, stroke(dash, p.width)...)
			}
			continue
		}
		strokes = append(strokes, stroke(line, p.width)...)
	}
	if len(strokes) > 0 {
		r.fill(strokes, p)
	}
}

// stroke is a polyline as rectangles with discs at the joints.
func stroke(line []point, width float64) (polygons [][]point) {
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		dx, dy := b.x-a.x, b.y-a.y
		length := math.Hypot(dx, dy)
		if length == 0 {
			continue
		}
		nx, ny := -dy/length*width/2, dx/length*width/2
		polygons = append(polygons, []point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}})
		if i > 1 && width > 1 {
			polygons = append(polygons, disc(a, width/2))
		}
	}
	return polygons
}

// dashes cuts a straight line into pieces.
func dashes(line []point, on, off float64) (out [][]point) {
	if len(line) != 2 {
		return [][]point{line}
	}
	a, b := line[0], line[1]
	length := math.Hypot(b.x-a.x, b.y-a.y)
	at := func(d float64) point {
		f := min(d/length, 1)
		return point{a.x + f*(b.x-a.x), a.y + f*(b.y-a.y)}
	}
	for d := 0.0; d < length; d += on + off {
		out = append(out, []point{at(d), at(d + on)})
	}
	return out
}

// disc is a circle as a polygon whose sides nobody sees.
func disc(at point, radius float64) []point {
	const sides = 24
	out := make([]point, sides)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / sides)
		out[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	return out
}

func (r *raster) area(points []point, p paint) { r.fill([][]point{points}, p) }

func (r *raster) dot(at point, radius float64, p paint) { r.fill([][]point{disc(at, radius)}, p) }

func (r *raster) text(at point, l lettering, p paint, s string) {
	face := r.face(l)
	if face == nil {
		return
	}
	width := face.Width(s)
	shift := map[string]float64{"start": 0, "middle": width / 2, "end": width}[l.anchor]
	x, y, ink := at.x*r.scale, at.y*r.scale, rgba(p.colour, 0)
	if !l.upward {
		face.Draw(r.img, x-shift, y, ink, s)
		return
	}
	rise, fall := int(math.Ceil(1.2*l.size*r.scale)), int(math.Ceil(0.4*l.size*r.scale))
	flat := image.NewRGBA(image.Rect(0, 0, int(width)+2, rise+fall))
	face.Draw(flat, 1, float64(rise), ink, s)
	draw.Draw(r.img, r.img.Bounds(), turned(flat), image.Pt(-(int(x)-rise), -(int(y+shift)-flat.Bounds().Dx())), draw.Over)
}

// turned is an image turned by a quarter, against the clock.
func turned(src *image.RGBA) *image.RGBA {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	dst := image.NewRGBA(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			dst.SetRGBA(y, w-1-x, src.RGBAAt(x, y))
		}
	}
	return dst
}

// face is the font of a text, or nil if there is none.
func (r *raster) face(l lettering) *letters.Face {
	key := lettering{size: l.size, bold: l.bold}
	if f := r.faces[key]; f != nil || r.err != nil {
		return f
	}
	f, err := letters.New(l.size*r.scale, l.bold)
	if err != nil {
		r.err = fmt.Errorf("plotsvg: %w", err)
		return nil
	}
	r.faces[key] = f
	return f
}

// rgba is #rrggbb with an opacity, of which 0 means opaque.
func rgba(colour string, opacity float64) color.Color {
	v, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		return color.Black // the colours are ours
	}
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), uint8(math.Round(255 * opaque(opacity)))}
}
