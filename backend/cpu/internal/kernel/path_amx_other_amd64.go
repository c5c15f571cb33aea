//go:build amd64 && !linux && !purego

package kernel

// hasAMX is false: only Linux's way to ask for tiles is known here.
func hasAMX() bool { return false }
