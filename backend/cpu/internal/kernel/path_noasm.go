//go:build !amd64 || purego

package kernel

func hasAVX2() bool { return false }

func hasAVX512() bool { return false }

func hasAMX() bool { return false }
