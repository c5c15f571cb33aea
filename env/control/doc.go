// Package control has tasks of the DeepMind Control Suite in pure Go: the same
// equations of motion, rewards and initial states as the suite's MuJoCo models,
// drawn by package render in the suite's look.
//
// The tasks are cartpole (swingup, balance), reacher (easy, hard), pendulum and
// acrobot swingup, and point mass. Register puts them into a registry.
//
// A task is split from its picture: the simulator advances in microseconds,
// a picture takes hundreds of them, so an env step never draws and a decision
// draws once (env.Repeater).
//
// All numbers are those of dm_control 1.0.6 (their domains and the common visual
// assets). State trajectories follow MuJoCo's: the test data were
// produced by MuJoCo itself with the scripts beside them. Random initial states
// have the suite's distributions, not its random generator.
//
// Scores reached here are comparable with the suite's, but the pictures are
// ours, so label them as such.
package control
