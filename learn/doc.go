// Package learn trains an agent: it owns the schedule (Algorithm 1 of Hafner et
// al. 2019), the optimiser's state, the counters, and what a snapshot of a run
// holds. It is the only package with a loop over time; start reading at
// [Run.Train].
//
// Randomness never carries over from one step to the next: each update and each
// collected episode draws from streams made from the seed and its own number, and
// all evaluations of a run from the same ones, one for each of their episodes. A
// run restored at any point therefore continues bit for bit, and no generator
// state needs saving.
package learn
