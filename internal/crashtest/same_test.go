package crashtest

import (
	"path/filepath"
	"regexp"
	"testing"
)

// threads is the one setting in which TestSameSeedSameBytes lets runs differ.
var threads = regexp.MustCompile(`("threads":|threads: )\d+`)

// TestSameSeedSameBytes runs whole runs again, with another number of worker
// threads and with another number of processors, and compares every byte.
// Another seed must give other bytes. Like the kills, it does all of it when it
// is asked for a hundred.
func TestSameSeedSameBytes(t *testing.T) {
	for variant := range variants {
		if testing.Short() && variant > 0 || *killsFlag < 100 && variant%3 > 0 {
			continue
		}
		expected := wholeRun(t, variant).withoutThreads()
		bytes := 0
		for _, c := range []struct{ env, setting string }{
			{}, {setting: "backend.threads=1"}, {setting: "backend.threads=3"}, {env: "GOMAXPROCS=1"}, {env: "GOMAXPROCS=5"},
		} {
			dir := filepath.Join(t.TempDir(), "run")
			settings := settingsOf(variant, runSeed)
			if c.setting != "" {
				settings = append(settings, c.setting)
			}
			p := start(t, []string{c.env}, orrery(t), arguments(dir, settings)...)
			if <-p.done; !p.ProcessState.Success() {
				t.Fatal(p.out.String())
			}
			got := readLeftovers(t, dir).withoutThreads()
			bytes += got.bytes
			for _, d := range got.diff(expected, nil) {
				t.Errorf("%q, %s%s: %s", variants[variant], c.env, c.setting, d)
			}
		}
		t.Logf("%q: %d bytes compared", variants[variant], bytes)
	}
	dir := filepath.Join(t.TempDir(), "other")
	finish(t, dir, settingsOf(0, runSeed+1))
	if got := readLeftovers(t, dir); len(got.diff(wholeRun(t, 0), nil)) < 10 {
		t.Error("another seed gives the same")
	}
}

// withoutThreads hides the number of threads in the configuration.
func (l leftovers) withoutThreads() leftovers {
	files := map[string]string{}
	for name, text := range l.files {
		if name == "config.yaml" || filepath.Ext(name) == ".safetensors#header" {
			text = threads.ReplaceAllString(text, "${1}N")
		}
		files[name] = text
	}
	l.files = files
	return l
}
