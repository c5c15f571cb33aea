// Package teleop lets a person act in an environment from a terminal: keys become
// actions, frames are drawn with half blocks in 24-bit colour.
//
// A terminal tells of keys that are pressed, also again while they are held, but
// not of those that are let go. In real time a key therefore acts for a moment
// after it was heard of last; turn by turn it is one decision.
package teleop
