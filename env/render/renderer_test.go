package render

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func white() Material { return Material{Color: RGB{0.8, 0.8, 0.8}, Specular: 0.5, Shininess: 0.5} }

// testScene is a mirroring floor with a post, seen obliquely from above.
func testScene() Scene {
	floor := Geom{Shape: Plane, Size: Vec3{X: 3, Y: 3}, Frame: Upright(), Material: Material{
		Color: RGB{1, 1, 1}, Reflectance: 0.3,
		Checker: &Checker{Even: RGB{0.6, 0.6, 0.2}, Odd: RGB{0.2, 0.2, 0.6}, Square: 0.5},
	}}
	post := Geom{Shape: Cylinder, Size: Vec3{X: 0.1, Y: 0.5}, Position: Vec3{X: -0.8, Z: 0.5}, Frame: Upright(), Material: white()}
	back := Vec3{Y: -1, Z: 0.7}.unit()
	return Scene{
		Camera:    Camera{Position: Vec3{Y: -3, Z: 2}, Frame: Frame{X: Vec3{X: 1}, Y: back.cross(Vec3{X: 1}), Z: back}, FovY: 50},
		Headlight: Headlight{Ambient: 0.3, Diffuse: 0.4, Specular: 0.1},
		Light:     Light{Position: Vec3{X: 1, Z: 4}, Direction: Vec3{Z: -1}, Diffuse: 0.6, Specular: 0.3, Cutoff: 40, Exponent: 5},
		Sky:       Sky{Top: RGB{0.4, 0.6, 0.8}, Stars: 0.02},
		Fixed:     []Geom{floor, post},
	}
}

func newRenderer(t testing.TB, s Scene, height, width int) *Renderer {
	t.Helper()
	r, err := NewRenderer(s, height, width)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func draw(t testing.TB, r *Renderer, moving ...Geom) []byte {
	t.Helper()
	dst := make([]byte, r.Size())
	if err := r.Draw(dst, moving); err != nil {
		t.Fatal(err)
	}
	return dst
}

// The beams decide which pixels are computed anew. Computing all of them must
// give the same picture.
func TestSkippedPixelsAreThoseNothingChanges(t *testing.T) {
	directional := testScene()
	directional.Light.Directional = true
	directional.Light.Direction = Vec3{X: 0.5, Y: 0.4, Z: -1}
	for name, scene := range map[string]Scene{"spot": testScene(), "directional": directional} {
		fast, full := newRenderer(t, scene, 37, 53), newRenderer(t, scene, 37, 53)
		skipped := 0
		for y := range full.background {
			for x := range full.background[y] {
				full.background[y][x].always = true
			}
		}
		random := rand.New(rand.NewPCG(5, 6))
		for range 60 {
			a, b := randomSolid(random), randomSolid(random)
			a.Material, b.Material = white(), white()
			a.Position.Z += 0.8
			if !bytes.Equal(draw(t, fast, a, b), draw(t, full, a, b)) {
				t.Fatalf("%s: the picture of %+v and %+v depends on which pixels are skipped", name, a, b)
			}
			for y := range fast.background {
				for x := range fast.background[y] {
					if !fast.background[y][x].affected(fast.moving) {
						skipped++
					}
				}
			}
		}
		if skipped == 0 {
			t.Errorf("%s: no pixel was ever skipped", name)
		}
	}
}

func TestLargePicturesEqualKeptOnes(t *testing.T) {
	ball := Geom{Shape: Sphere, Size: Vec3{X: 0.3}, Position: Vec3{Z: 0.6}, Frame: Upright(), Material: white()}
	kept := newRenderer(t, testScene(), 30, 40)
	shared := newRenderer(t, testScene(), 30, 40)
	shared.shared, shared.background = true, shared.background[:1]
	if !bytes.Equal(draw(t, kept, ball), draw(t, shared, ball)) {
		t.Error("the picture depends on whether the fixed scene is kept")
	}
	large := newRenderer(t, testScene(), 257, 256)
	if !large.shared {
		t.Error("a picture of 257x256 pixels keeps its fixed scene")
	}
	draw(t, large, ball)
}

func TestPicturesAreReproducible(t *testing.T) {
	ball := Geom{Shape: Sphere, Size: Vec3{X: 0.3}, Position: Vec3{Z: 0.6}, Frame: Upright(), Material: white()}
	r := newRenderer(t, testScene(), 24, 24)
	first := draw(t, r, ball)
	empty := draw(t, r)
	if bytes.Equal(first, empty) {
		t.Error("the ball does not show")
	}
	if !bytes.Equal(first, draw(t, r, ball)) || !bytes.Equal(first, draw(t, newRenderer(t, testScene(), 24, 24), ball)) {
		t.Error("the same scene was drawn differently")
	}
}

// A bar half a pixel wide that crosses a pixel must move in steps of a quarter
// of its brightness, never vanish, and keep its total brightness.
func TestThinBarsMoveSmoothly(t *testing.T) {
	scene := Scene{
		Camera:    Camera{Position: Vec3{Y: -1}, Frame: Frame{X: Vec3{X: 1}, Y: Vec3{Z: 1}, Z: Vec3{Y: -1}}, FovY: 90},
		Headlight: Headlight{Ambient: 1},
	}
	r := newRenderer(t, scene, 16, 16)
	bar := Geom{Shape: Box, Size: Vec3{0.0625 / 2, 0.001, 3}, Frame: Upright(), Material: Material{Color: RGB{1, 1, 1}}}
	for i := range 33 {
		bar.Position = Vec3{X: -0.2 + float64(i)/160}
		pix := draw(t, r, bar)
		sum := 0
		for x := range 16 {
			sum += int(pix[3*(8*16+x)])
		}
		if sum < 64 || sum > 192 {
			t.Errorf("at %g the bar's brightness in a row is %d, want about 128", bar.Position.X, sum)
		}
	}
}

func TestThingsCastShadowsAndReflections(t *testing.T) {
	scene := testScene()
	scene.Fixed[0].Material.Checker = nil
	ball := Geom{Shape: Sphere, Size: Vec3{X: 0.2}, Position: Vec3{X: 1, Y: 0.5, Z: 1}, Frame: Upright(), Material: white()}
	r := newRenderer(t, scene, 64, 64)
	with, without := draw(t, r, ball), draw(t, r)
	darker, brighter := 0, 0
	for i := range with {
		switch {
		case int(with[i]) < int(without[i])-40:
			darker++
		case int(with[i]) > int(without[i])+10:
			brighter++
		}
	}
	if darker < 30 || brighter < 30 {
		t.Errorf("%d bytes became darker and %d brighter; want a shadow, and a ball with its reflection", darker, brighter)
	}
	scene.Light.Directional = true
	scene.Light.Direction = Vec3{Z: 1} // from below: nothing on the floor can lose light
	noLight := newRenderer(t, scene, 64, 64)
	scene.Light.Diffuse, scene.Light.Specular = 0, 0
	if !bytes.Equal(draw(t, noLight), draw(t, newRenderer(t, scene, 64, 64))) {
		t.Error("a light below the floor lights it")
	}
}

func TestSkyIsAGradientWithTheGivenShareOfStars(t *testing.T) {
	sky := Sky{Top: RGB{0.4, 0.6, 0.8}, Bottom: RGB{0, 0, 0}}
	for _, c := range []struct {
		d    Vec3
		want RGB
	}{
		{Vec3{Z: 1}, RGB{0.4, 0.6, 0.8}},
		{Vec3{Z: -2}, RGB{0, 0, 0}},
		{Vec3{X: 3}, RGB{0.2, 0.3, 0.4}},
	} {
		got := sky.color(c.d, 1)
		if math.Abs(got.R-c.want.R)+math.Abs(got.G-c.want.G)+math.Abs(got.B-c.want.B) > 1e-12 {
			t.Errorf("the sky towards %v is %v, want %v", c.d, got, c.want)
		}
	}
	sky.Stars = 0.01
	random := rand.New(rand.NewPCG(7, 8))
	for _, width := range []float64{1, 5.3} {
		sum := 0.0
		const n = 40000
		for range n {
			sum += sky.starlight(randomVec(random, 1), width)
		}
		if got := sum / n; math.Abs(got-0.01) > 0.002 {
			t.Errorf("averaged over %g texels the stars cover %g of the sky, want 0.01", width, got)
		}
	}
}

func TestCheckerIsTheAverageOverItsFootprint(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 100 {
		x, w := 6*random.NormFloat64(), 4*random.Float64()
		sum, n := 0.0, 20000
		for i := range n {
			if int(math.Floor(x-w/2+w*(float64(i)+0.5)/float64(n)))&1 == 0 {
				sum++
			} else {
				sum--
			}
		}
		if got, want := squareWave(x, w), sum/float64(n); math.Abs(got-want) > 1e-3 {
			t.Fatalf("average around %g over %g is %g, want %g", x, w, got, want)
		}
	}
	c := Checker{Even: RGB{1, 1, 1}, Square: 2}
	for _, p := range []struct{ x, y, want float64 }{{1, 1, 1}, {3, 1, 0}, {-1, 1, 0}, {-1, -1, 1}, {5, 3, 0}} {
		if got := c.at(p.x, p.y, 0, 0).R; math.Abs(got-p.want) > 1e-6 {
			t.Errorf("the square around %g, %g has colour %g, want %g", p.x, p.y, got, p.want)
		}
	}
}

func TestWhatCannotBeDrawnIsAnError(t *testing.T) {
	nan := math.NaN()
	for name, change := range map[string]func(*Scene){
		"field of view":  func(s *Scene) { s.Camera.FovY = 180 },
		"camera":         func(s *Scene) { s.Camera.Position.X = nan },
		"camera frame":   func(s *Scene) { s.Camera.Frame = Frame{} },
		"light":          func(s *Scene) { s.Light.Position.X = nan },
		"geom size":      func(s *Scene) { s.Fixed[1].Size.X = 0 },
		"geom position":  func(s *Scene) { s.Fixed[1].Position.X = math.Inf(1) },
		"geom frame":     func(s *Scene) { s.Fixed[1].Frame.X = Vec3{X: 2} },
		"geom shape":     func(s *Scene) { s.Fixed[1].Shape = 99 },
		"checker square": func(s *Scene) { s.Fixed[0].Material.Checker = &Checker{} },
	} {
		scene := testScene()
		change(&scene)
		if _, err := NewRenderer(scene, 8, 8); !errors.Is(err, ErrScene) {
			t.Errorf("%s: %v, want ErrScene", name, err)
		}
	}
	if _, err := NewRenderer(testScene(), 0, 8); err == nil {
		t.Error("a picture without rows was accepted")
	}
	r := newRenderer(t, testScene(), 8, 8)
	if err := r.Draw(make([]byte, 3), nil); err == nil {
		t.Error("a short destination was accepted")
	}
	dst := make([]byte, r.Size())
	if err := r.Draw(dst, []Geom{{Shape: Sphere, Size: Vec3{X: nan}, Frame: Upright()}}); !errors.Is(err, ErrScene) {
		t.Errorf("a ball of radius NaN: %v, want ErrScene", err)
	}
	if err := r.Draw(dst, []Geom{{Shape: Plane, Frame: Upright()}}); !errors.Is(err, ErrScene) {
		t.Errorf("a moving plane: %v, want ErrScene", err)
	}
}
