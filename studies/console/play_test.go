package console

import (
	"context"
	"math"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// A synthetic feed for the tests of the page: the virtual participant's script
// as aligned chunks, without devices.

var expressionNames = []string{"neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"}

func faceInfo() stream.Info {
	names := []string{"face_found", "face_confidence"}
	for _, n := range expressionNames {
		names = append(names, "p_"+n)
	}
	return stream.Info{ID: "face", Kind: stream.Face, Device: "Virtual camera 640x480", Clock: stream.HostClock, TickHz: 1e9,
		Rate: 30, Simulated: true, Channels: channels(append(names, "valence", "arousal", "lm00_x_px")...)}
}

func stimulusInfo() stream.Info {
	return stream.Info{ID: "stimulus", Kind: stream.Stimulus, Device: "Chromium 1920x1080", Clock: stream.PingedClock, TickHz: 1e6,
		Channels: channels("presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h")}
}

// trialPlan is fixation, clip and rest for three clips.
func trialPlan() study.Plan {
	var p study.Plan
	for i, id := range []string{"silk", "pleats", "veil"} {
		for _, s := range []study.Step{
			{Action: study.Fixation, Duration: 2 * time.Second},
			{Action: study.Play, Duration: 7 * time.Second, Presentation: i + 1},
			{Action: study.Rest, Duration: 2 * time.Second},
		} {
			s.Index, s.Stimulus = len(p.Steps), id
			p.Steps = append(p.Steps, s)
		}
	}
	return p
}

// stepAt returns the step at a time since the session's start, and the time
// since that step began. Before and after the plan it is -1.
func stepAt(p study.Plan, t time.Duration) (int, time.Duration) {
	if t < 0 {
		return -1, 0
	}
	for _, s := range p.Steps {
		if t < s.Duration {
			return s.Index, t
		}
		t -= s.Duration
	}
	return -1, 0
}

// course tells the step of a plan at a time since the session's start, and the time since
// that step began, as stepAt does.
type course func(p study.Plan, t time.Duration) (int, time.Duration)

// remains goes to the first clip of trialPlan and shows it again and again, so that it is on
// the screen however long a page takes to show it.
func remains(p study.Plan, t time.Duration) (int, time.Duration) {
	const shown = 6 * time.Second // all of the clip; its step is longer
	if first := p.Steps[0].Duration; t > first {
		t = first + (t-first)%shown
	}
	return stepAt(p, t)
}

// play publishes what the lab observes between two instants. began is when the
// session started, 0 while none runs.
func (l *lab) play(ctx context.Context, s *script.Script, at course, origin, began, from, until instant.Instant) error {
	seq := func(at instant.Instant, hz float64) int64 { return int64(at.Sub(origin).Seconds() * hz) }
	each := func(id string, hz float64, values func(t time.Duration, at instant.Instant) []float64) error {
		c := stream.Chunk{Stream: id}
		if !l.connected(id) {
			return nil
		}
		period := instant.Instant(float64(time.Second) / hz)
		for at := from - from%period + period; at <= until; at += period {
			c.Samples = append(c.Samples, stream.Sample{Seq: seq(at, hz), At: at, Arrival: at, Values: values(at.Sub(origin), at)})
		}
		return l.bus.Publish(ctx, c)
	}
	plan := trialPlan()
	nan := math.NaN()
	if err := each("eda", 100, func(t time.Duration, _ instant.Instant) []float64 {
		return []float64{0, s.Conductance(t) + .004*math.Sin(t.Seconds()*90)}
	}); err != nil {
		return err
	}
	if err := each("gaze", 60, func(t time.Duration, _ instant.Instant) []float64 {
		if s.Closure(t) > .5 {
			return []float64{nan, nan, 0, nan, nan}
		}
		x, y := s.Gaze(t)
		mm := s.PupilMM(t)
		return []float64{x + .003*math.Sin(t.Seconds()*170), y + .004*math.Cos(t.Seconds()*130), 1, mm, mm - .1}
	}); err != nil {
		return err
	}
	if err := each("face", 30, func(t time.Duration, _ instant.Instant) []float64 {
		row := make([]float64, 12)
		row[0], row[1] = 1, .97
		name, intensity := s.Expression(t)
		noise := .02 * (1 + math.Sin(t.Seconds()*23))
		for i, n := range expressionNames {
			row[2+i] = noise * float64(i%3) / 2
			if n == "neutral" {
				row[2+i] = 1 - intensity*.9
			}
		}
		for i, n := range expressionNames {
			if n == name {
				row[2+i] = max(row[2+i], intensity*.9-noise)
			}
		}
		row[9] = .87*row[3] - .65*row[4] - .63*row[5] - .52*row[6] - .42*row[7]
		row[10] = .38*row[3] - .55*row[4] + .23*row[5] + .29*row[6] + .39*row[8]
		return row
	}); err != nil {
		return err
	}
	if began == 0 {
		return nil
	}
	return each("stimulus", 30, func(_ time.Duration, now instant.Instant) []float64 {
		i, in := at(plan, now.Sub(began))
		if i < 0 || plan.Steps[i].Action != study.Play {
			return []float64{0, nan, nan, nan, nan, nan, nan, nan}
		}
		return []float64{float64(plan.Steps[i].Presentation), math.Floor(in.Seconds() * 30), float64(in), 1, .3418, 0, .3164, 1}
	})
}

// connected tells whether the status says that a stream is.
func (l *lab) connected(id string) bool {
	for _, h := range l.operator.Status().Streams {
		if h.Info.ID == id {
			return h.Connected
		}
	}
	return false
}

// playLive keeps the lab alive until ctx ends: the past of 20 s at once, then
// real time. The status follows; so does the past again, as a session begins. A session that is recording began when it was
// first seen, less lead.
func (l *lab) playLive(ctx context.Context, clock instant.Clock, at course, lead time.Duration) error {
	s := script.New(7)
	begin := clock.Now()
	origin := begin.Add(-s.Period - 25*time.Second)
	var began instant.Instant
	if l.operator.Status().State == session.Recording {
		began = begin.Add(-lead)
	}
	from := begin.Add(-21 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now := clock.Now()
		if err := l.play(ctx, s, at, origin, began, from, now); err != nil {
			return err
		}
		from = now
		l.operator.change(func(st *session.Status) {
			if st.State != session.Recording {
				began = 0
				return
			}
			if began == 0 { // the strips are full at once, as if it had been a while
				began, from = now, now.Add(-21*time.Second)
			}
			st.ElapsedMs = ms(now.Sub(began))
			st.Step, _ = at(st.Plan, now.Sub(began))
		})
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// labStatus is a healthy lab.
func labStatus() session.Status {
	health := func(i stream.Info, rate float64, lost int64, c align.Statement) session.Health {
		return session.Health{Info: i, Connected: true, Rate: rate, Samples: 4000, Lost: lost, AgeMs: 12, UsableAgeMs: 12, Clock: c}
	}
	return session.Status{
		StudyID: "runway-abstract", StudyTitle: "Cloth on an abstract runway", Step: -1, Plan: trialPlan(),
		Stage: true, DiskFree: 400 << 30, DiskHours: 410,
		Streams: []session.Health{
			health(edaInfo(), 100.2, 0, align.Statement{Method: "pinged, two-sided", DriftPPM: 2003.4, BoundMs: .84}),
			health(gazeInfo(), 60.1, 12, align.Statement{Method: "ticked, lower envelope", DriftPPM: -41.7, BoundMs: 4.2}),
			health(faceInfo(), 30, 0, align.Statement{Method: "host", BoundMs: 8}),
			unmeasured(health(stimulusInfo(), 0, 0, align.Statement{Method: "pinged", DriftPPM: 3.1, BoundMs: 51.1})),
		},
	}
}

// unmeasured says of a screen that nobody has measured its latency.
func unmeasured(h session.Health) session.Health {
	h.Latency, h.UnseenMs = "display not measured: ±50 ms; run emolab calibrate display", 50
	return h
}

// clips serves the example study's clips as the stage does.
func clips(t *testing.T) http.Handler {
	t.Helper()
	dir := filepath.Join("..", "study", "example", "stimuli")
	mux := http.NewServeMux()
	mux.HandleFunc("/stage/stimuli/{id}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(dir, filepath.Base(r.PathValue("id"))+".mp4"))
	})
	return mux
}
