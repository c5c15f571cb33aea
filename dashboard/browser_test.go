package dashboard

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/orrery-rl/orrery/internal/browsertest"
	"github.com/orrery-rl/orrery/internal/httpguard"
	"github.com/orrery-rl/orrery/metrics"
)

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

// tab is the page in a browser.
type tab struct {
	*browsertest.Tab
	t      *testing.T
	origin string
}

// open shows an address in a browser of its own, width by height pixels.
func open(t *testing.T, address string, width, height int64) *tab {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{Tab: browsertest.Open(t, width, height), t: t, origin: at.Scheme + "://" + at.Host}
	b.Do(chromedp.Navigate(address))
	b.Until("document.body.dataset.ready === 'true'")
	if len(b.Requests()) == 0 {
		t.Fatal("no request was heard of")
	}
	t.Cleanup(b.check)
	return b
}

// check demands, when a test ends, that the page was quiet and kept to itself.
func (b *tab) check() {
	b.t.Helper()
	b.checkRequests()
	if console := b.Console(); len(console) > 0 {
		b.t.Errorf("the console holds %q", console)
	}
}

func (b *tab) checkRequests() {
	b.t.Helper()
	requests := b.Requests()
	foreign := slices.DeleteFunc(slices.Clone(requests), func(r string) bool { return strings.HasPrefix(r, b.origin+"/") })
	if len(foreign) > 0 {
		b.t.Errorf("of %d requests, these went elsewhere: %q", len(requests), foreign)
	}
}

// refused forgets that the browser noted an answer of this status, and demands that
// the page itself complained about nothing.
func (b *tab) refused(status string) {
	b.t.Helper()
	for i, line := range b.Console() {
		if !strings.Contains(line, status) {
			b.t.Errorf("line %d of the console: %s", i, line)
		}
	}
	b.checkRequests()
	b.Forget()
}

// value evaluates an expression in the page.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	return browsertest.Value[T](b.Tab, expression)
}

func (b *tab) key(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// prefer sets what the system prefers, for example dark colours.
func (b *tab) prefer(feature, value string) {
	b.t.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
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
	data, err := browsertest.Run(b.Tab, chromedp.FullScreenshot(100))
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
	b.Until("document.querySelector('.card dd')?.textContent === '40 / 100'")
	b.Until("document.querySelectorAll('#panel-returns .legend li').length === 2")
	b.Until("document.getElementById('link').textContent === 'live'")
	b.picture("desktop-light")
	f.at = time.Now()
	f.episode()
	b.Until("document.querySelector('.card dd')?.textContent === '41 / 100'")
	if got := value[int](b, "performance.getEntriesByType('navigation').length"); got != 1 {
		t.Errorf("the page was loaded %d times", got)
	}
	f.event(metrics.KindUpdate, map[string]float64{"surprise/size:1": 3}, nil)
	b.Until("document.querySelector('#other h3')?.textContent === 'surprise/size:1'")
	if text := value[string](b, "document.body.innerText"); strings.Contains(text, "NaN") || strings.Contains(text, "undefined") || strings.Contains(text, "Infinity") {
		t.Errorf("the page says\n%s", text)
	}
}

// view is picture for what is on the screen.
func (b *tab) view(name string) {
	b.t.Helper()
	data, err := browsertest.Run(b.Tab, chromedp.CaptureScreenshot())
	if err = errors.Join(err, os.WriteFile(filepath.Join(os.Getenv("ORRERY_SHOTS"), name+".png"), data, 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// narrow demands that nothing has to be scrolled sideways to be seen.
func (b *tab) narrow() {
	b.t.Helper()
	if got := value[int](b, "document.documentElement.scrollWidth - innerWidth"); got > 0 {
		b.t.Errorf("the page is %d pixels wider than the screen; too wide are: %s", got, value[string](b, `
			[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table"))
			.map((e) => e.tagName + "." + e.className).slice(0, 10).join(" ")`))
	}
}

func TestPageFitsAPhone(t *testing.T) {
	f := going(t, "a-run-with-a-rather-long-name-for-a-phone", 30, "  a_setting_with_a_long_name: a value that goes on and on and on and on\n")
	g := going(t, "b", 3, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir, g.dir}}, httpguard.Config{}), 360, 740)
	b.Until("document.querySelectorAll('.card').length === 2")
	b.Until("document.querySelector('.scrubber input').max === '39'")
	b.narrow()
	b.Do(chromedp.EmulateViewport(1280, 900))
	b.narrow()
}

func TestThemeFollowsTheSystemAndTheButton(t *testing.T) {
	f := going(t, "swing", 5, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1000, 800)
	ground := func() string { return value[string](b, "getComputedStyle(document.body).backgroundColor") }
	b.prefer("prefers-color-scheme", "dark")
	b.Until("document.documentElement.dataset.theme === 'dark'")
	dark := ground()
	b.Do(chromedp.Click(chromedp.CSS("#theme")))
	b.Until("document.documentElement.dataset.theme === 'light'")
	if light := ground(); light == dark {
		t.Errorf("both themes have the background %s", light)
	}
	b.Do(chromedp.Reload())
	b.Until("document.body.dataset.ready === 'true' && document.documentElement.dataset.theme === 'light'")
}

// TestColoursAreToldFromTheirBackground computes the contrasts of WCAG 2: 4.5 for
// text, 3 for curves.
func TestColoursAreToldFromTheirBackground(t *testing.T) {
	f := going(t, "swing", 5, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1000, 800)
	for range 2 {
		low := value[[]string](b, `(() => {
			const style = getComputedStyle(document.documentElement);
			const luminance = (name) => {
				const hex = style.getPropertyValue(name).trim().slice(1);
				const [r, g, b] = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
				return 0.2126 * r + 0.7152 * g + 0.0722 * b;
			};
			const contrast = (a, b) => { const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y); return (high + 0.05) / (low + 0.05); };
			const out = [];
			for (const ground of ["--ground", "--surface"]) {
				for (const text of ["--ink", "--soft", "--accent", "--good", "--warn"]) if (!(contrast(text, ground) >= 4.5)) out.push(text + " on " + ground + " " + contrast(text, ground));
				for (let i = 0; i < 8; i++) if (!(contrast("--c" + i, ground) >= 3)) out.push("--c" + i + " on " + ground + " " + contrast("--c" + i, ground));
			}
			return out;
		})()`)
		if len(low) > 0 {
			t.Errorf("%s: too little contrast: %q", value[string](b, "document.documentElement.dataset.theme"), low)
		}
		b.Do(chromedp.Click(chromedp.CSS("#theme")))
	}
}

func TestPageIsUsedWithTheKeyboard(t *testing.T) {
	f := going(t, "swing", 30, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1280, 900)
	b.Until("document.querySelectorAll('#panel-returns .legend li').length === 2")
	b.key(kb.Tab)
	if got := value[string](b, "document.activeElement.className"); got != "skip" {
		t.Errorf("the first stop is %q, not the link that skips", got)
	}
	b.key(kb.Enter)
	b.Until("document.activeElement.id === 'main'")
	for range 40 {
		b.key(kb.Tab)
		if value[bool](b, "document.activeElement.classList.contains('plot')") {
			break
		}
	}
	if outline := value[string](b, "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"); outline != "solid2px" {
		t.Errorf("the focus is drawn as %q", outline)
	}
	b.Until("document.activeElement.chart?.plan")
	b.key(kb.ArrowRight + kb.ArrowRight)
	b.Until("document.querySelector('#panel-returns .readout').innerText.includes('env steps 2,000')")
	b.Until("document.querySelector('#panel-returns [aria-live]').textContent.includes('training episodes')")
	b.key("+")
	b.Until("!document.getElementById('unzoom').disabled")
	b.key("0")
	b.Until("document.getElementById('unzoom').disabled")
}

func TestScrubberPlaysAnEpisode(t *testing.T) {
	f := going(t, "swing", 10, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1280, 900)
	b.Until("document.querySelector('.scrubber input').max === '39'")
	drawn := func(kind string) string {
		return value[string](b, "document.querySelector('[data-kind="+kind+"] canvas').toDataURL()")
	}
	before := drawn("dream")
	if blank := value[string](b, "(() => { const c = document.createElement('canvas'); c.width = c.height = 32; return c.toDataURL(); })()"); drawn("real") == blank {
		t.Error("the frame seen is blank")
	}
	b.Do(chromedp.Focus(chromedp.CSS(".scrubber input")))
	for range 10 {
		b.key(kb.ArrowRight)
	}
	b.Until("document.querySelector('.scrubber input').value === '10'")
	if after := drawn("dream"); after == before {
		t.Error("the dream shows the same at frames 0 and 10")
	}
	if told := value[string](b, "document.querySelector('.scrubber input').getAttribute('aria-valuetext')"); told != "frame 11 of 40, dreaming" {
		t.Errorf("frame 10 is told as %q", told)
	}
	b.Until("document.querySelector('[data-kind=dream]').dataset.mode === 'dreaming'")
	b.Do(chromedp.Click(chromedp.CSS(".scrubber .play")))
	b.Until("Number(document.querySelector('.scrubber input').value) > 12")
	b.Do(chromedp.Click(chromedp.CSS(".scrubber .play")))
	b.Until("document.querySelector('.scrubber .play').getAttribute('aria-label') === 'Play'")
	// Another episode waits while somebody looks at this one.
	b.Do(chromedp.Focus(chromedp.CSS(".scrubber input")))
	b.key(kb.ArrowLeft)
	f.counters.Episodes++
	f.show()
	b.Until("!document.querySelector('.scrubber > button').hidden")
	b.Do(chromedp.Click(chromedp.CSS(".scrubber > button")))
	b.Until("document.querySelector('.box h3').innerText.includes('episode 11,')")
	b.Until("document.querySelector('.actions').innerText.includes('-0.7')")
}

func TestRunsAreComparedAndChosen(t *testing.T) {
	f, g := going(t, "wide", 20, "  batch_size: 50\n"), going(t, "narrow", 20, "  batch_size: 20\n")
	b := open(t, serve(t, Config{Runs: []string{f.dir, g.dir}}, httpguard.Config{}), 1280, 900)
	b.Until("document.querySelectorAll('.card').length === 2")
	b.Until("document.querySelectorAll('#panel-total .legend li').length === 2")
	rows := value[string](b, "[...document.querySelectorAll('#settings tbody tr')].map((r) => r.innerText).join('|')")
	if rows != "learn.batch_size\t50\t20" {
		t.Errorf("the table of differences says %q", rows)
	}
	b.Do(chromedp.Click(chromedp.CSS("#settings input")))
	b.Until("document.querySelectorAll('#settings tbody tr').length > 3")
	b.Do(chromedp.Click(chromedp.CSS(".chip:nth-child(2)")))
	b.Until("document.querySelectorAll('.card').length === 1")
	b.Until("location.search.includes('run=wide')")
	b.Do(chromedp.Reload())
	b.Until("document.body.dataset.ready === 'true' && document.querySelectorAll('.card').length === 1 && document.querySelectorAll('.chip').length === 2")
}

func TestControlsChangeTheCurves(t *testing.T) {
	f := going(t, "swing", 30, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1280, 900)
	b.Until("document.querySelector('#panel-returns .plot').chart.plan")
	b.Do(chromedp.Evaluate[chromedp.Void](`const axis = document.getElementById("axis"); axis.value = "episodes"; axis.dispatchEvent(new Event("change"))`))
	b.Until("document.querySelector('#panel-returns .plot').chart.plan.domain[1] === 30")
	b.Do(chromedp.Evaluate[chromedp.Void](`axis.value = "wall"; axis.dispatchEvent(new Event("change"))`))
	b.Until("document.querySelector('#panel-returns .plot').chart.plan.xs.some((t) => t.text.endsWith('min'))")
	b.Do(chromedp.Evaluate[chromedp.Void]("document.getElementById('model').scrollIntoView({behavior: 'instant'})"))
	b.Until("document.querySelector('#panel-total .plot').chart.plan?.log === false")
	b.Do(chromedp.Click(chromedp.CSS("#log")))
	b.Until("document.querySelector('#panel-total .plot').chart.plan.log === true")
	b.Do(chromedp.Evaluate[chromedp.Void](`const smooth = document.getElementById("smooth"); smooth.value = 0; smooth.dispatchEvent(new Event("input"))`))
	b.Until("document.getElementById('smooth-value').textContent === 'off' && location.search.includes('smooth=0')")
	b.Do(chromedp.Evaluate[chromedp.Void](`
		const plot = document.querySelector("#panel-total .plot"), box = plot.getBoundingClientRect();
		plot.setPointerCapture = () => {};
		const send = (type, x) => plot.dispatchEvent(new PointerEvent(type, {clientX: box.left + x, clientY: box.top + 50, button: 0, bubbles: true}));
		send("pointerdown", 100); send("pointermove", 200); send("pointerup", 200)`))
	b.Until("!document.getElementById('unzoom').disabled")
}

// TestPageLoadsBeforeItSaysThatThereIsNothing: until the server has answered, it
// is not known whether there is a run.
func TestPageLoadsBeforeItSaysThatThereIsNothing(t *testing.T) {
	d := New(Config{Root: t.TempDir()})
	gate := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/runs" {
			select {
			case <-gate:
			case <-r.Context().Done():
				return
			}
		}
		d.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	gate <- struct{}{}
	b := open(t, server.URL, 800, 600)
	b.Do(chromedp.Navigate(server.URL))
	b.Until("document.getElementById('notice').textContent.includes('Loading')")
	gate <- struct{}{}
	b.Until("document.getElementById('notice').textContent.includes('No run is here yet')")
}

func TestUnfinishedAndDamagedRunsAreExplained(t *testing.T) {
	root := t.TempDir()
	b := open(t, serve(t, Config{Root: root}, httpguard.Config{}), 1000, 800)
	b.Until("document.getElementById('notice').textContent.includes('No run is here yet')")
	later := newFakeRun(t, filepath.Join(root, "later"), "reacher-easy", "")
	b.Until("document.querySelector('.card h3')?.textContent === 'later'")
	later.episode()
	later.append([]byte("no event\n{\"kind\":"))
	b.Until("document.querySelector('.card').innerText.includes('1 line of the event file is damaged')")
	later.append([]byte("\n"))
	later.event(metrics.KindUpdate, map[string]float64{"loss/total:nats": math.NaN(), "loss/kl:nats": math.Inf(1)}, nil)
	b.Until("document.querySelector('#panel-total .odd')?.textContent.includes('1 value was not a number')")
	if err := os.MkdirAll(filepath.Join(root, "later", "live"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "later", "live", "episode.bin"), []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.Until("[...document.querySelectorAll('#live .notice')].some((n) => n.textContent.includes('damaged'))")
	if text := value[string](b, "document.body.innerText"); strings.Contains(text, "NaN") || strings.Contains(text, "undefined") {
		t.Errorf("the page says\n%s", text)
	}
	b.refused("422")
}

func TestPolicyForbidsWhatIsNotThePage(t *testing.T) {
	f := going(t, "swing", 3, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{Token: "a-token-for-this-test"}), 800, 600)
	b.Until("document.querySelectorAll('.card').length === 1")
	if at := value[string](b, "location.href"); strings.Contains(at, "token") {
		t.Errorf("the token stays in the address: %s", at)
	}
	blocked := value[int](b, `new Promise((done) => {
		let blocked = 0;
		document.addEventListener("securitypolicyviolation", () => { if (++blocked === 3) done(blocked); });
		const script = document.createElement("script");
		script.textContent = "globalThis.ran = true";
		document.body.append(script);
		const image = new Image();
		image.src = "http://192.0.2.1/image.png";
		fetch("http://192.0.2.1/").catch(() => {});
		setTimeout(() => done(blocked), 5000);
	})`)
	if ran := value[bool](b, "globalThis.ran === true"); ran || blocked != 3 {
		t.Errorf("the script ran: %v; %d of 3 were blocked", ran, blocked)
	}
	b.Forget() // the browser has told of each
}

// TestRunsThatOnlyLearnAreDrawnAgainstUpdates shows a run that learns from given
// episodes: it takes no steps, and measures its losses on episodes kept apart.
func TestRunsThatOnlyLearnAreDrawnAgainstUpdates(t *testing.T) {
	f := newFakeRun(t, filepath.Join(t.TempDir(), "offline"), "cartpole-swingup", "  offline:\n    episodes: [data]\n    updates: 500\n")
	for range 20 {
		f.at = f.at.Add(time.Second)
		f.counters.Updates += 25
		f.event(metrics.KindUpdate, map[string]float64{"loss/image:nats": 5 + 100/float64(f.counters.Updates)}, nil)
		f.event(metrics.KindValidation, map[string]float64{"validation/image:nats": 6 + 100/float64(f.counters.Updates)}, nil)
	}
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1000, 900)
	b.Until("document.getElementById('axis').value === 'updates'")
	b.Until("document.querySelector('.card .state').textContent === 'finished'")
	if got := value[string](b, "document.querySelector('.card .facts').textContent"); !strings.Contains(got, "updates500 / 500") || strings.Contains(got, "episodes") {
		t.Errorf("the card says %s", got)
	}
	if got := value[string](b, "document.querySelector('.progress').getAttribute('aria-label')"); got != "Updates" {
		t.Errorf("the bar is of %s", got)
	}
	b.Until("document.querySelector('#panel-image .legend').textContent === 'imagevalidation image'")
	b.Do(chromedp.Evaluate[chromedp.Void]("document.getElementById('model').scrollIntoView({behavior: 'instant'})"))
	b.Until("document.querySelector('#panel-image .plot').chart.plan?.domain[1] === 500")
	both := open(t, serve(t, Config{Runs: []string{f.dir, going(t, "swing", 3, "").dir}}, httpguard.Config{}), 1000, 900)
	both.Until("document.getElementById('axis').value === 'updates'")
}

// TestThereIsOneStreamHoweverItIsOpened: a refusal leaves a timer that opens a
// stream, and so does looking at the page again.
func TestThereIsOneStreamHoweverItIsOpened(t *testing.T) {
	f := going(t, "swing", 3, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1000, 800)
	got := value[string](b, `(async () => {
		const { Stream } = await import("./js/stream.js");
		const real = globalThis.EventSource, opened = [];
		globalThis.EventSource = class {
			static CLOSED = 2;
			constructor() { this.readyState = 1; this.heard = {}; opened.push(this); }
			addEventListener(type, f) { this.heard[type] = f; }
			close() { this.readyState = 2; }
		};
		const stream = new Stream({ message() {}, opened() {}, state() {} });
		opened[0].readyState = 2;
		opened[0].heard.error();
		stream.look();
		await new Promise((done) => setTimeout(done, 3500));
		globalThis.EventSource = real;
		return opened.length + " " + opened.filter((s) => s.readyState !== 2).length;
	})()`)
	if got != "2 1" {
		t.Errorf("opened and open: %s, want 2 1", got)
	}
}

// TestNewsDuringAReadIsNotLost lets an event arrive while the page waits for an
// answer that does not have it yet.
func TestNewsDuringAReadIsNotLost(t *testing.T) {
	f := going(t, "swing", 3, "")
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1000, 800)
	got := value[string](b, `(async () => {
		const { Store } = await import("./js/store.js");
		const answer = (episodes, gen) => ({ run: { id: "x", gen, counters: { episodes } }, again: false, tables: { episode: { from: 0, merges: 0, odd: {}, values: {}, x: { env_steps: Array(episodes).fill(0) } } } });
		const asked = [];
		const real = globalThis.fetch;
		globalThis.fetch = (url) => url !== "api/run/x" ? real(url) : new Promise((done) => asked.push((a) => done({ ok: true, json: async () => a })));
		const wait = (ms) => new Promise((done) => setTimeout(done, ms));
		const store = new Store(() => {});
		store.summaries([answer(1, 1).run]);
		store.want(["x"]);
		store.tell(answer(2, 1));
		asked[0](answer(1, 1));
		await wait(500);
		asked[1]?.(answer(2, 1));
		await wait(50);
		globalThis.fetch = real;
		return asked.length + " " + store.get("x").tables.episode.x.env_steps.length;
	})()`)
	if got != "2 2" {
		t.Errorf("asked and has %s, want 2 2", got)
	}
}
