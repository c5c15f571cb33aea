// Package media turns frames into pictures a person can look at: it scales and
// stacks small images, draws a curve under them, and writes films as GIF and
// animated PNG with nothing but the standard library, and as MP4 by ffmpeg.
package media

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// FromRGB returns the image of a height*width*3 buffer of uint8 values in
// row-major HWC order, or an error that names the length it expected.
func FromRGB(pix []byte, height, width int) (*image.RGBA, error) {
	if height <= 0 || width <= 0 || len(pix) != height*width*3 {
		return nil, fmt.Errorf("media: %d bytes do not hold a %dx%d RGB image (%d bytes)", len(pix), height, width, height*width*3)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := 0; i < height*width; i++ {
		img.Pix[4*i] = pix[3*i]
		img.Pix[4*i+1] = pix[3*i+1]
		img.Pix[4*i+2] = pix[3*i+2]
		img.Pix[4*i+3] = 0xff
	}
	return img, nil
}

// FromHWC returns the image of a buffer of uint8 values in row-major HWC order:
// three channels are RGB, one is grey. Other numbers of channels cannot be shown
// and are an error.
func FromHWC(pix []byte, height, width, channels int) (*image.RGBA, error) {
	switch channels {
	case 1:
		return FromRGB(spread(pix), height, width)
	case 3:
		return FromRGB(pix, height, width)
	}
	return nil, fmt.Errorf("media: an image of %d channels; 1 (grey) and 3 (RGB) can be shown", channels)
}

// spread makes three equal channels of one.
func spread(grey []byte) []byte {
	out := make([]byte, 0, 3*len(grey))
	for _, v := range grey {
		out = append(out, v, v, v)
	}
	return out
}

// Scale enlarges src by the whole factor k >= 1 without smoothing, so that
// every pixel the agent saw stays a visible square.
func Scale(src *image.RGBA, k int) *image.RGBA {
	b := src.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, b.Dx()*k, b.Dy()*k))
	for y := 0; y < b.Dy()*k; y++ {
		for x := 0; x < b.Dx()*k; x++ {
			from := src.PixOffset(b.Min.X+x/k, b.Min.Y+y/k)
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[from:][:4])
		}
	}
	return dst
}

// Blank is an image of one colour.
func Blank(width, height int, c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// Stack places images below one another, left-aligned, with gap pixels of
// background between them.
func Stack(gap int, background color.Color, imgs ...*image.RGBA) *image.RGBA {
	width, height := 0, -gap
	for _, img := range imgs {
		width = max(width, img.Bounds().Dx())
		height += img.Bounds().Dy() + gap
	}
	return place(width, height, background, imgs, func(at image.Point, img *image.RGBA) image.Point {
		return at.Add(image.Pt(0, img.Bounds().Dy()+gap))
	})
}

// Row places images beside one another, top-aligned, with gap pixels of
// background between them.
func Row(gap int, background color.Color, imgs ...*image.RGBA) *image.RGBA {
	width, height := -gap, 0
	for _, img := range imgs {
		width += img.Bounds().Dx() + gap
		height = max(height, img.Bounds().Dy())
	}
	return place(width, height, background, imgs, func(at image.Point, img *image.RGBA) image.Point {
		return at.Add(image.Pt(img.Bounds().Dx()+gap, 0))
	})
}

func place(width, height int, background color.Color, imgs []*image.RGBA, next func(image.Point, *image.RGBA) image.Point) *image.RGBA {
	dst := Blank(max(width, 0), max(height, 0), background)
	var at image.Point
	for _, img := range imgs {
		r := image.Rectangle{Min: at, Max: at.Add(img.Bounds().Size())}
		draw.Draw(dst, r, img, img.Bounds().Min, draw.Src)
		at = next(at, img)
	}
	return dst
}
