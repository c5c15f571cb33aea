package dashboard

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/orrery-rl/orrery/metrics"
)

// TestPanelsNameMetricsThatExist compares what the page draws with the catalogue:
// a metric that was renamed would disappear silently, and one that is new should
// be given a place.
func TestPanelsNameMetricsThatExist(t *testing.T) {
	text := ""
	for _, name := range []string{"panels.js", "series.js", "cards.js"} {
		data, err := fs.ReadFile(web, "web/js/"+name)
		if err != nil {
			t.Fatal(err)
		}
		text += string(data)
	}
	text = strings.ReplaceAll(text, "openloop/image_${h}:nats", `"openloop/image_1:nats" "openloop/image_5:nats" "openloop/image_10:nats" "openloop/image_20:nats" "openloop/image_50:nats"`)
	for _, call := range regexp.MustCompile(`learned\("([^)]*)"\)`).FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Split(call[1], `", "`) {
			text += ` "loss/` + name + `:nats" "validation/` + name + `:nats"`
		}
	}
	for _, m := range metrics.Catalogue() {
		if !strings.Contains(text, `"`+m.Name+`"`) {
			t.Errorf("%s is in no panel", m.Name)
		}
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == '"' || r == '`' }) {
		_, known := metrics.Lookup(word)
		e := metrics.Event{Kind: "x", Values: map[string]float64{word: 1}}
		if e.Validate() == nil && !known {
			t.Errorf("the page draws %s, which is not in the catalogue", word)
		}
	}
}
