// Package tensorboard writes the events of a run as the files that TensorBoard
// reads: scalars against env_steps, pictures, and notes.
//
// What it writes is a projection of metrics.jsonl and nothing else. A [Sink]
// appends to a file as the run goes; whenever a process begins or resumes a
// run, and after any failure, it writes a new file from metrics.jsonl, which
// holds one consistent history, and removes its older ones. So no step appears
// twice, and a file that was lost or damaged is made again by [Convert].
//
// The format is TFRecord framing around messages in protobuf's wire format,
// of which a few fields are needed: they are written here by hand.
package tensorboard
