//go:build !(linux || darwin || freebsd || windows)

package vfs

func isFullHere(error) bool { return false }
