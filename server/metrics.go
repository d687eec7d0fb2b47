package server

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"entrepot/registry/database"
)

// metrics are what /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	inFlight prometheus.Gauge
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	sent     *prometheus.CounterVec
}

func newMetrics(db *database.DB) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "entrepot_http_requests_in_flight", Help: "Requests being served.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "entrepot_http_requests_total", Help: "Requests served, by area, method and status.",
		}, []string{"area", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "entrepot_http_request_duration_seconds", Help: "How long requests took, by area.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600},
		}, []string{"area"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "entrepot_http_response_bytes_total", Help: "Bytes of answers' bodies, by area.",
		}, []string{"area"}),
	}
	statements := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.inFlight, m.requests, m.duration, m.sent,
		statements("entrepot_sql_reads_total", "SQL statements that read.", func() float64 { r, _ := db.Statements(); return float64(r) }),
		statements("entrepot_sql_writes_total", "SQL statements that write.", func() float64 { _, w := db.Statements(); return float64(w) }),
	)
	return m
}

var knownMethods = map[string]bool{"GET": true, "HEAD": true, "PUT": true, "POST": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

func (m *metrics) observe(r *http.Request, rec *recorder, took time.Duration) {
	area, method := area(r.URL.Path), r.Method
	if !knownMethods[method] {
		method = "other"
	}
	m.requests.WithLabelValues(area, method, strconv.Itoa(rec.status)).Inc()
	m.duration.WithLabelValues(area).Observe(took.Seconds())
	m.sent.WithLabelValues(area).Add(float64(rec.bytes))
}

// area is the part of the server a path belongs to; there are few of them, as
// labels should be.
func area(path string) string {
	switch {
	case strings.HasPrefix(path, "/v2"):
		return "container"
	case strings.HasPrefix(path, "/api/packages/"):
		return "packages"
	case strings.HasPrefix(path, "/graph"):
		return "graphql"
	case strings.HasPrefix(path, "/healthz"), strings.HasPrefix(path, "/readyz"), strings.HasPrefix(path, "/metrics"):
		return "operations"
	}
	return "web"
}

// serveMetrics lets in who has the token or, where none is set, sits on the
// same machine.
func (s *Server) serveMetrics() http.Handler {
	show := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := s.config.Metrics.Token; want != "" {
			got := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, "the metrics need their token", http.StatusUnauthorized)
				return
			}
		} else if !fromLoopback(r) {
			http.Error(w, "the metrics are shown to this machine alone; set metrics.token to read them from elsewhere", http.StatusForbidden)
			return
		}
		show.ServeHTTP(w, r)
	})
}

// fromLoopback tells whether the peer is this machine, and not a proxy on it
// that speaks for somebody else.
func fromLoopback(r *http.Request) bool {
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}
