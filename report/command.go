package report

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/config"
)

// changes are the settings in which a run differs from its preset, or false for
// a configuration that started from none.
func changes(run config.Run) ([]config.Change, bool) {
	preset, err := config.Preset(run.Preset)
	if err != nil {
		return nil, false
	}
	all, err := config.Differences(preset, run)
	return all, err == nil
}

// Command is what trains the same run again, written for a shell; empty without
// a configuration.
func (r *Run) Command() string {
	if r.Config == nil {
		return ""
	}
	all, ok := changes(*r.Config)
	if !ok {
		return "orrery train --config config.yaml"
	}
	words := []string{"orrery", "train", "--preset", r.Config.Preset}
	for _, c := range all {
		words = append(words, argument(c)...)
	}
	for i, w := range words {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

// flags are settings that have one of their own.
var flags = map[string]string{
	"env.name": "--env", "seed": "--seed", "learn.episodes": "--episodes", "learn.from": "--from", "learn.offline.updates": "--updates",
	"backend.name": "--backend", "backend.threads": "--threads", "backend.path": "--cpu-path", "backend.precision": "--precision",
}

// argument is a setting on the command line.
func argument(c config.Change) []string {
	var text string
	isText := json.Unmarshal([]byte(c.New), &text) == nil
	if flag := flags[c.Name]; flag != "" {
		if isText {
			return []string{flag, text}
		}
		return []string{flag, c.New}
	}
	switch c.Name {
	case "learn.from_sha256": // follows from --from
		return nil
	case "learn.offline.episodes":
		var dirs []string
		if json.Unmarshal([]byte(c.New), &dirs) == nil {
			return []string{"--offline", strings.Join(dirs, ",")}
		}
	}
	value := c.New
	if isText && plainWord(text) {
		value = text
	}
	return []string{"--set", c.Name + "=" + value}
}

// plainWord reports whether YAML reads a word as text without quotes.
func plainWord(s string) bool {
	return wordPattern.MatchString(s) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s))
}

var (
	wordPattern  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)
	shellPattern = regexp.MustCompile(`^[A-Za-z0-9_./:=,+@%-]+$`)
)

// quote protects a word from the shell.
func quote(s string) string {
	if shellPattern.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
