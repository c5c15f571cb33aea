// Package browsertest opens pages in a real browser for the tests of the dashboard
// and of reports, and keeps what the page asks for and complains about.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Variable names the environment variable that may hold the browser to use.
const Variable = "ORRERY_BROWSER"

// patience is how long a page may take for a step.
const patience = time.Minute

// Path finds a browser, or skips the test by name. $ORRERY_BROWSER is looked at
// first, and must lead to one if it is set.
func Path(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(Variable); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			t.Fatalf("%s: %v", Variable, err)
		}
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: neither chromium nor google-chrome is on the PATH, and $" + Variable + " is not set; CI installs chromium")
	return ""
}

// Tab is a page in a browser of its own, which ends with the test.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string
	console  []string
}

// Open starts a browser with an empty page, width by height pixels.
func Open(t testing.TB, width, height int64) *Tab {
	t.Helper()
	b := &Tab{t: t}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(Path(t)), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true),
		// A click is aimed before it is made: what scrolls smoothly would be gone.
		chromedp.Flag("force-prefers-reduced-motion", true))
	allocated, release := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(release)
	ctx, cancel := chromedp.NewContext(allocated, chromedp.WithListener(b.heard))
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	go func() { // ends with the context
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.console = append(b.console, m.String())
			b.mu.Unlock()
		}
	}()
	return b
}

func (b *Tab) heard(event any) {
	e, ok := event.(*network.EventRequestWillBeSent)
	if !ok || e.Request == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, e.Request.URL)
}

// Requests are the addresses that were asked for, and Console is what was said
// there, both since the page was opened or Forget was called.
func (b *Tab) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Console is described at [Tab.Requests].
func (b *Tab) Console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console)
}

// Forget begins Requests and Console anew.
func (b *Tab) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests, b.console = nil, nil
}

// Do takes steps, such as [chromedp.Navigate].
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// Run takes a step that results in something.
func Run[T any](b *Tab, step chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, step)
}

// Value evaluates an expression in the page; a promise is waited for.
func Value[T any](b *Tab, expression string) T {
	b.t.Helper()
	v, err := Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Until waits for an expression to become true.
func (b *Tab) Until(expression string) {
	b.t.Helper()
	_, err := Run(b, chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience-5*time.Second)))
	if err != nil {
		page, _ := Run(b, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("never true: %s (%v); the console holds %q; the page:\n%.3000s", expression, err, b.Console(), page)
	}
}
