// Package remote runs environments in another process: a Python task of
// Gymnasium or dm_control, or any program that speaks a small protocol over its
// standard input and output. docs/remote-environments.md describes the protocol
// byte by byte.
//
// [Open] starts the program and returns it as an env.Env; [Register] adds the
// schemes py: and exec: to a registry, so that --env takes them.
//
// The program is supervised: it runs in a process group of its own that Close
// or an ended context kills, every answer has a deadline and a bounded length,
// and what it writes to standard error goes to a logger. When it dies, hangs or
// talks nonsense, the call fails with [ErrChild] and the next Reset starts it
// again.
package remote
