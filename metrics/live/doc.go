// Package live is what a run shows of itself while it goes: the decision that was
// just made, with the search behind it, and a piece of an episode beside what
// the model makes of it.
//
// A run hands both to a [Sink], which never blocks or influences it. [Dir] is
// the sink that keeps the latest of each as a small file in the directory of
// the run, and [ReadDecision] and [ReadEpisode] read them, in the same process
// or in another. Nothing in these files is needed by the run: they may be
// deleted at any time, and a crash may lose them.
package live
