package remote

import (
	"image"

	"golang.org/x/image/draw"

	"github.com/orrery-rl/orrery/env"
)

// scale returns pix, of shape from, in the height and width of to, as an
// average over the pixels that fall together. Channels must be 1 or 3.
func scale(pix []byte, from, to env.ImageSpec) []byte {
	src := image.NewRGBA(image.Rect(0, 0, from.Width, from.Height))
	for i, n := 0, from.Height*from.Width; i < n; i++ {
		p := pix[i*from.Channels : (i+1)*from.Channels]
		copy(src.Pix[4*i:], []byte{p[0], p[from.Channels/2], p[from.Channels-1], 0xff})
	}
	dst := image.NewRGBA(image.Rect(0, 0, to.Width, to.Height))
	draw.BiLinear.Scale(dst, dst.Rect, src, src.Rect, draw.Src, nil)
	out := make([]byte, to.Size())
	for i := range to.Height * to.Width {
		copy(out[i*to.Channels:(i+1)*to.Channels], dst.Pix[4*i:])
	}
	return out
}
