package report

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/orrery-rl/orrery/internal/browsertest"
)

// TestBrowserShowsThePage as it is meant: nothing is loaded or complained about,
// hostile texts do nothing, images are whole, nothing is wider than a phone.
func TestBrowserShowsThePage(t *testing.T) {
	evil := strings.Join(hostile, " ")
	runs := []*Run{hostileRun(t, "a run with a long name "+evil, evil), stored(t, "b", 1, 12, 20)}
	strip, err := os.ReadFile("../docs/images/dream.gif")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Media: map[string]Media{evil: {Dream: strip, MIME: "image/gif", Context: 5, Length: 60}}}
	for name, d := range map[string]*Document{"one": Page(runs[:1], o), "several": Page(runs, o)} {
		path := filepath.Join(t.TempDir(), name+".html")
		if err := os.WriteFile(path, []byte(htmlOf(t, d)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{390, 1200} {
			t.Run(fmt.Sprintf("%s-%d", name, width), func(t *testing.T) {
				shown := look(t, path, width)
				if shown.Wide > int(width) || shown.Broken > 0 || shown.Images != 1 || shown.Drawings < 4 || shown.Evil != 0 {
					t.Errorf("%+v", shown)
				}
			})
		}
	}
}

// sight is what a browser makes of a page.
type sight struct {
	Wide, Images, Broken, Drawings, Evil int
}

// look opens a page and measures it.
func look(t *testing.T, path string, width int64) sight {
	t.Helper()
	b := browsertest.Open(t, width, 800)
	address := url.URL{Scheme: "file", Path: path}
	b.Do(chromedp.Navigate(address.String()))
	shown := browsertest.Value[sight](b, `(() => {
		for (const d of document.querySelectorAll("details")) d.open = true;
		const images = [...document.images];
		return {
			Wide: document.documentElement.scrollWidth, Images: images.length, Broken: images.filter(i => !i.complete || !i.naturalWidth).length,
			Drawings: document.querySelectorAll("svg").length, Evil: document.querySelectorAll("script, iframe, form, [onerror], [ontoggle], a:not([href^='#'])").length,
		};
	})()`)
	requested := slices.DeleteFunc(b.Requests(), func(r string) bool { return strings.HasPrefix(r, "data:") })
	if said := b.Console(); len(requested) != 1 || len(said) > 0 {
		t.Errorf("requests %q, console %q", requested, said)
	}
	return shown
}
