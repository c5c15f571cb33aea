package rng

import "math"

// boxMuller makes two independent standard normal numbers of 64 random bits:
// radius sqrt(-2 ln u), u in (0, 1], from a, and an angle from b. Source: Box and
// Muller, "A Note on the Generation of Random Normal Deviates", 1958.
//
// All steps are single roundings of float32 in this order, without fused
// multiply-adds, so that every processor computes the same bits.
func boxMuller(a, b uint32) (x, y float32) {
	u := float32(float32(a)*perWord) + perWord/2
	radius := float32(math.Sqrt(float64(float32(-2 * log(u)))))
	sin, cos := quarterTurn(b)
	if b&1 != 0 {
		sin, cos = cos, sin
	}
	// Bit 1 turns by half; with the exchange by bit 0 that makes four quarters.
	sign := b << 30 & signBit
	radius = math.Float32frombits(math.Float32bits(radius) ^ sign)
	return radius * cos, radius * sin
}

const (
	perWord = 0x1p-32
	signBit = 1 << 31

	rootHalf  = 0x3f3504f3 // sqrt(1/2), as bits
	log2High  = 0.693359375
	log2Low   = -2.12194440e-4
	quarterPi = math.Pi / 2 * perWord
)

// Minimax polynomials of single precision for ln(1+t) on [sqrt(1/2)-1, sqrt(2)-1],
// and for sine and cosine on a quarter turn, highest power first. Source: S.
// Moshier, Cephes library, logf and sinf.
var (
	logPoly = [9]float32{7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1}
	sinPoly = [3]float32{-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1}
	cosPoly = [3]float32{2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2}
)

// log is the natural logarithm of a normal number in (0, 1].
func log(u float32) float32 {
	bits := math.Float32bits(u)
	exponent := int32(bits-rootHalf) >> 23
	t := math.Float32frombits(bits-uint32(exponent)<<23) - 1
	p := horner(logPoly[:], t)
	square := float32(t * t)
	e := float32(exponent)
	y := float32(float32(p*t)*square) + float32(e*log2Low)
	y -= float32(square * 0.5)
	return (t + y) + float32(e*log2High)
}

// quarterTurn returns sine and cosine of an angle that is uniform between -1/8
// and 1/8 of a turn.
func quarterTurn(bits uint32) (sin, cos float32) {
	a := float32(int32(bits)) * quarterPi
	square := float32(a * a)
	sin = float32(float32(horner(sinPoly[:], square)*square)*a) + a
	cos = float32(float32(horner(cosPoly[:], square)*square)*square) - float32(square*0.5) + 1
	return sin, cos
}

func horner(coefficients []float32, x float32) float32 {
	p := coefficients[0]
	for _, c := range coefficients[1:] {
		p = float32(p*x) + c
	}
	return p
}
