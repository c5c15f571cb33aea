// Package metrics is the one stream of events a run emits. Everything measured
// is an [Event] with the four counters of the run; a [Recorder] hands each
// event to its sinks, which never influence the run.
//
// One sink is the truth: [JSONL], a file with an event a line, whose failure
// stops the run rather than lose its history. Every other sink (a dashboard, a
// terminal, an exporter) is a listener: when it fails, the failure is logged
// once and the run goes on.
//
// The names of metrics carry their unit, "loss/kl:nats". [Catalogue] describes
// every one the project emits.
package metrics
