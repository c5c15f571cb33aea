package metrics

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var updateDocs = flag.Bool("update", false, "rewrite docs/metrics.md from the catalogue")

const docsPath = "../docs/metrics.md"

func TestDocsEqualCatalogue(t *testing.T) {
	var want bytes.Buffer
	if err := WriteMarkdown(&want); err != nil {
		t.Fatal(err)
	}
	if *updateDocs {
		if err := os.WriteFile(docsPath, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may have changed the line ends.
	if got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/metrics.md differs from the catalogue; run: go test ./metrics -run TestDocsEqualCatalogue -update")
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Catalogue() {
		if seen[m.Name] {
			t.Errorf("%s appears twice", m.Name)
		}
		seen[m.Name] = true
		if !validName.MatchString(m.Name) || m.Unit() == "" {
			t.Errorf("%q is not group/name:unit", m.Name)
		}
		if !strings.HasSuffix(m.Description, ".") || !strings.HasSuffix(m.Healthy, ".") {
			t.Errorf("%s: description and health must be sentences: %q, %q", m.Name, m.Description, m.Healthy)
		}
		if m.Low > m.High {
			t.Errorf("%s: range [%v, %v] is empty", m.Name, m.Low, m.High)
		}
		if got, ok := Lookup(m.Name); !ok || got != m {
			t.Errorf("lookup of %s gives %+v, %v", m.Name, got, ok)
		}
	}
	if _, ok := Lookup("loss/nothing:nats"); ok {
		t.Error("an unknown name is found")
	}
}
