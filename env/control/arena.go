package control

import "github.com/orrery-rl/orrery/env/render"

// arenaScene is the walled square of reacher and point mass, seen from above.
func arenaScene() render.Scene {
	wall := func(at, normal, x, y render.Vec3) render.Geom {
		return render.Geom{
			Shape: render.Plane, Size: render.Vec3{X: 0.02, Y: arenaHalf}, Position: at,
			Frame: render.Frame{X: x, Y: y, Z: normal}, Material: decorationMaterial(),
		}
	}
	down := render.Vec3{Z: -1}
	return render.Scene{
		Camera:    render.Camera{Position: render.Vec3{Z: 0.75}, Frame: render.Upright(), FovY: 45},
		Headlight: suiteHeadlight(), Light: spotLight(1), Sky: suiteSky(),
		Fixed: []render.Geom{
			suiteFloor(arenaHalf, 0),
			// Four planes two centimetres high that face the middle.
			wall(render.Vec3{X: -arenaHalf, Z: 0.02}, render.Vec3{X: 1}, down, render.Vec3{Y: 1}),
			wall(render.Vec3{X: arenaHalf, Z: 0.02}, render.Vec3{X: -1}, down, render.Vec3{Y: -1}),
			wall(render.Vec3{Y: -arenaHalf, Z: 0.02}, render.Vec3{Y: 1}, down, render.Vec3{X: -1}),
			wall(render.Vec3{Y: arenaHalf, Z: 0.02}, render.Vec3{Y: -1}, down, render.Vec3{X: 1}),
		},
	}
}
