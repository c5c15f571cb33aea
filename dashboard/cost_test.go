//go:build unix

package dashboard

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/internal/httpguard"
)

// processorTime is what this process has had.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestWatchingCostsLittle has 200 browsers that take what they are told, none of
// which costs this process anything, and a run that goes on five times a second.
// Following and telling may take 2 % of the processors' time.
func TestWatchingCostsLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("takes four seconds: left out by -short; CI runs it without")
	}
	f := going(t, "swing", 60, "")
	at := serve(t, Config{Runs: []string{f.dir}, Poll: 500 * time.Millisecond}, httpguard.Config{})
	for range 200 {
		subscribe(t, at) // what comes waits in the buffers of the system
	}
	used, began := processorTime(t), time.Now()
	for range 20 {
		f.episode()
		time.Sleep(200 * time.Millisecond)
	}
	used = processorTime(t) - used
	all := time.Since(began) * time.Duration(runtime.NumCPU())
	t.Logf("%v of %v, %.2f %%", used, all, 100*used.Seconds()/all.Seconds())
	if used > all/50 {
		t.Errorf("200 browsers cost %v of %v of the processors' time", used, all)
	}
}
