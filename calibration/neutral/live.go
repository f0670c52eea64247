package neutral

import (
	"time"

	"emolab/fusion/facial"
	"emolab/fusion/instant"
)

const (
	// memory is how much of the past Live looks for a face in.
	memory = 20 * time.Second
	// pause is the time between two looks: a look takes some 2 ms.
	pause = 500 * time.Millisecond
	// patience is how long after the first face a better one is looked for.
	patience = 20 * time.Second
	// moreNeutral is how much more neutral the net must find another face for it
	// to take the place of the first: more than its answer wavers over one face.
	moreNeutral = .3
)

// Live finds it while the session runs: as soon as 2 s of calm frames have been
// seen, and improves it until it has 10 s, or for 20 s. From then on the face
// stays as it is. The zero value is ready. Not safe for concurrent use.
//
// It knows less than Fit does of the whole recording: whatever a participant
// does calmly for the first seconds, short of a clear smile, is taken for rest
// until a longer stretch of the same face follows, or one that looks clearly
// more neutral.
type Live struct {
	frames []facial.Measured // of the last while, in order
	looked instant.Instant   // when it was last looked for a face
	found  instant.Instant   // when the first face was found
	face   *Face
	fixed  bool
}

// Add takes the next frame and returns the neutral face so far, nil when there
// is none yet. What the result points at never changes.
func (l *Live) Add(m facial.Measured) *Face {
	if l.fixed {
		return l.face
	}
	l.frames = append(l.frames, m)
	l.forget(m.At)
	if m.At.Sub(l.looked) < pause || m.At.Sub(l.frames[0].At) < defaultLeast {
		return l.face
	}
	l.looked = m.At
	// That there is no calm stretch yet is what many looks find.
	if f, err := Fit(l.frames, Options{}); err == nil && l.improves(&f) {
		if l.face == nil {
			l.found = m.At
		}
		l.face = &f
	}
	if l.face != nil && (l.face.Until.Sub(l.face.From) >= defaultMost-pause || m.At.Sub(l.found) >= patience) {
		l.fixed, l.frames = true, nil
	}
	return l.face
}

// improves tells whether f is better than the face so far: the same, from more
// frames, or another that the net holds for clearly more neutral.
func (l *Live) improves(f *Face) bool {
	if l.face == nil || f.neutral > l.face.neutral+moreNeutral {
		return true
	}
	return f.Frames > l.face.Frames && distance(&f.Features, &l.face.Neutral) <= reach
}

// forget drops the frames that are too old, many at a time.
func (l *Live) forget(now instant.Instant) {
	if now.Sub(l.frames[0].At) <= memory+memory/4 {
		return
	}
	l.frames = append(l.frames[:0], between(l.frames, now.Add(-memory), now)...)
}

// Reset forgets the person.
func (l *Live) Reset() { *l = Live{frames: l.frames[:0]} }
