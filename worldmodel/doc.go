// Package worldmodel is the latent dynamics model of PlaNet (Hafner et al. 2019,
// arXiv 1811.04551): a recurrent state-space model, or one of the transitions
// the paper compares it with, with an image encoder, an image decoder and a
// reward head, as pure functions from parameters and tensors to graph nodes.
//
// A [Model] is the architecture: it knows the parameters' names, shapes and
// initial values. [Model.Bind] joins it with parameter nodes of a graph into a
// [Net], whose methods add the model's computations to that graph:
//
//	encode   o_i -> e_i                                       [Net.Encode]
//	step     h_i = GRU(x(s_{i-1}, a_{i-1}), h_{i-1})          [Net.StepPrior]
//	prior    s_i ~ p(s_i | h_i)
//	filter   s_i ~ q(s_i | h_i, e_i)                          [Net.StepPosterior]
//	heads    f_i = (s_i, h_i) -> image, reward                [Net.Decode], [Net.Reward]
//	learn    chunks -> losses                                 [Net.Loss]
//
// Config.Transition chooses another [Transition] than the recurrent state-space
// model's. What it carries from step to step is a [State], whose nodes code
// outside this package does not tell apart.
//
// Records follow the incoming-action convention: action i is the one that led
// to observation i, and reward i its consequence.
//
// All methods of Net belong inside the build function of gx.Compile: they
// report operands of the wrong shape by panicking with an error that Compile
// returns. Randomness enters only through noise arguments, standard normal
// numbers drawn by the caller. Everything works in float32 and float64; the
// parameters' element type decides.
package worldmodel
