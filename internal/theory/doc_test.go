package theory

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func readDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "theory.md"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// sources joins the Go files of this package.
func sources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return strings.ReplaceAll(all.String(), "\r\n", "\n")
}

// TestDocNumbersItsFormulas: displayed formulas are numbered in order, and what
// text and code refer to is there.
func TestDocNumbersItsFormulas(t *testing.T) {
	doc := readDoc(t)
	formulas := regexp.MustCompile("(?s)```math\n(.*?)\n```").FindAllStringSubmatch(doc, -1)
	for i, formula := range formulas {
		if number := "\\qquad (" + strconv.Itoa(i+1) + ")"; !strings.HasSuffix(formula[1], number) {
			t.Errorf("formula %d does not end with %q: %s", i+1, number, formula[1])
		}
	}
	text := regexp.MustCompile("(?s)```.*?```|\\$`.*?`\\$").ReplaceAllString(doc, "")
	referred := regexp.MustCompile(`\((\d+)\)`).FindAllStringSubmatch(text, -1)
	referred = append(referred, regexp.MustCompile(`equation (\d+)`).FindAllStringSubmatch(sources(t), -1)...)
	if len(referred) < 20 {
		t.Errorf("found only %d references to formulas", len(referred))
	}
	for _, r := range referred {
		if n, err := strconv.Atoi(r[1]); err != nil || n < 1 || n > len(formulas) {
			t.Errorf("there is a reference to formula %s of %d", r[1], len(formulas))
		}
	}
}

// TestDocNamesItsChecks: every test and example that the text cites exists,
// every one of this package is cited, and quoted output is an example's.
func TestDocNamesItsChecks(t *testing.T) {
	doc, code := readDoc(t), sources(t)
	for _, cited := range regexp.MustCompile("`((?:Test|Example)\\w*)`").FindAllStringSubmatch(doc, -1) {
		if !strings.Contains(code, "\nfunc "+cited[1]+"(") {
			t.Errorf("the text cites %s, which does not exist", cited[1])
		}
	}
	housekeeping := regexp.MustCompile(`^Test(Doc|Figures|\w+Reported$)`)
	for _, f := range regexp.MustCompile(`\nfunc ((?:Test|Example)\w*)\(`).FindAllStringSubmatch(code, -1) {
		if !strings.Contains(doc, "`"+f[1]+"`") && !housekeeping.MatchString(f[1]) {
			t.Errorf("the text does not cite %s", f[1])
		}
	}
	for _, block := range regexp.MustCompile("(?s)```text\n(.*?)```").FindAllStringSubmatch(doc, -1) {
		output := "// Output:\n\t// " + strings.ReplaceAll(strings.TrimSpace(block[1]), "\n", "\n\t// ") + "\n"
		if !strings.Contains(code, output) {
			t.Errorf("no example prints\n%s", block[1])
		}
	}
}
