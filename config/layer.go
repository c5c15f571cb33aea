package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Layer is some settings, to be laid over others.
type Layer struct {
	name string // for messages
	data []byte // one YAML document, or nothing
}

// ReadLayer reads a YAML (or JSON) document. Several documents, and names
// without a value, are errors that match ErrInvalid. name is used in messages
// only.
func ReadLayer(name string, src io.Reader) (Layer, error) {
	data, err := io.ReadAll(io.LimitReader(src, maxFileSize+1))
	if err != nil {
		return Layer{}, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxFileSize {
		return Layer{}, fmt.Errorf("%w: %s is larger than %d bytes", ErrInvalid, name, maxFileSize)
	}
	return newLayer(name, false, data)
}

// SetLayer is one setting written as dotted.name=value.
func SetLayer(assignment string) (Layer, error) {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok || path == "" {
		return Layer{}, fmt.Errorf("%w: %q is not of the form name=value, for example learn.episodes=200", ErrInvalid, assignment)
	}
	return newLayer("--set "+assignment, true, document(path, value))
}

// newLayer checks a document, which is a file or was typed as one assignment.
func newLayer(name string, typed bool, data []byte) (Layer, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return Layer{name, nil}, nil
	case err != nil && typed:
		return Layer{}, fmt.Errorf("%w: %s: the value cannot be read as YAML; quotes may help: name='\"text\"'", ErrInvalid, name)
	case err != nil:
		return Layer{}, fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return Layer{}, fmt.Errorf("%w: %s has more than one document; put all settings before the line ---, or into files of their own", ErrInvalid, name)
	}
	if path, line := withoutValue("", &doc); path != "" {
		return Layer{}, fmt.Errorf("%w: %s: line %d: %s has no value; give it one (\"\" is the empty text) or leave it out", ErrInvalid, name, line, path)
	}
	if err := reported(name, typed, mistakes(&doc)); err != nil {
		return Layer{}, err
	}
	return Layer{name, data}, nil
}

// withoutValue returns the dotted name and the line of the first null below n,
// or nothing.
func withoutValue(path string, n *yaml.Node) (string, int) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return strings.TrimPrefix(path, "."), n.Line
	}
	for i, child := range n.Content {
		below := path
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue // the name
			}
			below += "." + n.Content[i-1].Value
		}
		if p, line := withoutValue(below, child); p != "" {
			return p, line
		}
	}
	return "", 0
}

// Compose returns the preset with the layers over it, each over the one before.
// A layer may name another preset, the last one counts, and all layers then lie
// over that one's values. The result is not validated as a whole.
func Compose(preset string, layers ...Layer) (Run, error) {
	named := Run{Preset: preset}
	for _, l := range layers {
		if err := named.overlay(l); err != nil {
			return Run{}, err
		}
	}
	run, err := Preset(named.Preset)
	if err != nil {
		return Run{}, err
	}
	for _, l := range layers {
		if err := run.overlay(l); err != nil {
			return Run{}, err
		}
	}
	run.Preset = named.Preset
	return run, nil
}
