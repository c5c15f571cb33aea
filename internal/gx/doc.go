// Package gx compiles and runs GoMLX graphs behind an error-returning boundary.
//
// GoMLX reports mistakes made while a graph is being built by panicking.
// [Compile] is the one place that turns those panics into errors; code that
// only ever runs inside the build function passed to Compile (the model, the
// planner, the optimiser) may therefore use GoMLX directly and may assert with
// [CheckShape].
//
// A [Program] takes and returns backend buffers, so that parameters stay where
// the backend keeps them from one call to the next. Inputs are checked by name
// before the backend sees them.
//
// The package also holds the operations whose gradient in GoMLX is wrong or
// wasteful: [Conv2D], [ConvTranspose2D], [Split] and [Relu]. Their gradients
// are installed by Compile before any graph is built. So is that of [Loop], which
// holds a recurrence as one step, for backends that compile many steps slowly.
package gx
