//go:build !unix

package remote

import "os/exec"

// isolate does nothing: there are no process groups here.
func isolate(*exec.Cmd) {}

// killGroup ends the child. It fails only if the child has ended.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
