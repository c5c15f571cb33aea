package main

import (
	"slices"
	"strings"
	"testing"
)

// TestShellsComplete: the values of flags, and names of environments, through the
// hidden command that the shells' scripts call.
func TestShellsComplete(t *testing.T) {
	for _, c := range []struct {
		typed []string
		want  string
	}{
		{[]string{"train", "--env", "cartp"}, "cartpole-swingup"},
		{[]string{"train", "--env", "toy-dot,cartpole-b"}, "toy-dot,cartpole-balance"},
		{[]string{"collect", "--env", ""}, "toy-dot"},
		{[]string{"train", "--preset", ""}, "tiny"},
		{[]string{"train", "--profile", ""}, "kaixhin"},
		{[]string{"eval", "--precision", "b"}, "bf16"},
		{[]string{"eval", "--backend", ""}, "cpu"},
		{[]string{"train", "--freeze", "encoder,de"}, "encoder,decoder"},
		{[]string{"train", "--set", "learn.ba"}, "learn.batch_size="},
		{[]string{"eval", "--set", ""}, "plan.horizon="},
		{[]string{"env", "check", "toy-"}, "toy-dot"},
		{[]string{"env", "show", ""}, "cartpole-balance"},
	} {
		lines := strings.Split(must(t, append([]string{"__complete"}, c.typed...)...), "\n")
		if !slices.Contains(lines, c.want) {
			t.Errorf("%v: %q is not among\n%s", c.typed, c.want, strings.Join(lines, "\n"))
		}
		last := c.typed[len(c.typed)-1]
		for _, line := range lines[:len(lines)-2] {
			if !strings.HasPrefix(line, last) && !strings.HasPrefix(line, ":") {
				t.Errorf("%v: %q is offered", c.typed, line)
			}
		}
	}
}
