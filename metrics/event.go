package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"
)

// ErrInvalid marks an event that no sink may be given.
var ErrInvalid = errors.New("metrics: invalid event")

// The kinds of events a training run emits.
const (
	// KindRun marks the start of a run and each time it is resumed.
	KindRun = "run"
	// KindUpdate summarises a number of updates.
	KindUpdate = "update"
	// KindEpisode describes one collected episode.
	KindEpisode = "episode"
	// KindEvaluation describes one evaluation.
	KindEvaluation = "evaluation"
	// KindValidation describes the losses on episodes that offline training holds
	// out.
	KindValidation = "validation"
)

// Counters say where in a run something happened. None of them ever decreases.
type Counters struct {
	// EnvSteps is the number of simulator steps taken in training.
	EnvSteps int64 `json:"env_steps"`
	// Decisions is the number of actions chosen: EnvSteps / ActionRepeat, or a
	// little more, since the last decision of an episode may take fewer steps.
	Decisions int64 `json:"decisions"`
	// Updates is the number of optimiser steps.
	Updates int64 `json:"updates"`
	// Episodes is the number of training episodes collected, seeds included.
	Episodes int64 `json:"episodes"`
}

// after reports whether c lies beyond o in any counter.
func (c Counters) after(o Counters) bool {
	return c.EnvSteps > o.EnvSteps || c.Decisions > o.Decisions || c.Updates > o.Updates || c.Episodes > o.Episodes
}

// Event is one thing that was measured.
type Event struct {
	// Kind is what the event is about, one of the Kind constants or another
	// short word.
	Kind string
	// Time is when it happened; a [Recorder] fills in a zero time.
	Time time.Time
	// Counters are the run's counters at that time.
	Counters Counters
	// Values are the measurements by name with unit, for example
	// "loss/kl:nats". NaN and infinities are allowed and survive a file. What
	// was not measured is left out, never set to NaN.
	Values map[string]float64
	// Text holds what is not a number, for example a path or a remark.
	Text map[string]string
}

// validName is group/name:unit; groups may nest.
var validName = regexp.MustCompile(`^[a-z0-9_]+(/[a-z0-9_]+)+:[a-z0-9_]+$`)

// Validate reports a missing kind and every malformed name; the error matches
// [ErrInvalid].
func (e Event) Validate() error {
	var errs []error
	if e.Kind == "" {
		errs = append(errs, fmt.Errorf("%w: it has no kind", ErrInvalid))
	}
	for _, name := range sortedKeys(e.Values) {
		if !validName.MatchString(name) {
			errs = append(errs, fmt.Errorf("%w: metric %q; write names in lower case as group/name:unit, for example loss/kl:nats", ErrInvalid, name))
		}
	}
	return errors.Join(errs...)
}

// wire is the form of an event in a file. A value that JSON cannot express is
// null there and spelled out in Nonfinite.
type wire struct {
	Kind string    `json:"kind"`
	Time time.Time `json:"time"`
	Counters
	Values    map[string]*float64 `json:"values,omitempty"`
	Nonfinite map[string]string   `json:"nonfinite,omitempty"`
	Text      map[string]string   `json:"text,omitempty"`
}

// MarshalJSON encodes the event with the counters at top level and names in
// alphabetical order. A NaN or infinite value becomes null, with "NaN", "+Inf"
// or "-Inf" under "nonfinite".
func (e Event) MarshalJSON() ([]byte, error) {
	w := wire{Kind: e.Kind, Time: e.Time, Counters: e.Counters, Text: e.Text}
	if len(e.Values) > 0 {
		w.Values = make(map[string]*float64, len(e.Values))
	}
	for name, v := range e.Values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			w.Values[name] = &v
			continue
		}
		if w.Nonfinite == nil {
			w.Nonfinite = make(map[string]string)
		}
		w.Values[name], w.Nonfinite[name] = nil, spell(v)
	}
	return json.Marshal(w)
}

// UnmarshalJSON restores what MarshalJSON wrote; a null value without a note is
// NaN. The event must be valid.
func (e *Event) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*e = Event{Kind: w.Kind, Time: w.Time, Counters: w.Counters, Text: w.Text}
	if len(w.Values) > 0 {
		e.Values = make(map[string]float64, len(w.Values))
	}
	for name, v := range w.Values {
		if v != nil {
			e.Values[name] = *v
		} else {
			e.Values[name] = unspell(w.Nonfinite[name])
		}
	}
	return e.Validate()
}

func spell(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return "NaN"
}

func unspell(s string) float64 {
	switch s {
	case "+Inf":
		return math.Inf(1)
	case "-Inf":
		return math.Inf(-1)
	}
	return math.NaN()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
