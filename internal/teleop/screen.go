package teleop

import (
	"fmt"
	"image"
	"strings"
)

// Fit is the size of a picture of width x height pixels on cols columns and rows
// rows of half blocks, which show two pixels above each other: scaled down to fit,
// or up by a whole number. It is at least 1x1.
func Fit(width, height, cols, rows int) (w, h int) {
	if width < 1 || height < 1 {
		return 1, 1
	}
	if k := min(cols/width, 2*rows/height); k >= 1 {
		return width * k, height * k
	}
	w, h = cols, height*cols/width
	if h > 2*rows {
		w, h = width*2*rows/height, 2*rows
	}
	return max(w, 1), max(h, 1)
}

// Resize returns the picture with w x h pixels, each the mean of the area that it
// covers.
func Resize(src *image.RGBA, w, h int) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	b := src.Bounds()
	for y := range h {
		for x := range w {
			x0, x1 := span(x, w, b.Dx())
			y0, y1 := span(y, h, b.Dy())
			var sum [3]int
			for v := y0; v < y1; v++ {
				for u := x0; u < x1; u++ {
					p := src.RGBAAt(b.Min.X+u, b.Min.Y+v)
					sum[0], sum[1], sum[2] = sum[0]+int(p.R), sum[1]+int(p.G), sum[2]+int(p.B)
				}
			}
			n := (x1 - x0) * (y1 - y0)
			at := dst.PixOffset(x, y)
			dst.Pix[at], dst.Pix[at+1], dst.Pix[at+2], dst.Pix[at+3] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n), 255
		}
	}
	return dst
}

// span is the range of source pixels, at least one, of pixel i of n.
func span(i, n, source int) (from, to int) {
	from = i * source / n
	return from, max((i+1)*source/n, from+1)
}

// Blocks draws a picture in lines of half blocks: the upper pixel is the colour of
// the block, the lower one that of its background. Below the last row of a picture
// of odd height it is black.
func Blocks(img *image.RGBA) []string {
	b := img.Bounds()
	var lines []string
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		var line strings.Builder
		last := ""
		for x := b.Min.X; x < b.Max.X; x++ {
			up, down := img.RGBAAt(x, y), img.RGBAAt(x, y+1) // black outside
			colours := fmt.Sprintf("\x1b[38;2;%d;%d;%d;48;2;%d;%d;%dm", up.R, up.G, up.B, down.R, down.G, down.B)
			if colours != last {
				line.WriteString(colours)
				last = colours
			}
			line.WriteString("▀")
		}
		lines = append(lines, line.String()+"\x1b[0m")
	}
	return lines
}

// Control sequences.
const (
	enter    = "\x1b[?1049h\x1b[?25l\x1b[2J" // another screen, without a cursor
	leave    = "\x1b[0m\x1b[?25h\x1b[?1049l"
	home     = "\x1b[H"
	clearEnd = "\x1b[K" // to the end of the line
	clearAll = "\x1b[J" // to the end of the screen
)

// frame is a whole screen: lines of text above and below a picture, which may be
// nil, none wider or higher than the terminal.
func frame(above []string, picture *image.RGBA, below []string, cols, rows int) string {
	var lines []string
	for _, text := range above {
		lines = append(lines, cut(text, cols))
	}
	if left := rows - len(above) - len(below); picture != nil && left > 0 {
		w, h := Fit(picture.Bounds().Dx(), picture.Bounds().Dy(), cols, left)
		lines = append(lines, Blocks(Resize(picture, w, h))...)
	}
	for _, text := range below {
		lines = append(lines, cut(text, cols))
	}
	lines = lines[:min(len(lines), rows)]
	return home + strings.Join(lines, clearEnd+"\r\n") + clearEnd + clearAll
}

// cut shortens a line of plain text.
func cut(text string, cols int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), cols)])
}
