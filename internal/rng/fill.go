package rng

// A fill draws one key from its stream and computes everything else from that
// key and the position in the slice: it leaves the stream in the same state
// whatever its length, and a longer fill begins with what a shorter one is.
// Vector code and portable code give the same bits.

// FillUniform fills dst with uniform values in [0, 1), multiples of 2^-24.
func (s *Stream) FillUniform(dst []float32) {
	k, p := s.nextKey(), best()
	n := len(dst) / span
	p.uniform(dst[:n*span], &k, 0)
	if rest := dst[n*span:]; len(rest) > 0 {
		var last [span]float32
		p.uniform(last[:], &k, uint32(n))
		copy(rest, last[:])
	}
}

// FillNormal fills dst with standard normal values, at most 6.8 in magnitude.
func (s *Stream) FillNormal(dst []float32) {
	k, p := s.nextKey(), best()
	n := len(dst) / span
	p.normal(dst[:n*span], &k, 0)
	if rest := dst[n*span:]; len(rest) > 0 {
		var last [span]float32
		p.normal(last[:], &k, uint32(n))
		copy(rest, last[:])
	}
}

// Dither says how bytes become numbers, with noise in place of the bits that
// they lack: dst[i] = (src[i]>>Shift)*Width + Offset + u*Step with u a uniform
// integer in [0, 2^16).
type Dither struct {
	// Shift is the number of low bits that are dropped from a byte, 0 to 7.
	Shift uint32
	// Width, Offset and Step as above.
	Width, Offset, Step float32
}

// FillDithered fills dst with the numbers that d makes of src, which has the
// same length.
func (s *Stream) FillDithered(dst []float32, src []byte, d Dither) {
	k, p := s.nextKey(), best()
	src = src[:len(dst)]
	n := len(dst) / (2 * span)
	p.dither(dst[:n*2*span], src, &d, &k, 0)
	if rest := dst[n*2*span:]; len(rest) > 0 {
		var out [2 * span]float32
		var in [2 * span]byte
		copy(in[:], src[n*2*span:])
		p.dither(out[:], in[:], &d, &k, uint32(n))
		copy(rest, out[:])
	}
}

// path is an implementation of the fills of whole superblocks, whose last
// argument is the number of the first one. They agree bit for bit.
type path int

const (
	generic path = iota
	avx2
	avx512
)

func uniformGeneric(dst []float32, k *key, first uint32) {
	var bits [span]uint32
	for ; len(dst) > 0; dst, first = dst[span:], first+1 {
		superblock(&bits, k, first)
		for i, b := range bits {
			dst[i] = unit(b)
		}
	}
}

// normalGeneric makes the numbers of words 2w and 2w+1 of a block together.
func normalGeneric(dst []float32, k *key, first uint32) {
	var bits [span]uint32
	for ; len(dst) > 0; dst, first = dst[span:], first+1 {
		superblock(&bits, k, first)
		for i := 0; i < span; i += 2 * lanes {
			for l := i; l < i+lanes; l++ {
				dst[l], dst[l+lanes] = boxMuller(bits[l], bits[l+lanes])
			}
		}
	}
}

// ditherGeneric uses the low halves of a word of 16 blocks for 16 numbers and
// the high halves for the next 16.
func ditherGeneric(dst []float32, src []byte, d *Dither, k *key, first uint32) {
	var bits [span]uint32
	for ; len(dst) > 0; dst, src, first = dst[2*span:], src[2*span:], first+1 {
		superblock(&bits, k, first)
		for i, b := range bits {
			at := i/lanes*2*lanes + i%lanes
			dst[at] = d.number(src[at], uint16(b))
			dst[at+lanes] = d.number(src[at+lanes], uint16(b>>16))
		}
	}
}

func (d *Dither) number(x byte, u uint16) float32 {
	return float32(float32(x>>d.Shift)*d.Width) + d.Offset + float32(float32(u)*d.Step)
}
