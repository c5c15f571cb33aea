// Package plan searches for good action sequences in the imagination of a model:
// the cross-entropy method of the paper (Hafner et al. 2019, section 2 and
// Algorithm 2), and others behind the same interface, [Planner].
//
// A planner knows a model only as a [Model]: a step and a score. It builds graph
// nodes and runs nothing itself; the caller compiles them together with the
// model's parameters and feeds the random numbers, which are inputs described by
// a [NoiseLayout]. [Build] unrolls a whole search into one graph; a caller that
// has to stop in time compiles Start, every Step and Finish on their own and
// gets the same plan, bit for bit, when there is time for all of it.
//
// Everything is laid out environment-major: candidate j of environment e is row
// e*Candidates+j of every tensor the model sees.
//
// Like all code that runs while a graph is being built, the methods of a planner
// report misuse by panicking with an error, which the function that compiles the
// graph returns. Settings are checked before, by [Config.Validate].
package plan
