package report

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browserPath finds a browser, or skips the test by name. $ORRERY_BROWSER is
// looked at first, and must lead to one if it is set.
func browserPath(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("ORRERY_BROWSER"); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			t.Fatalf("ORRERY_BROWSER: %v", err)
		}
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: neither chromium nor google-chrome is on the PATH, and $ORRERY_BROWSER is not set; CI installs chromium")
	return ""
}

// TestBrowserShowsThePage as it is meant: nothing is loaded or complained about,
// hostile texts do nothing, images are whole, nothing is wider than a phone.
func TestBrowserShowsThePage(t *testing.T) {
	browser := browserPath(t)
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
			shown := look(t, browser, path, width)
			if shown.Wide > int(width) || shown.Broken > 0 || shown.Images != 1 || shown.Drawings < 4 || shown.Evil != 0 {
				t.Errorf("%s, %d pixels: %+v", name, width, shown)
			}
		}
	}
}

// sight is what a browser makes of a page.
type sight struct {
	Wide, Images, Broken, Drawings, Evil int
}

// look opens a page and measures it.
func look(t *testing.T, browser, path string, width int64) sight {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	allocated, release := chromedp.NewExecAllocator(t.Context(), options...)
	defer release()
	var mu sync.Mutex
	var requested []string
	ctx, cancel := chromedp.NewContext(allocated, chromedp.WithListener(func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok && e.Request != nil && !strings.HasPrefix(e.Request.URL, "data:") {
			mu.Lock()
			requested = append(requested, e.Request.URL)
			mu.Unlock()
		}
	}))
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		t.Fatal(err)
	}
	var said []string
	messages := chromedp.Console(ctx)
	go func() { // ends with the context
		for m, err := range messages {
			if err != nil {
				return
			}
			mu.Lock()
			said = append(said, m.String())
			mu.Unlock()
		}
	}()
	address := url.URL{Scheme: "file", Path: path}
	if err := chromedp.Do(ctx, chromedp.Navigate(address.String())); err != nil {
		t.Fatal(err)
	}
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[sight](`(() => {
		for (const d of document.querySelectorAll("details")) d.open = true;
		const images = [...document.images];
		return {
			Wide: document.documentElement.scrollWidth, Images: images.length, Broken: images.filter(i => !i.complete || !i.naturalWidth).length,
			Drawings: document.querySelectorAll("svg").length, Evil: document.querySelectorAll("script, iframe, form, [onerror], [ontoggle], a:not([href^='#'])").length,
		};
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(requested) != 1 || len(said) > 0 {
		t.Errorf("requests %q, console %q", requested, said)
	}
	return shown
}
