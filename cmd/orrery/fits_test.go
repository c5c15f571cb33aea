package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/config"
)

// TestDryRunsWriteAndServeNothing, whatever else is asked for.
func TestDryRunsWriteAndServeNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	out := must(t, tiny(dir, "--dry-run", "--tensorboard", "--dash=:0", "--prometheus", "127.0.0.1:0")...)
	if !strings.Contains(out, "it takes about") || strings.Contains(out, "http://") {
		t.Errorf("%s", out)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a directory was made")
	}
}

// TestForceStandsAboveTheNumberOfEnvironments.
func TestForceStandsAboveTheNumberOfEnvironments(t *testing.T) {
	if _, known := availableMemory(); !known {
		t.Skip("this system does not say how much memory is free: no /proc/meminfo; CI runs on Linux, which has it")
	}
	run, err := config.Preset("tiny")
	if err != nil {
		t.Fatal(err)
	}
	run.Env.Name, run.Learn.Envs = "counted", 64
	run.Plan.Candidates, run.Plan.Iterations, run.Plan.Horizon = 10000, 1000, 1000
	for _, force := range []bool{false, true} {
		a, _ := counting(t, 1)
		var opened closers
		o := &trainOptions{force: force, dryRun: true}
		if _, err := o.assemble(a, run, &opened); (err == nil) != force {
			t.Errorf("force %v: %v", force, err)
		}
		if err := opened.close(); err != nil {
			t.Error(err)
		}
	}
}
