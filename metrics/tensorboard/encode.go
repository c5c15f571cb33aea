package tensorboard

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/orrery-rl/orrery/metrics"
)

// Picture is an image to show at an event, under a tag such as "episode/strip".
type Picture struct {
	Tag string
	// About describes the tag.
	About string
	Image image.Image
}

// encoder turns events into records. It remembers which tags the file has
// described.
type encoder struct {
	pictures  func(metrics.Event) ([]Picture, error)
	notes     map[string]string
	described map[string]bool
	noted     bool
	offline   bool // nothing is collected: updates are the only steps
}

func newEncoder(c Config) *encoder {
	return &encoder{pictures: c.Pictures, notes: c.Notes, described: map[string]bool{}}
}

// head is how a file begins.
func (e *encoder) head(first metrics.Event) []byte {
	out := appendRecord(nil, versionEvent(first.Time))
	return appendRecord(out, startEvent(first.Time, 0))
}

// encode returns the records of one event. An error says that pictures are
// missing; the records hold the rest.
func (e *encoder) encode(ev metrics.Event) ([]byte, error) {
	var values []message
	if ev.Kind == metrics.KindRun {
		e.offline = ev.Text["mode"] == "offline"
	}
	if !e.noted {
		values = e.appendNotes(values)
		e.noted = true
	}
	if len(ev.Text) > 0 && ev.Kind == metrics.KindRun {
		values = append(values, e.note("run/process:text", "What computes, and where.", table(ev.Text)))
	}
	for _, name := range slices.Sorted(maps.Keys(ev.Values)) {
		values = append(values, e.scalar(name, ev.Values[name]))
	}
	if ev.Kind == metrics.KindEpisode {
		values = e.appendCounters(values, ev.Counters)
	}
	values, err := e.appendPictures(values, ev)
	if len(values) == 0 {
		return nil, err
	}
	return appendRecord(nil, summaryEvent(ev.Time, e.step(ev.Counters), values)), err
}

// step is where on the horizontal axis an event lies.
func (e *encoder) step(c metrics.Counters) int64 {
	if e.offline {
		return c.Updates
	}
	return c.EnvSteps
}

// scalar is one metric; its help is the catalogue's.
func (e *encoder) scalar(name string, v float64) message {
	return value(name, e.describe(name, "scalars", classScalar, helpOf(name)), scalar(v))
}

func helpOf(name string) string {
	m, ok := metrics.Lookup(name)
	if !ok {
		return ""
	}
	text := m.Description + "\n\nHealthy: " + m.Healthy
	if m.HasRange() {
		text += fmt.Sprintf(" Range: %g to %g.", m.Low, m.High)
	}
	return text
}

// appendCounters relates the other counters to env_steps, once an episode.
func (e *encoder) appendCounters(values []message, c metrics.Counters) []message {
	for _, counter := range []struct {
		name, help string
		v          int64
	}{
		{"counter/decisions:decisions", "Actions chosen so far.", c.Decisions},
		{"counter/updates:updates", "Optimiser steps so far.", c.Updates},
		{"counter/episodes:episodes", "Training episodes collected so far, seed episodes included.", c.Episodes},
	} {
		d := e.describe(counter.name, "scalars", classScalar, counter.help)
		values = append(values, value(counter.name, d, scalar(float64(counter.v))))
	}
	return values
}

// appendNotes shows the run's notes at its first event.
func (e *encoder) appendNotes(values []message) []message {
	for _, name := range slices.Sorted(maps.Keys(e.notes)) {
		values = append(values, e.note(name, "", e.notes[name]))
	}
	return values
}

// note is Markdown.
func (e *encoder) note(tag, about, text string) message {
	return value(tag, e.describe(tag, "text", classTensor, about), stringTensor([]byte(text)))
}

func (e *encoder) appendPictures(values []message, ev metrics.Event) ([]message, error) {
	if e.pictures == nil {
		return values, nil
	}
	pictures, err := e.pictures(ev)
	if err != nil {
		return values, fmt.Errorf("tensorboard: pictures of the %s event at %d env_steps: %w", ev.Kind, ev.Counters.EnvSteps, err)
	}
	for _, p := range pictures {
		var buf bytes.Buffer
		if err := png.Encode(&buf, p.Image); err != nil {
			return values, fmt.Errorf("tensorboard: picture %s: %w", p.Tag, err)
		}
		size := p.Image.Bounds().Size()
		tensor := stringTensor([]byte(strconv.Itoa(size.X)), []byte(strconv.Itoa(size.Y)), buf.Bytes())
		values = append(values, value(p.Tag, e.describe(p.Tag, "images", classBlobs, p.About), tensor))
	}
	return values, nil
}

// describe returns the description of a tag the first time, and nil later:
// TensorBoard keeps the first.
func (e *encoder) describe(tag, plugin string, class int64, text string) *description {
	if e.described[tag] {
		return nil
	}
	e.described[tag] = true
	return &description{plugin: plugin, class: class, text: text}
}

// table is a Markdown table of texts.
func table(text map[string]string) string {
	var b bytes.Buffer
	b.WriteString("| | |\n|---|---|\n")
	for _, k := range slices.Sorted(maps.Keys(text)) {
		fmt.Fprintf(&b, "| %s | %s |\n", cell(k), cell(text[k]))
	}
	return b.String()
}

// cell keeps a text within its cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ").Replace(s)
}
