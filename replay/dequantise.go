package replay

import (
	"fmt"

	"github.com/orrery-rl/orrery/internal/rng"
)

// Dequantise maps bytes to what the model sees: with b = bitDepth bits,
//
//	y = floor(x / 2^(8-b)) / 2^b + u - 0.5,  u uniform in [0, 2^-b)
//
// so that y lies in [-0.5, 0.5). u is drawn afresh for every byte, with 16 bits
// of resolution at the middle of its step. Every y is then a multiple of 2^-25,
// which float32 holds exactly in this range, so none is rounded up to the next
// bin, and all processors agree.
// dst and src have the same length. Source: Hafner et al. 2019, appendix A.
func Dequantise(dst []float32, src []byte, bitDepth int, stream *rng.Stream) error {
	if len(dst) != len(src) {
		return fmt.Errorf("replay: dequantise %d bytes into %d values", len(src), len(dst))
	}
	table, scale, err := bins(bitDepth)
	if err != nil {
		return err
	}
	for len(src) >= 4 {
		u := stream.Uint64()
		d, x := dst[:4:4], src[:4:4]
		d[0] = table[x[0]] + float32(uint16(u))*scale
		d[1] = table[x[1]] + float32(uint16(u>>16))*scale
		d[2] = table[x[2]] + float32(uint16(u>>32))*scale
		d[3] = table[x[3]] + float32(uint16(u>>48))*scale
		dst, src = dst[4:], src[4:]
	}
	if len(src) > 0 {
		u := stream.Uint64()
		for i, x := range src {
			dst[i] = table[x] + float32(uint16(u>>(16*i)))*scale
		}
	}
	return nil
}

// Centre is Dequantise without chance: every byte becomes the centre of its
// bin, floor(x / 2^(8-b)) / 2^b + 2^-b/2 - 0.5, exactly.
func Centre(dst []float32, src []byte, bitDepth int) error {
	if len(dst) != len(src) {
		return fmt.Errorf("replay: dequantise %d bytes into %d values", len(src), len(dst))
	}
	if err := checkBitDepth(bitDepth); err != nil {
		return err
	}
	width := 1 / float32(int(1)<<bitDepth)
	for i, x := range src {
		dst[i] = (float32(x>>(8-bitDepth))+0.5)*width - 0.5
	}
	return nil
}

// bins returns, for each byte, its bin's lower edge plus half a step of u, and
// the size of a step.
func bins(bitDepth int) (table [256]float32, scale float32, err error) {
	if err := checkBitDepth(bitDepth); err != nil {
		return table, 0, err
	}
	width := 1 / float32(int(1)<<bitDepth)
	scale = width / (1 << 16)
	for x := range table {
		table[x] = float32(x>>(8-bitDepth))*width - 0.5 + scale/2
	}
	return table, scale, nil
}

func checkBitDepth(bitDepth int) error {
	if bitDepth < 1 || bitDepth > 8 {
		return fmt.Errorf("replay: bit depth %d; it must lie in [1, 8]", bitDepth)
	}
	return nil
}

// Quantise is the inverse of Dequantise up to the bits it drops: the lowest
// byte of each value's bin. Values outside [-0.5, 0.5) take the nearest bin.
func Quantise(dst []byte, src []float32, bitDepth int) error {
	if len(dst) != len(src) {
		return fmt.Errorf("replay: quantise %d values into %d bytes", len(src), len(dst))
	}
	if err := checkBitDepth(bitDepth); err != nil {
		return err
	}
	levels := float64(int(1) << bitDepth)
	for i, y := range src {
		// In float32 the sum could round up to the next bin.
		bin := min(max((float64(y)+0.5)*levels, 0), levels-1)
		dst[i] = byte(int(bin) << (8 - bitDepth))
	}
	return nil
}
