// Package facial derives what a face does from the samples of a face stream:
// head pose, action units, blinks, bouts of expression, and how well the face
// was seen.
//
// Meter measures a frame by itself. One derives frames as they come, Derive a
// finished recording, looking both ways. DECISIONS.md tells why the rules are as
// they are.
package facial

import (
	"math"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/instant"
)

// Version names the rules of Derive. It changes whenever the same samples would
// give other rows.
const Version = "facial-1"

// Row is what is derived of one frame.
type Row struct {
	*Measured                    // the frame itself, not copied: an hour of them is large
	AU        action.Intensities // NaN without a neutral face
	Blink     float64            // 1 within a blink, 0 outside, NaN where that is not known
	Evidence  [expression.Count]float64
	Agreement float64 // of the net's probabilities with Evidence, 0..1; see agreement
}

// Kind says what an Event is.
type Kind string

// The kinds of event.
const (
	Blink Kind = "blink"
	Bout  Kind = "bout" // an expression at or above the threshold for long enough
)

// Event is something with a beginning and an end.
type Event struct {
	Kind          Kind
	Label         string // bout: the expression
	Onset, Offset instant.Instant
	Peak, Mean    float64 // bout: probability; blink: closure, 0..1, from how open the eyes were just before
}

// Derived is a face stream's derivation.
type Derived struct {
	Rows       []Row   // one per frame
	Events     []Event // blinks in order of time, then bouts in order of time
	Calibrated bool    // whether the person's neutral face was known
}

// Derive derives a finished recording, looking both ways. n is nil where the
// person's neutral face is not known. The rows point into frames.
func Derive(frames []Measured, n *action.Neutral, o Options) Derived {
	d := Derived{Rows: make([]Row, len(frames)), Calibrated: n != nil}
	for i := range frames {
		d.Rows[i] = rowOf(&frames[i], n)
	}
	d.Events = markBlinks(frames, d.Rows)
	d.Events = append(d.Events, findBouts(frames, o.withDefaults())...)
	return d
}

// rowOf derives what one frame shows.
func rowOf(m *Measured, n *action.Neutral) Row {
	r := Row{Measured: m, Blink: math.NaN(), Agreement: math.NaN()}
	for i := range r.AU {
		r.AU[i] = math.NaN()
	}
	for i := range r.Evidence {
		r.Evidence[i] = math.NaN()
	}
	if m.Posed && n != nil {
		r.AU = n.Intensities(&m.Features)
		r.Evidence = action.EMFACS(&r.AU)
		r.Agreement = agreement(m.Expression, r.Evidence)
	}
	return r
}

// agreement is how much of the strongest evidence speaks for what the net says:
// the evidence for each expression over the strongest, weighted by the net's
// probabilities. It is 1 when the net is sure of the expression that the action
// units speak for most, and 0 when nothing speaks for what it says.
func agreement(p expression.Probabilities, evidence [expression.Count]float64) float64 {
	var said, strongest float64
	for i, v := range evidence {
		said += p[i] * v
		strongest = max(strongest, v)
	}
	return said / strongest
}

// One derives a single frame, as far as that is possible without those after it:
// blinks are not known yet.
func One(m Measured, n *action.Neutral) Row { return rowOf(&m, n) }
