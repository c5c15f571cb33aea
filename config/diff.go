package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is one setting that differs: its dotted name and both values.
type Change struct{ Name, Old, New string }

// String formats the change as "name old -> new".
func (c Change) String() string { return fmt.Sprintf("%s %s -> %s", c.Name, c.Old, c.New) }

// mayChange lists the settings that a resumed run may change: they say how long
// to go on, how often to look, and what computes, not what is learned.
var mayChange = []string{
	"learn.episodes", "learn.eval_every", "learn.eval_episodes", "learn.log_every", "replay.", "backend.", "watch.",
	"learn.offline.updates", "learn.offline.validate_every", "learn.offline.eval_every", "learn.offline.save_every",
	offlineEpisodes,
}

// offlineEpisodes may move, which the run itself checks by their contents; but a
// run learns offline or it does not.
const offlineEpisodes = "learn.offline.episodes"

// Diff returns the settings in which next contradicts old, the configuration a
// run was started with, sorted by name. Settings that a run may change when it
// goes on are left out.
func Diff(old, next Run) ([]Change, error) {
	all, err := Differences(old, next)
	// Runs that learn offline only judge by the environment.
	offline := len(old.Learn.Offline.Episodes) > 0 && len(next.Learn.Offline.Episodes) > 0
	return slices.DeleteFunc(all, func(c Change) bool {
		return c.allowed() || offline && (c.Name == "env.name" || c.Name == "env.action_repeat")
	}), err
}

// Differences returns every setting in which next differs from old, sorted by
// name.
func Differences(old, next Run) ([]Change, error) {
	a, err := flatten(old)
	if err != nil {
		return nil, err
	}
	b, err := flatten(next)
	if err != nil {
		return nil, err
	}
	names := maps.Clone(a)
	maps.Copy(names, b)
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			out = append(out, Change{name, orNone(a[name]), orNone(b[name])})
		}
	}
	return out, nil
}

// allowed reports whether a run that goes on may make the change.
func (c Change) allowed() bool {
	if c.Name == offlineEpisodes && (c.Old == unset || c.New == unset) {
		return false
	}
	return changeable(c.Name)
}

func changeable(name string) bool {
	return slices.ContainsFunc(mayChange, func(prefix string) bool {
		return name == prefix || strings.HasSuffix(prefix, ".") && strings.HasPrefix(name, prefix)
	})
}

// unset is the value of a setting that is not there.
const unset = "(unset)"

func orNone(s string) string {
	if s == "" {
		return unset
	}
	return s
}

// flatten maps the dotted name of every setting to its JSON text.
func flatten(r Run) (map[string]string, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	var tree map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // a 64-bit seed does not fit a float64
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	out := map[string]string{}
	walk("", tree, out)
	return out, nil
}

func walk(prefix string, v any, out map[string]string) {
	if m, ok := v.(map[string]any); ok {
		for k, child := range m {
			walk(prefix+"."+k, child, out)
		}
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		text = fmt.Append(nil, v)
	}
	out[strings.TrimPrefix(prefix, ".")] = string(text)
}
