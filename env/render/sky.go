package render

import "math"

// faceTexels is the side of one face of the cube the sky is painted on.
const faceTexels = 800

// color is the sky in direction d, averaged over a square of the given width in
// texels. The gradient is MuJoCo's: a sigmoid of the elevation.
func (s Sky) color(d Vec3, width float64) RGB {
	elevation := math.Asin(d.Z/d.length()) / (math.Pi / 2)
	top := 0.5 * (1 + math.Sqrt2*elevation/math.Sqrt(1+elevation*elevation))
	c := s.Bottom.mix(s.Top, top)
	if s.Stars <= 0 {
		return c
	}
	return c.mix(RGB{1, 1, 1}, s.starlight(d, max(width, 1)))
}

// starlight is the share of white texels in a square of the given width around
// where d meets the cube.
func (s Sky) starlight(d Vec3, width float64) float64 {
	face, u, v := cubeFace(d)
	threshold := uint64(clamp(s.Stars) * (1 << 53))
	x, y := (u+1)/2*faceTexels, (v+1)/2*faceTexels
	x0, x1, y0, y1 := x-width/2, x+width/2, y-width/2, y+width/2
	sum := 0.0
	for j := math.Floor(y0); j < y1; j++ {
		for i := math.Floor(x0); i < x1; i++ {
			if mix64(uint64(face)<<40^uint64(int64(j)+1)<<20^uint64(int64(i)+1))>>11 < threshold {
				sum += (min(i+1, x1) - max(i, x0)) * (min(j+1, y1) - max(j, y0))
			}
		}
	}
	return sum / (width * width)
}

// cubeFace projects d onto the cube [-1, 1]^3: the face and the coordinates in
// it.
func cubeFace(d Vec3) (face int, u, v float64) {
	ax, ay, az := math.Abs(d.X), math.Abs(d.Y), math.Abs(d.Z)
	major, face, u, v := d.X, 0, d.Y, d.Z
	switch {
	case ay >= ax && ay >= az:
		major, face, u, v = d.Y, 2, d.X, d.Z
	case az >= ax:
		major, face, u, v = d.Z, 4, d.X, d.Y
	}
	if major < 0 {
		face++
	}
	return face, u / math.Abs(major), v / math.Abs(major)
}

// mix64 is the finaliser of SplitMix64: a fixed hash, so that stars are where
// they are in every process.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
