package render

import (
	"math"
	"math/rand/v2"
	"testing"
)

// distanceTo is the signed distance from the local point p to the surface of g,
// negative inside: formulas independent of the ray tests.
func distanceTo(g Geom, p Vec3) float64 {
	radial := math.Hypot(p.X, p.Y)
	switch g.Shape {
	case Sphere:
		return p.length() - g.Size.X
	case Capsule:
		z := p.Z - min(max(p.Z, -g.Size.Y), g.Size.Y)
		return math.Hypot(radial, z) - g.Size.X
	case Cylinder:
		return boxDistance(radial-g.Size.X, math.Abs(p.Z)-g.Size.Y, math.Inf(-1))
	case Ellipsoid:
		return ellipsoidDistance(p, g.Size)
	default:
		return boxDistance(math.Abs(p.X)-g.Size.X, math.Abs(p.Y)-g.Size.Y, math.Abs(p.Z)-g.Size.Z)
	}
}

// ellipsoidDistance is an estimate that is exact to first order at the surface and
// small steps never leap over it.
func ellipsoidDistance(p, half Vec3) float64 {
	scaled := Vec3{p.X / half.X, p.Y / half.Y, p.Z / half.Z}
	gradient := Vec3{p.X / (half.X * half.X), p.Y / (half.Y * half.Y), p.Z / (half.Z * half.Z)}
	k0, k1 := scaled.length(), gradient.length()
	if k1 == 0 {
		return -min(half.X, half.Y, half.Z)
	}
	return k0 * (k0 - 1) / k1
}

// boxDistance combines the excesses over the half sizes.
func boxDistance(x, y, z float64) float64 {
	outside := Vec3{max(x, 0), max(y, 0), max(z, 0)}.length()
	return outside + min(max(x, y, z), 0)
}

func randomVec(r *rand.Rand, scale float64) Vec3 {
	return Vec3{scale * r.NormFloat64(), scale * r.NormFloat64(), scale * r.NormFloat64()}
}

func randomSolid(r *rand.Rand) Geom {
	shapes := []Shape{Sphere, Capsule, Cylinder, Box, Ellipsoid}
	size := func() float64 { return 0.05 + 0.5*r.Float64() }
	return Geom{
		Shape: shapes[r.IntN(len(shapes))], Size: Vec3{size(), size(), size()},
		Position: randomVec(r, 0.5), Frame: ZAlong(randomVec(r, 1)),
	}
}

// march walks along the ray by the signed distance, which can never step over
// the surface, and returns where it arrives.
func march(g Geom, r ray) float64 {
	t, unit := 0.0, r.direction.length()
	for range 2000 {
		d := distanceTo(g, g.Frame.local(r.at(t).sub(g.Position)))
		if d < 1e-9 {
			return t
		}
		if t += d / unit; t > 100 {
			break
		}
	}
	return math.Inf(1)
}

func TestRaysMeetSolidsWhereMarchingDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	hits, misses := 0, 0
	for range 20000 {
		g := randomSolid(random)
		s := newSolid(g)
		r := ray{randomVec(random, 2), randomVec(random, 1)}
		if distanceTo(g, g.Frame.local(r.origin.sub(g.Position))) <= 0 {
			continue
		}
		// Aim near the solid, so that half of the rays meet it.
		r.direction = g.Position.add(randomVec(random, 0.4)).sub(r.origin).scale(0.1 + random.Float64())
		got, normal := s.meet(r)
		want := march(g, r)
		if math.IsInf(want, 1) != math.IsInf(got, 1) {
			if grazing(g, r) {
				continue
			}
			t.Fatalf("shape %d size %v: meets at %g, marching at %g", g.Shape, g.Size, got, want)
		}
		if math.IsInf(want, 1) {
			misses++
			continue
		}
		hits++
		if math.Abs(got-want)*r.direction.length() > 1e-3 && !grazing(g, r) {
			t.Fatalf("shape %d size %v: meets at %g, marching at %g", g.Shape, g.Size, got, want)
		}
		checkNormal(t, g, r.at(got), normal)
	}
	if hits < 3000 || misses < 3000 {
		t.Errorf("%d hits and %d misses: the rays are badly aimed", hits, misses)
	}
}

// grazing reports whether the ray only brushes the surface, where rounding
// decides.
func grazing(g Geom, r ray) bool {
	nearest := math.Inf(1)
	for t := 0.0; t < 30; t += 0.0005 {
		nearest = min(nearest, distanceTo(g, g.Frame.local(r.at(t).sub(g.Position))))
	}
	return math.Abs(nearest) < 1e-3
}

// checkNormal compares the normal with the direction in which the distance
// grows.
func checkNormal(t *testing.T, g Geom, p, normal Vec3) {
	t.Helper()
	const h = 1e-5
	at := func(q Vec3) float64 { return distanceTo(g, g.Frame.local(q.sub(g.Position))) }
	if up := (at(p.along(h, normal)) - at(p)) / h; math.Abs(up-1) > 1e-2 || math.Abs(normal.length()-1) > 1e-9 {
		t.Fatalf("shape %d: along the normal %v the distance grows by %g, want 1", g.Shape, normal, up)
	}
}

func TestPlanesAreSeenFromAboveAndWithinTheirSize(t *testing.T) {
	s := newSolid(Geom{Shape: Plane, Size: Vec3{X: 2, Y: 1}, Frame: Upright()})
	for _, c := range []struct {
		r    ray
		want float64
	}{
		{ray{Vec3{0, 0, 3}, Vec3{0, 0, -1}}, 3},
		{ray{Vec3{0, 0, 3}, Vec3{0, 0, -2}}, 1.5},
		{ray{Vec3{0, 0, -3}, Vec3{0, 0, 1}}, math.Inf(1)},
		{ray{Vec3{0, 0, 3}, Vec3{0, 0, 1}}, math.Inf(1)},
		{ray{Vec3{0, 0, 3}, Vec3{1, 0, 0}}, math.Inf(1)},
		{ray{Vec3{1.9, 0, 3}, Vec3{0, 0, -1}}, 3},
		{ray{Vec3{2.1, 0, 3}, Vec3{0, 0, -1}}, math.Inf(1)},
		{ray{Vec3{0, 1.1, 3}, Vec3{0, 0, -1}}, math.Inf(1)},
	} {
		if got, _ := s.meet(c.r); got != c.want {
			t.Errorf("ray %v meets the plane at %g, want %g", c.r, got, c.want)
		}
	}
}

func TestFramesFromADirectionAreOrthonormal(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		d := randomVec(random, 1)
		f := ZAlong(d)
		if !f.valid() || f.Z.sub(d.unit()).length() > 1e-12 {
			t.Fatalf("frame along %v is %v", d, f)
		}
		if p := randomVec(random, 1); f.world(f.local(p)).sub(p).length() > 1e-12 {
			t.Fatalf("frame %v does not bring %v back", f, p)
		}
	}
	if ZAlong(Vec3{}) != Upright() {
		t.Error("a zero direction does not give the upright frame")
	}
}
