package main

import (
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// greyEnv is the example of docs/remote-environments.md, whose images have one
// channel.
func greyEnv(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 to run the example with; CI installs it")
	}
	return "exec:python3 ../../env/remote/examples/dot.py"
}

func TestHelpShowsHowToNamePrograms(t *testing.T) {
	for _, args := range [][]string{{"env"}, {"env", "list"}, {"env", "check"}, {"env", "show"}, {"env", "sheet"}} {
		_, examples, _ := strings.Cut(must(t, append(args, "--help")...), "Examples:")
		if !strings.Contains(examples, `"exec:`) {
			t.Errorf("orrery %s has no example of a program", strings.Join(args, " "))
		}
	}
}

func TestGreyEnvironmentsAreShown(t *testing.T) {
	name, base := greyEnv(t), filepath.Join(t.TempDir(), "dot")
	must(t, "env", "show", name, "--size", "16", "--decisions", "3", "-o", base)
	must(t, "env", "sheet", name, "--size", "16", "--decisions", "3", "-o", base+"-sheet.png")
	f, err := os.Open(base + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	white := 0
	for x := range 16 {
		if r, g, b, _ := img.At(x, 0).RGBA(); r != g || g != b {
			t.Errorf("pixel %d is not grey", x)
		} else if r == 0xffff {
			white++
		}
	}
	if white != 1 {
		t.Errorf("%d columns are white, want that of the dot", white)
	}
}

func TestShowTakesThePathOfEitherFile(t *testing.T) {
	base := filepath.Join(t.TempDir(), "v1.2")
	for _, given := range []string{base, base + ".png", base + ".gif"} {
		must(t, "env", "show", "toy-dot", "--size", "16", "--decisions", "1", "-o", given)
		for _, path := range []string{base + ".png", base + ".gif"} {
			if err := os.Remove(path); err != nil {
				t.Errorf("-o %s: %v", given, err)
			}
		}
	}
}

// TestCheckSaysWhatTrainingWillMiss: an environment may have no limit, which
// training then refuses, with the same words.
func TestCheckSaysWhatTrainingWillMiss(t *testing.T) {
	greyEnv(t) // python3 is there
	source, err := os.ReadFile("../../env/remote/examples/dot.py")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "endless.py")
	endless := strings.Replace(string(source), `, "max_steps": MAX_STEPS`, "", 1)
	if err := os.WriteFile(script, []byte(endless), 0o600); err != nil || endless == string(source) {
		t.Fatal("the example declares its limit in another way", err)
	}
	name, remedy := "exec:python3 "+script, "add max_steps to its spec (docs/remote-environments.md)"
	if out := must(t, "env", "check", name); !strings.Contains(out, "keeps the contract") || !strings.Contains(out, remedy) {
		t.Errorf("check says %s", out)
	}
	if out := must(t, "env", "check", "toy-dot"); strings.Contains(out, "limit") {
		t.Errorf("check of an environment with a limit says %s", out)
	}
	code, _, said := orrery(t, "train", "--preset", "tiny", "--env", name, "--run", filepath.Join(t.TempDir(), "run"))
	if code != exitUsage || !strings.Contains(said, remedy) {
		t.Errorf("train: exit code %d, %s", code, said)
	}
}
