package orrery

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVerificationNamesTests demands that docs/verification.md names tests that
// are where it says.
func TestVerificationNamesTests(t *testing.T) {
	text, err := os.ReadFile("docs/verification.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("\\[`(Test\\w+)`\\]\\(([^)]+)\\)").FindAllStringSubmatch(string(text), -1)
	for _, n := range named {
		code, err := os.ReadFile(filepath.Join("docs", filepath.FromSlash(n[2])))
		if err != nil || !strings.Contains(string(code), "\nfunc "+n[1]+"(") {
			t.Errorf("%s is not in %s (%v)", n[1], n[2], err)
		}
	}
	if all := strings.Count(string(text), "`Test"); all != len(named) || all < 100 {
		t.Errorf("%d tests are named, %d with the file they are in", all, len(named))
	}
}
