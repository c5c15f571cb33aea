package media

import (
	"cmp"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"slices"
	"time"
)

// ErrNoFrames is returned when an animation has no frames.
var ErrNoFrames = errors.New("media: an animation needs at least one frame")

// WriteGIF writes an endless animation that shows each frame for delay
// (rounded to GIF's hundredths of a second, at least two of them, which is the
// shortest that viewers honour). All frames share one palette of the 256 most
// frequent colours.
func WriteGIF(w io.Writer, frames []*image.RGBA, delay time.Duration) error {
	if len(frames) == 0 {
		return ErrNoFrames
	}
	table := newPalette(frames)
	out := &gif.GIF{}
	for _, f := range frames {
		out.Image = append(out.Image, table.paletted(f))
		out.Delay = append(out.Delay, max(2, int(delay/(10*time.Millisecond))))
	}
	return gif.EncodeAll(w, out)
}

// palette maps 15-bit colours to the nearest of at most 256 entries. Rendered
// scenes use few colours, so the most frequent ones lose next to nothing.
type palette struct {
	colors  color.Palette
	nearest [1 << 15]int16 // entry + 1; 0 = not looked up yet
}

func key(r, g, b uint8) int { return int(r>>3)<<10 | int(g>>3)<<5 | int(b>>3) }

func newPalette(frames []*image.RGBA) *palette {
	var count [1 << 15]int
	var sum [1 << 15][3]int
	for _, f := range frames {
		for i := 0; i+3 < len(f.Pix); i += 4 {
			k := key(f.Pix[i], f.Pix[i+1], f.Pix[i+2])
			count[k]++
			for c := range 3 {
				sum[k][c] += int(f.Pix[i+c])
			}
		}
	}
	var used []int
	for k, n := range count {
		if n > 0 {
			used = append(used, k)
		}
	}
	slices.SortFunc(used, func(a, b int) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	p := &palette{}
	for _, k := range used[:min(len(used), 256)] {
		n := count[k]
		p.colors = append(p.colors, color.RGBA{uint8(sum[k][0] / n), uint8(sum[k][1] / n), uint8(sum[k][2] / n), 255})
	}
	return p
}

func (p *palette) paletted(src *image.RGBA) *image.Paletted {
	dst := image.NewPaletted(src.Bounds(), p.colors)
	for i := range dst.Pix {
		r, g, b := src.Pix[4*i], src.Pix[4*i+1], src.Pix[4*i+2]
		k := key(r, g, b)
		if p.nearest[k] == 0 {
			p.nearest[k] = int16(p.colors.Index(color.RGBA{r, g, b, 255})) + 1
		}
		dst.Pix[i] = uint8(p.nearest[k] - 1)
	}
	return dst
}
