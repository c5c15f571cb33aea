package report

import (
	"bytes"
	"fmt"
	"image/png"
	"path/filepath"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/internal/film"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
)

// Options say what a page shows beside what is in the runs' event files.
type Options struct {
	// FS holds stored episodes; nil shows no frames of them.
	FS vfs.FS
	// Media are made with the weights of a run, by its path.
	Media map[string]Media
}

// Media are what a run's weights show.
type Media struct {
	// Dream is an animated image of an episode and of what the model makes of it.
	Dream []byte
	// MIME is the type of Dream.
	MIME string
	// Context is how many frames the model saw, Length how many there are.
	Context, Length int
	// OpenLoop are errors of predicted images, by how far they lie ahead.
	OpenLoop []OpenLoop
	// OpenLoopNote says what they were measured on.
	OpenLoopNote string
	// Missing says why there is no dream.
	Missing string
	// OpenLoopMissing says why there are no errors of predicted images, or what
	// they leave out.
	OpenLoopMissing string
}

// OpenLoop is the mean error of images predicted so many records ahead, in nats.
type OpenLoop struct {
	Ahead  int
	Nats   float64
	Pieces int
}

// Page composes the page of one run, or of several beside each other.
func Page(runs []*Run, o Options) *Document {
	if len(runs) == 1 {
		return onePage(runs[0], o)
	}
	return severalPage(runs, o)
}

// named is a title that says the task, too.
func named(name, env string) string {
	if env == "" {
		return name
	}
	return name + ": " + env
}

func onePage(r *Run, o Options) *Document {
	d := &Document{title: named(r.Name, r.Env()), subtitle: r.subtitle()}
	d.add(r.cards())
	for _, f := range r.Findings() {
		d.add(notice{f.Severity, f.Text})
	}
	d.add(heading{2, "Results"})
	d.add(r.results()...)
	d.add(r.diagnosis(2)...)
	d.add(heading{2, "Learning curves"})
	d.add(curves([]*Run{r})...)
	d.add(r.seen(o)...)
	d.add(heading{2, "Time"})
	d.add(r.timeBlocks()...)
	d.add(heading{2, "Where it ran"})
	d.add(r.where()...)
	d.add(heading{2, "Configuration"})
	d.add(r.settings()...)
	d.add(heading{2, "Reproduce"})
	d.add(r.reproduce()...)
	return d
}

// subtitle says when the run was made.
func (r *Run) subtitle() string {
	if len(r.Events) == 0 {
		return "nothing was recorded"
	}
	c := r.Clock()
	return fmt.Sprintf("%s to %s UTC", moment(c.From), moment(c.To))
}

// cards are the numbers to see first.
func (r *Run) cards() cards {
	last := r.Last()
	var out cards
	if best, ok := r.final(); ok {
		out = append(out, card{"last evaluation", decimal(best.Summary.Mean), interval(best.Summary)})
	}
	episodes := thousands(last.Episodes)
	if r.Config != nil && !r.Offline() {
		episodes += " of " + thousands(max(last.Episodes, int64(r.Config.Learn.Episodes)))
	}
	if !r.Offline() {
		out = append(out, card{"episodes", episodes, ""}, card{"env_steps", thousands(last.EnvSteps), thousands(last.Decisions) + " decisions"})
	}
	return append(out, card{"updates", thousands(last.Updates), ""}, card{"time at work", duration(r.Clock().Working()), plural(r.Clock().Processes, "process")})
}

// final is the evaluation that counts: one made afterwards, or else the last.
func (r *Run) final() (Evaluation, bool) {
	all := append(r.Evaluations(), r.Afterwards...)
	if len(all) == 0 {
		return Evaluation{}, false
	}
	return all[len(all)-1], true
}

// settings are what differs from the preset, and everything, folded.
func (r *Run) settings() []block {
	if r.Config == nil {
		return []block{paragraph("The configuration is not there.")}
	}
	out := []block{}
	if all, ok := changes(*r.Config); !ok {
		out = append(out, paragraph("The configuration started from no preset that this version knows."))
	} else if len(all) == 0 {
		out = append(out, paragraph("All settings are those of the preset "+r.Config.Preset+"."))
	} else {
		t := table{caption: "Settings that differ from the preset " + r.Config.Preset, header: []string{"setting", "preset", "this run"}, left: 3}
		for _, c := range all {
			t.rows = append(t.rows, []string{c.Name, c.Old, c.New})
		}
		out = append(out, t)
	}
	if text, err := r.Config.YAML(); err == nil {
		out = append(out, folded{"All settings", []block{code{"yaml", string(text)}}})
	}
	return out
}

// reproduce is the command, and what else it takes.
func (r *Run) reproduce() []block {
	command := r.Command()
	if command == "" {
		return []block{paragraph("Without the configuration it is not known what command makes this run.")}
	}
	var lines []string
	for _, commit := range distinct(r.processes(), "commit") {
		lines = append(lines, "git checkout "+quote(strings.Fields(commit)[0]))
	}
	if len(lines) > 1 {
		lines = lines[:0] // more than one program made it
	}
	out := []block{code{"sh", strings.Join(append(lines, command), "\n")}}
	return append(out, paragraph("One seed gives the same run, bit for bit, on one machine and backend; other processors round differently, and then runs part."))
}

// where is what the processes said of themselves.
func (r *Run) where() []block {
	facts := r.processes()
	keys := factKeys(facts)
	if len(keys) == 0 {
		return []block{paragraph("The run does not say.")}
	}
	t := table{header: []string{"", ""}, left: 2}
	for _, key := range keys {
		t.rows = append(t.rows, []string{key, strings.Join(distinct(facts, key), "; ")})
	}
	out := []block{t}
	if len(distinct(facts, "commit")) == 0 {
		out = append(out, paragraph("The commit is not recorded: go run records no commit; go build and go install in a checkout do."))
	}
	return out
}

// seen are pictures: a dream, and frames of stored episodes.
func (r *Run) seen(o Options) []block {
	var out []block
	m := o.Media[r.Path]
	if len(m.Dream) > 0 {
		out = append(out, picture{
			name: "dream", data: m.Dream, mime: m.MIME, alt: "Real frames above, predicted frames below, rewards as curves beneath",
			caption: fmt.Sprintf("Above: an episode. Below: what the model makes of it; after the first %d of %d frames (bordered) it is given the actions alone. Beneath: the reward received (light) and predicted (orange).", m.Context, m.Length),
		})
	}
	if len(m.OpenLoop) > 0 {
		t := table{caption: "Error of predicted images, " + m.OpenLoopNote, header: []string{"records ahead", "nats", "pieces"}, left: 0}
		for _, e := range m.OpenLoop {
			t.rows = append(t.rows, []string{fmt.Sprint(e.Ahead), significant(e.Nats), fmt.Sprint(e.Pieces)})
		}
		out = append(out, t)
	}
	switch {
	case m.OpenLoopMissing == "":
	case len(m.OpenLoop) > 0:
		out = append(out, paragraph("Left out of these errors: "+m.OpenLoopMissing))
	default:
		out = append(out, paragraph("There are no errors of predicted images: "+m.OpenLoopMissing))
	}
	out = append(out, r.strips(o.FS)...)
	if m.Missing != "" {
		out = append(out, paragraph("There is no dream: "+m.Missing))
	}
	if len(out) == 0 {
		return nil
	}
	return append([]block{heading{2, "What it sees"}}, out...)
}

// strips show the first, the middle and the last stored episode.
func (r *Run) strips(fsys vfs.FS) (out []block) {
	n := r.Last().Episodes
	if fsys == nil || n == 0 || r.Offline() {
		return nil
	}
	for _, k := range slices.Compact([]int64{1, (n + 1) / 2, n}) {
		strip, err := film.StoredStrip(fsys, learn.EpisodePath(r.Dir, k), 10, 2)
		if err != nil {
			continue // not kept, or without images
		}
		var buf bytes.Buffer
		if png.Encode(&buf, strip) != nil {
			continue
		}
		name := filepath.Base(learn.EpisodePath("", k))
		out = append(out, picture{
			name: "episode-" + strings.TrimSuffix(name, ".npz"), data: buf.Bytes(), mime: "image/png",
			alt: fmt.Sprintf("Frames of training episode %d", k), caption: fmt.Sprintf("Training episode %d, from its first frame to its last.", k),
		})
	}
	return out
}
