//go:build unix

package remote

import (
	"os/exec"
	"syscall"
)

// isolate puts the child into a process group of its own: an interrupt typed at
// the terminal is for us alone, and the whole group can be killed.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the child and what it started. It fails only if nothing of the
// group is left.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
