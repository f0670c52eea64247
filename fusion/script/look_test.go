package script

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

const ms = time.Millisecond

// The eyes go to a target a reaction time after it came up, stay there, and go
// back to the script some time after it is gone.
func TestEyesFollowTheTarget(t *testing.T) {
	s := New(3)
	truth := NewTruth(s, 1e9)
	shown, gone := truth.Origin.Add(5*time.Second), truth.Origin.Add(7*time.Second)
	truth.Look(shown, .1, .9, true)
	truth.Look(gone, .1, .9, false)
	near := func(at instant.Instant, wantX, wantY, within float64, what string) {
		t.Helper()
		if x, y := truth.Gaze(at); math.Hypot(x-wantX, y-wantY) > within {
			t.Errorf("%s: the eyes are at %.3f %.3f, want %.3f %.3f", what, x, y, wantX, wantY)
		}
	}
	script := func(at instant.Instant) (x, y float64) { return s.Gaze(at.Sub(truth.Origin)) }
	for _, at := range []instant.Instant{shown - 1e9, shown, shown.Add(reaction), gone.Add(lingering + saccade), gone.Add(time.Minute)} {
		x, y := script(at)
		near(at, x, y, 0, "without a target")
	}
	for at := shown.Add(reaction + saccade); at < gone.Add(lingering); at = at.Add(17 * ms) {
		near(at, .1, .9, .001, "at the target")
	}
	record := truth.Record()
	for at, want := range map[instant.Instant]bool{
		shown.Add(reaction + saccade/2): true, shown.Add(reaction + saccade): false, gone: false, gone.Add(lingering + saccade/2): true,
	} {
		if record.Moving(at) != want {
			t.Errorf("%v after the target came up a saccade is under way: %v", at.Sub(shown), !want)
		}
	}
}

// One target after the other: the eyes do not look away between them.
func TestEyesGoFromTargetToTarget(t *testing.T) {
	truth := NewTruth(New(3), 0)
	const first, second = instant.Instant(10e9), instant.Instant(12e9)
	truth.Look(first, .1, .1, true)
	truth.Look(second.Add(-100*ms), .1, .1, false)
	truth.Look(second, .9, .9, true)
	for at := first.Add(reaction + saccade); at < second.Add(3*time.Second); at = at.Add(5 * ms) {
		x, y := truth.Gaze(at)
		if off := math.Abs(x-y) / math.Sqrt2; off > .002 {
			t.Fatalf("at %v the eyes are %.3f beside the line from one target to the other", at, off)
		}
	}
	if x, y := truth.Gaze(second.Add(3 * time.Second)); math.Hypot(x-.9, y-.9) > .002 {
		t.Errorf("they end at %.3f %.3f", x, y)
	}
}

// Whatever is shown whenever, and however late it is told: what a device was told
// stays true, the record says the same, and the eyes do not jump.
func TestTheRecordSaysWhatWasPlayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth := NewTruth(New(rapid.Uint64().Draw(t, "seed")), 0)
		type told struct {
			at   instant.Instant
			x, y float64
			us   float64
		}
		var all []told
		now := instant.Instant(time.Second)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(1, int64(700*ms)).Draw(t, "later")))
			at := now.Add(-time.Duration(rapid.Int64Range(0, int64(500*ms)).Draw(t, "late")))
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				truth.Look(at, rapid.Float64Range(0, 1).Draw(t, "x"), rapid.Float64Range(0, 1).Draw(t, "y"), rapid.Bool().Draw(t, "on"))
			case 1:
				truth.Breathe(at)
			default:
				x, y := truth.Gaze(now)
				all = append(all, told{now, x, y, truth.Conductance(now)})
			}
		}
		b, err := json.Marshal(truth.Record())
		if err != nil {
			t.Fatal(err)
		}
		var record Record
		if err := json.Unmarshal(b, &record); err != nil {
			t.Fatal(err)
		}
		for _, q := range all {
			if x, y := record.Gaze(q.at); x != q.x || y != q.y {
				t.Fatalf("at %v a device was told %v %v, the record has %v %v", q.at, q.x, q.y, x, y)
			}
			if us := truth.Conductance(q.at); us != q.us {
				t.Fatalf("at %v a device was told %v µS, now it is %v", q.at, q.us, us)
			}
		}
		// A saccade across the whole screen moves 1.5 / 40 ms at its fastest, along
		// the diagonal.
		const step = ms
		lastX, lastY := record.Gaze(0)
		for at := instant.Instant(step); at < now.Add(time.Second); at = at.Add(step) {
			x, y := record.Gaze(at)
			if d := math.Hypot(x-lastX, y-lastY); d > 3*1.5*float64(step)/float64(saccade) {
				t.Fatalf("the eyes jump by %.3f at %v", d, at)
			}
			lastX, lastY = x, y
		}
	})
}

func TestTrackerErrs(t *testing.T) {
	truth := NewTruth(New(3), 0)
	truth.Tracker = Tracker{OffsetX: .02, OffsetY: -.01, Stretch: .1, NoiseX: .003, NoiseY: .001}
	truth.Look(0, .9, .3, true)
	truth.Slip(20e9, .05, 0)
	r := rand.New(rand.NewPCG(1, 2))
	mean := func(from instant.Instant, noise float64) (x, y, sdX, sdY float64) {
		const n = 4000
		var xx, yy float64
		for i := range n {
			at := from.Add(time.Duration(i) * ms)
			ex, ey := truth.Gaze(at)
			sx, sy := truth.Tracked(at, noise, r)
			sx, sy = sx-ex, sy-ey
			x, y, xx, yy = x+sx/n, y+sy/n, xx+sx*sx/n, yy+sy*sy/n
		}
		return x, y, math.Sqrt(xx - x*x), math.Sqrt(yy - y*y)
	}
	check := func(what string, from instant.Instant, noise, wantX, wantY, wantSDX, wantSDY float64) {
		t.Helper()
		x, y, sdX, sdY := mean(from, noise)
		if math.Abs(x-wantX) > .0003 || math.Abs(y-wantY) > .0003 || math.Abs(sdX-wantSDX) > .0003 || math.Abs(sdY-wantSDY) > .0003 {
			t.Errorf("%s: off by %.4f %.4f, scattered by %.4f %.4f; want %v %v, %v %v", what, x, y, sdX, sdY, wantX, wantY, wantSDX, wantSDY)
		}
	}
	check("offset and stretch", 10e9, .02, .02+.1*.4, -.01-.1*.2, .003, .001)
	check("slipped", 20e9+1, .02, .07+.1*.4, -.01-.1*.2, .003, .001)
	if x, y := truth.Record().Slipped(10e9, 21e9); x != .05 || y != 0 {
		t.Errorf("slipped by %v %v", x, y)
	}
	if x, _ := truth.Record().Slipped(21e9, 30e9); x != 0 {
		t.Errorf("slipped by %v after it had slipped", x)
	}
	truth.Tracker.NoiseX, truth.Tracker.NoiseY = 0, 0
	check("the device's own noise", 10e9, .005, .02+.1*.4, -.01-.1*.2, .005, .005)
}

func TestDeepBreath(t *testing.T) {
	truth := NewTruth(New(3), 0)
	const cue = instant.Instant(10e9)
	// Asked in the middle of a response, and just before another, which is withheld.
	truth.Script().Responses = []Response{{Onset: 9 * time.Second, AmplitudeUS: 1}, {Onset: 10500 * ms, AmplitudeUS: .8}, {Onset: 21 * time.Second, AmplitudeUS: .5}}
	quiet := *truth.Script()
	quiet.Responses = []Response{truth.Script().Responses[0], truth.Script().Responses[2]}
	added := func(at instant.Instant) float64 { return truth.Conductance(at) - quiet.Conductance(at.Sub(0)) }
	if added(cue) != 0 {
		t.Error("the skin responds before it was asked to")
	}
	truth.Breathe(cue)
	// A later breath leaves what was as it was.
	defer func() {
		before := truth.Conductance(cue.Add(15 * time.Second))
		truth.Breathe(cue.Add(16 * time.Second))
		if after := truth.Conductance(cue.Add(15 * time.Second)); after != before {
			t.Errorf("a second breath changed the past: %v, was %v", after, before)
		}
		if late := added(cue.Add(19 * time.Second)); late < .3 || late > .7 {
			t.Errorf("a second breath adds %v µS after three seconds", late)
		}
	}()
	peak := 0.
	for at := cue; at < cue.Add(10*time.Second); at = at.Add(10 * ms) {
		peak = max(peak, added(at))
	}
	if peak < .55 || peak > .65 || added(cue.Add(time.Second)) != 0 || added(cue.Add(3*time.Second)) < .3 {
		t.Errorf("a response of %.2f µS, %.2f after a second, %.2f after three", peak, added(cue.Add(time.Second)), added(cue.Add(3*time.Second)))
	}
	// It counts as scripted.
	r := truth.Record()
	from, until := cue.Add(time.Second), cue.Add(6*time.Second)
	if got, want := r.Responses(from, until, []instant.Instant{r.Breaths[0].Onset.Add(300 * ms)}), (ResponseScore{1, 1, 0}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
