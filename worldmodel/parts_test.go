package worldmodel

import (
	"slices"
	"strings"
	"testing"
)

func TestPartsAreThePrefixesOfNames(t *testing.T) {
	m := preset(t, "tiny", 2)
	if got := m.Parts(); !slices.Equal(got, []string{"encoder", "rssm", "decoder", "reward"}) {
		t.Errorf("%v", got)
	}
	all, err := m.InParts(m.Parts())
	if err != nil || slices.Contains(all, false) {
		t.Errorf("%v, %v: all parts together are the model", all, err)
	}
	none, err := m.InParts(nil)
	if err != nil || slices.Contains(none, true) || len(none) != len(m.ParamSpecs()) {
		t.Errorf("%v, %v", none, err)
	}
	some, err := m.InParts([]string{"rssm/prior", "encoder/conv1/bias"})
	if err != nil {
		t.Fatal(err)
	}
	for i, spec := range m.ParamSpecs() {
		want := strings.HasPrefix(spec.Name, "rssm/prior/") || spec.Name == "encoder/conv1/bias"
		if some[i] != want {
			t.Errorf("%s: %v, want %v", spec.Name, some[i], want)
		}
	}
}

// TestUnknownPartsAreNamedWithThoseThatExist: a prefix that ends within a word is
// no part.
func TestUnknownPartsAreNamedWithThoseThatExist(t *testing.T) {
	for _, bad := range []string{"enc", "planner", "", "rssm/", "encoder/conv"} {
		_, err := preset(t, "tiny", 2).InParts([]string{"rssm", bad})
		if err == nil || !strings.Contains(err.Error(), `"`+bad+`"`) || !strings.Contains(err.Error(), "encoder, rssm, decoder, reward") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
