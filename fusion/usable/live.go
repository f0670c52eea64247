package usable

import (
	"slices"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

const (
	// around is how much of the signals before and after a presentation is looked at with
	// it: an artefact of skin conductance reaches five seconds beyond itself, and the
	// filters before its rules settle within as much again.
	around = 10 * time.Second
	// resolution is by which part of its length a presentation has to go on before it is
	// looked at again, and often how soon at the earliest: so the work is the same for
	// clips of any length.
	resolution = 40
	often      = 500 * time.Millisecond
	// kept bounds the signals that are kept for a presentation that does not end.
	kept = 15 * time.Minute
)

// Now is for how much of a presentation the participant was measured, as far as it is
// known by now.
type Now struct {
	Presentation int
	Lasted       time.Duration // on the screen so far
	Over         bool
	Usable       map[Modality]time.Duration // of the modalities that have a device
}

// Live follows a recording and tells of each presentation what the sealed session will
// say of it, by the same rules. It may differ, because it knows less:
//
//   - Its instants are those of causal alignment. Where the sealed session puts a sample
//     elsewhere, so do the ends of what is missing, and of the presentation: each of these
//     moves what is usable by no more than the sample is moved, which its error bound
//     limits (stream.Sample.Err).
//   - What comes later is not known yet. Of a presentation that is on the screen the last
//     samples are still on their way. Artefacts of skin conductance reach back by five
//     seconds, so what is said of it holds ten seconds after the end.
//   - The usual interval of a device, and the resolution and the highest value of a sensor
//     of skin conductance, are those of the time around a presentation and not of the
//     whole recording.
//
// It takes skin conductance apart by a filter where sealing does it by another method: of
// what is valid the method tells nothing. It is not safe for concurrent use.
type Live struct {
	screen   stream.Info
	rules    map[string]Rule // of face and gaze, by stream
	modality map[string]Modality
	skin     stream.Info // "" without a device

	rows     []stream.Sample // of the screen, since the first presentation that is open
	away     []stimulus.Span
	readings map[string][]Reading
	at       []instant.Instant // of skin conductance
	us       []float64

	done   []Now // of earlier presentations, in order
	open   []Now // of those that are still looked at
	latest instant.Instant
	looked instant.Instant // when open was worked out
}

// NewLive follows the first stream of each kind, as sealing does; nil without a screen.
func NewLive(infos []stream.Info, faceConfidence float64) *Live {
	l := &Live{rules: map[string]Rule{}, modality: map[string]Modality{}, readings: map[string][]Reading{}}
	first := func(k stream.Kind) (stream.Info, bool) {
		i := slices.IndexFunc(infos, func(v stream.Info) bool { return v.Kind == k })
		if i < 0 {
			return stream.Info{}, false
		}
		return infos[i], true
	}
	var ok bool
	if l.screen, ok = first(stream.Stimulus); !ok {
		return nil
	}
	if info, ok := first(stream.Face); ok {
		l.rules[info.ID], l.modality[info.ID] = FaceRule(info, faceConfidence), Face
	}
	if info, ok := first(stream.Gaze); ok {
		l.rules[info.ID], l.modality[info.ID] = GazeRule(info), Gaze
	}
	l.skin, _ = first(stream.EDA)
	return l
}

// Add takes in an aligned chunk of any stream. It tells whether there is something new.
func (l *Live) Add(c stream.Chunk) bool {
	rule := l.rules[c.Stream]
	for _, s := range c.Samples {
		switch {
		case s.At == 0: // nobody knows yet when that was
			continue
		case c.Stream == l.screen.ID:
			l.rows = append(l.rows, s)
		case rule != nil:
			l.readings[c.Stream] = append(l.readings[c.Stream], Reading{s.At, rule(s.Values)})
		case c.Stream == l.skin.ID && l.skin.ID != "":
			if n := len(l.at); n > 0 && s.At < l.at[n-1] {
				continue // a new epoch that begins before the old one ended
			}
			l.at, l.us = append(l.at, s.At), append(l.us, s.Values[l.skin.Index("eda_us")])
		default:
			continue
		}
		l.latest = max(l.latest, s.At)
	}
	if c.Stream == l.screen.ID {
		for _, e := range c.Events {
			switch n := len(l.away); {
			case e.Kind == stream.Disconnected && (n == 0 || l.away[n-1].Until != 0):
				l.away = append(l.away, stimulus.Span{From: e.At})
			case e.Kind == stream.Connected && n > 0 && l.away[n-1].Until == 0:
				l.away[n-1].Until = e.At
			}
		}
	}
	if l.latest.Sub(l.looked) < l.pause() {
		return false
	}
	l.looked = l.latest
	l.look()
	return true
}

// pause is how soon the present is worth being looked at again.
func (l *Live) pause() time.Duration {
	if len(l.rows) == 0 {
		return often
	}
	return max(often, l.latest.Sub(l.rows[0].At)/resolution)
}

// Read tells of all presentations so far, in order.
func (l *Live) Read() []Now { return slices.Concat(l.done, l.open) }

// look works out what is open, and lets go of what is settled.
func (l *Live) look() {
	l.forget(l.latest.Add(-kept))
	course := stimulus.Course(l.screen, l.rows, l.away)
	shown := Presentations(course, l.latest)
	usable := map[Modality]map[int]time.Duration{}
	for id, m := range l.modality {
		usable[m] = Measured(l.readings[id], shown)
	}
	if l.skin.ID != "" {
		usable[EDA] = l.conductance(shown)
	}
	lasted, on := Lasted(shown), 0
	if n := len(course); n > 0 {
		on = course[n-1].Presentation
	}
	l.open = l.open[:0]
	for _, p := range shown {
		same := func(n Now) bool { return n.Presentation == p.Number }
		if slices.ContainsFunc(l.open, same) {
			continue // the clock went back
		}
		l.done = slices.DeleteFunc(l.done, same) // it began anew
		n := Now{Presentation: p.Number, Lasted: lasted[p.Number], Over: on != p.Number, Usable: map[Modality]time.Duration{}}
		for m, by := range usable {
			n.Usable[m] = min(by[p.Number], n.Lasted)
		}
		l.open = append(l.open, n)
	}
	l.settle(shown)
}

// settle lets go of what nothing can change any more: presentations that have been over
// for a while.
func (l *Live) settle(shown []Shown) {
	from := l.latest // of what is still looked at
	for _, p := range shown {
		if k := slices.IndexFunc(l.open, func(n Now) bool { return n.Presentation == p.Number }); l.open[k].Over && l.latest.Sub(p.Until) >= around {
			continue
		}
		from = p.From
		break
	}
	settled := map[int]bool{}
	for _, p := range shown {
		settled[p.Number] = p.From < from
	}
	for len(l.open) > 0 && settled[l.open[0].Presentation] {
		l.done, l.open = append(l.done, l.open[0]), l.open[1:]
	}
	k := 0
	for k+1 < len(l.rows) && l.rows[k+1].At < from {
		k++
	}
	l.rows = l.rows[k:]
	l.forget(from.Add(-around))
}

// forget drops signals of before an instant.
func (l *Live) forget(before instant.Instant) {
	for id, readings := range l.readings {
		i := slices.IndexFunc(readings, func(r Reading) bool { return r.At >= before })
		if i < 0 {
			i = len(readings)
		}
		l.readings[id] = slices.Delete(readings, 0, i)
	}
	i := slices.IndexFunc(l.at, func(at instant.Instant) bool { return at >= before })
	if i < 0 {
		i = len(l.at)
	}
	l.at, l.us = slices.Delete(l.at, 0, i), slices.Delete(l.us, 0, i)
	for len(l.away) > 0 && l.away[0].Until != 0 && l.away[0].Until < before {
		l.away = l.away[1:]
	}
}

// conductance is for how long of each presentation the skin conductance is valid.
func (l *Live) conductance(shown []Shown) map[int]time.Duration {
	out := map[int]time.Duration{}
	if len(l.at) == 0 {
		return out
	}
	r := eda.Analyze(l.at, l.us, eda.Options{Rate: l.skin.Rate, Method: eda.HighPass})
	for _, p := range shown {
		if _, seen := out[p.Number]; !seen {
			out[p.Number] = Conductance(r.Summary(eda.Stretch{From: p.From, Until: p.Until}))
		}
	}
	return out
}
