// Package crashtest shows that a training run survives what happens to
// processes and disks: it kills real ones, makes their writes fail, damages the
// files they leave, and compares what they end with, byte by byte, with a run
// that nothing happened to. All of it is tests:
//
//	go test ./internal/crashtest -v -run Killed -kills 100
//
// docs/durability.md says what is guaranteed.
package crashtest
