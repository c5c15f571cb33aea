package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFileSize bounds a configuration file; a complete one has about 2 KB.
const maxFileSize = 1 << 20

// Read overlays the settings in one YAML (or JSON) document on r. Settings the
// document does not name keep their value; a name that does not exist is an
// error with its line, and so are a name without a value and a second document.
// A preset is a setting like any other here: to start from its values, use
// [Compose]. name is used in messages only.
func (r *Run) Read(name string, src io.Reader) error {
	layer, err := ReadLayer(name, src)
	if err != nil {
		return err
	}
	return r.overlay(layer)
}

// ReadStored reads the configuration stored with a run. Settings that it does
// not name, because they did not exist when the run was started, have the value
// of the preset that it started from.
func ReadStored(name string, src io.Reader) (Run, error) {
	layer, err := ReadLayer(name, src)
	if err != nil {
		return Run{}, err
	}
	var named Run
	if err := named.overlay(layer); err != nil {
		return Run{}, err
	}
	run, err := Preset(named.Preset)
	if err != nil {
		return named, nil // of no preset: everything is in the document
	}
	return run, run.overlay(layer)
}

// Set overlays one setting written as dotted.name=value, for example
// learn.episodes=200; the value is read as YAML. The preset cannot be set alone:
// that is what [Compose] is for.
func (r *Run) Set(assignment string) error {
	layer, err := SetLayer(assignment)
	if err != nil {
		return err
	}
	before := r.Preset
	next := *r
	if err := next.overlay(layer); err != nil {
		return err
	}
	if next.Preset != before {
		return fmt.Errorf("%w: %s: the preset is what everything else starts from, and cannot be changed alone", ErrInvalid, layer.name)
	}
	*r = next
	return nil
}

func (r *Run) overlay(layer Layer) error {
	dec := yaml.NewDecoder(bytes.NewReader(layer.data))
	dec.KnownFields(true)
	next := *r
	if err := dec.Decode(&next); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // an empty document changes nothing
		}
		return fmt.Errorf("%w: %s: %w", ErrInvalid, layer.name, err)
	}
	*r = next
	return nil
}

// YAML returns r as a document that Read accepts.
func (r Run) YAML() ([]byte, error) {
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("config: encode: %w", err)
	}
	return buf.Bytes(), enc.Close()
}

// document writes a dotted name and its value as nested YAML.
func document(path, value string) []byte {
	var doc strings.Builder
	keys := strings.Split(path, ".")
	for i, k := range keys {
		fmt.Fprintf(&doc, "%s%s:", strings.Repeat("  ", i), k)
		if i < len(keys)-1 {
			doc.WriteByte('\n')
		}
	}
	fmt.Fprintf(&doc, " %s\n", value)
	return []byte(doc.String())
}
