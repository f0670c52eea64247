package eyemovement

import (
	_ "embed"
	"encoding/json"
	"math"
	"time"

	"emolab/fusion/eyemovement/crf"
)

// AdaptiveVersion names the present way of Classify. It changes whenever the
// same samples would be given other classes.
const AdaptiveVersion = "emolab-crf-1"

// Options of Classify. The zero value is the default.
type Options struct {
	// Rate is the nominal rate in Hz; 0 takes it from the median interval.
	Rate float64
	// Still says that what is looked at does not move: no pursuit is told.
	Still bool
	// Model of rapid movements; nil = the one for the recording's rate and noise.
	Model *Model
	Slow  SlowOptions
	Blink BlinkOptions
}

// Model tells rapid from slow movements: a conditional random field over the
// features of rapid.go, for recordings of about Rate Hz and such noise.
type Model struct {
	Rate  float64 `json:"rate_hz"`
	Noise float64 `json:"noise_deg_s"` // of the recordings that it was fitted to, their geometric mean
	// Mean, SD, least and greatest of each feature of those.
	Mean  []float64 `json:"mean"`
	SD    []float64 `json:"sd"`
	Low   []float64 `json:"low"`
	High  []float64 `json:"high"`
	Field crf.Model `json:"field"`
}

// models.json is written by the test that fits them: go test -run TestModels -fit.
//
//go:embed models.json
var modelsJSON []byte

// Models returns the models that come with the program, by falling rate and
// rising noise.
func Models() []Model {
	var all []Model
	if err := json.Unmarshal(modelsJSON, &all); err != nil {
		panic("eyemovement: models.json: " + err.Error()) // it is part of the program
	}
	return all
}

// modelFor returns the model of the nearest rate, and of those the one of the
// nearest noise, both by ratio.
func modelFor(rate, noise float64) *Model {
	all := Models()
	far := func(m Model) (octaves, louder float64) {
		return math.Abs(math.Log2(m.Rate / rate)), math.Abs(math.Log((m.Noise + speedFloor) / (noise + speedFloor)))
	}
	best := 0
	for i, m := range all {
		octaves, louder := far(m)
		bestOctaves, bestLouder := far(all[best])
		if octaves < bestOctaves || octaves == bestOctaves && louder < bestLouder {
			best = i
		}
	}
	return &all[best]
}

// fastest in Hz is the grid that faster recordings are averaged to: no movement
// of the eyes needs more.
const fastest = 500

// Classify sorts a recording into fixations, saccades, post-saccadic
// oscillations, pursuit and blinks, in this order:
//
// Blinks are runs of missing samples and what the lid does to the samples beside
// them (BlinkOptions). In the rest a conditional random field finds saccades and
// oscillations by how fast the eye moves against the slow movement that it is
// in, and against the noise of this recording; its weights were fitted to
// recordings that people have marked, at about the same rate and noise. What is left is
// slow: pursuit where it goes on in one direction (SlowOptions), else fixation.
// Short stretches of missing samples inside an event belong to it; other missing
// samples are Undefined.
//
// Events are in order, do not overlap, and there is none for Undefined samples.
// A recording that Gaze.Check or Screen.Valid does not accept has no events.
func Classify(g Gaze, s Screen, o Options) []Event {
	events, _ := ClassifyDetailed(g, s, o)
	return events
}

// ClassifyDetailed is Classify, and says what it went by. Of a recording that is
// not accepted there are no details.
func ClassifyDetailed(g Gaze, s Screen, o Options) ([]Event, Details) {
	if g.Check() != nil || !s.Valid() {
		return nil, Details{}
	}
	step := interval(g, o.Rate)
	if step <= 0 {
		return nil, Details{}
	}
	d := Details{RateHz: float64(time.Second) / float64(grid(step)), Still: o.Still, Slow: o.Slow.withDefaults(), Blink: o.Blink.withDefaults()}
	all := tracks(g, s, step, d.Blink)
	d.NoiseDegS = noiseOf(all)
	m := o.Model
	if m == nil {
		m = modelFor(d.RateHz, d.NoiseDegS)
	}
	d.ModelRateHz, d.ModelNoiseDegS = m.Rate, m.Noise
	labels := make([]Class, g.Len())
	for _, t := range all {
		t.rapid(m, d.NoiseDegS)
		if !o.Still {
			t.pursuit(d.Slow)
		}
		t.write(labels)
	}
	g = plausible(g)
	speed := windowSpeed(g, s, halfWindow(speedWindow, step), breaksOver(g, breakLimit(0, step)))
	var events []Event
	runs(labels, breaksOver(g, trackBreak), func(c Class, first, last int) {
		if c == Undefined {
			return
		}
		e := describe(g, s, speed, step, c, first, last)
		if c == Saccade {
			e.leap(g, s, breakLimit(d.Blink.Min, step))
		}
		events = append(events, e)
	})
	return events, d
}

// leap takes a saccade's amplitude from the sample before it to the one after it: at
// 60 Hz a saccade is three samples or one, and what it covers lies between them and
// their neighbours.
// Neighbours farther than limit are none.
func (e *Event) leap(g Gaze, s Screen, limit time.Duration) {
	there := func(i int) bool { return i >= 0 && i < g.Len() && g.Valid(i) }
	from, until := e.First, e.Last
	if there(from-1) && g.At[from].Sub(g.At[from-1]) <= limit {
		from--
	}
	if there(until+1) && g.At[until+1].Sub(g.At[until]) <= limit {
		until++
	}
	if !there(from) || !there(until) {
		return
	}
	e.AmplitudeDeg = s.Degrees(g.X[from], g.Y[from], g.X[until], g.Y[until])
	if math.IsNaN(e.PeakDegS) && until > from { // a sample is missing within the window of every other
		e.PeakDegS = e.AmplitudeDeg / g.At[until].Sub(g.At[from]).Seconds()
	}
}

// speedWindow is the window of the velocities that events state: that of I-VT.
const speedWindow = 20 * time.Millisecond
