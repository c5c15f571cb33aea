// Package onnxexport writes a world model as ONNX graphs, for runtimes in other
// languages: what an agent needs to filter and to plan.
//
//   - filter advances the state by an action and what was seen after it;
//   - imagine advances it by an action alone and predicts the reward;
//   - decode predicts what would be seen in a state.
//
// The graphs are built from the configuration and the parameters' names, apart
// from package worldmodel's own graphs, which the tests compare them with.
package onnxexport
