//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// hasAVX2 reports what the AVX2 path needs of the CPU and the operating system.
func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

// hasAVX512 reports what the AVX512 path needs of the CPU and the operating system.
func hasAVX512() bool {
	return hasAVX2() && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW &&
		cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
}
