package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"emolab/calibration/latency"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// What the light loop must hold to: budgets on a machine that is idle but for the
// test; and limits on a busy one, where the browser itself tells of frames that come
// later or never.
const (
	// onsetBudget is for the p95 of the error of corrected onsets: half a refresh at
	// 60 Hz. Seen are 1.5 to 5 ms, by how evenly the host of a virtual machine lets it
	// run, which no counter of load tells.
	onsetBudget = time.Second / 120
	onsetBusy   = 100 * time.Millisecond
	// firstBudget is for the clip's first frame, a refresh of a usual screen: the page
	// uncovers it itself, and without a vertical synchronisation what a page draws takes some
	// milliseconds longer than a frame of a video. It is one frame only: seen are 2 to 10 ms.
	firstBudget = time.Second / 60
	frameBudget = .999 // share of the displayed frames that are told rightly
	frameBusy   = .9
	// Shares of the clip's onsets, and of its frames, that must be judged at all. On a
	// busy machine a bound may be as wide as a frame, so that none can be judged.
	enoughEdges, enoughEdgesBusy = .9, .5
	enoughFrames                 = .8
	// onsetsInside is the share of the onset errors inside the stated bounds. It is
	// not more because the bound itself is estimated from 64 deviations, of which
	// one in 65 of the next is beyond the largest.
	onsetsInside = .9
	// boundsTrue is the share of frames that must be on the screen for all the time
	// that is farther from its ends than the bounds, each of which is true for 99 %.
	boundsTrue = .98

	// nearEdge is how far from a stated onset its light is looked for: less than the
	// shortest time of 200 ms that the patch stays as it is.
	nearEdge = 150 * time.Millisecond
	// aFrame is how long a frame of the clip is up.
	aFrame = time.Second / study.FlashRate
	// judgeable is the least time, apart from the bounds at both ends, for which a
	// frame must be said to be up to be judged: some looks.
	judgeable = 2 * time.Millisecond
)

// proof is a sealed session of the flash study beside what was seen of it.
type proof struct {
	info  stream.Info        // of the stimulus stream
	shown []stimulus.Showing // as the file says
	light []latency.Edge     // by the photodiode
	seen  *watcher
}

// readProof reads the only session of a data folder.
func readProof(t *testing.T, data string, seen *watcher) proof {
	t.Helper()
	p := proof{seen: seen}
	s, id := onlySession(t, data)
	detail, err := s.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, told := range detail.Segments[0].Streams {
		switch told.Kind {
		case stream.Stimulus:
			p.info = told.Info
		case stream.Light:
			var samples []stream.Sample
			for row, err := range s.Samples(t.Context(), id, told.ID) {
				if err != nil {
					t.Fatal(err)
				}
				samples = append(samples, row.Sample)
			}
			p.light = lightEdges(told.Info, samples)
		}
	}
	for row, err := range s.Displayed(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		p.shown = append(p.shown, row.Showing)
	}
	return p
}

// check holds the session against its budgets.
func (p proof) check(t *testing.T, l load) {
	t.Helper()
	if len(p.seen.late) == 0 {
		t.Fatal("nothing was watched")
	}
	slices.Sort(p.seen.late)
	t.Logf("watched %d times, at most %v after the time before for 99 %%, %v for all; the machine stood still %d times", len(p.seen.late)+1,
		watchEvery+p.seen.late[len(p.seen.late)*99/100], watchEvery+p.seen.late[len(p.seen.late)-1], len(p.seen.stalls))
	onset, edges, frames := onsetBudget, enoughEdges, frameBudget
	if !l.idle() {
		onset, edges, frames = onsetBusy, enoughEdgesBusy, frameBusy
		t.Logf("others keep this machine busy: the budgets of %v and %.1f %% are not asked for, but %v and %.1f %%", onsetBudget, 100*frameBudget, onset, 100*frames)
	}

	o := p.onsets()
	t.Log(o)
	if off, _ := p95(o.misses); off > onset || len(o.misses) == 0 {
		t.Errorf("95 of 100 onsets are within %v of their light, want %v", off, onset)
	}
	if float64(len(o.misses)) < edges*float64(len(study.FlashTable())-o.stalled) {
		t.Errorf("%d onsets are judged, of %d in the clip", len(o.misses), len(study.FlashTable()))
	}
	if l.idle() && float64(o.inside) < onsetsInside*float64(len(o.misses)) {
		t.Errorf("%d of %d onset errors are inside the stated bound", o.inside, len(o.misses))
	}

	first, ok := p.first()
	t.Logf("the clip's first frame: seen %v later than told, within %v; the machine stood still then: %t", first.late, first.bound, first.stalled)
	if most := max(onset, firstBudget); !ok || !first.stalled && first.late.Abs() > most {
		t.Errorf("the clip's first frame was seen %v later than told (%t), want %v", first.late, ok, most)
	}

	i := p.identity()
	t.Log(i)
	for _, e := range i.examples {
		t.Log(e)
	}
	if float64(i.right) < frames*float64(i.right+i.wrong) {
		t.Errorf("%d of %d frames were what the session says, want %.1f %%", i.right, i.right+i.wrong, 100*frames)
	}
	if l.idle() && float64(i.throughout) < boundsTrue*float64(i.right) {
		t.Errorf("%d of %d frames were on the screen for all of their time between the bounds, want %.0f %%", i.throughout, i.right, 100*boundsTrue)
	}
	if float64(i.unseen) > (1-frames)*float64(i.told) || i.told == 0 {
		t.Errorf("of %d frames that the session tells, %d were never seen", i.told, i.unseen)
	}
	if float64(i.unknown) > (1-frames)*float64(i.seen) {
		t.Errorf("of %d frames that were seen, the session neither tells nor counts %d", i.seen, i.unknown)
	}
	if l.idle() && float64(i.right+i.wrong) < enoughFrames*study.FlashFrames {
		t.Errorf("only %d frames could be judged, of %d in the clip", i.right+i.wrong, study.FlashFrames)
	}
}

// onsetProof is the stated changes of the patch beside the light's.
type onsetProof struct {
	stated, edges int
	misses        []time.Duration // |light - stated|
	mean          time.Duration   // of the signed misses
	inside        int             // of misses, those in the stated bounds
	stalled       int             // of stated, those around which the machine stood still
}

func (o onsetProof) String() string {
	most95, most := p95(o.misses)
	return fmt.Sprintf("onsets: %d stated, around %d the machine stood still, %d edges of light, %d pairs; light is %v later on average, off by %v for 95 of 100, by %v at most; %d inside their bounds",
		o.stated, o.stalled, o.edges, len(o.misses), o.mean, most95, most, o.inside)
}

// onsets finds the light of each stated change.
func (p proof) onsets() onsetProof {
	o := onsetProof{edges: len(p.light)}
	for i := 1; i < len(p.shown); i++ {
		a, b := p.shown[i-1], p.shown[i]
		if !a.Known || !b.Known || a.Presentation == 0 || b.Presentation != a.Presentation || study.FlashBright(a.Frame) == study.FlashBright(b.Frame) {
			continue
		}
		o.stated++
		if p.seen.stalled(b.From.Add(-aFrame), b.From.Add(aFrame)) {
			o.stalled++
			continue
		}
		best := latency.Edge{At: b.From.Add(2 * nearEdge)}
		for _, e := range p.light {
			if e.Bright == study.FlashBright(b.Frame) && e.At.Sub(b.From).Abs() < best.At.Sub(b.From).Abs() {
				best = e
			}
		}
		late := best.At.Sub(b.From)
		if late.Abs() > nearEdge {
			continue
		}
		o.misses = append(o.misses, late.Abs())
		o.mean += late
		if late.Abs() <= b.Err+best.Err {
			o.inside++
		}
	}
	o.mean /= time.Duration(max(1, len(o.misses)))
	return o
}

// identityProof is which frames the session tells beside those that were seen.
type identityProof struct {
	told                int // displayed frames that the session tells
	skipped, unreported int64
	right, wrong        int // of told, those that were on the screen in the middle of their time, or not
	throughout          int // of right, those that were on the screen for all of their time between the bounds
	stalled             int // of told, those around which the machine stood still
	unjudged            int // of told, those whose time between the bounds is too short, or was not watched
	unseen              int // of told, those that were not seen at all, although nothing stood still
	seen                int // frames that were seen
	unknown             int // of seen, those that are neither told nor counted as unreported

	examples []string // a few of wrong, in words
}

func (i identityProof) String() string {
	return fmt.Sprintf("frames: %d told, %d skipped, %d unreported; %d were on the screen as told (%d for all the time between the bounds), %d were not, %d cannot be judged, around %d the machine stood still, %d were never seen; %d were seen, of which %d are neither told nor counted",
		i.told, i.skipped, i.unreported, i.right, i.throughout, i.wrong, i.unjudged, i.stalled, i.unseen, i.seen, i.unknown)
}

// identity compares each frame with what was on the screen between the bounds of
// its two ends, and every frame that was on the screen with what is told.
func (p proof) identity() identityProof {
	var i identityProof
	told, around := map[int]bool{}, map[int]bool{} // around: where the machine stood still
	uncounted := map[int]int64{}                   // by the frame before which they were displayed
	for n, s := range p.shown {
		if s.Presentation == 0 {
			continue
		}
		i.skipped += s.Skipped
		i.unreported += s.Unreported
		if !s.Known {
			continue
		}
		i.told++
		told[int(s.Frame)] = true
		uncounted[int(s.Frame)] = s.Unreported
		from, until := s.From.Add(s.Err), s.Until
		if n+1 < len(p.shown) {
			until = until.Add(-p.shown[n+1].Err)
		}
		another := func(frame int) bool { return frame != int(s.Frame) }
		middle := from.Add(until.Sub(from) / 2)
		saw := p.seen.during(middle, middle)
		switch {
		case p.seen.stalled(s.From.Add(-aFrame), s.Until.Add(aFrame)):
			i.stalled++
			around[int(s.Frame)] = true
		case until.Sub(from) < judgeable || len(saw) == 0:
			i.unjudged++
		case slices.ContainsFunc(saw, another):
			i.wrong++
			if len(i.examples) < 3 {
				i.examples = append(i.examples, fmt.Sprintf("frame %d was told from %v to %v, and seen were %s", s.Frame, s.From.Sub(p.shown[0].From), s.Until.Sub(p.shown[0].From), p.seen.words(s, p.shown[0].From)))
			}
		default:
			i.right++
			if !slices.ContainsFunc(p.seen.during(from, until), another) {
				i.throughout++
			}
		}
	}
	seen := map[int]bool{}
	for _, s := range p.seen.sights {
		if s.frame >= 0 && s.until > s.from {
			seen[s.frame] = true
		}
	}
	i.seen = len(seen)
	for frame := range told {
		if !seen[frame] && !around[frame] {
			i.unseen++
		}
	}
	for frame := range seen {
		if told[frame] {
			continue
		}
		next := frame + 1
		for next < study.FlashFrames && !told[next] {
			next++
		}
		if uncounted[next] > 0 {
			uncounted[next]--
		} else {
			i.unknown++
		}
	}
	return i
}

// firstFrame is how much later than told the first frame of the clip was seen: what an
// analysis takes for the onset of the stimulus.
type firstFrame struct {
	late, bound time.Duration
	stalled     bool // the machine stood still then
}

func (p proof) first() (f firstFrame, ok bool) {
	i := slices.IndexFunc(p.shown, func(s stimulus.Showing) bool { return s.Known && s.Presentation > 0 })
	if i < 0 {
		return f, false
	}
	told := p.shown[i]
	k := slices.IndexFunc(p.seen.sights, func(v sight) bool { return v.frame == int(told.Frame) })
	if k < 0 {
		return f, false
	}
	at := p.seen.sights[k].from
	return firstFrame{at.Sub(told.From), told.Err, p.seen.stalled(told.From.Add(-aFrame), max(told.From, at).Add(aFrame))}, true
}
