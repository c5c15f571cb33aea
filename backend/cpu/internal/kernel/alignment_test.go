package kernel

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestAssemblyAssumesNoAlignment looks for moves that fault on unaligned
// memory. Neither slices nor the linker's read-only data are aligned to a
// vector, and whether they happen to be changes from build to build.
func TestAssemblyAssumesNoAlignment(t *testing.T) {
	files, err := filepath.Glob("*.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d assembly files: %v", len(files), err)
	}
	aligned := regexp.MustCompile(`\bV?MOV(AP[SD]|DQA\w*|NTP[SD]|NTDQ\w*)\b`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range aligned.FindAllString(string(text), -1) {
			t.Errorf("%s uses %s; use the unaligned form", name, found)
		}
	}
}
