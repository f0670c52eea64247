package visibility

import (
	"time"

	"emolab/fusion/instant"
)

const (
	// watchWindow is how far back Watch looks: a glance aside, a blink and a
	// scratch of the nose are over by then.
	watchWindow = 2 * time.Second
	// fullWindow is how much of watchWindow must be there before anything is said.
	// It is less than the whole, because a camera's frames do not end on the second.
	fullWindow = 1900 * time.Millisecond
	// raiseShare and clearShare are the shares of the window's frames from which
	// on a fault is named and below which it is forgotten. They are far apart, so
	// that a sentence does not come and go.
	raiseShare = .6
	clearShare = .2
	// judgeable is the share of the window's frames that must have a face for the
	// others' faults to be told from them.
	judgeable = .2
)

// missing stands beside the bits of Mask for a frame without a face.
const missing = bits

// advice are the sentences, the worst first: who is seen at all, then whether
// there is light, then what only costs precision. A lamp behind makes the face
// dark as well, and is what to mend. Each says what is wrong, then after a colon
// what to do.
var advice = [...]struct {
	fault int // index of a bit of Mask, or missing
	text  string
}{
	{missing, "No face in the picture: ask the participant to sit back; check the light and where the camera points"},
	{bit(BackLit), "Lamp behind the participant: turn it or close the blind"},
	{bit(TooDark), "Too dark: add light from the front"},
	{bit(TooSmall), "Face too small: move the camera closer"},
	{bit(OutOfFrame), "Face at the edge of the picture: turn the camera"},
	{bit(MouthCovered), "Something covers the mouth: ask the participant to lower the hand"},
	{bit(TurnedAway), "Participant looks away from the camera: ask them to face the screen, or move the camera there"},
	{bit(Several), "Another person is in the picture: ask them to step aside"},
	{bit(Blurred), "Picture blurred: clean the lens or focus the camera"},
	{bit(Glare), "Light reflects on the face or the glasses: turn the lamp a little"},
}

// darkAndMissing is the sentence where there is no face, and a reason for it.
const darkAndMissing = "Too dark to find a face: add light from the front"

// bit returns the index of a single bit.
func bit(m Mask) int {
	i := 0
	for m > 1 {
		m >>= 1
		i++
	}
	return i
}

// Watch turns masks frame by frame into one sentence for the experimenter, and
// keeps it steady: a fault is named when it has lasted for most of two seconds,
// and forgotten when it has gone. The zero value is ready for use. It is not
// safe for concurrent use.
type Watch struct {
	frames []seen // of the last watchWindow
	counts [bits + 1]int
	active [bits + 1]bool
}

// seen is one frame.
type seen struct {
	at    instant.Instant
	found bool
	mask  Mask
}

// Add takes the next frame's view and mask. After a pause as long as the window,
// or a step back in time, Watch begins afresh.
func (w *Watch) Add(at instant.Instant, found bool, m Mask) {
	if n := len(w.frames); n > 0 && (at < w.frames[n-1].at || at.Sub(w.frames[n-1].at) >= watchWindow) {
		*w = Watch{frames: w.frames[:0]}
	}
	w.frames = append(w.frames, seen{at, found, m})
	w.count(w.frames[len(w.frames)-1], 1)
	old := 0
	for at.Sub(w.frames[old].at) > watchWindow {
		w.count(w.frames[old], -1)
		old++
	}
	w.frames = append(w.frames[:0], w.frames[old:]...)
	if at.Sub(w.frames[0].at) >= fullWindow {
		w.judge()
	}
}

// count adds a frame to the counts, or takes it off.
func (w *Watch) count(f seen, by int) {
	if !f.found {
		w.counts[missing] += by
	}
	for i := range bits {
		if f.mask&(1<<i) != 0 {
			w.counts[i] += by
		}
	}
}

// judge raises and clears the faults.
func (w *Watch) judge() {
	all := len(w.frames)
	faces := all - w.counts[missing]
	for i := range w.active {
		of := all
		switch {
		case i == missing:
			// A face that is found now and then can be measured then.
			w.active[i] = w.counts[i] == all || w.active[i] && share(faces, all) < clearShare
			continue
		case i != bit(TooDark) && i != bit(Several): // these are seen without a face too
			if of = faces; share(faces, all) < judgeable {
				w.active[i] = false
				continue
			}
		}
		part := share(w.counts[i], of)
		w.active[i] = part >= raiseShare || w.active[i] && part >= clearShare
	}
}

func share(part, of int) float64 { return float64(part) / float64(of) }

// Worst returns what is worst now: a fault, or that no face is found. Of both the
// fault is why. 0 and false when all is well.
func (w *Watch) Worst() (fault Mask, noFace bool) {
	if w.active[missing] && w.active[bit(TooDark)] {
		return TooDark, true
	}
	for _, a := range advice {
		if !w.active[a.fault] {
			continue
		}
		if a.fault == missing {
			return 0, true
		}
		return 1 << a.fault, false
	}
	return 0, false
}

// Advice returns what is worst now in one plain sentence that says what to do;
// "" when all is well.
func (w *Watch) Advice() string {
	if w.active[missing] && w.active[bit(TooDark)] {
		return darkAndMissing
	}
	for _, a := range advice {
		if w.active[a.fault] {
			return a.text
		}
	}
	return ""
}
