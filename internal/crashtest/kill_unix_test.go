//go:build !windows

package crashtest

import (
	"os"
	"syscall"
)

// killSelf ends this process as SIGKILL does: at once.
func killSelf() error {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		return err
	}
	select {} // until the signal arrives
}

// killed reports whether a process that has ended was killed by SIGKILL.
func (p *process) killed() bool {
	status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
