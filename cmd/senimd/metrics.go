package main

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"senim/internal/audit"
	"senim/internal/registry"
)

// meters count what the registries answer, for a monitoring program. Labels are sources, verdicts and codes:
// never a number, a name or a phone. A nil *meters counts nothing. Safe for concurrent use.
type meters struct {
	all      *prometheus.Registry
	answers  *prometheus.CounterVec
	looks    prometheus.Histogram
	services *prometheus.CounterVec
	waits    *prometheus.HistogramVec
}

var _ registry.Meter = (*meters)(nil)

// openMeters serves the figures on their own address, when there is one.
func (s *server) openMeters() {
	if s.c.metrics.address == "" {
		return
	}
	m := &meters{all: prometheus.NewRegistry(),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "senim_registry_answers_total",
			Help: "Answers of the registries by source (none: no source knows) and verdict."}, []string{"source", "verdict"}),
		looks: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "senim_registry_look_seconds",
			Help: "Time of a look into the loaded records.", Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1}}),
		services: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "senim_registry_service_answers_total",
			Help: "Answers of state services by source, purpose, verdict and code, and whether they were remembered ones."}, []string{"source", "purpose", "verdict", "code", "remembered"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "senim_registry_service_seconds",
			Help: "Time of an answer of a state service that was asked, with the queue.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 15}}, []string{"source"})}
	m.all.MustRegister(m.answers, m.looks, m.services, m.waits, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), loads{s})
	if s.ca != nil {
		m.all.MustRegister(listFigures{s})
	}
	s.meters = m
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.all, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	s.serveOn("metrics", mux)
}

// Answered counts an answer of the registry.
func (m *meters) Answered(source string, v registry.Verdict) {
	if source == "" {
		source = "none"
	}
	m.answers.WithLabelValues(source, string(v)).Inc()
}

// Looked counts a look into the records.
func (m *meters) Looked(took time.Duration) { m.looks.Observe(took.Seconds()) }

// asked counts an answer of a state service by what its audit record says of it.
func (m *meters) asked(e audit.Event) {
	if m == nil || e.Action != "registry.answer.given" {
		return
	}
	d := e.Detail
	m.services.WithLabelValues(d["source"], d["purpose"], d["verdict"], e.Result, d["remembered"]).Inc()
	if ms, err := strconv.ParseInt(d["ms"], 10, 64); err == nil && d["remembered"] == "false" {
		m.waits.WithLabelValues(d["source"]).Observe((time.Duration(ms) * time.Millisecond).Seconds())
	}
}

// listFigures tell how long revocations have been missing in the lists.
type listFigures struct{ s *server }

var unlistedAge = prometheus.NewDesc("senim_crl_unlisted_seconds", "Age of the oldest revocation that a published list of an authority does not know; 0 when they know all.", []string{"ca"}, nil)

func (listFigures) Describe(to chan<- *prometheus.Desc) { to <- unlistedAge }

func (l listFigures) Collect(to chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	all, err := l.s.ca.Unlisted(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(unlistedAge, err)
		return
	}
	ages := map[string]time.Duration{}
	for _, a := range l.s.ca.Authorities() {
		if a.Issuing {
			ages[a.Name] = 0
		}
	}
	for _, one := range all {
		ages[one.CA] = max(ages[one.CA], l.s.now().Sub(one.Since))
	}
	for name, age := range ages {
		to <- prometheus.MustNewConstMetric(unlistedAge, prometheus.GaugeValue, age.Seconds(), name)
	}
}

// loads tells how the registries' loads stand at the moment it is asked. What the database does not tell is an
// error of the page, so that the monitoring program alarms instead of seeing old figures.
type loads struct{ s *server }

// Figures of loads.
var (
	loadAge     = loadFigure("load_age_seconds", "Age of the data of a source's last load; absent when it was never loaded.")
	loadNumber  = loadFigure("load_number", "Number of a source's last load; 0 when it was never loaded.")
	loadRows    = loadFigure("load_rows", "Rows that a source's last load took over.")
	loadRefused = loadFigure("load_refused_rows", "Rows of a source's last load that were refused.")
	loadMissed  = loadFigure("load_missed", "Loads of a source that the calendar expected since the last one and that did not come.")
	loadOld     = loadFigure("load_old", "1 when a source's data are too old to be used.")
	lastBatch   = loadFigure("last_batch", "1 for how a source's newest batch ended or stands, with the code of why it waits or was refused.", "state", "code")
)

func loadFigure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("senim_registry_"+name, help, append([]string{"source"}, labels...), nil)
}

func (loads) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{loadAge, loadNumber, loadRows, loadRefused, loadMissed, loadOld, lastBatch} {
		to <- d
	}
}

func (l loads) Collect(to chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	sources, err := l.s.book.Sources(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(loadNumber, err)
		return
	}
	for _, one := range sources {
		put(loadNumber, float64(one.Last.Number), one.Source)
		put(loadMissed, float64(one.Missed), one.Source)
		if !one.Loaded() {
			continue
		}
		put(loadAge, l.s.now().Sub(one.Last.AsOf).Seconds(), one.Source)
		put(loadRows, float64(one.Last.Entities+one.Last.Leaders+one.Last.Persons), one.Source)
		put(loadRefused, float64(one.Last.Quarantined), one.Source)
		old := 0.0
		if one.Old {
			old = 1
		}
		put(loadOld, old, one.Source)
	}
	batches, err := l.s.imports.Imports(ctx, 50)
	if err != nil {
		to <- prometheus.NewInvalidMetric(lastBatch, err)
		return
	}
	var told []string
	for _, i := range batches {
		if !slices.Contains(told, i.Source) {
			told = append(told, i.Source)
			put(lastBatch, 1, i.Source, string(i.State), i.Code)
		}
	}
}
