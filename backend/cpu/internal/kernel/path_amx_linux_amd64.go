//go:build !purego

package kernel

import (
	"syscall"

	"golang.org/x/sys/cpu"
)

// hasAMX reports what the AMX path needs of the CPU, and asks Linux for the permission
// to use tiles: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). The permission
// holds for the process; asking again changes nothing.
func hasAMX() bool {
	if !hasAVX512() || !cpu.X86.HasAVX512BF16 || !cpu.X86.HasAMXTile || !cpu.X86.HasAMXBF16 {
		return false
	}
	const requestPermission, tileData = 0x1023, 18
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}
