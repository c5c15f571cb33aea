package rng

import "math/bits"

// A fill is made of superblocks: span 32-bit words, the ChaCha8 blocks of lanes
// successive counters, interleaved so that a vector register holds one word of
// each block: word w of block l is at 16*w + l.
const (
	lanes = 16
	words = 16
	span  = words * lanes
)

// key selects the keystream of one fill.
type key [8]uint32

// nextKey draws the key of a fill.
func (s *Stream) nextKey() (k key) {
	for i := 0; i < len(k); i += 2 {
		u := s.source.Uint64()
		k[i], k[i+1] = uint32(u), uint32(u>>32)
	}
	return k
}

// sigma is ChaCha's constant, "expand 32-byte k".
var sigma = [4]uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}

// superblock is number n of the key's keystream: ChaCha8 with counters
// 16*n to 16*n + 15 in word 12, and zero in the words after it. Source:
// Bernstein, "ChaCha, a variant of Salsa20", 2008, with 8 rounds.
func superblock(dst *[span]uint32, k *key, n uint32) {
	var start [words]uint32
	copy(start[:4], sigma[:])
	copy(start[4:12], k[:])
	for l := range lanes {
		start[12] = n*lanes + uint32(l)
		x := rounds(start)
		for w, v := range x {
			dst[w*lanes+l] = v + start[w]
		}
	}
}

// rounds makes 8 rounds, of columns and diagonals in turn.
func rounds(x [words]uint32) [words]uint32 {
	x0, x1, x2, x3, x4, x5, x6, x7 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	x8, x9, xa, xb, xc, xd, xe, xf := x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15]
	for range 4 {
		x0, x4, x8, xc = quarter(x0, x4, x8, xc)
		x1, x5, x9, xd = quarter(x1, x5, x9, xd)
		x2, x6, xa, xe = quarter(x2, x6, xa, xe)
		x3, x7, xb, xf = quarter(x3, x7, xb, xf)
		x0, x5, xa, xf = quarter(x0, x5, xa, xf)
		x1, x6, xb, xc = quarter(x1, x6, xb, xc)
		x2, x7, x8, xd = quarter(x2, x7, x8, xd)
		x3, x4, x9, xe = quarter(x3, x4, x9, xe)
	}
	return [words]uint32{x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, xa, xb, xc, xd, xe, xf}
}

func quarter(a, b, c, d uint32) (uint32, uint32, uint32, uint32) {
	a += b
	d = bits.RotateLeft32(d^a, 16)
	c += d
	b = bits.RotateLeft32(b^c, 12)
	a += b
	d = bits.RotateLeft32(d^a, 8)
	c += d
	b = bits.RotateLeft32(b^c, 7)
	return a, b, c, d
}
