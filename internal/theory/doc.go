// Package theory is docs/theory.md made executable: models whose latent states
// and observations are jointly Gaussian, on which every quantity in PlaNet's
// derivation has a closed form - the evidence ln p(o), the variational bound for
// any Gaussian encoder, multi-step predictive models and the bounds of latent
// overshooting - so that each claim there can be tested instead of believed.
//
// States and observations are scalars, times count from 0 here and from 1 in
// the text, and logarithms are natural. Actions are known inputs: they would
// only move offsets. Nothing in here is used by the agent.
package theory
