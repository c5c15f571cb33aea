// Package env defines what an agent can act in, and the wrappers every task
// shares.
//
// [Env] is the whole contract: a [Spec], a seeded Reset, a Step, a Close. To
// train on a robot or a simulator of your own, implement Env, let
// envtest.Check tell you what is missing, and put an [Entry] into a
// [Registry]. Nothing is registered globally: a program builds its registry
// from the packages it wants.
//
// Time has two units. An env step is one step of the simulator. A decision is
// one choice of the agent, which the simulator repeats for ActionRepeat env
// steps. Drawing a picture usually costs far more than a simulator step, so an
// environment that can advance without drawing implements [Repeater], and
// [ActionRepeat] then draws once per decision.
//
// [Standard] puts the wrappers around a bare environment in the one order that
// is right:
//
//	Guard(BitDepth(ActionRepeat(TimeLimit(bare))))
package env
