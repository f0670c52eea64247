package session

import (
	"errors"
	"slices"
	"testing"
	"time"

	"emolab/fusion/usable"
	"emolab/studies/study"
)

// twoClips is a study of two clips, each of which can be shown again. Its plan is clip 1,
// clip 2, the end of the block, clip 1 again, clip 2 again.
var twoClips = &study.Study{
	ID: "s", Stimuli: []study.Stimulus{{ID: "a", Duration: time.Second}, {ID: "b", Duration: time.Second}},
	Rules: study.Rules{Reshow: .5, NeedsGaze: true},
	Flow:  []study.Part{{Block: &study.BlockPart{Name: "main", Trial: []study.TrialPart{{Action: study.Play}}}}},
}

// atStep waits until a step is on the screen.
func (b *bench) atStep(t *testing.T, step int) {
	t.Helper()
	b.until(t, "a step", func(s Status) bool { return s.Step == step })
}

// A clip can be asked for again from when it has come up until its block is over, and then
// it comes, and nothing else.
func TestAClipIsAskedForInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Study = twoClips })
	if err := b.ShowAgain(1); !errors.Is(err, ErrNotShownYet) {
		t.Errorf("without a session: %v", err)
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1", Override: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	b.atStep(t, 0)
	for _, presentation := range []int{2, 3, 4, 0, -1, 99} { // not shown yet, repeats, none
		if err := b.ShowAgain(presentation); !errors.Is(err, ErrNotShownYet) {
			t.Errorf("presentation %d: %v", presentation, err)
		}
	}
	for range 2 { // pressed twice
		if err := b.ShowAgain(1); err != nil {
			t.Error(err)
		}
	}
	b.screen.next <- struct{}{}
	b.atStep(t, 1)
	b.screen.next <- struct{}{}
	b.atStep(t, 3)
	if err := b.ShowAgain(2); !errors.Is(err, ErrNotShownYet) {
		t.Errorf("after its block: %v", err)
	}
	b.screen.next <- struct{}{}
	if out, err := b.Wait(t.Context()); err != nil || out.State != Sealed {
		t.Fatalf("%+v, %v", out, err)
	}
	tape := b.archive.find(id)
	if !slices.Equal(tape.steps, []int{0, 1, 2, 3}) || !slices.Equal(tape.again, []string{"1: somebody at the console asked for it"}) {
		t.Errorf("shown were the steps %v; asked for were %q", tape.steps, tape.again)
	}
}

// Who goes on with a session that was cut off is shown what was asked for before.
func TestWhatWasAskedForOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) { o.Study = twoClips })
	b.archive.sessions = append(b.archive.sessions, &tape{
		archive: b.archive, id: "cut", state: Recovered, plan: twoClips, steps: []int{0, 1}, asked: []int{1}, samples: map[string]int{},
	})
	if err := b.findRecovered(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Continue(t.Context(), "cut"); err != nil {
		t.Fatal(err)
	}
	b.atStep(t, 1)
	if err := b.ShowAgain(2); err != nil {
		t.Error(err)
	}
	for _, step := range []int{3, 4} {
		b.screen.next <- struct{}{}
		b.atStep(t, step)
	}
	b.screen.next <- struct{}{}
	if out, err := b.Wait(t.Context()); err != nil || out.State != Sealed {
		t.Fatalf("%+v, %v", out, err)
	}
	if tape := b.archive.find("cut"); !slices.Equal(tape.steps, []int{0, 1, 1, 2, 3, 4}) {
		t.Errorf("shown were the steps %v", tape.steps)
	}
}

// A session that goes on tells of what was shown before it was cut off, and offers that too,
// as long as its block is not over. What was cut off comes anew and tells of itself.
func TestWhatWasShownBeforeIsOffered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step   int
		offers []int
		told   []int
	}{
		"in the second clip": {1, []int{1, 2}, []int{1}},
		"in a repeat":        {3, nil, []int{1, 2}},
	} {
		b := newBench(t, func(o *Options) { o.Study = twoClips })
		second := func(n int) usable.Now {
			return usable.Now{Presentation: n, Lasted: time.Second, Over: true, Usable: map[usable.Modality]time.Duration{usable.Gaze: time.Second / 10}}
		}
		b.archive.sessions = append(b.archive.sessions, &tape{
			archive: b.archive, id: "cut", state: Recovered, plan: twoClips, steps: []int{0, c.step}, asked: []int{}, samples: map[string]int{},
			before: []usable.Now{second(1), second(2)},
		})
		if c.step == 3 {
			b.archive.sessions[0].asked = []int{1}
		}
		if err := b.Continue(t.Context(), "cut"); err != nil {
			t.Fatal(err)
		}
		b.atStep(t, c.step)
		s := b.until(t, name+": what is told", func(s Status) bool { return s.Live && len(s.Usable) == len(c.told) })
		for i, u := range s.Usable {
			if u.Presentation != c.told[i] || !u.Low || !u.Over || u.Seconds != 1 || u.Offer != slices.Contains(c.offers, u.Presentation) {
				t.Errorf("%s: told is %+v", name, u)
			}
		}
		for _, presentation := range []int{1, 2} {
			err := b.ShowAgain(presentation)
			if asked := c.step == 3 && presentation == 1; (err == nil) != (asked || slices.Contains(c.offers, presentation)) {
				t.Errorf("%s: presentation %d: %v", name, presentation, err)
			}
		}
		if c.offers != nil {
			if got := b.archive.find("cut").again; len(got) != 2 || got[0] != "1: gaze was measured for 10 % of its time" {
				t.Errorf("%s: kept is %q", name, got)
			}
		}
	}
}

// What is said of a clip: which of what the study needs is below its limit, once it is over.
func TestWhatIsSaidOfAClip(t *testing.T) {
	t.Parallel()
	now := func(good time.Duration, over bool) usable.Now {
		return usable.Now{Presentation: 1, Lasted: 10 * time.Second, Over: over,
			Usable: map[usable.Modality]time.Duration{usable.Gaze: good, usable.EDA: 0}}
	}
	for name, c := range map[string]struct {
		now usable.Now
		low bool
	}{
		"too little":        {now(4*time.Second, true), true},
		"just enough":       {now(5*time.Second, true), false}, // skin conductance is not needed
		"not over":          {now(time.Second, false), false},
		"no device for it":  {usable.Now{Presentation: 1, Lasted: 10 * time.Second, Over: true}, true},
		"never on the page": {usable.Now{Presentation: 1, Over: true}, true},
	} {
		b := newBench(t, func(o *Options) { o.Study = twoClips })
		cur := &run{plan: twoClips.Plan(0), usable: []usable.Now{c.now}, settled: -1, state: Recording, desk: newDesk(b.clock), shown: map[int]bool{1: true}}
		got := b.usable(cur)
		if len(got) != 1 || got[0].Low != c.low || !got[0].Offer || got[0].Asked || got[0].Stimulus != "a" {
			t.Errorf("%s: %+v", name, got)
		}
		cur.again = []int{1}
		if u := b.usable(cur)[0]; !u.Asked || u.Offer {
			t.Errorf("%s, asked for: %+v", name, u)
		}
		cur.shown[3] = true // the repeat
		if u := b.usable(cur)[0]; u.Asked || u.Offer {
			t.Errorf("%s, and shown again: %+v", name, u)
		}
		cur.shown[3], cur.ended = false, errStopped
		if u := b.usable(cur)[0]; u.Asked || u.Offer {
			t.Errorf("%s, and stopped: %+v", name, u)
		}
	}
	// What would not count in the sealed session is not passed over because the study has
	// only worse shown again.
	counts := *twoClips
	counts.Rules.UsableShare = .7
	for share, low := range map[time.Duration]bool{59: true, 71: false} {
		b := newBench(t, func(o *Options) { o.Study = &counts })
		cur := &run{plan: counts.Plan(0), usable: []usable.Now{now(share*time.Second/10, true)}, settled: -1, state: Recording, desk: newDesk(b.clock), shown: map[int]bool{1: true}}
		if u := b.usable(cur)[0]; u.Low != low {
			t.Errorf("%d %% where 70 count: %+v", share, u)
		}
	}
	u := UsableNow{Parts: []UsablePart{{Modality: "gaze", Share: .124, Needed: true}, {Modality: "face", Share: .6, Needed: true}, {Modality: "eda"}}}
	if why := u.missing(.5); why != "gaze was measured for 12 % of its time" {
		t.Errorf("what was missing is %q", why)
	}
}

// What was measured of somebody is withheld when nothing is recorded, unless they have
// been recorded and are still there.
func TestUsableSecondsAreWithheld(t *testing.T) {
	t.Parallel()
	for over, want := range map[bool]int{false: 0, true: 1} {
		s := Status{Over: over, Usable: []UsableNow{{}}}
		if s.withhold(); len(s.Usable) != want {
			t.Errorf("over %t: %d are told, want %d", over, len(s.Usable), want)
		}
	}
}
