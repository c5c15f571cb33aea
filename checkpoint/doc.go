// Package checkpoint keeps what a run must not lose.
//
// [Weights] are a model's parameters with its configuration, for acting and
// sharing. A [Snapshot] is a whole run at one moment, for going on as if it had
// never stopped. Both are single safetensors files, readable by any tool that
// knows the format, written so that after a crash either the old or the new
// file is there, whole.
//
// [Lock] keeps two processes from working in the same run directory.
package checkpoint
