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
	if err := checkBitDepth(bitDepth); err != nil {
		return err
	}
	width := 1 / float32(int(1)<<bitDepth)
	step := width / (1 << 16)
	stream.FillDithered(dst, src, rng.Dither{Shift: uint32(8 - bitDepth), Width: width, Offset: step/2 - 0.5, Step: step})
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
