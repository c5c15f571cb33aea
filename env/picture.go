package env

import (
	"fmt"
	"image"
	"image/color"
)

// Picture copies the bytes of an observation's image into an image.Image that
// can be written as PNG or GIF. One channel is grey, three are RGB; other
// numbers of channels have no picture and are an error, as is a wrong length.
func (s ImageSpec) Picture(pix []byte) (image.Image, error) {
	if len(pix) != s.Size() {
		return nil, fmt.Errorf("env: %d bytes are not a %dx%dx%d image (%d bytes)", len(pix), s.Height, s.Width, s.Channels, s.Size())
	}
	bounds := image.Rect(0, 0, s.Width, s.Height)
	switch s.Channels {
	case 1:
		img := image.NewGray(bounds)
		copy(img.Pix, pix)
		return img, nil
	case 3:
		img := image.NewNRGBA(bounds)
		for i := range s.Height * s.Width {
			img.SetNRGBA(i%s.Width, i/s.Width, color.NRGBA{R: pix[3*i], G: pix[3*i+1], B: pix[3*i+2], A: 0xff})
		}
		return img, nil
	}
	return nil, fmt.Errorf("env: an image with %d channels cannot be shown; 1 (grey) and 3 (RGB) can", s.Channels)
}
