package render

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// everything is testScene with moving things made part of it.
func everything() Scene {
	s := testScene()
	s.Fixed = append(s.Fixed,
		Geom{Shape: Capsule, Size: Vec3{X: 0.1, Y: 0.4}, Position: Vec3{X: 0.5, Z: 0.6}, Frame: ZAlong(Vec3{X: 1, Z: 1}), Material: white()},
		Geom{Shape: Ellipsoid, Size: Vec3{X: 0.3, Y: 0.2, Z: 0.1}, Position: Vec3{Y: 0.5, Z: 0.3}, Frame: Upright(), Material: white()},
	)
	return s
}

func TestATracerDrawsWhatARendererDraws(t *testing.T) {
	const height, width = 40, 50
	tracer, err := NewTracer(height, width)
	if err != nil {
		t.Fatal(err)
	}
	scene := everything()
	scene.Sky.Stars = 0 // they are averaged in another way
	got, want := make([]byte, tracer.Size()), make([]byte, tracer.Size())
	for i := range 3 {
		scene.Camera.Position.X = float64(i)
		scene.Light.Position.Y = float64(i)
		if err := tracer.Draw(got, &scene); err != nil {
			t.Fatal(err)
		}
		r, err := NewRenderer(scene, height, width)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Draw(want, nil); err != nil {
			t.Fatal(err)
		}
		if worst, n := furthest(got, want); worst > 1 {
			t.Errorf("picture %d: %d bytes differ, by up to %d", i, n, worst)
		}
	}
}

// furthest is the largest difference and the number of differences.
func furthest(a, b []byte) (worst, n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
			worst = max(worst, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
		}
	}
	return worst, n
}

func TestATracerChecksItsScene(t *testing.T) {
	if _, err := NewTracer(0, 5); err == nil {
		t.Error("no height is no error")
	}
	tracer, err := NewTracer(4, 5)
	if err != nil {
		t.Fatal(err)
	}
	scene := everything()
	if err := tracer.Draw(make([]byte, 3), &scene); err == nil {
		t.Error("a short destination is no error")
	}
	scene.Camera.FovY = 0
	if err := tracer.Draw(make([]byte, tracer.Size()), &scene); !errors.Is(err, ErrScene) {
		t.Errorf("no field of view: %v", err)
	}
}

// The speed of a 64x64 picture whose camera moves; the fastest counts where the
// processor is shared.
func BenchmarkTracer(b *testing.B) {
	tracer, err := NewTracer(64, 64)
	if err != nil {
		b.Fatal(err)
	}
	scene := everything()
	dst := make([]byte, tracer.Size())
	fastest := time.Hour
	for b.Loop() {
		start := time.Now()
		if err := tracer.Draw(dst, &scene); err != nil {
			b.Fatal(err)
		}
		fastest = min(fastest, time.Since(start))
	}
	b.ReportMetric(float64(fastest.Microseconds()), "fastest-us/op")
}

func TestPowersAreMathPows(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		x := random.Float64()
		for _, y := range []float64{0, 1, 2, 3, 10, 64, 128, 100, 0.5, 12.8, 1000, -1} {
			if got, want := power(x, y), math.Pow(x, y); got != want && want > 1e-300 {
				t.Fatalf("%g to the power of %g is %g, want %g", x, y, got, want)
			}
		}
	}
}
