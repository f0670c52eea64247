package trace

import (
	"time"

	"emolab/fusion/action"
	"emolab/fusion/eda"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

const (
	// gazeAge is how old the latest gaze sample may be: three intervals at 60 Hz,
	// one of which a batch on the cable takes. The eyes have moved on after that.
	gazeAge = 50 * time.Millisecond
	// edaAge is how old the latest skin conductance may be. It changes slowly.
	edaAge = 250 * time.Millisecond
	// history is how much of each stream is kept: as long as a frame may be on
	// its way through the face pipeline behind the sensors' samples.
	history = 2 * time.Second
)

// Live makes rows while the session runs: each face sample at once becomes a
// row with the latest values of the other streams that are not later than it. A
// value is held for at most gazeAge or edaAge; Err does not count that holding.
// Level and phasic part of the skin conductance, and the beginning of a response, are
// those of eda.Live, which lag by eda.Delay at the most. All rows are marked NotFinal.
// It is not safe for concurrent use.
type Live struct {
	streams map[string]*held
	face    [len(fromFace)]int
	gaze    *held
	skin    *held
	shown   *stimulus.Live // nil without a stimulus stream
	gazeAt  gazeColumns
	correct Correction // nil = as delivered
	skinAt  skinColumns
	split   *eda.Live
	onsets  []instant.Instant // recognised and not yet in a row

	meter    *facial.Meter
	neutral  *action.Neutral   // nil = not known yet
	measured []facial.Measured // of the last chunk
}

// held is the recent past of one stream.
type held struct {
	kind   stream.Kind
	recent []stream.Sample
	splits []eda.Reading // of skin conductance: one per sample in recent
}

// NewLive makes the live trace of a lab with the given streams. Of several of
// one kind the first is joined, as it is when the trace is derived again; those that
// the lab has not got are empty in the rows. Without a face stream there are no rows.
func NewLive(infos []stream.Info) *Live {
	l := &Live{streams: map[string]*held{}, split: eda.NewLive(eda.Options{})}
	taken := map[stream.Kind]bool{}
	for _, info := range infos {
		if taken[info.Kind] {
			continue
		}
		taken[info.Kind] = true
		h := &held{kind: info.Kind}
		l.streams[info.ID] = h
		switch info.Kind {
		case stream.Face:
			l.face, l.meter = faceColumns(info), facial.NewMeter(info)
		case stream.Gaze:
			l.gaze, l.gazeAt = h, newGazeColumns(info)
		case stream.EDA:
			l.skin, l.skinAt = h, newSkinColumns(info)
		case stream.Stimulus:
			l.shown = stimulus.NewLive(info, history)
		}
	}
	return l
}

// Add takes an aligned chunk of any stream and returns the rows that it
// completes: one per sample of the face stream, none for the others. A device
// that disconnects takes its values with it; what was on the screen until the page
// had gone is still known.
func (l *Live) Add(c stream.Chunk) []stream.Sample {
	h := l.streams[c.Stream]
	if h == nil {
		return nil
	}
	for _, e := range c.Events {
		if e.Kind != stream.Disconnected {
			continue
		}
		if h.kind == stream.Stimulus {
			l.shown.Gone(e.At)
		}
		h.recent, h.splits = nil, nil
	}
	switch h.kind {
	case stream.Face:
	case stream.Stimulus:
		l.shown.Add(c.Samples)
		return nil
	default:
		l.keep(h, c.Samples)
		return nil
	}
	rows := make([]stream.Sample, 0, len(c.Samples))
	l.measured = l.measured[:0]
	for _, f := range c.Samples {
		m := l.meter.Measure(f)
		l.measured = append(l.measured, m)
		rows = append(rows, l.row(f, m))
	}
	return rows
}

// Measured returns what was measured of the faces in the last chunk of the face
// stream, one per row. It is valid until the next one.
func (l *Live) Measured() []facial.Measured { return l.measured }

// SetNeutral says what the participant looks like at rest, from which action
// units are told from the next row on; nil = not known.
func (l *Live) SetNeutral(n *action.Neutral) { l.neutral = n }

// Correction maps a point of gaze as the tracker says it to where the eyes were, both
// in fractions of the screen: the Apply of a calibration.
type Correction func(x, y float64) (float64, float64)

// SetGaze says how the gaze is corrected from the next row on; nil = as delivered.
func (l *Live) SetGaze(c Correction) { l.correct = c }

// NewPerson forgets the participant's face, and the calibration of their eyes: another
// one sits down.
func (l *Live) NewPerson() {
	l.neutral, l.correct = nil, nil
}

func (l *Live) keep(h *held, samples []stream.Sample) {
	for _, s := range samples {
		if h == l.skin && l.skinAt.isHeld(s) {
			continue // not measured: as if it had been lost
		}
		h.recent = append(h.recent, s)
		if h == l.skin {
			r := l.split.Add(s.At, value(s, l.skinAt.us))
			h.splits = append(h.splits, r)
			if r.Onset {
				l.onsets = append(l.onsets, s.At)
			}
		}
	}
	h.forget()
	if h == l.skin {
		l.forgetOnsets()
	}
}

// forgetOnsets drops the responses that no frame came for: they must not be
// marked in the first row after the camera was away.
func (l *Live) forgetOnsets() {
	if len(l.skin.recent) == 0 {
		return
	}
	from := l.skin.recent[len(l.skin.recent)-1].At.Add(-history)
	for len(l.onsets) > 0 && l.onsets[0] < from {
		l.onsets = l.onsets[1:]
	}
}

// forget drops what is older than history, but never the sample in force then.
func (h *held) forget() {
	if len(h.recent) == 0 {
		return
	}
	from := h.recent[len(h.recent)-1].At.Add(-history)
	n := 0
	for n+1 < len(h.recent) && h.recent[n+1].At <= from {
		n++
	}
	h.recent = h.recent[n:]
	if len(h.splits) > 0 {
		h.splits = h.splits[n:]
	}
}

// at is the index of the latest sample not later than at, or -1.
func (h *held) at(at instant.Instant) int {
	for i := len(h.recent) - 1; i >= 0; i-- {
		if h.recent[i].At <= at {
			return i
		}
	}
	return -1
}

func (l *Live) row(f stream.Sample, m facial.Measured) stream.Sample {
	r := newRow(f, l.face)
	r.quality |= NotFinal
	derived := facial.One(m, l.neutral)
	r.face(&derived)
	if l.neutral == nil {
		r.quality |= NoNeutral
	}
	on := l.joinStimulus(&r)
	l.joinGaze(&r, on)
	l.joinSkin(&r)
	return r.finish()
}

func (l *Live) joinStimulus(r *row) rect {
	if l.shown == nil {
		return r.stimulus(stimulus.Showing{}, false)
	}
	return r.stimulus(l.shown.At(r.sample.At))
}

func (l *Live) joinGaze(r *row, on rect) {
	if l.gaze == nil {
		r.quality |= NoGaze
		return
	}
	i := l.gaze.at(r.sample.At)
	if i < 0 || r.sample.At.Sub(l.gaze.recent[i].At) > gazeAge {
		r.quality |= GazeStale
		return
	}
	s := l.gaze.recent[i]
	x, y := value(s, l.gazeAt.x), value(s, l.gazeAt.y)
	if l.correct != nil {
		x, y = l.correct(x, y)
	}
	r.gaze(s, l.gazeAt, x, y, on)
}

func (l *Live) joinSkin(r *row) {
	v := r.sample.Values
	if l.skin == nil || l.skinAt.us < 0 {
		r.noSkin(NoEDA)
		return
	}
	for len(l.onsets) > 0 && l.onsets[0] <= r.sample.At {
		v[scrOnset] = 1
		l.onsets = l.onsets[1:]
	}
	i := l.skin.at(r.sample.At)
	if i < 0 || r.sample.At.Sub(l.skin.recent[i].At) > edaAge {
		r.noSkin(EDAStale)
		return
	}
	r.join(l.skin.recent[i].Err)
	v[edaUS] = value(l.skin.recent[i], l.skinAt.us)
	v[sclUS], v[scrUS] = l.skin.splits[i].Tonic, l.skin.splits[i].Phasic
	r.skinQuality()
}
