package console

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"emolab/studies/session"
)

// scrapes is how many may ask for the figures at once: a scraper, and somebody who looks.
// Each has the study's sessions counted.
const scrapes = 2

// What Prometheus is told of the lab: how devices, disk and this program do. Nothing of
// it is about a participant: no code, no session id, and nothing that was measured.

// states are those of the session that runs; "idle" when none does.
var states = []string{"idle", string(session.Prepared), string(session.Recording), "closing"}

// metrics reads its figures when it is asked.
type metrics struct {
	operator Operator
	hub      *hub
	all      []*prometheus.Desc

	state, recording, sessions                  *prometheus.Desc
	up, rate, samples, lost, faults, age, bound *prometheus.Desc
	drift, viewers, skipped, unseen, alarms     *prometheus.Desc
	diskFree, diskLeft, backlog                 *prometheus.Desc
}

// newMetrics answers GET /metrics.
func newMetrics(operator Operator, h *hub) http.Handler {
	m := &metrics{operator: operator, hub: h}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		d := prometheus.NewDesc("emolab_"+name, help, labels, nil)
		m.all = append(m.all, d)
		return d
	}
	m.state = desc("session_state", "1 for the state of the session that runs, 0 for the others.", "state")
	m.recording = desc("recording_seconds", "For how long the session that runs has been recorded; 0 while nothing is.")
	m.sessions = desc("sessions", "Sessions of the study by their state.", "state")

	m.up = desc("stream_connected", "Whether the device is there.", "stream", "kind")
	m.rate = desc("stream_rate_hertz", "Samples a second, over the latest two.", "stream", "kind")
	m.samples = desc("stream_samples_total", "Samples since the lab was started.", "stream", "kind")
	m.lost = desc("stream_lost_samples_total", "Samples that were lost on the way.", "stream", "kind")
	m.faults = desc("stream_faults_total", "What came from the device and could not be read.", "stream", "kind")
	m.age = desc("stream_age_seconds", "Since the latest sample; -1 = the device has not been there.", "stream", "kind")
	m.bound = desc("stream_time_bound_seconds", "Bound on the error of the samples' times.", "stream", "kind")
	m.drift = desc("stream_clock_drift_ppm", "Drift of the device's clock against the lab's.", "stream", "kind")

	m.viewers = desc("console_viewers", "Pages that show the lab live.")
	m.skipped = desc("console_skipped_batches_total", "Live batches that pages were too slow for.")
	m.unseen = desc("console_unseen_chunks_total", "Chunks that no page was shown because this computer was too busy; the recorder has them.")

	m.alarms = desc("alarms", "Alarms by severity and state.", "severity", "state")
	m.diskFree = desc("disk_free_bytes", "Free bytes where the recordings are kept.")
	m.diskLeft = desc("disk_left_seconds", "For how long of recording they last.")
	m.backlog = desc("recorder_backlog_chunks", "Chunks that wait to be written.")

	r := prometheus.NewRegistry()
	r.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes})
}

// metrics tells Prometheus how the lab does.
func (c *Console) metrics(w http.ResponseWriter, r *http.Request) { c.figures.ServeHTTP(w, r) }

// Describe says which figures there are. It reads none: the lab is not there yet.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range m.all {
		to <- d
	}
}

// Collect reads them.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	s := m.operator.Status()
	for _, state := range states {
		gauge(m.state, truth(state == stateOf(s)), state)
	}
	recorded := 0.
	if s.Live {
		recorded = s.ElapsedMs / 1000
	}
	gauge(m.recording, recorded)
	for _, h := range s.Streams {
		id, kind := h.Info.ID, string(h.Info.Kind)
		gauge(m.up, truth(h.Connected), id, kind)
		gauge(m.rate, h.Rate, id, kind)
		count(m.samples, h.Samples, id, kind)
		count(m.lost, h.Lost, id, kind)
		count(m.faults, h.Faults, id, kind)
		age := h.AgeMs / 1000
		if h.AgeMs < 0 {
			age = -1
		}
		gauge(m.age, age, id, kind)
		gauge(m.bound, h.Clock.BoundMs/1000, id, kind)
		gauge(m.drift, h.Clock.DriftPPM, id, kind)
	}
	viewers, skipped := m.hub.fanOut()
	gauge(m.viewers, float64(viewers))
	count(m.skipped, skipped)
	count(m.unseen, m.hub.unseen.Load())
	number := map[[2]string]int{}
	for _, a := range s.Alarms {
		number[[2]string{string(a.Severity), string(a.State)}]++
	}
	for _, severity := range session.Severities() {
		for _, state := range session.AlarmStates() {
			key := [2]string{string(severity), string(state)}
			gauge(m.alarms, float64(number[key]), key[0], key[1])
		}
	}
	gauge(m.diskFree, float64(s.DiskFree))
	gauge(m.diskLeft, s.DiskHours*3600)
	gauge(m.backlog, float64(s.Backlog))
	m.archive(gauge)
}

// archive counts the sessions of the study. Where they cannot be listed the figure is
// missing, which is what Prometheus takes for "unknown".
func (m *metrics) archive(gauge func(*prometheus.Desc, float64, ...string)) {
	all, err := m.operator.Sessions(context.Background())
	if err != nil {
		return
	}
	number := map[session.State]int{}
	for _, s := range all {
		number[s.State]++
	}
	for state, n := range number {
		gauge(m.sessions, float64(n), string(state))
	}
}

// stateOf names the state of the session that runs.
func stateOf(s session.Status) string {
	switch {
	case s.Busy != "":
		return "closing"
	case s.State == "":
		return "idle"
	}
	return string(s.State)
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// fanOut is how many pages there are, and how many batches pages were too slow for.
func (h *hub) fanOut() (viewers int, skipped int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	skipped = h.skipped
	for v := range h.viewers {
		skipped += v.out.lost()
	}
	return len(h.viewers), skipped
}
