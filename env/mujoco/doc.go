// Package mujoco has tasks of the DeepMind Control Suite on MuJoCo itself,
// with its physics and its pictures.
//
// It is empty but for the names unless it is built with the tag mujoco, which
// needs cgo and libmujoco; [Built] tells. Without it the tasks are known and
// opening one says how to get it.
//
// The tasks are called dmc/DOMAIN-TASK, and options follow a colon each:
//
//	dmc/walker-walk
//	dmc/walker-walk:render=fast
//	dmc/walker-walk:render=suite:gl=egl
//
// The models are this project's own MJCF. Compiled by MuJoCo 2.2.2 they are equal
// to those of dm_control 1.0.6, byte for byte (testdata/compare.py). The tasks
// call the physics in dm_control's order and compute its observations and
// rewards; testdata/golden.csv has what dm_control itself makes of some states.
// Initial states have the suite's distributions, not its random generator.
//
// [RenderSuite] gives dm_control's pixels, camera 0. [RenderFast] draws the same
// scene with coarser shapes and shadows. [RenderGo] draws it with package render,
// without any graphics library.
package mujoco
