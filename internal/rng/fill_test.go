package rng

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestKeystreamIsChaCha8 compares with the published keystreams of ChaCha8 with
// 256-bit keys, block 0 (draft-strombergson-chacha-test-vectors, TC1 and TC2).
func TestKeystreamIsChaCha8(t *testing.T) {
	for _, c := range []struct {
		first byte // of the key; the rest is zero
		want  string
	}{
		{0, "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42"},
		{1, "cf5ee9a0494aa9613e05d5ed725b804b12f4a465ee635acc3a311de8740489ea289d04f43c7518db56eb4433e498a1238cd8464d3763ddbb9222ee3bd8fae3c8"},
	} {
		var dst [span]uint32
		superblock(&dst, &key{uint32(c.first)}, 0)
		var block []byte
		for w := range words {
			v := dst[w*lanes]
			block = append(block, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		}
		if got := hex.EncodeToString(block); got != c.want {
			t.Errorf("key %d...: block 0 is\n%s, want\n%s", c.first, got, c.want)
		}
	}
}

// TestPathsAgree compares every path that this processor has with the portable
// one, bit for bit.
func TestPathsAgree(t *testing.T) {
	for p := avx2; p <= best(); p++ {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				k := key(rapid.SliceOfN(rapid.Uint32(), 8, 8).Draw(t, "key"))
				first := rapid.Uint32().Draw(t, "first")
				n := rapid.IntRange(1, 3).Draw(t, "superblocks")
				got, want := make([]float32, n*span), make([]float32, n*span)
				p.uniform(got, &k, first)
				generic.uniform(want, &k, first)
				same(t, "uniform", got, want)
				p.normal(got, &k, first)
				generic.normal(want, &k, first)
				same(t, "normal", got, want)
			})
		})
	}
}

func TestPathsDitherAlike(t *testing.T) {
	for p := avx2; p <= best(); p++ {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				k := key(rapid.SliceOfN(rapid.Uint32(), 8, 8).Draw(t, "key"))
				n := 2 * span * rapid.IntRange(1, 3).Draw(t, "superblocks")
				d := Dither{Shift: rapid.Uint32Range(0, 7).Draw(t, "shift"),
					Width: rapid.Float32Range(-2, 2).Draw(t, "width"), Offset: rapid.Float32Range(-2, 2).Draw(t, "offset"), Step: rapid.Float32Range(0, 1e-3).Draw(t, "step")}
				src := make([]byte, n)
				for i, b := range rapid.SliceOfN(rapid.Byte(), 67, 67).Draw(t, "bytes") {
					for ; i < n; i += 67 {
						src[i] = b
					}
				}
				got, want := make([]float32, n), make([]float32, n)
				p.dither(got, src, &d, &k, 5)
				generic.dither(want, src, &d, &k, 5)
				same(t, "dithered", got, want)
			})
		})
	}
}

// same compares bits: zeros have signs.
func same(t rapid.TB, what string, got, want []float32) {
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: value %d is %v (%08x), the portable code gives %v (%08x)",
				what, i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// TestEdgesOfBoxMuller goes through words on both sides of every
// change of spacing of float32.
func TestEdgesOfBoxMuller(t *testing.T) {
	var edges []uint32
	for bit := range 32 {
		for d := range uint32(5) {
			edges = append(edges, 1<<bit-2+d, (1<<bit|1<<max(bit-24, 0))-2+d)
		}
	}
	for _, a := range edges {
		for _, b := range []uint32{0, 1, 2, 3, 1 << 31, math.MaxUint32, 0x7fffffff, 0xaaaaaaaa} {
			x, y := boxMuller(a, b)
			u := (float64(a) + 0.5) * 0x1p-32
			if radius, want := math.Hypot(float64(x), float64(y)), math.Sqrt(-2*math.Log(u)); !(math.Abs(radius-want) <= 3e-6*(1+want)+1e-6/max(want, 1e-3)) {
				t.Errorf("words %#x and %#x give (%v, %v): radius %v, want %v", a, b, x, y, radius, want)
			}
		}
	}
	if x, y := boxMuller(0, 0); math.Hypot(float64(x), float64(y)) > 6.8 {
		t.Errorf("the largest radius is %v", math.Hypot(float64(x), float64(y)))
	}
}

// TestAngleIsExact compares sine and cosine with the library's.
func TestAngleIsExact(t *testing.T) {
	for i := range 1 << 16 {
		bits := uint32(i) << 16
		sin, cos := quarterTurn(bits)
		s, c := math.Sincos(float64(int32(bits)) * 0x1p-32 * math.Pi / 2)
		if math.Abs(float64(sin)-s) > 1e-7 || math.Abs(float64(cos)-c) > 1e-7 {
			t.Fatalf("%#x: (%v, %v), want (%v, %v)", bits, sin, cos, s, c)
		}
	}
}

func TestLogarithmIsExact(t *testing.T) {
	for i := range 1 << 16 {
		u := (float32(i) + 0.5) / (1 << 16)
		if got, want := float64(log(u)), math.Log(float64(u)); math.Abs(got-want) > 2e-7*max(1e-1, -want) {
			t.Fatalf("log %v is %v, want %v", u, got, want)
		}
	}
}

// TestLongerFillBeginsWithShorterOne: what a fill contains does not depend on
// its length, nor what the stream yields after it.
func TestLongerFillBeginsWithShorterOne(t *testing.T) {
	src := make([]byte, 3*span+5)
	for name, fill := range map[string]func(*Stream, []float32){
		"uniform": (*Stream).FillUniform, "normal": (*Stream).FillNormal,
		"dithered": func(s *Stream, dst []float32) { s.FillDithered(dst, src[:len(dst)], Dither{Step: 1}) },
	} {
		long, after := make([]float32, len(src)), New(1, "fill")
		fill(after, long)
		want := after.Uint64()
		for _, n := range []int{0, 1, 15, 16, 17, span - 1, span, span + 1, 2*span + 31} {
			s, short := New(1, "fill"), make([]float32, n)
			fill(s, short)
			if !slices.Equal(short, long[:n]) {
				t.Errorf("%s: %d values are not the first of %d", name, n, len(long))
			}
			if got := s.Uint64(); got != want {
				t.Errorf("%s: the stream goes on differently after %d values", name, n)
			}
		}
	}
}

// TestDitherIsUniform: the noise takes all of its 2^16 values alike.
func TestDitherIsUniform(t *testing.T) {
	const n = 1 << 20
	dst := make([]float32, n)
	New(4, "dither").FillDithered(dst, make([]byte, n), Dither{Step: 1})
	var bins [256]int
	for _, v := range dst {
		if v < 0 || v > 0xffff || v != float32(int(v)) {
			t.Fatalf("noise %v", v)
		}
		bins[int(v)>>8]++
	}
	chi := 0.0
	for _, b := range bins {
		chi += (float64(b) - n/256) * (float64(b) - n/256) / (n / 256)
	}
	if chi > 255+6*math.Sqrt(2*255) {
		t.Errorf("chi squared of the high bytes is %v with 255 degrees of freedom", chi)
	}
}
