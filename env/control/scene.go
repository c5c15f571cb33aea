package control

import (
	"math"

	"github.com/orrery-rl/orrery/env/render"
)

// The suite's common visual assets (common/materials.xml, skybox.xml and
// visual.xml). Materials that say nothing about highlights have MuJoCo's
// default of 0.5 for both.
func suiteMaterial(r, g, b float64) render.Material {
	return render.Material{Color: render.RGB{R: r, G: g, B: b}, Specular: 0.5, Shininess: 0.5}
}

func selfMaterial() render.Material       { return suiteMaterial(0.7, 0.5, 0.3) }
func effectorMaterial() render.Material   { return suiteMaterial(0.7, 0.4, 0.2) }
func targetMaterial() render.Material     { return suiteMaterial(0.6, 0.3, 0.3) }
func decorationMaterial() render.Material { return suiteMaterial(0.3, 0.5, 0.7) }

func gridMaterial() render.Material {
	m := suiteMaterial(1, 1, 1)
	m.Reflectance = 0.2
	// The texture of 2x2 squares is repeated once per 2 m: MuJoCo counts
	// repetitions over a plane's half size.
	m.Checker = &render.Checker{
		Even:   render.RGB{R: 0.2, G: 0.3, B: 0.4},
		Odd:    render.RGB{R: 0.1, G: 0.2, B: 0.3},
		Square: 1,
	}
	return m
}

func suiteSky() render.Sky {
	return render.Sky{Top: render.RGB{R: 0.4, G: 0.6, B: 0.8}, Stars: 0.01}
}

func suiteHeadlight() render.Headlight {
	return render.Headlight{Ambient: 0.4, Diffuse: 0.8, Specular: 0.1}
}

// spotLight is MuJoCo's default light at the given height, shining down.
func spotLight(height float64) render.Light {
	return render.Light{
		Position:  render.Vec3{Z: height},
		Direction: render.Vec3{Z: -1},
		Diffuse:   0.7, Specular: 0.3,
		Cutoff: 45, Exponent: 10,
	}
}

// suiteFloor is a checkered square of the given half size and height.
func suiteFloor(half, height float64) render.Geom {
	return render.Geom{
		Shape: render.Plane, Size: render.Vec3{X: half, Y: half}, Position: render.Vec3{Z: height},
		Frame: render.Upright(), Material: gridMaterial(),
	}
}

// ball is a sphere.
func ball(at render.Vec3, radius float64, m render.Material) render.Geom {
	return render.Geom{Shape: render.Sphere, Size: render.Vec3{X: radius}, Position: at, Frame: render.Upright(), Material: m}
}

// railHeight is that of the slider's axis above the world's origin.
const railHeight = 1.0

// cartpoleScene is what never moves: floor, rails, lights and camera 0.
func cartpoleScene() render.Scene {
	rail := func(y float64) render.Geom {
		a, b := render.Vec3{X: -2, Y: y, Z: railHeight}, render.Vec3{X: 2, Y: y, Z: railHeight}
		return render.Segment(render.Capsule, a, b, 0.02, decorationMaterial())
	}
	return render.Scene{
		Camera: render.Camera{
			Position: render.Vec3{Y: -4, Z: 1},
			Frame:    render.Frame{X: render.Vec3{X: 1}, Y: render.Vec3{Z: 1}, Z: render.Vec3{Y: -1}},
			FovY:     45,
		},
		Headlight: suiteHeadlight(),
		Light:     spotLight(6),
		Sky:       suiteSky(),
		Fixed:     []render.Geom{suiteFloor(4, -0.05), rail(0.07), rail(-0.07)},
	}
}

// cartpoleGeoms are the cart and the pole at the given positions.
func cartpoleGeoms(position pair) []render.Geom {
	cart := render.Vec3{X: position[0], Z: railHeight}
	sin, cos := math.Sincos(position[1])
	tip := render.Vec3{X: cart.X + poleLength*sin, Z: cart.Z + poleLength*cos}
	return []render.Geom{
		{
			Shape: render.Box, Size: render.Vec3{X: 0.2, Y: 0.15, Z: 0.1},
			Position: cart, Frame: render.Upright(), Material: selfMaterial(),
		},
		render.Segment(render.Capsule, cart, tip, poleRadius, selfMaterial()),
	}
}
