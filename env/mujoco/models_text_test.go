package mujoco

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestLimitsAreWrittenOut guards against a trap: MuJoCo 2 does not infer from a
// range that it is meant as a limit.
func TestLimitsAreWrittenOut(t *testing.T) {
	limits := map[string]string{"range": "limited", "ctrlrange": "ctrllimited"}
	seen := 0
	for _, e := range elements(t) {
		for _, a := range e.Attr {
			if flag := limits[a.Name.Local]; flag != "" {
				seen++
				if attribute(e, flag) != "true" {
					t.Errorf("%s %q has a %s without %s", e.Name.Local, attribute(e, "name"), a.Name.Local, flag)
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d ranges were found", seen)
	}
}

func TestModelsHaveNoDefaultsToLookUp(t *testing.T) {
	for _, e := range elements(t) {
		if e.Name.Local == "default" || attribute(e, "class") != "" || attribute(e, "childclass") != "" {
			t.Errorf("%s %q relies on a default class", e.Name.Local, attribute(e, "name"))
		}
	}
}

// elements are the start tags of all models.
func elements(t *testing.T) (all []xml.StartElement) {
	t.Helper()
	paths, err := filepath.Glob("models/*.xml")
	if err != nil || len(paths) < 11 {
		t.Fatalf("%d models, %v", len(paths), err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(f); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				all = append(all, e.Copy())
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
