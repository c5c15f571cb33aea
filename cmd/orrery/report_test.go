package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/learn"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReportOfARunWithItsWeights, alone and beside another seed, in both formats.
func TestReportOfARunWithItsWeights(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "dot-1"), filepath.Join(dir, "dot-2")
	must(t, tiny(one, "--seed", "1", "--quiet")...)
	must(t, tiny(two, "--seed", "2", "--quiet")...)
	page := filepath.Join(dir, "report.html")
	must(t, "report", one, "-o", page)
	text := readText(t, page)
	for _, want := range []string{"toy-dot", "6 of 6", "data:image/png;base64,", "records ahead", "on the last 3 training episodes", "Training episode 6", "orrery train --preset tiny --env toy-dot --seed 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	must(t, "report", one, two, "--no-media", "-o", page)
	if text := readText(t, page); !strings.Contains(text, "dot (2 runs)") || strings.Contains(text, "records ahead") {
		t.Error("two seeds are not a group, or something was played")
	}
	md := filepath.Join(dir, "all.md")
	must(t, "report", one, "-o", md)
	text = readText(t, md)
	for _, name := range []string{"returns.svg", "dream.png"} {
		if _, err := os.Stat(filepath.Join(dir, "all-files", name)); err != nil || !strings.Contains(text, "](all-files/"+name+")") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReportOfWhatIsLeft: without weights, with damage, and where the newest
// weights cannot be read.
func TestReportOfWhatIsLeft(t *testing.T) {
	out := filepath.Join(t.TempDir(), "report.html")
	must(t, "report", "../../results/cartpole-swingup-small", "-o", out)
	if text := readText(t, out); !strings.Contains(text, "432.6") || strings.Contains(text, "What it sees") {
		t.Error("the kept history")
	}
	must(t, "report", "../../results/cartpole-ablations/rssm.jsonl", "../../results/cartpole-ablations/ssm.jsonl", "-o", out)
	if text := readText(t, out); !strings.Contains(text, "model.transition") {
		t.Error("two kept histories")
	}
	dir := filepath.Join(t.TempDir(), "run")
	must(t, tiny(dir, "--quiet")...)
	snapshots, err := filepath.Glob(filepath.Join(dir, "snapshots", "*.safetensors"))
	if err != nil || len(snapshots) == 0 {
		t.Fatal(snapshots, err)
	}
	for _, path := range snapshots {
		if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, learnMetrics), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("{\"kind\":\nhalf a line"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	code, _, errs := orrery(t, "report", dir, "-o", out)
	if code != exitOK || !strings.Contains(errs, "1 damaged line was") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	text := readText(t, out)
	for _, want := range []string{"1 damaged line of the event file", "There is no dream:", "6 of 6"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestReportSaysWhatItCouldNotMeasure, on the page and at once, and measures on
// what is left.
func TestReportSaysWhatItCouldNotMeasure(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "report.html")
	must(t, tiny(dir, "--quiet")...)
	report := func() (text, errs string) {
		t.Helper()
		code, _, errs := orrery(t, "report", dir, "-o", out)
		if code != exitOK {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		return readText(t, out), errs
	}
	spoil := func(n int64) {
		if err := os.WriteFile(learn.EpisodePath(dir, n), []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spoil(5)
	text, errs := report()
	for _, want := range []string{"on 2 of the last 3 training episodes", "Left out of these errors: training episode 5: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from the page", want)
		}
	}
	if !strings.Contains(errs, "orrery: "+dir+": errors of predicted images were measured in part: training episode 5: ") {
		t.Errorf("no warning: %s", errs)
	}
	spoil(4)
	if err := os.Remove(learn.EpisodePath(dir, 6)); err != nil {
		t.Fatal(err)
	}
	text, errs = report()
	if !strings.Contains(text, "There are no errors of predicted images: training episode 4: ") || strings.Contains(text, "records ahead") || !strings.Contains(errs, ": no errors of predicted images were measured: training episode 4: ") || !strings.Contains(errs, "; training episode 6: ") {
		t.Errorf("the page is silent, or the command: %s", errs)
	}
}

const learnMetrics = "metrics.jsonl"

func TestReportMistakes(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"needs a RUN":  {"report"},
		".html or .md": {"report", dir, "-o", "report.pdf"},
		"holds no run": {"report", dir},
	} {
		code, _, errs := orrery(t, args...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("orrery %s: exit code %d, want %d, and %q in:\n%s", strings.Join(args, " "), code, exitUsage, want, errs)
		}
	}
}
