package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/orrery-rl/orrery/internal/httpguard"
	"github.com/orrery-rl/orrery/metrics"
	"github.com/orrery-rl/orrery/metrics/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// get asks for a path and returns the answer's code and text.
func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	res, err := http.Get(address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it never came true that %s", what)
}

func TestServerTellsRunsFramesAndMeanings(t *testing.T) {
	f := going(t, "swing", 12, "")
	at := serve(t, Config{Runs: []string{f.dir, filepath.Join(f.dir, eventsName)}}, httpguard.Config{})
	eventually(t, "the run is read", func() bool { _, text := get(t, at, "api/run/r1"); return strings.Contains(text, "loss/kl:nats") })
	var list struct{ Runs []summary }
	_, text := get(t, at, "api/runs")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Runs) != 1 || list.Runs[0].Counters.Episodes != 12 || list.Runs[0].Settings["learn.episodes"] != "100" || list.Runs[0].Paper.Return != 821 {
		t.Errorf("runs %+v", list.Runs)
	}
	if list.Runs[0].Pace["episodes"] != 13 {
		t.Errorf("a pace of %v; an episode takes 13 s", list.Runs[0].Pace)
	}
	for path, want := range map[string]int{
		"": 200, "js/main.js": 200, "css/base.css": 200, "healthz": 200, "api/catalogue": 200,
		"api/run/r1/decision": 200, "api/run/r1/decision.png": 200, "api/run/r1/episode": 200, "api/run/r1/episode/dream.png": 200,
		"api/run/r9": 404, "api/run/r9/episode": 404, "api/run/r1/episode/secret.png": 404, "api/run/r1/episode/dream": 404, "../go.mod": 404, "doc.go": 404,
	} {
		if code, text := get(t, at, path); code != want {
			t.Errorf("%s: %d %.200s", path, code, text)
		}
	}
	_, text = get(t, at, "api/run/r1/decision")
	var d decisionView
	if err := json.Unmarshal([]byte(text), &d); err != nil || d.Scores.Odd != 1 || len(d.Mean) != 12 || len(d.Scores.Counts) != bins {
		t.Errorf("decision %.300s, %v", text, err)
	}
}

func TestSheetsHoldTheFrames(t *testing.T) {
	f := newFakeRun(t, t.TempDir(), "x", "")
	frames := f.frames()
	data, err := sheet(frames.Real, frames.Size)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	columns := columnsOf(len(frames.Real))
	for i, frame := range frames.Real {
		x, y := 16, 6
		r, g, b, _ := img.At(i%columns*side+x, i/columns*side+y).RGBA()
		p := frame[(y*side+x)*3:]
		if byte(r>>8) != p[0] || byte(g>>8) != p[1] || byte(b>>8) != p[2] {
			t.Fatalf("frame %d has another pixel in the sheet", i)
		}
	}
	if got := distances([][]byte{{0, 0}}, [][]byte{{3, 4}}); float64(got[0]) < 3.53 || float64(got[0]) > 3.54 {
		t.Errorf("the distance is %v, not the root of 12.5", got)
	}
}

func TestDamagedFramesGetAnAnswer(t *testing.T) {
	f := going(t, "swing", 2, "")
	if err := os.WriteFile(live.EpisodePath(f.dir), []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(live.DecisionPath(f.dir)); err != nil {
		t.Fatal(err)
	}
	at := serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{})
	eventually(t, "the run is listed", func() bool { code, _ := get(t, at, "api/run/r1"); return code == 200 })
	if code, _ := get(t, at, "api/run/r1/episode"); code != http.StatusUnprocessableEntity {
		t.Errorf("a damaged episode: %d", code)
	}
	if code, _ := get(t, at, "api/run/r1/decision"); code != http.StatusNotFound {
		t.Errorf("no decision: %d", code)
	}
}

func TestHistogramsCountEveryScore(t *testing.T) {
	for _, scores := range [][]float32{nil, {1}, {1, 1, 1}, {-3, 5, 1e30}, {0, 1, 2, 3}} {
		h := histogramOf(scores)
		n := 0
		for _, c := range h.Counts {
			n += c
		}
		if n != len(scores) {
			t.Errorf("%v: %v", scores, h)
		}
	}
}

func TestHubPassesOverABrowserThatDoesNotKeepUp(t *testing.T) {
	var h hub
	slow, quick := h.join(), h.join()
	for i := range queued + 5 {
		h.tell([]byte(fmt.Sprint(i)))
		h.flush()
		if got := string(<-quick.messages); !strings.Contains(got, fmt.Sprintf("data: %d\n", i)) {
			t.Fatalf("the quick one got %q", got)
		}
	}
	for range queued {
		if got := string(<-slow.messages); strings.Contains(got, "resync") {
			t.Fatalf("too early: %q", got)
		}
	}
	h.tell([]byte("last"))
	h.flush()
	if got := string(<-slow.messages); !strings.Contains(got, "resync") {
		t.Errorf("after missing some it got %q", got)
	}
	h.tell([]byte("more"))
	h.flush()
	if got := string(<-slow.messages); !strings.Contains(got, "more") {
		t.Errorf("once it keeps up again it got %q", got)
	}
	h.leave(slow)
	h.leave(quick)
	if h.size() != 0 {
		t.Errorf("%d stay", h.size())
	}
}

// subscribe opens a stream without reading it, and reads its greeting.
func subscribe(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET /api/stream HTTP/1.1\r\nHost: %s\r\n\r\n", at.Host)
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "event: hello") {
			return c, in
		}
	}
}

// TestManyBrowsersAreTold opens many streams, some of which never read again, and
// demands that all others hear of an event.
func TestManyBrowsersAreTold(t *testing.T) {
	f := going(t, "swing", 3, "")
	at := serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{})
	const browsers, deaf = 500, 50
	var readers []*bufio.Reader
	for i := range browsers {
		c, in := subscribe(t, at)
		if i >= deaf {
			readers = append(readers, in)
			if err := c.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.event(metrics.KindUpdate, map[string]float64{"news/of:1": 1}, nil)
	for i, in := range readers {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("browser %d: %v", i, err)
			}
			if strings.Contains(line, "news/of:1") {
				break
			}
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	server, err := httpguard.Listen(httpguard.Config{Addr: ":0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, server, Config{Root: t.TempDir()}) }()
	subscribe(t, server.URL())
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it still serves")
	}
}

func TestRunsAreFoundBelowTheRootAndNamedApart(t *testing.T) {
	root := t.TempDir()
	newFakeRun(t, filepath.Join(root, "a"), "x", "")
	newFakeRun(t, filepath.Join(root, "group", "b"), "x", "")
	if err := os.MkdirAll(filepath.Join(root, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	elsewhere := newFakeRun(t, filepath.Join(t.TempDir(), "a"), "x", "")
	d := New(Config{Root: root, Runs: []string{elsewhere.dir + "/"}})
	d.discover()
	d.discover()
	var names []string
	for _, r := range d.all() {
		names = append(names, r.name)
	}
	if fmt.Sprint(names) != "[a a (2) b]" {
		t.Errorf("found %q", names)
	}
}

func TestReferencesAreThoseOfTheTask(t *testing.T) {
	for env, want := range map[string]float64{
		"cartpole-swingup": 821, "dmc/walker-walk": 951, "py:dm_control:cheetah-run": 662, "dmc/ball-in-cup-catch:render=go": 930,
		"cartpole-balance": 0, "": 0,
	} {
		got := 0.0
		if r := referenceFor(env); r != nil {
			got = r.Return
		}
		if got != want {
			t.Errorf("%q: %v, want %v", env, got, want)
		}
	}
}
