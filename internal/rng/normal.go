package rng

import "math"

// tailStart is where the tail of the normal distribution begins that layer 0
// of the ziggurat holds.
const tailStart = 3.442619855899

// FillNormal fills dst with standard normal values, two for each 64 bits drawn
// when none is rejected. The values depend on how a sequence is cut into calls.
//
// It is the ziggurat method in float32. Source: Marsaglia and Tsang, "The
// Ziggurat Method for Generating Random Variables", J. Stat. Softw. 5(8), 2000.
// Index and abscissa come from different bits, which mends the correlation that
// Leong et al. (J. Stat. Softw. 12(7), 2005) found in the original.
func (s *Stream) FillNormal(dst []float32) {
	for len(dst) >= 2 {
		u := s.source.Uint64()
		dst[0] = s.normal(uint32(u))
		dst[1] = s.normal(uint32(u >> 32))
		dst = dst[2:]
	}
	if len(dst) == 1 {
		dst[0] = s.normal(uint32(s.source.Uint64()))
	}
}

// normal makes a standard normal value of 7 bits that choose a layer and 25
// that choose a point in it; it draws more when that point is rejected.
func (s *Stream) normal(bits uint32) float32 {
	layer := bits & 127
	at := int32(bits) >> 7 // 25 bits with sign, exact in float32
	if magnitude(at) < acceptBelow[layer] {
		return float32(at) * layerScale[layer]
	}
	return s.normalAtEdge(layer, at)
}

// normalAtEdge decides about a point that the curve may pass below, and draws
// new ones until one is accepted.
func (s *Stream) normalAtEdge(layer uint32, at int32) float32 {
	for {
		x := float32(at) * layerScale[layer]
		switch {
		case magnitude(at) < acceptBelow[layer]:
			return x
		case layer == 0:
			return s.normalTail(at < 0)
		}
		bottom, top := float64(layerHeight[layer]), float64(layerHeight[layer-1])
		height := bottom + float64(s.Float64()*(top-bottom)) // rounded twice on every processor
		if height < math.Exp(-0.5*float64(x)*float64(x)) {
			return x
		}
		bits := uint32(s.source.Uint64())
		layer, at = bits&127, int32(bits)>>7
	}
}

// normalTail draws from the tail by Marsaglia's method.
func (s *Stream) normalTail(negative bool) float32 {
	for {
		// 1-u lies in (0, 1], whose logarithm is finite.
		x := -math.Log(1-s.Float64()) / tailStart
		y := -math.Log(1 - s.Float64())
		if y+y >= x*x {
			if negative {
				return float32(-tailStart - x)
			}
			return float32(tailStart + x)
		}
	}
}

func magnitude(at int32) uint32 { return uint32(max(at, -at)) }
