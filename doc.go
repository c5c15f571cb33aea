// Package orrery is the map of the project; it has no code of its own.
//
// Orrery learns a model of the world from 64x64 images and acts by planning in
// it (PlaNet: Hafner et al. 2019, Learning Latent Dynamics for Planning from
// Pixels).
//
// A frame walks this way, each hop a go-to-definition away:
//
//	env.Env.Step          the simulator, and what its camera sees
//	learn.rollout         one episode, as records
//	replay.Store.Append   on disk
//	replay.Sampler.Sample chunks [B, L, ...]
//	learn.Learner.Update  one optimiser step
//	worldmodel.Net.Loss   the objective, as a graph
//	backend/cpu           runs the graph
//	agent.Agent.Act       at the next decision: filter, then plan
//	plan.Build            searches with StepPrior and Reward
//	env.Env.Step          the action
//
// The loop itself is [github.com/orrery-rl/orrery/learn.Run.Train]. The command
// is cmd/orrery; docs/architecture.md has the picture.
package orrery
