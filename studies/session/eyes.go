package session

import (
	"math"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// Eyes is what the first eye tracker's gaze tells of eye movements while the lab
// runs: I-VT without merging (eyemovement.Live). The sealed session has those of the
// default algorithm, which looks both ways.
type Eyes struct {
	Fixations int64 `json:"fixations"` // since the recording began
	// PerSecond is how many ended in each of the latest ten seconds, on average.
	PerSecond float64 `json:"per_second"`
	// Recent are the latest, the last one last.
	Recent []Fixated `json:"recent"`
	// DelayMs is how long after its end a fixation is told at the latest.
	DelayMs float64 `json:"delay_ms"`
}

// Fixated is one fixation that has ended. X and Y are its centre in fractions of the
// screen, corrected by the calibration in force.
type Fixated struct {
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	DurationMs float64 `json:"duration_ms"`
	AgeMs      float64 `json:"age_ms"` // since it ended
}

const (
	// fixationRate is over how long PerSecond is taken.
	fixationRate = 10 * time.Second
	// recentFixations is how many are kept: ten a second, more than eyes do, for
	// fixationRate.
	recentFixations = 100
	// shownFixations is how many of them a report has.
	shownFixations = 8
)

// watcher follows the eyes. It is not safe for concurrent use.
type watcher struct {
	stream      string
	x, y, valid int // channels
	live        *eyemovement.Live
	correct     trace.Correction

	fixations int64
	recent    []eyemovement.Event
}

// newWatcher follows the gaze of a stream on a screen.
func newWatcher(info stream.Info, screen eyemovement.Screen) *watcher {
	return &watcher{
		stream: info.ID, x: info.Index("gaze_x"), y: info.Index("gaze_y"), valid: info.Index("gaze_valid"),
		live: eyemovement.NewLive(screen, eyemovement.LiveOptions{Rate: info.Rate}),
	}
}

// add takes in samples of the stream.
func (w *watcher) add(samples []stream.Sample) {
	for _, s := range samples {
		x, y := math.NaN(), math.NaN()
		if s.Values[w.valid] == 1 {
			x, y = s.Values[w.x], s.Values[w.y]
			if w.correct != nil {
				x, y = w.correct(x, y)
			}
		}
		for _, e := range w.live.Add(s.At, x, y) {
			if e.Class == eyemovement.Fixation {
				w.fixations++
				w.recent = append(w.recent, e)
			}
		}
	}
	w.recent = w.recent[max(0, len(w.recent)-recentFixations):]
}

// newPerson begins to count anew.
func (w *watcher) newPerson() {
	w.recount()
	w.correct = nil
}

// recount counts fixations anew.
func (w *watcher) recount() { w.fixations, w.recent = 0, nil }

// read tells of the eyes at an instant.
func (w *watcher) read(now instant.Instant) *Eyes {
	e := &Eyes{Fixations: w.fixations, DelayMs: inMs(w.live.Delay()), Recent: []Fixated{}}
	for _, f := range w.recent {
		if now.Sub(f.Until) <= fixationRate {
			e.PerSecond += 1 / fixationRate.Seconds()
		}
	}
	for _, f := range w.recent[max(0, len(w.recent)-shownFixations):] {
		e.Recent = append(e.Recent, Fixated{X: f.X, Y: f.Y, DurationMs: inMs(f.Until.Sub(f.From)), AgeMs: inMs(now.Sub(f.Until))})
	}
	return e
}
