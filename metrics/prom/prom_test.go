package prom

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/orrery-rl/orrery/metrics"
)

// scrape gets the metrics as Prometheus would.
func scrape(t *testing.T, s *Sink) string {
	t.Helper()
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("status %s, %v: %s", res.Status, err, text)
	}
	return string(text)
}

func TestScrapeShowsCountersGaugesAndTheProcess(t *testing.T) {
	s := New()
	for _, e := range []metrics.Event{
		{Kind: metrics.KindRun, Time: time.Unix(1000, 0), Text: map[string]string{"env": `a "quoted" name` + "\n", "return of x": "1", "return_of x": "2", "9": "\xff"}},
		{Kind: metrics.KindUpdate, Time: time.Unix(1010, 500_000_000), Counters: metrics.Counters{EnvSteps: 8000, Decisions: 1000, Updates: 60, Episodes: 8},
			Values: map[string]float64{"loss/kl:nats": 3.5, "grad/norm:1": math.Inf(1), "loss/image:nats": math.NaN(), "mine/own:things": 2}},
	} {
		if err := s.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	text := scrape(t, s)
	for _, want := range []string{
		"# TYPE orrery_env_steps_total counter\norrery_env_steps_total 8000\n",
		"orrery_decisions_total 1000\n", "orrery_updates_total 60\n", "orrery_episodes_total 8\n",
		"# HELP orrery_loss_kl_nats KL divergence of the posterior from the prior",
		"# TYPE orrery_loss_kl_nats gauge\norrery_loss_kl_nats 3.5\n",
		"orrery_grad_norm +Inf\n", "orrery_loss_image_nats NaN\n", "orrery_mine_own_things 2\n",
		`orrery_events_total{kind="update"} 1`, `orrery_last_event_timestamp_seconds{kind="update"} 1010.5`,
		`orrery_run_info{env="a \"quoted\" name\n",return_of_x="1",x9="?"} 1`,
		"go_goroutines ", "process_",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
}

// TestNamesKeepPrometheusRules: names are valid, no two metrics share one, and the
// official linter has no objection.
func TestNamesKeepPrometheusRules(t *testing.T) {
	valid := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	seen := map[string]string{}
	values := map[string]float64{}
	for _, m := range metrics.Catalogue() {
		name := Name(m.Name)
		if !valid.MatchString(name) {
			t.Errorf("%s becomes %q", m.Name, name)
		}
		if other, taken := seen[name]; taken {
			t.Errorf("%s and %s are both %s", m.Name, other, name)
		}
		seen[name], values[m.Name] = m.Name, 1
	}
	s := New()
	if err := s.Write(metrics.Event{Kind: metrics.KindUpdate, Values: values}); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(s.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, prefix) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestScrapingWhileTraining(t *testing.T) {
	s := New()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range int64(500) {
			e := metrics.Event{Kind: metrics.KindUpdate, Counters: metrics.Counters{Updates: i}, Values: map[string]float64{"loss/kl:nats": float64(i)}}
			if err := s.Write(e); err != nil {
				t.Error(err)
			}
		}
	})
	for range 5 {
		scrape(t, s)
	}
	wg.Wait()
}
