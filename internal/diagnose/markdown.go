package diagnose

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the page docs/troubleshooting.md.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(markdownHead)
	b.WriteString("\n| what you see | finding | at most a |\n|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| %s | [%s](#%s) | %s |\n", r.Title, r.ID, r.ID, r.Severity)
	}
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n*Judged by:* %s\n\n*Likely cause:* %s\n\n*Try:*\n\n", r.ID, r.Title, r.Judged, r.Cause)
		for _, t := range r.Try {
			fmt.Fprintf(&b, "- %s\n", t)
		}
	}
	b.WriteString(markdownTail)
	_, err := io.WriteString(w, b.String())
	return err
}

const markdownHead = `# When a run does not learn

<!-- Generated from internal/diagnose: go test ./internal/diagnose -run TestDocsEqualRules -update -->

` + "```" + `
orrery doctor runs/cartpole-swingup
orrery doctor runs/a runs/b --json
` + "```" + `

reads what a run has measured (` + "`metrics.jsonl`" + ` and, beside it, ` + "`config.yaml`" + `) and says in words what looks wrong: the numbers it goes
by and where in the run they are, the likely cause, and what to try. It changes nothing, needs no environment, and may be asked
while the run is going. Without an argument it looks at the machine instead.

A **problem** means that the run will not come to anything as it is, a **warning** that something is likely to be wrong; a **note** is
worth knowing, and a healthy run may have it. Rules compare the last fifth of a curve with what came before, or with the range in
[metrics.md](metrics.md). In a young run most of them say "too early": nothing about the model is judged before 500 updates.

The rules know curves, not your task. A finding is a place to look, not a verdict; and a run in which nothing is found may still
be too small for its task.

Settings of the model and of the optimiser cannot be changed in a run that has begun. "A new run with ..." keeps what is learned if it
starts with ` + "`--from RUN`" + ` (see [offline.md](offline.md)), unless the setting changes the model's size.

## Findings
`

const markdownTail = `
## Errors instead of curves

| what you see | what to do |
|---|---|
| ` + "`it contradicts the run in DIR`" + ` | The command differs from the one that the run was started with. The lines below name the settings; ` + "`orrery train --run DIR`" + ` goes on with those of the run. |
| ` + "`... is not finite`" + ` | An update went astray; the last good snapshot is kept. See [non-finite](#non-finite). |
| ` + "`no episode is long enough for a chunk`" + ` | ` + "`--set learn.chunk_length=N`" + `, at most the records of an episode (decisions + 1). |
| ` + "`the snapshots are missing`" + `, ` + "`episodes are missing`" + ` | Files of the run were removed. Restore them; see [formats.md](formats.md). |
| ` + "`the environment broke`" + ` | The simulator died; the episode is played again. See [remote-environments.md](remote-environments.md). |
| ` + "`the weights to start from do not fit`" + ` | The lines below name each parameter with both shapes. See [offline.md](offline.md). |
`
