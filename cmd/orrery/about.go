package main

import (
	"cmp"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/orrery-rl/orrery/config"
)

// aboutProcess is what a report wants to know of the process that trains, kept
// in the event of its start. Host and user names are nobody's business.
func aboutProcess(run config.Run) map[string]string {
	about := map[string]string{
		"version":   version(),
		"go":        runtime.Version(),
		"platform":  runtime.GOOS + "/" + runtime.GOARCH,
		"cores":     strconv.Itoa(runtime.GOMAXPROCS(0)),
		"precision": cmp.Or(run.Backend.Precision, "auto"),
		"seed":      strconv.FormatUint(run.Seed, 10),
		"preset":    run.Preset,
	}
	for key, value := range map[string]string{"commit": commit(), "cpu": cpuModel(), "memory": memoryTotal()} {
		if value != "" {
			about[key] = value
		}
	}
	return about
}

// commit is what the program was built of, if that is known.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, changed := "", false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if changed && revision != "" {
		revision += " with changes"
	}
	return revision
}

// cpuModel is the processor's name where Linux says it.
func cpuModel() string { return procField("/proc/cpuinfo", "model name") }

// memoryTotal is the machine's memory where Linux says it.
func memoryTotal() string {
	kib, err := strconv.ParseInt(strings.TrimSuffix(procField("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatFloat(float64(kib)/(1<<20), 'f', 1, 64) + " GiB"
}

// procField is the first field of that name in a file of "name: value" lines.
func procField(path, name string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
