package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orrery-rl/orrery/internal/httpguard"
	"github.com/orrery-rl/orrery/metrics"
)

// TestRunsBeyondTheMostAreTold: the page follows some, and says how many others
// there are, those that appear later included.
func TestRunsBeyondTheMostAreTold(t *testing.T) {
	root := t.TempDir()
	add := func(n int) {
		t.Helper()
		dir := filepath.Join(root, fmt.Sprintf("run-%04d", n))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, settingsName), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for n := range maxRuns {
		add(n)
	}
	b := open(t, serve(t, Config{Root: root}, httpguard.Config{}), 1000, 800)
	b.Until("document.querySelectorAll('.chip').length === 200 && document.getElementById('more').hidden")
	add(maxRuns)
	b.Until("document.getElementById('more').textContent.startsWith('1 more run is')")
	add(maxRuns + 1)
	b.Until("document.getElementById('more').textContent.startsWith('2 more runs are')")
	b.Until("document.getElementById('more').textContent.includes('orrery dash RUN')")
	b.narrow()
}

// TestPageWaitsForAServerThatIsStarting: what it asks for first is asked for again.
func TestPageWaitsForAServerThatIsStarting(t *testing.T) {
	f := going(t, "swing", 3, "")
	d := New(Config{Runs: []string{f.dir}})
	d.look(t.Context())
	var catalogues, lists atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/catalogue" && catalogues.Add(1) <= 2 || r.URL.Path == "/api/runs" && lists.Add(1) <= 1 {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		d.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	b := open(t, server.URL, 1000, 800)
	b.Until("document.querySelectorAll('.card').length === 1 && document.getElementById('link').textContent === 'live'")
	if catalogues.Load() != 3 || lists.Load() != 2 {
		t.Errorf("%d and %d requests, want 3 and 2", catalogues.Load(), lists.Load())
	}
	b.refused("503")
}

// TestLayersAreAlignedByWhereTheyWereMeasured: an episode of random actions plans
// nothing, and the time of all others is shown beneath it nevertheless.
func TestLayersAreAlignedByWhereTheyWereMeasured(t *testing.T) {
	f := newFakeRun(t, filepath.Join(t.TempDir(), "swing"), "x", "")
	for n := range 6 {
		f.at = f.at.Add(time.Second)
		f.counters.Episodes++
		f.counters.EnvSteps += 1000
		values := map[string]float64{"split/env:seconds": 1, "split/io:seconds": 2, "split/update:seconds": 8}
		if n >= 4 {
			values["split/plan:seconds"] = 4
		}
		if n == 0 {
			delete(values, "split/update:seconds")
		}
		f.event(metrics.KindEpisode, values, nil)
	}
	b := open(t, serve(t, Config{Runs: []string{f.dir}}, httpguard.Config{}), 1000, 800)
	b.Until("document.querySelectorAll('#panel-split .legend li').length === 4")
	got := value[string](b, `(async () => {
		const { of } = await import("./js/series.js");
		const columns = { "a/plan:seconds": { x: [4, 5], y: [4, 4] }, "a/env:seconds": { x: [1, 2, 3, 4], y: [1, 1, 1, 1] }, "a/none:seconds": null };
		const curves = of({ stacked: true, kind: "episode", metrics: Object.keys(columns) }, { column: (id, kind, name) => columns[name] }, [{ id: "x" }], {});
		return curves.map((c) => [c.label, c.x, c.low, c.high].join(" ")).join("; ");
	})()`)
	if want := "plan 1,2,3,4,5 0,0,0,0,0 0,0,0,4,4; env 1,2,3,4,5 0,0,0,4,4 1,1,1,5,4"; got != want {
		t.Errorf("the layers are %s, want %s", got, want)
	}
}

// TestImagesThatAreTooLargeAreExplained: otherwise the page would say that there
// are none yet.
func TestImagesThatAreTooLargeAreExplained(t *testing.T) {
	dir := t.TempDir()
	large := newFakeRun(t, filepath.Join(dir, "large"), "x\n  image_size: 700", "")
	small := newFakeRun(t, filepath.Join(dir, "small"), "x\n  image_size: 591", "")
	at := serve(t, Config{Runs: []string{large.dir, small.dir}}, httpguard.Config{})
	const body = "document.getElementById('live-body').innerText"
	b := open(t, at+"?run=large", 1000, 800)
	b.Until(body + ".includes('700 x 700 pixels are too large') && " + body + ".includes('up to 591 x 591')")
	b = open(t, at+"?run=small", 1000, 800)
	b.Until(body + ".includes('it has none yet')")
	if text := value[string](b, body); strings.Contains(text, "too large") {
		t.Error(text)
	}
}
