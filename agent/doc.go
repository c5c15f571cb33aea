// Package agent turns a trained world model into something that acts: a filter
// that keeps the model's state up to date with what the camera shows, and a
// planner that searches for the next action in imagination.
//
//	a.Begin(streams)                 // at the start of an episode
//	action, err := a.Act(ctx, obs)   // once per decision
//
// One Agent acts in a fixed number of environments at the same time; its graphs
// are compiled once. It is not safe for concurrent use.
package agent
