// Package prom shows a run to Prometheus: the last value of every metric as a
// gauge, the four counters of the run as counters, and what the Go runtime and
// the operating system say of the process.
//
// A metric's name follows from the catalogue's: "loss/kl:nats" is
// orrery_loss_kl_nats, and the unit 1 is left out. Its help is the catalogue's
// description.
package prom

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/orrery-rl/orrery/metrics"
)

// prefix begins every name.
const prefix = "orrery_"

// Sink keeps the latest of a run's events. It is a metrics.Sink and may be
// scraped while it is written to.
type Sink struct {
	registry *prometheus.Registry
	mu       struct {
		sync.Mutex
		values   map[string]float64
		counters metrics.Counters
		events   map[string]int64     // by kind
		last     map[string]time.Time // by kind
		info     map[string]string
	}
}

// New returns a sink without events.
func New() *Sink {
	s := &Sink{registry: prometheus.NewRegistry()}
	s.mu.values, s.mu.events, s.mu.last, s.mu.info = map[string]float64{}, map[string]int64{}, map[string]time.Time{}, map[string]string{}
	s.registry.MustRegister(s, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// Handler answers with the metrics in the format the client asks for.
func (s *Sink) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{Registry: s.registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Write takes an event in.
func (s *Sink) Write(e metrics.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.mu.values, e.Values)
	s.mu.counters = e.Counters
	s.mu.events[e.Kind]++
	s.mu.last[e.Kind] = e.Time
	if e.Kind == metrics.KindRun {
		s.mu.info = maps.Clone(e.Text)
	}
	return nil
}

// Close implements metrics.Sink; what was last can still be scraped.
func (s *Sink) Close() error { return nil }

// Describe implements prometheus.Collector; which metrics there are shows only
// as a run goes.
func (s *Sink) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *Sink) Collect(out chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mu.counters
	for _, counter := range []struct {
		name, help string
		v          int64
	}{
		{"env_steps_total", "Simulator steps in training: decisions times the action repeat, less what the last decision of an episode leaves out.", c.EnvSteps},
		{"decisions_total", "Actions chosen in training.", c.Decisions},
		{"updates_total", "Optimiser steps.", c.Updates},
		{"episodes_total", "Training episodes collected, seed episodes included.", c.Episodes},
	} {
		out <- prometheus.MustNewConstMetric(desc(prefix+counter.name, counter.help), prometheus.CounterValue, float64(counter.v))
	}
	for _, name := range slices.Sorted(maps.Keys(s.mu.values)) {
		out <- prometheus.MustNewConstMetric(desc(Name(name), help(name)), prometheus.GaugeValue, s.mu.values[name])
	}
	s.collectEvents(out)
}

// collectEvents tells of the events themselves, and what the process said of
// itself.
func (s *Sink) collectEvents(out chan<- prometheus.Metric) {
	events := desc(prefix+"events_total", "Events of this process by kind.", "kind")
	last := desc(prefix+"last_event_timestamp_seconds", "When the last event of a kind happened, in seconds since 1970.", "kind")
	for _, kind := range slices.Sorted(maps.Keys(s.mu.events)) {
		out <- prometheus.MustNewConstMetric(events, prometheus.CounterValue, float64(s.mu.events[kind]), kind)
		out <- prometheus.MustNewConstMetric(last, prometheus.GaugeValue, float64(s.mu.last[kind].UnixNano())/1e9, kind)
	}
	if len(s.mu.info) == 0 {
		return
	}
	labels, values := labelsOf(s.mu.info)
	out <- prometheus.MustNewConstMetric(desc(prefix+"run_info", "What runs, and where; always 1.", labels...), prometheus.GaugeValue, 1, values...)
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func help(name string) string {
	if m, ok := metrics.Lookup(name); ok {
		return m.Description
	}
	return "Not in the catalogue."
}

// Name is what Prometheus calls a metric: letters, digits and underscores, the
// unit at the end unless it is 1.
func Name(metric string) string {
	name, unit, _ := strings.Cut(metric, ":")
	if unit != "1" && unit != "" {
		name += "_" + unit
	}
	return prefix + clean(name)
}

// clean replaces what neither names nor labels may contain.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}

// labelsOf makes labels of texts. Of two that would have one name, the first in
// alphabetical order stays.
func labelsOf(text map[string]string) (labels, values []string) {
	for _, key := range slices.Sorted(maps.Keys(text)) {
		label := clean(key)
		if label == "" || label[0] >= '0' && label[0] <= '9' || strings.HasPrefix(label, "__") {
			label = "x" + label
		}
		if slices.Contains(labels, label) {
			continue
		}
		labels, values = append(labels, label), append(values, strings.ToValidUTF8(text[key], "?"))
	}
	return labels, values
}
