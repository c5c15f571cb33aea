package dashboard

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"github.com/orrery-rl/orrery/metrics/live"
)

// sheet is a grid of images of one size, row by row, as a PNG.
func sheet(frames [][]byte, size live.Size) ([]byte, error) {
	columns := columnsOf(len(frames))
	rows := (len(frames) + columns - 1) / columns
	img := image.NewNRGBA(image.Rect(0, 0, columns*size.Width, rows*size.Height))
	for i, f := range frames {
		paint(img, (i%columns)*size.Width, (i/columns)*size.Height, f, size)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// columnsOf is the width in images of a sheet of n: about square, so that no
// side is larger than a browser can show.
func columnsOf(n int) int { return max(1, int(math.Ceil(math.Sqrt(float64(n))))) }

func paint(img *image.NRGBA, left, top int, frame []byte, size live.Size) {
	for y := range size.Height {
		for x := range size.Width {
			p := frame[(y*size.Width+x)*size.Channels:]
			c := color.NRGBA{p[0], p[0], p[0], 255}
			if size.Channels == 3 {
				c.G, c.B = p[1], p[2]
			}
			img.SetNRGBA(left+x, top+y, c)
		}
	}
}

// distances is the root mean squared difference of each frame from the real one,
// in levels of 256.
func distances(real, other [][]byte) []number {
	out := make([]number, len(other))
	for i, frame := range other {
		sum := 0.0
		for k, v := range frame {
			d := float64(v) - float64(real[i][k])
			sum += d * d
		}
		out[i] = number(math.Sqrt(sum / float64(max(1, len(frame)))))
	}
	return out
}
