// Package render draws small scenes of simple solids in the look of MuJoCo's
// renderer with a ray caster: planes, spheres, capsules, cylinders, boxes and
// ellipsoids, lit by a headlight and one shadow-casting light, over a checkered
// reflecting floor and under a starry gradient sky.
//
// The shading follows MuJoCo's fixed-function OpenGL: a first pass with the
// headlight, a second pass with the light where no shadow falls, both clamped
// and then added; Blinn-Phong highlights with the viewer at infinity; the
// texture multiplies all of it; reflections are added. It is computed per
// sample where OpenGL interpolates between vertices, and shadows have hard
// edges, so images are close to MuJoCo's but not equal.
//
// A scene has parts that never move and parts that do. A [Renderer] traces the
// first once and keeps, for each of the four samples of a pixel, what was hit
// and how it is lit. Drawing then only asks what the moving parts hide, shade or
// add to a reflection, which keeps a 64x64 picture well below a millisecond. Where
// the camera or the light moves with them there is nothing to keep: a [Tracer]
// draws such scenes, in some milliseconds.
//
// Pixels are a function of the scene, the size and the moving parts: nothing is
// random between two calls or two processes. (Processors that fuse
// multiplication and addition may round the odd value differently.)
package render
