package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// Every finding says what it is for, and every missing thing how to get it.
func TestDoctorNamesRemedies(t *testing.T) {
	var findings []finding
	if err := json.Unmarshal([]byte(must(t, "doctor", "--json")), &findings); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range findings {
		seen[f.Name] = true
		if f.For == "" || f.Found == "" || f.State == "no" != (f.Remedy != "") {
			t.Errorf("finding %+v", f)
		}
	}
	for _, name := range []string{"CPU kernels", "cores", "memory", "disk", "MuJoCo", "Python", "ffmpeg"} {
		if !seen[name] {
			t.Errorf("nothing about %s", name)
		}
	}
	if text := must(t, "doctor"); !strings.Contains(text, "CPU kernels") {
		t.Errorf("%s", text)
	}
}

// What is not there is missing, what fails is said to fail, what hangs is given up.
func TestDoctorProbes(t *testing.T) {
	ctx := context.Background()
	if f := program(ctx, "x", "y", "z", "no-such-program-at-all"); f.State != "no" || f.Found != "not found" || f.Remedy != "z" {
		t.Errorf("missing program: %+v", f)
	}
	if f := program(ctx, "go", "y", "z", "go", "no-such-command"); f.State != "no" || !strings.Contains(f.Found, "does not work") {
		t.Errorf("failing program: %+v", f)
	}
	if f := program(ctx, "go", "y", "z", "go", "version"); f.State != "yes" || !strings.Contains(f.Found, "go version") || f.Remedy != "" {
		t.Errorf("working program: %+v", f)
	}
	if f := library("x", "y", "z", "libno-such-library.so*"); f.State != "no" {
		t.Errorf("missing library: %+v", f)
	}
	if f := sized(finding{}, 1<<30, 2<<30, "less"); f.State != "no" || f.Remedy != "less" || f.Found != "1.0 GiB free" {
		t.Errorf("too little: %+v", f)
	}
}
