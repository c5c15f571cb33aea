package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DType is the format's name of an element type.
type DType string

// The types that are supported.
const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	U8   DType = "U8"
)

// Size is the number of bytes of an element, or 0 for an unsupported type.
func (d DType) Size() int {
	switch d {
	case I64:
		return 8
	case F32:
		return 4
	case F16, BF16:
		return 2
	case U8:
		return 1
	}
	return 0
}

// Encode converts values to d, one of F32, F16 and BF16, rounding to nearest,
// ties to even. Values beyond the range of F16, 65504, become infinite.
func (d DType) Encode(values []float32) ([]byte, error) {
	out := make([]byte, 0, d.Size()*len(values))
	switch d {
	case F32:
		for _, v := range values {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	case F16:
		for _, v := range values {
			out = binary.LittleEndian.AppendUint16(out, toHalf(v))
		}
	case BF16:
		for _, v := range values {
			out = binary.LittleEndian.AppendUint16(out, toBrain(v))
		}
	default:
		return nil, fmt.Errorf("the type %q does not hold floating-point numbers", d)
	}
	return out, nil
}

// Float32 converts data of type d, one of F32, F16 and BF16, to float32, which
// is exact.
func (d DType) Float32(data []byte) ([]float32, error) {
	if size := d.Size(); size == 0 || len(data)%size != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of elements of type %q", len(data), d)
	}
	out := make([]float32, len(data)/d.Size())
	switch d {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = fromHalf(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
	default:
		return nil, fmt.Errorf("the type %q does not hold floating-point numbers", d)
	}
	return out, nil
}

// toBrain keeps the upper half of the bits.
func toBrain(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40 // rounding could make it infinite
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// toHalf rounds to IEEE 754 binary16: 5 bits of exponent, 10 of mantissa.
func toHalf(v float32) uint16 {
	sign := uint16(math.Float32bits(v) >> 16 & 0x8000)
	abs := math.Abs(float64(v))
	switch {
	case v != v:
		return sign | 0x7e00
	case abs >= 65520: // halfway from the largest number to the next
		return sign | 0x7c00
	case abs < 0x1p-14: // subnormal, or the smallest normal number after rounding
		return sign | uint16(math.RoundToEven(abs*0x1p24))
	}
	fraction, exponent := math.Frexp(abs) // abs = fraction 2^exponent, fraction in [1/2, 1)
	// A mantissa rounded up to 2^11 carries into the exponent, as it should.
	return sign | (uint16(exponent+13)<<10 + uint16(math.RoundToEven(fraction*0x1p11)))
}

func fromHalf(h uint16) float32 {
	sign, exponent, mantissa := uint32(h>>15)<<31, int(h>>10&31), uint32(h&0x3ff)
	switch exponent {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(mantissa)*0x1p-24))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | mantissa<<13)
	}
	return math.Float32frombits(sign | uint32(exponent+112)<<23 | mantissa<<13)
}
