package eyemovement

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// LiveOptions are the parameters of Live. A zero field has the value of
// Tobii2012; Rate is the tracker's nominal rate in Hz, 0 stands for liveRate.
type LiveOptions struct {
	Rate          float64
	MaxGap        time.Duration
	Window        time.Duration
	ThresholdDegS float64
	MinFixation   time.Duration
}

const (
	// liveRate in Hz is that of most trackers below the laboratory's.
	liveRate = 60
	// maxPending is how many missing samples are held until it is known whether
	// their gap is bridged, and maxHalf how many samples the velocity's window may
	// have on one side: 75 ms and 20 ms at more than 50 kHz. Stamps of a damaged
	// device must not ask for more memory.
	maxPending = 4096
	maxHalf    = 512
)

// IVT returns the options with which IVT finds, in the finished recording, the
// very events that Live found.
func (o LiveOptions) IVT() IVTOptions {
	if !(o.Rate > 0) {
		o.Rate = liveRate
	}
	return IVTOptions{
		Rate: o.Rate, MaxGap: o.MaxGap, Window: o.Window, ThresholdDegS: o.ThresholdDegS,
		MinFixation: o.MinFixation, MergeGap: Off,
	}.withDefaults()
}

// Live finds fixations and saccades while the recording runs, by I-VT without
// merging: whether two fixations are one shows only when the second has ended.
// The work per sample is constant. Not for concurrent use.
type Live struct {
	screen   Screen
	options  IVTOptions
	interval time.Duration
	half     int
	limit    time.Duration // longer steps between stamps are breaks

	pending []instant.Instant // stamps of missing samples that may yet be bridged
	before  sample            // latest sample that is there; not valid at first
	latest  instant.Instant   // stamp of the latest sample, pending or not
	any     bool

	window []settled // the latest 2*half+1 samples, at their index modulo that
	n      int       // samples settled
	done   int       // samples sorted into runs

	class   Class
	current accumulator
	events  []Event // found since the last Add
}

// settled is a sample whose place is final, and how many breaks came before it.
type settled struct {
	sample
	breaks int
}

// NewLive returns a Live for gaze on that screen. On a screen that is not valid
// it finds nothing.
func NewLive(s Screen, o LiveOptions) *Live {
	options := o.IVT()
	dt := interval(Gaze{}, options.Rate)
	half := min(halfWindow(options.Window, dt), maxHalf)
	return &Live{
		screen: s, options: options, interval: dt, half: half, limit: breakLimit(options.MaxGap, dt),
		before: missing(0), window: make([]settled, 2*half+1), current: accumulator{screen: s},
	}
}

// Delay is how long after its last sample an event is told at the latest, as
// long as samples, be they missing, come at the nominal rate: half a window, the
// longest gap that may yet be bridged, and a sample for the ends of both.
func (l *Live) Delay() time.Duration {
	return max(l.options.MaxGap, 0) + time.Duration(l.half+2)*l.interval
}

// Add takes the next sample, in fractions of the screen (NaN is missing), and
// returns the fixations and saccades that have ended and are now certain. A
// sample that is not later than the one before is left out, and has no index.
func (l *Live) Add(at instant.Instant, x, y float64) []Event {
	if !l.screen.Valid() || l.any && at <= l.latest {
		return nil
	}
	l.any, l.latest = true, at
	p := sample{at, x, y}
	switch {
	case p.valid():
		l.endGap(p)
		l.settle(p)
		l.before = p
	case !l.before.valid() || at.Sub(l.before.at) > l.options.MaxGap || len(l.pending) == maxPending:
		l.loseGap()
		l.before = missing(0) // nothing is bridged from there any more
		l.settle(missing(at))
	default:
		l.pending = append(l.pending, at)
	}
	return l.take()
}

// Flush ends the recording: it returns the events that were still open. Add
// may not be called after it.
func (l *Live) Flush() []Event {
	l.loseGap()
	for l.done < l.n {
		l.sort(l.done, l.n-1)
	}
	l.close(0)
	return l.take()
}

// Ongoing returns the fixation that is going on, as far as it is certain, once
// it has lasted long enough to be one.
func (l *Live) Ongoing() (Event, bool) {
	if l.class != Fixation || l.current.until.Sub(l.current.from)+l.interval < l.options.MinFixation {
		return Event{}, false
	}
	return l.current.event(Fixation, l.interval), true
}

func (l *Live) take() []Event {
	events := l.events
	l.events = nil
	return events
}

// endGap settles the missing samples before p, bridged if the gap is short.
func (l *Live) endGap(p sample) {
	if !l.before.valid() || p.at.Sub(l.before.at) > l.options.MaxGap {
		l.loseGap()
		return
	}
	for _, at := range l.pending {
		l.settle(on(l.before, p, at))
	}
	l.pending = l.pending[:0]
}

// loseGap settles the missing samples as missing.
func (l *Live) loseGap() {
	for _, at := range l.pending {
		l.settle(missing(at))
	}
	l.pending = l.pending[:0]
}

func (l *Live) at(i int) *settled { return &l.window[i%len(l.window)] }

// settle takes a sample whose place is final, and sorts the one whose window
// that completes.
func (l *Live) settle(p sample) {
	s := settled{sample: p}
	if l.n > 0 {
		last := l.at(l.n - 1)
		s.breaks = last.breaks
		if p.at.Sub(last.at) > l.limit {
			s.breaks++
		}
	}
	*l.at(l.n) = s
	l.n++
	if l.n > l.half {
		l.sort(l.done, l.n-1)
	}
}

// sort puts sample i into a run; the window ends with sample b at the latest.
func (l *Live) sort(i, b int) {
	p, first, last := l.at(i), l.at(max(0, i-l.half)), l.at(min(i+l.half, b))
	speed := math.NaN()
	if p.valid() && first.breaks == last.breaks {
		speed = speedBetween(first.sample, last.sample, l.screen)
	}
	class := byThreshold(speed, l.options.ThresholdDegS)
	if i == 0 {
		l.open(i, class)
	} else if before := l.at(i - 1); class != l.class || p.breaks != before.breaks {
		l.close(p.at.Sub(before.at))
		l.open(i, class)
	}
	l.current.add(p.at, p.x, p.y, speed)
	l.done = i + 1
}

func (l *Live) open(i int, c Class) {
	l.class = c
	l.current.begin(i, l.at(i).at)
}

// close ends the run; next is the time from its last sample to the one after it,
// 0 if none is known.
func (l *Live) close(next time.Duration) {
	lasted := l.current.until.Sub(l.current.from) + l.interval
	if l.done > 0 && (l.class == Saccade || l.class == Fixation && lasted >= l.options.MinFixation) {
		dt := l.interval
		if next > 0 {
			dt = min(dt, next)
		}
		l.events = append(l.events, l.current.event(l.class, dt))
	}
	l.class = Undefined
}
