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

// Read overlays the settings in a YAML (or JSON) document on r. Settings the
// document does not name keep their value; a name that does not exist is an
// error with its line. name is used in messages only.
func (r *Run) Read(name string, src io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(src, maxFileSize+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxFileSize {
		return fmt.Errorf("%w: %s is larger than %d bytes", ErrInvalid, name, maxFileSize)
	}
	return r.overlay(name, data)
}

// ReadStored reads the configuration stored with a run. Settings that it does
// not name, because they did not exist when the run was started, have the value
// of the preset that it started from.
func ReadStored(name string, src io.Reader) (Run, error) {
	data, err := io.ReadAll(io.LimitReader(src, maxFileSize+1))
	if err != nil {
		return Run{}, fmt.Errorf("read %s: %w", name, err)
	}
	var named Run
	if err := named.Read(name, bytes.NewReader(data)); err != nil {
		return Run{}, err
	}
	run, err := Preset(named.Preset)
	if err != nil {
		return named, nil // of no preset: everything is in the document
	}
	return run, run.Read(name, bytes.NewReader(data))
}

// Set overlays one setting written as dotted.name=value, for example
// learn.episodes=200; the value is read as YAML.
func (r *Run) Set(assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return fmt.Errorf("%w: %q is not of the form name=value, for example learn.episodes=200", ErrInvalid, assignment)
	}
	var doc strings.Builder
	keys := strings.Split(path, ".")
	for i, k := range keys {
		fmt.Fprintf(&doc, "%s%s:", strings.Repeat("  ", i), k)
		if i < len(keys)-1 {
			doc.WriteByte('\n')
		}
	}
	fmt.Fprintf(&doc, " %s\n", value)
	return r.overlay("--set "+assignment, []byte(doc.String()))
}

func (r *Run) overlay(name string, data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	next := *r
	if err := dec.Decode(&next); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // an empty document changes nothing
		}
		return fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
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
