package dashboard

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/orrery-rl/orrery/internal/httpguard"
	"github.com/orrery-rl/orrery/metrics"
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
	t.Skip("no browser: neither chromium nor google-chrome is on the PATH, and $ORRERY_BROWSER is not set")
	return ""
}

// serve shows runs until the test ends, and returns the address.
func serve(t *testing.T, cfg Config, guard httpguard.Config) string {
	t.Helper()
	if cfg.Poll == 0 {
		cfg.Poll = 50 * time.Millisecond
	}
	guard.Addr = ":0"
	server, err := httpguard.Listen(guard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, server, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server.URL()
}

// tab is a page in a browser, with what it asked for and complained about.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string

	mu       sync.Mutex
	foreign  []string
	requests int
	console  []string
}

// open shows an address in a browser of its own, width by height pixels.
func open(t *testing.T, address string, width, height int64) *tab {
	t.Helper()
	path := browserPath(t)
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, origin: at.Scheme + "://" + at.Host}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
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
	b.do(chromedp.Navigate(address))
	b.until("document.body.dataset.ready === 'true'")
	t.Cleanup(b.check)
	return b
}

func (b *tab) heard(event any) {
	e, ok := event.(*network.EventRequestWillBeSent)
	if !ok || e.Request == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests++
	if !strings.HasPrefix(e.Request.URL, b.origin+"/") {
		b.foreign = append(b.foreign, e.Request.URL)
	}
}

// check demands, when a test ends, that the page was quiet and kept to itself.
func (b *tab) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.foreign) > 0 || b.requests == 0 {
		b.t.Errorf("of %d requests, these went elsewhere: %q", b.requests, b.foreign)
	}
	if len(b.console) > 0 {
		b.t.Errorf("the console holds %q", b.console)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// value evaluates an expression in the page.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to become true.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		page, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("never true: %s (%v); the console holds %q; the page:\n%.3000s", expression, err, b.console, page)
	}
}

func (b *tab) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// prefer sets what the system prefers, for example dark colours.
func (b *tab) prefer(feature, value string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
		return err
	}))
}

// picture stores what the page looks like in the directory $ORRERY_SHOTS, if it
// is set, for a person to look at.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("ORRERY_SHOTS")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err = errors.Join(err, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// going returns a directory with a run that has come some way.
func going(t *testing.T, name string, episodes int, settings string) *fakeRun {
	t.Helper()
	f := newFakeRun(t, filepath.Join(t.TempDir(), name), "cartpole-swingup", settings)
	for range episodes {
		f.episode()
	}
	f.show()
	return f
}

func TestPageShowsARunAndFollowsIt(t *testing.T) {
	f := going(t, "swing", 40, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1280, 900)
	b.until("document.querySelector('.card dd')?.textContent === '40 / 100'")
	b.until("document.querySelectorAll('#returns .legend li').length === 2")
	b.until("document.getElementById('link').textContent === 'live'")
	b.picture("desktop-light")
	f.at = time.Now()
	f.episode()
	b.until("document.querySelector('.card dd')?.textContent === '41 / 100'")
	if got := value[int](b, "performance.getEntriesByType('navigation').length"); got != 1 {
		t.Errorf("the page was loaded %d times", got)
	}
	f.event(metrics.KindUpdate, map[string]float64{"surprise/size:1": 3}, nil)
	b.until("document.querySelector('#other h3')?.textContent === 'surprise/size:1'")
	if text := value[string](b, "document.body.innerText"); strings.Contains(text, "NaN") || strings.Contains(text, "undefined") || strings.Contains(text, "Infinity") {
		t.Errorf("the page says\n%s", text)
	}
}
