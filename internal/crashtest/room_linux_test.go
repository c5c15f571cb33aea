package crashtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// projected is what a dry run says of memory and disk, in bytes.
var projected = regexp.MustCompile(`it takes about ([\d.]+) (\w+) of memory.* and ([\d.]+) (\w+) of disk`)

func inBytes(t *testing.T, number, unit string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(number, 64)
	factor := map[string]float64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]
	if err != nil || factor == 0 {
		t.Fatalf("%s %s: %v", number, unit, err)
	}
	return n * factor
}

// TestProjectionsHold compares what a run says that it will take with what it
// takes: the peak of resident memory lies between 0.4 and 1.2 times the
// projection, the files between 0.5 and 1.1 times. A short run has little
// garbage yet; the upper bounds are what a person relies on. Preset small takes
// minutes:
//
//	ORRERY_PROJECTION=small go test ./internal/crashtest -run Projections -v -timeout 1h
func TestProjectionsHold(t *testing.T) {
	cases := map[string][]string{"tiny": {"--preset", "tiny", "--episodes", "30"}}
	if os.Getenv("ORRERY_PROJECTION") == "small" {
		cases["small"] = []string{"--preset", "small", "--episodes", "9", "--set", "learn.updates_per_collect=5", "--set", "learn.eval_episodes=3"}
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			args = append([]string{"train", "--run", dir}, args...)
			out, err := exec.Command(orrery(t), append(args, "--dry-run")...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a dry run writes")
			}
			said := projected.FindStringSubmatch(string(out))
			if said == nil {
				t.Fatalf("%s", out)
			}
			memory, disk := inBytes(t, said[1], said[2]), inBytes(t, said[3], said[4])
			peak := peakMemory(t, exec.Command(orrery(t), append(args, "--quiet")...))
			files := 0
			for _, text := range readLeftovers(t, dir).files {
				files += len(text)
			}
			t.Logf("memory: %.1f MiB said, %.1f at most; disk: %.2f MiB said, %.2f left", memory/(1<<20), peak/(1<<20), disk/(1<<20), float64(files)/(1<<20))
			if peak < 0.4*memory || peak > 1.2*memory {
				t.Errorf("memory is %.2f times the projection", peak/memory)
			}
			if f := float64(files); f < 0.5*disk || f > 1.1*disk {
				t.Errorf("disk is %.2f times the projection", f/disk)
			}
		})
	}
}

// peakMemory runs cmd and returns the most memory in bytes that it had resident, as its
// status says until it ends. What wait4 reports would be this process's, if that is more:
// a child begins with the memory of its parent.
func peakMemory(t *testing.T, cmd *exec.Cmd) float64 {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	peak := 0.0
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %s", err, out.Bytes())
			}
			return peak
		case <-time.After(5 * time.Millisecond):
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if most := resident.FindSubmatch(status); most != nil {
				peak = max(peak, inBytes(t, string(most[1]), "KiB"))
			}
		}
	}
}

// resident is the peak of resident memory of a process since it began its program.
var resident = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// TestRunsWithoutRoomAreRefused before anything is written, with what is needed,
// what there is, and what to do.
func TestRunsWithoutRoomAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	for want, more := range map[string][]string{
		"free some space, choose another --run, lower learn.episodes, or give --force": {"--set", "learn.episodes=2000000", "--set", "env.image_size=64"},
		"lower replay.memory_mib": {"--set", "learn.episodes=1000000000", "--set", "replay.memory_mib=100000000"},
	} {
		out, err := exec.Command(orrery(t), append([]string{"train", "--preset", "tiny", "--env", "toy-dot", "--run", dir}, more...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, %q is missing from: %s", err, want, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "config.yaml")); err == nil {
			t.Error("the run was begun")
		}
	}
	p := start(t, nil, orrery(t), "train", "--preset", "tiny", "--env", "toy-dot", "--run", dir, "--set", "learn.episodes=1000000000", "--force")
	moment{of: "an event of run", n: 1}.wait(p, dir)
	_ = p.Process.Kill()
	<-p.done
	if !p.killed() {
		t.Errorf("--force does not help: %s", p.out.String())
	}
}
