package crashtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/config"
)

// variants are settings of runs that last about a second, over those of
// baseSettings.
var variants = [][]string{
	{},
	{"model.continue_head=true", "plan.planner=mppi", "learn.eval_every=3"},
	{"model.transition=ssm", "plan.planner=icem", "backend.threads=1"},
	{"learn.envs=3", "learn.episodes=11"},
}

var baseSettings = []string{"env.name=toy-dot", "learn.episodes=9", "learn.seed_episodes=2", "learn.updates_per_collect=6", "learn.log_every=2", "learn.eval_every=2"}

func settingsOf(variant int, seed uint64) []string {
	return append(append(slices.Clone(baseSettings), variants[variant]...), fmt.Sprintf("seed=%d", seed))
}

// arguments are the program's for these settings.
func arguments(dir string, settings []string) []string {
	args := []string{"train", "--preset", "tiny", "--quiet", "--run", dir}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	return args
}

// whole are the uninterrupted runs, by variant; they all have seed 5.
var whole struct {
	sync.Mutex
	runs map[int]leftovers
}

const runSeed = 5

func wholeRun(t testing.TB, variant int) leftovers {
	t.Helper()
	whole.Lock()
	defer whole.Unlock()
	if l, ok := whole.runs[variant]; ok {
		return l
	}
	dir := filepath.Join(t.TempDir(), "whole")
	finish(t, dir, settingsOf(variant, runSeed))
	if whole.runs == nil {
		whole.runs = map[int]leftovers{}
	}
	whole.runs[variant] = readLeftovers(t, dir)
	return whole.runs[variant]
}

// finish runs the program until the run in dir is complete.
func finish(t testing.TB, dir string, settings []string) {
	t.Helper()
	p := start(t, nil, orrery(t), arguments(dir, settings)...)
	<-p.done
	if !p.ProcessState.Success() {
		t.Fatalf("orrery %s: %v\n%s", strings.Join(p.Args[1:], " "), p.ProcessState, p.out.String())
	}
}

// tally is what happened to the runs of all cases.
type tally struct {
	cases, kills, selfKills, faults, damages, lostEvents, bytes, differences int
	phases, kinds                                                            map[string]int
}

func (c *tally) report(t testing.TB) {
	t.Helper()
	t.Logf("%d runs: %d kills of live processes from outside, %d before a chosen write, %d write errors met, %d damages between processes", c.cases, c.kills, c.selfKills, c.faults, c.damages)
	for _, m := range []map[string]int{c.phases, c.kinds} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			t.Logf("  %4d %s", m[name], name)
		}
	}
	t.Logf("%d bytes compared with those of uninterrupted runs, %d differences; %d events cut off or damaged beyond what a snapshot can restore", c.bytes, c.differences, c.lostEvents)
}

// TestKilledRunsEndIdentically kills training processes at random moments,
// makes their writes fail and damages their files, until enough were killed, and
// compares what the completed runs leave with uninterrupted ones.
func TestKilledRunsEndIdentically(t *testing.T) {
	want := *killsFlag
	if testing.Short() {
		want = min(want, 4)
	}
	c := &tally{phases: map[string]int{}, kinds: map[string]int{}}
	for seed := *seedFlag; !t.Failed(); seed++ {
		if *casesFlag > 0 && c.cases == *casesFlag || *casesFlag == 0 && c.enough(want) {
			break
		}
		c.run(t, seed)
	}
	c.report(t)
	if missed := c.missed(); *casesFlag == 0 && want >= 100 && len(missed) > 0 {
		t.Errorf("no process was killed in these phases: %q", missed)
	}
}

// enough reports whether so many processes were killed and, of a hundred or
// more, one in each phase; it does not go on for ever for that.
func (c *tally) enough(want int) bool {
	return c.kills >= want && (want < 100 || c.kills >= 2*want || len(c.missed()) == 0)
}

// missed are the phases in which no process was killed.
func (c *tally) missed() []string {
	all := []string{"opening and compiling", "seed episodes", "updates", "collecting", "evaluating", "writing an episode", "writing a snapshot"}
	return slices.DeleteFunc(all, func(p string) bool { return c.phases[p] > 0 })
}

// run is one case: a run that about ten things happen to before it is complete.
func (c *tally) run(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	variant := int(seed % uint64(len(variants)))
	expected := wholeRun(t, variant)
	settings := settingsOf(variant, runSeed)
	run, err := compose(settings)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), fmt.Sprint("case", seed))
	var history, lost []string
	for range 8 + random.IntN(6) {
		if random.IntN(4) == 0 {
			history = append(history, c.fault(t, dir, settings, random))
		} else {
			history = append(history, c.kill(t, dir, run, settings, random))
		}
		if random.IntN(3) == 0 {
			what, gone := damage(t, dir, random)
			if what != "" {
				c.damages++
				c.kinds["damage: "+what]++
				history, lost = append(history, what), append(lost, gone...)
			}
		}
		if t.Failed() {
			break
		}
	}
	if !t.Failed() {
		finish(t, dir, settings)
		c.compare(t, dir, expected, lost)
	}
	c.cases++
	if t.Failed() {
		t.Logf("case %d, again: go test ./internal/crashtest -v -run TestKilledRunsEndIdentically -case-seed %d -cases 1\n%s", seed, seed, strings.Join(history, "\n"))
	}
}

func (c *tally) compare(t *testing.T, dir string, expected leftovers, lost []string) {
	got := readLeftovers(t, dir)
	c.bytes += got.bytes
	c.lostEvents += len(lost)
	for _, d := range got.diff(expected, lost) {
		c.differences++
		t.Error(d)
	}
}

// kill starts the program, kills it at a random moment, and says what happened.
func (c *tally) kill(t *testing.T, dir string, run config.Run, settings []string, random *rand.Rand) string {
	m, starts := drawMoment(random), countStarts(dir)
	if starts == 0 && random.IntN(2) == 0 { // the one chance to hit the seed episodes
		m = moment{"an event of run", 1, time.Duration(random.Int64N(int64(3 * time.Millisecond)))}
	}
	p := start(t, nil, orrery(t), arguments(dir, settings)...)
	m.wait(p, dir)
	_ = p.Process.Kill() // an error says that it has ended
	<-p.done
	switch {
	case p.killed():
		at := phase(t, dir, run, starts)
		c.kills++
		c.phases[at]++
		return fmt.Sprintf("killed %v: %s", m, at)
	case p.ProcessState.Success():
		return "complete before " + m.String()
	}
	t.Errorf("orrery: %v\n%s", p.ProcessState, p.out.String())
	return "failed"
}

// fault starts a process whose writes fail, or which is killed before one.
func (c *tally) fault(t *testing.T, dir string, settings []string, random *rand.Rand) string {
	f := fault{At: 1 + random.IntN(150), Forever: random.IntN(2) == 0}
	if kinds := []syscall.Errno{0, syscall.ENOSPC, syscall.EIO}; true {
		f.Errno = kinds[random.IntN(len(kinds))]
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, []string{faultVariable + "=" + string(text)}, testBinary(t), append([]string{dir}, settings...)...)
	<-p.done
	name := "killed"
	if f.Errno != 0 {
		name = f.Errno.Error()
	}
	what := fmt.Sprintf("%s at change %d, forever: %v", name, f.At, f.Forever)
	switch {
	case f.Errno == 0 && p.killed():
		c.selfKills++
	case p.ProcessState.ExitCode() == exitFault:
		c.faults++
		c.kinds[fmt.Sprintf("fault: %s", name)]++
	case !p.ProcessState.Success():
		t.Errorf("%s: %v\n%s", what, p.ProcessState, p.out.String())
	}
	return what
}
