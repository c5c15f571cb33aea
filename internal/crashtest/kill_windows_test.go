package crashtest

import "os"

// killSelf ends this process at once: deferred functions do not run.
func killSelf() error {
	os.Exit(killCode)
	return nil
}

// killCode is the exit code of processes that [os.Process.Kill] ends.
const killCode = 1

// killed reports whether a process that has ended was killed.
func (p *process) killed() bool { return p.ProcessState.ExitCode() == killCode }
