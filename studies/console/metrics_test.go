package console

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/studies/session"
)

// figure is one figure of what Prometheus has read, picked by the values of its labels.
func figure(t *testing.T, all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var have []string
		for _, l := range m.GetLabel() {
			have = append(have, l.GetValue())
		}
		if strings.Join(have, " ") == strings.Join(labels, " ") {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Errorf("there is no %s of %q", name, labels)
	return -1
}

func TestMetrics(t *testing.T) {
	l := startLab(t, Options{})
	l.operator.mu.Lock()
	l.operator.sessions = []session.Summary{{ID: "20261122-091503-SECRET", Participant: "SECRET", State: session.Sealed}, {State: session.Sealed}, {State: session.Failed}}
	l.operator.mu.Unlock()
	l.operator.change(func(s *session.Status) {
		s.State, s.SessionID, s.Participant, s.ElapsedMs = session.Recording, "20261122-091503-SECRET", "SECRET", 90_500
		s.Streams = []session.Health{{Info: edaInfo(), Connected: true, Rate: 99.5, Samples: 1200, Lost: 7, Faults: 2, AgeMs: 10, UsableAgeMs: 4321,
			Clock: align.Statement{BoundMs: 1.5, DriftPPM: -40}}, {Info: gazeInfo(), AgeMs: -1}}
		s.Alarms = []session.Alarm{{ID: "gaze/disconnected", Severity: session.Major, State: "active"}, {ID: "disk/low", Severity: session.Minor, State: "shelved"}}
		s.DiskFree, s.DiskHours, s.Backlog = 9<<30, 2, 3
	})
	l.view(t)
	waitFor(t, "the viewer to be counted", func() bool { return len(l.hub.list()) == 1 })
	get := func() ([]byte, map[string]*dto.MetricFamily) {
		r, err := http.NewRequest(http.MethodGet, l.server.URL+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(l.request(t, r).Body)
		if err != nil {
			t.Fatal(err)
		}
		p := expfmt.NewTextParser(model.UTF8Validation)
		all, err := p.TextToMetricFamilies(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
		return body, all
	}
	body, all := get()
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "emolab_session_state", []string{"recording"}},
		{0, "emolab_session_state", []string{"idle"}},
		{90.5, "emolab_recording_seconds", nil},
		{2, "emolab_sessions", []string{"sealed"}},
		{1, "emolab_sessions", []string{"failed"}},
		{1, "emolab_stream_connected", []string{"eda", "eda"}},
		{0, "emolab_stream_connected", []string{"gaze", "gaze"}},
		{99.5, "emolab_stream_rate_hertz", []string{"eda", "eda"}},
		{1200, "emolab_stream_samples_total", []string{"eda", "eda"}},
		{7, "emolab_stream_lost_samples_total", []string{"eda", "eda"}},
		{2, "emolab_stream_faults_total", []string{"eda", "eda"}},
		{.01, "emolab_stream_age_seconds", []string{"eda", "eda"}},
		{-1, "emolab_stream_age_seconds", []string{"gaze", "gaze"}},
		{.0015, "emolab_stream_time_bound_seconds", []string{"eda", "eda"}},
		{-40, "emolab_stream_clock_drift_ppm", []string{"eda", "eda"}},
		{1, "emolab_console_viewers", nil},
		{0, "emolab_console_skipped_batches_total", nil},
		{0, "emolab_console_unseen_chunks_total", nil},
		{1, "emolab_alarms", []string{"major", "active"}},
		{1, "emolab_alarms", []string{"minor", "shelved"}},
		{0, "emolab_alarms", []string{"minor", "active"}},
		{9 << 30, "emolab_disk_free_bytes", nil},
		{7200, "emolab_disk_left_seconds", nil},
		{3, "emolab_recorder_backlog_chunks", nil},
	} {
		if got := figure(t, all, c.name, c.labels...); got != c.want {
			t.Errorf("%s of %q is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if all["go_goroutines"] == nil || all["process_resident_memory_bytes"] == nil {
		t.Error("nothing is told of the process")
	}
	// Nobody is named, and nothing that was measured of anybody is told.
	for _, word := range []string{"SECRET", "20261122", "4.321", "4321"} {
		if strings.Contains(string(body), word) {
			t.Errorf("the figures have %q:\n%s", word, body)
		}
	}

	l.operator.change(func(s *session.Status) { s.Over = true })
	if _, all := get(); figure(t, all, "emolab_recording_seconds") != 0 {
		t.Error("nothing is recorded any more, and it goes on counting")
	}
}

// Batches that a page has lost are counted also when it is gone.
func TestSkippedBatchesAreCounted(t *testing.T) {
	h := newHub(newFakeOperator(), instant.Monotonic{}, nil, nil) // it sends nothing
	v := &viewer{console: newConsoleID(), gone: make(chan struct{})}
	if !h.admit(v) {
		t.Fatal("the hub has ended")
	}
	v.out.mu.Lock()
	v.out.skipped = 50
	v.out.mu.Unlock()
	if _, n := h.fanOut(); n != 50 {
		t.Errorf("%d batches were lost", n)
	}
	h.leave(v)
	if viewers, n := h.fanOut(); viewers != 0 || n != 50 {
		t.Errorf("after it has gone: %d viewers, %d batches", viewers, n)
	}
}
