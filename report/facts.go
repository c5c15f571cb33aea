package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/metrics"
)

// processes are what each process that worked on the run said of itself.
func (r *Run) processes() (out []map[string]string) {
	for _, e := range r.Events {
		if e.Kind == metrics.KindRun {
			out = append(out, e.Text)
		}
	}
	return out
}

// factOrder is how facts are listed; others follow in alphabetical order.
var factOrder = []string{"env", "mode", "preset", "seed", "backend", "precision", "cpu", "cores", "memory", "platform", "go", "version", "commit"}

// factKeys are the names of all facts.
func factKeys(facts []map[string]string) []string {
	have := map[string]bool{}
	for _, f := range facts {
		for key := range f {
			have[key] = true
		}
	}
	var out []string
	for _, key := range factOrder {
		if have[key] {
			out = append(out, key)
			delete(have, key)
		}
	}
	return append(out, slices.Sorted(maps.Keys(have))...)
}

// distinct are the values of a fact in the order of the processes, each once.
func distinct(facts []map[string]string, key string) (out []string) {
	for _, f := range facts {
		if v := f[key]; strings.TrimSpace(v) != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
