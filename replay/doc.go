// Package replay stores episodes on disk, one .npz file each, and samples
// chunks of consecutive records from them.
//
// A record is (o_i, a_{i-1}, r_i, c_i): the observation, the action that led to
// it, the reward that action earned, and whether the episode goes on. Record 0
// has zero action and reward. Files are readable by numpy.load.
package replay
