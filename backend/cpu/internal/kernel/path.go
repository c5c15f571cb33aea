package kernel

import (
	"fmt"
	"strings"
)

// Path names one implementation of every kernel of this package. Paths are ordered:
// a later one is faster on a CPU that has it.
type Path int

// The paths, slowest first.
const (
	// Generic is portable Go: the definition the others are tested against.
	Generic Path = iota
	// AVX2 is amd64 assembly on 8-lane vectors; it needs AVX2 and FMA3.
	AVX2
	// AVX512 is amd64 assembly on 16-lane vectors; it needs AVX-512 F, BW, DQ and VL.
	AVX512
	// AMX is AVX512 with bfloat16 products on AMX tiles; it needs AMX-BF16, AVX512_BF16
	// and Linux's permission to use tiles. Products in float32 are those of AVX512.
	AMX

	numPaths = iota
)

// pathNames returns the names that String prints and ParsePath reads, by Path.
func pathNames() []string { return []string{"generic", "avx2", "avx512", "amx"} }

// String returns the name that [ParsePath] reads, "generic" for example.
func (p Path) String() string {
	if p < 0 || p >= numPaths {
		return fmt.Sprintf("Path(%d)", int(p))
	}
	return pathNames()[p]
}

// ParsePath returns the path called name: generic, avx2, avx512 or amx. It knows the names
// only; whether this CPU has the path is [Path.Available]'s question.
func ParsePath(name string) (Path, error) {
	for p, n := range pathNames() {
		if n == name {
			return Path(p), nil
		}
	}
	return 0, fmt.Errorf("kernel: unknown path %q: choose one of %s",
		name, strings.Join(pathNames(), ", "))
}

// Available reports whether this CPU and this build (see the purego tag) have p.
func (p Path) Available() bool {
	switch p {
	case Generic:
		return true
	case AVX2:
		return hasAVX2()
	case AVX512:
		return hasAVX512()
	case AMX:
		return hasAMX()
	}
	return false
}

// vectors returns the path of everything but the bfloat16 kernels.
func (p Path) vectors() Path {
	if p == AMX {
		return AVX512
	}
	return p
}

// Available returns the paths of this CPU, slowest first; [Generic] is always the first.
func Available() []Path {
	var have []Path
	for p := range Path(numPaths) {
		if p.Available() {
			have = append(have, p)
		}
	}
	return have
}

// Detect returns the fastest path of this CPU.
func Detect() Path {
	have := Available()
	return have[len(have)-1]
}
