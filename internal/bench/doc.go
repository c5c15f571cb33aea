// Package bench measures what the program is made of on the machine at hand:
// the machine's own limits, updates of the world model, plans, environments and
// the replay. Everything measured is real work through the packages' public
// faces: an update samples, fills noise and runs the learner's graph; a plan is
// a whole decision of an agent.
//
// Reports are plain structs with stable JSON. Durations are in seconds, rates in
// FLOP/s and bytes/s, sizes in bytes; FLOPs count a multiply-add as two.
package bench
