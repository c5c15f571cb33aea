// Package diagnose reads the events of a run and says in words what looks wrong:
// with the numbers it goes by, the likely cause, and what to try.
//
// A rule looks at one thing. It needs some events to judge by, and says so when
// there are too few. Most compare the tail of a curve, its last fifth, with what
// came before or with the range of the metrics' catalogue. The thresholds are
// chosen so that healthy runs give no finding; docs/troubleshooting.md, which is
// written by this package, lists all rules.
package diagnose
