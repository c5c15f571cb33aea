package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/orrery-rl/orrery/internal/bench"
)

// duration prints seconds in the unit that suits them.
func duration(seconds float64) string {
	switch {
	case seconds >= 100:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds >= 1:
		return fmt.Sprintf("%.2f s", seconds)
	case seconds >= 1e-3:
		return fmt.Sprintf("%.2f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f us", seconds*1e6)
}

// spread prints a median with its range.
func spread(s bench.Spread) string {
	return fmt.Sprintf("%s (%s to %s)", duration(s.Median), duration(s.Min), duration(s.Max))
}

// size prints bytes in the unit that suits them.
func size(bytes float64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.2f GiB", bytes/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", bytes/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", bytes/(1<<10))
}

func giga(rate float64) string { return fmt.Sprintf("%.1f G", rate/1e9) }

// share is a part of a whole in per cent, or nothing where there is no whole.
func share(part, whole float64) string {
	if whole <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*part/whole)
}

func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func printMachine(w io.Writer, m bench.Machine) {
	fmt.Fprintf(w, "%s, %d cores, %s/%s, %s, %s kernels\n", m.CPU, m.Cores, m.OS, m.Arch, m.Go, m.Path)
	if m.One.FLOPS == 0 {
		return
	}
	t := table(w)
	fmt.Fprintln(t, "threads\tpeak "+m.Precision+"\tread\twrite\tcopy")
	rows := []struct {
		threads int
		bench.Limits
	}{{1, m.One}, {m.Threads, m.All}}
	if m.Threads == 1 {
		rows = rows[:1]
	}
	for _, r := range rows {
		fmt.Fprintf(t, "%d\t%sFLOP/s\t%sB/s\t%sB/s\t%sB/s\n", r.threads, giga(r.FLOPS), giga(r.Read), giga(r.Write), giga(r.Copy))
	}
	t.Flush()
}

// printProcess prints what the process used; one is what was repeated.
func printProcess(t io.Writer, p bench.Process, one string) {
	fmt.Fprintf(t, "process\t%s resident at most, %.2f cores busy; %d allocations and %s %s\n",
		size(float64(p.PeakMemory)), p.Cores, p.AllocCount, size(float64(p.AllocBytes)), one)
}

// printRate prints how fast a graph ran, also beside the peak of the cores that
// it had.
func printRate(t io.Writer, flops, bandwidth float64, p bench.Process, m bench.Machine) {
	if flops == 0 {
		return
	}
	fmt.Fprintf(t, "rate\t%sFLOP/s, %sB/s", giga(flops), giga(bandwidth))
	if m.One.FLOPS > 0 && p.Cores > 0 {
		fmt.Fprintf(t, "; %s of the peak of %.2f cores", share(flops, m.One.FLOPS*p.Cores), p.Cores)
	}
	fmt.Fprintln(t)
}

// printWork prints what a graph has to do.
func printWork(t io.Writer, w bench.GraphWork) {
	if w.FLOPs == 0 {
		return
	}
	fmt.Fprintf(t, "work\t%.1f GFLOP in %d steps, %s read, %s written\n", float64(w.FLOPs)/1e9, w.Steps, size(float64(w.Read)), size(float64(w.Written)))
	if w.Arena > 0 {
		fmt.Fprintf(t, "memory\t%s of intermediate results, %s of scratch\n", size(float64(w.Arena)), size(float64(w.Scratch)))
	}
}
