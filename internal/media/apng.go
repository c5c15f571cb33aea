package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"time"
)

// ErrFrames marks frames that do not go together.
var ErrFrames = errors.New("media: frames of one film must be alike")

const pngSignature = "\x89PNG\r\n\x1a\n"

// WriteAPNG writes an endless animated PNG that shows each frame for delay,
// rounded to milliseconds. It loses nothing; browsers play it, and programs
// that do not know animations show the first frame. Of each further frame only
// the rectangle that changed is stored. All frames must have one size and be
// opaque.
//
// The format is that of the PNG specification, third edition, section 11.3.6.
func WriteAPNG(w io.Writer, frames []*image.RGBA, delay time.Duration) error {
	if err := alike(frames); err != nil {
		return err
	}
	a := apng{w: w, delay: uint16(min(max(delay.Milliseconds(), 1), 65535))}
	a.raw([]byte(pngSignature))
	for i, frame := range frames {
		area := frame.Bounds()
		if i > 0 {
			area = changed(frames[i-1], frame)
		}
		if err := a.frame(i, len(frames), frame, area); err != nil {
			return err
		}
	}
	a.chunk("IEND", nil)
	return a.err
}

// alike reports frames that differ in size or are not opaque.
func alike(frames []*image.RGBA) error {
	if len(frames) == 0 {
		return ErrNoFrames
	}
	for i, f := range frames {
		if f.Bounds() != frames[0].Bounds() || f.Bounds().Empty() {
			return fmt.Errorf("%w: frame %d is %v, the first %v", ErrFrames, i, f.Bounds(), frames[0].Bounds())
		}
		if !f.Opaque() {
			return fmt.Errorf("%w: frame %d is not opaque", ErrFrames, i)
		}
	}
	return nil
}

// changed is the smallest rectangle outside of which two frames are equal; it
// has at least one pixel.
func changed(before, after *image.RGBA) image.Rectangle {
	b, area := after.Bounds(), image.Rectangle{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		o, n := before.Pix[before.PixOffset(b.Min.X, y):][:4*b.Dx()], after.Pix[after.PixOffset(b.Min.X, y):][:4*b.Dx()]
		if bytes.Equal(o, n) {
			continue
		}
		left, right := 0, b.Dx()-1
		for bytes.Equal(o[4*left:][:4], n[4*left:][:4]) {
			left++
		}
		for bytes.Equal(o[4*right:][:4], n[4*right:][:4]) {
			right--
		}
		area = area.Union(image.Rect(b.Min.X+left, y, b.Min.X+right+1, y+1))
	}
	if area.Empty() {
		return image.Rectangle{Min: b.Min, Max: b.Min.Add(image.Pt(1, 1))}
	}
	return area
}

// apng writes chunks and remembers the first error.
type apng struct {
	w        io.Writer
	delay    uint16 // milliseconds
	sequence uint32 // of the next animation chunk
	err      error
}

// frame writes the area of one frame, and before the first what the file begins
// with.
func (a *apng) frame(i, frames int, img *image.RGBA, area image.Rectangle) error {
	var buf bytes.Buffer
	if err := png.Encode(&buf, img.SubImage(area)); err != nil {
		return fmt.Errorf("media: frame %d: %w", i, err)
	}
	header, data, err := takeChunks(buf.Bytes())
	if err != nil {
		return err
	}
	if i == 0 {
		a.chunk("IHDR", header)
		animation := binary.BigEndian.AppendUint32(nil, uint32(frames))
		a.chunk("acTL", binary.BigEndian.AppendUint32(animation, 0)) // for ever
	}
	a.control(area.Sub(img.Bounds().Min))
	for _, d := range data {
		if i == 0 {
			a.chunk("IDAT", d)
		} else {
			a.chunk("fdAT", append(a.next(), d...))
		}
	}
	return a.err
}

// control says where the following data go, and for how long: over what is
// there, replacing it.
func (a *apng) control(area image.Rectangle) {
	c := a.next()
	for _, v := range []int{area.Dx(), area.Dy(), area.Min.X, area.Min.Y} {
		c = binary.BigEndian.AppendUint32(c, uint32(v))
	}
	c = binary.BigEndian.AppendUint16(c, a.delay)
	c = binary.BigEndian.AppendUint16(c, 1000)
	a.chunk("fcTL", append(c, 0, 0)) // dispose: none; blend: source
}

// next is the next sequence number.
func (a *apng) next() []byte {
	a.sequence++
	return binary.BigEndian.AppendUint32(nil, a.sequence-1)
}

func (a *apng) chunk(name string, data []byte) {
	body := append([]byte(name), data...)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(out, body...)
	a.raw(binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body)))
}

func (a *apng) raw(data []byte) {
	if a.err == nil {
		_, a.err = a.w.Write(data)
	}
}

// takeChunks returns the header and the image data of a PNG that the standard
// library wrote.
func takeChunks(file []byte) (header []byte, data [][]byte, err error) {
	for rest := file[len(pngSignature):]; len(rest) >= 12; {
		n := int(binary.BigEndian.Uint32(rest))
		if n > len(rest)-12 {
			break
		}
		switch name, body := string(rest[4:8]), rest[8:8+n]; name {
		case "IHDR":
			header = body
		case "IDAT":
			data = append(data, body)
		case "IEND":
			return header, data, nil
		}
		rest = rest[12+n:]
	}
	return nil, nil, errors.New("media: image/png wrote what is not a PNG")
}
