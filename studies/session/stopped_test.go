package session

import (
	"context"
	"errors"
	"sync"
	"testing"

	"emolab/studies/study"
)

const drill = "stopped by the operator: fire drill"

// stop lets the operator stop, and waits for the answer.
func (g *guest) stop(t *testing.T) {
	t.Helper()
	if err := g.Stop(t.Context(), "fire drill"); err != nil {
		t.Fatal(err)
	}
}

// Who has agreed gets the code, whoever ends the session, and is asked what becomes of
// what was recorded.
func TestWhoIsStoppedGetsWhatWasPromised(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goes   func(*testing.T, *guest)
		first  string // page
		keeps  string // on it; "" = nothing is asked
		state  State
		reason string
	}{
		"answers": {func(t *testing.T, g *guest) {
			g.says(nil)
			g.says(study.Answers{Traces: study.Yes})
			g.at(t, "screening")
		}, leftSheet, "", Declined, drill},
		"waits": {func(t *testing.T, g *guest) {
			g.admitted(study.Yes)
			g.until(t, "the wait", func(s Status) bool { return s.Ready })
		}, leftSheet, "", Declined, drill},
		"is recorded, and keeps":   {func(t *testing.T, g *guest) { g.filmed(t) }, leaveSheet, "keep", Sealed, drill},
		"is recorded, and deletes": {func(t *testing.T, g *guest) { g.filmed(t) }, leaveSheet, study.LeaveDelete, Withdrawn, whyWithdrawn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			c.goes(t, g)
			recorded := g.Status().State == Recording
			g.stop(t)
			if s := g.Status(); !s.Stopped || s.Over != recorded || s.Live || s.Video || g.filming() {
				t.Errorf("after the stop: %+v, filming %t", s, g.filming())
			}
			if err := g.Begin(Beginning{}); !errors.Is(err, ErrNotReady) {
				t.Errorf("begun after the stop: %v", err)
			}
			g.at(t, c.first)
			g.beats(t, 2)
			last := leftSheet
			if c.keeps != "" {
				g.says(study.Answers{study.LeaveKey: c.keeps})
				if c.keeps == study.LeaveDelete {
					last = withdrawnSheet
				}
			}
			g.at(t, last)
			g.says(nil)
			if last == leftSheet { // the screen has asked for it before it takes an answer
				if r, _ := g.screen.receipt.Load().(Receipt); r.Code != "K7QM-2RXA" {
					t.Errorf("receipt %+v", r)
				}
			}
			if out := waitFor(t, g.bench); out.State != c.state || out.Reason != c.reason || out.Error != "" {
				t.Errorf("outcome %+v", out)
			}
			if n := g.tape.samples["eda"]; n != 0 {
				t.Errorf("%d samples of after the stop are kept", n)
			}
		})
	}
}

// A second Stop closes the last pages, and so does the end of the program.
func TestTheLastPagesAreClosed(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]func(*testing.T, *guest){
		"by a second stop": func(t *testing.T, g *guest) { g.stop(t) },
		"by the end":       func(_ *testing.T, g *guest) { g.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			g.filmed(t)
			g.stop(t)
			g.at(t, leaveSheet)
			closes(t, g)
			if s := g.Status(); s.State != "" || s.LastOutcome.State != Sealed || s.LastOutcome.Reason != drill {
				t.Errorf("state %q, outcome %+v", s.State, s.LastOutcome)
			}
		})
	}
}

// Whatever comes while the film of who was stopped is being closed, its files are noted and
// the reason is the first.
func TestAStopIsFinishedFirst(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*guest) error{
		"another stop": func(g *guest) error { return g.Stop(context.Background(), "at once") },
		"the end":      func(g *guest) error { g.Close(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			g.filmed(t)
			hold := make(chan struct{})
			g.archive.mu.Lock()
			g.reel.hold = hold
			g.archive.mu.Unlock()
			over := make(chan error, 2)
			go func() { over <- g.Stop(context.Background(), "fire drill") }()
			g.until(t, "the stop", func(s Status) bool { return s.Stopped })
			go func() { over <- then(g) }()
			g.until(t, "what comes then", func(s Status) bool { return s.Busy != "" || s.State == "" })
			close(hold)
			for range 2 {
				if err := <-over; err != nil {
					t.Error(err)
				}
			}
			if out := waitFor(t, g.bench); out.State != Sealed || out.Reason != drill || out.Error != "" {
				t.Errorf("outcome %+v", out)
			}
			if n := len(g.tape.videos); n != 2 {
				t.Errorf("%d files of video are noted, there are 2", n)
			}
		})
	}
}

// To whom nothing was promised, or nothing can be shown, no pages are due.
func TestNoPagesAreDue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goes   func(*testing.T, *guest)
		state  State
		reason string
	}{
		"has agreed to nothing": {func(_ *testing.T, g *guest) { g.says(nil) }, Declined, drill},
		"does not take part": {func(t *testing.T, g *guest) {
			g.says(nil)
			g.screen.answers <- Answer{Declined: true}
			g.at(t, "exit.consent")
		}, Declined, "consent"},
		"has the receipt":      {func(t *testing.T, g *guest) { g.filmed(t); g.screen.next <- struct{}{}; g.at(t, "receipt") }, Sealed, drill},
		"has closed the page":  {func(t *testing.T, g *guest) { g.filmed(t); g.screen.gone.Store(true) }, Sealed, drill},
		"is led out elsewhere": {func(t *testing.T, g *guest) { g.filmed(t); g.screen.left <- struct{}{}; g.at(t, leaveSheet) }, Sealed, whyStopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			c.goes(t, g)
			g.stop(t)
			if s := g.Status(); s.State != "" || s.LastOutcome.State != c.state || s.LastOutcome.Reason != c.reason {
				t.Errorf("state %q, outcome %+v", s.State, s.LastOutcome)
			}
		})
	}
}

// Begin and Stop in one moment: what was promised is given all the same.
func TestBegunAndLedOutAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		g := newGuest(t)
		g.admitted(study.Yes)
		g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
		if err := g.Begin(Beginning{Confirm: "P1"}); err != nil {
			t.Fatal(err)
		}
		g.stop(t)
		s := g.until(t, "the last pages", func(s Status) bool { return s.Step >= 0 && s.Plan.Steps[s.Step].Aside })
		if s.Live || s.Video || g.filming() {
			t.Fatalf("on the last pages: %+v", s)
		}
		if s.Plan.Steps[s.Step].Sheet == leaveSheet {
			g.says(study.Answers{study.LeaveKey: "keep"})
		}
		g.says(nil)
		if out := waitFor(t, g.bench); out.Reason != drill || out.Error != "" {
			t.Fatalf("outcome %+v", out)
		}
	}
}

// Who was recorded reads what the study was about before they are asked, and may pass over
// it.
func TestWhoIsStoppedIsDebriefed(t *testing.T) {
	t.Parallel()
	st := *invited
	st.Sheets = append([]study.Sheet{{ID: "debrief", Kind: study.DebriefSheet}}, st.Sheets...)
	st.Flow = []study.Part{st.Flow[0], st.Flow[1], st.Flow[2], {Sheets: []string{"debrief", "receipt"}}}
	for name, goesOn := range map[string]func(*guest){
		"reads":   func(g *guest) { g.says(nil) },
		"escapes": func(g *guest) { g.screen.left <- struct{}{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t, func(o *Options) { o.Study = &st })
			g.filmed(t)
			g.stop(t)
			g.at(t, "debrief")
			goesOn(g)
			g.at(t, leaveSheet)
			g.says(study.Answers{study.LeaveKey: "keep"})
			g.at(t, leftSheet)
			g.says(nil)
			if out := waitFor(t, g.bench); out.State != Sealed || out.Reason != drill {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// Of who does not agree no more is kept than that.
func TestLittleIsKeptOfWhoDeclines(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.says(nil)
	g.screen.answers <- Answer{Declined: true}
	g.at(t, refusedSheet)
	g.says(nil)
	if out := waitFor(t, g.bench); out.State != Declined {
		t.Errorf("outcome %+v", out)
	}
	if len(g.tape.answers) != 0 || g.tape.hash != "" || len(g.tape.steps) != 2 {
		t.Errorf("kept: answers %+v, code %q, steps %v", g.tape.answers, g.tape.hash, g.tape.steps)
	}
}

// That somebody has stopped a session is kept before the participant is led anywhere: a
// program that is killed then leaves no session that goes on as if nobody had.
func TestAStopIsKeptAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goes func(*testing.T, *guest)
		want string
	}{
		"before the recording": {func(t *testing.T, g *guest) {
			g.admitted(study.Yes)
			g.until(t, "the wait", func(s Status) bool { return s.Ready })
		}, drill},
		"in it":                   {func(t *testing.T, g *guest) { g.filmed(t) }, drill},
		"that the plan has ended": {func(t *testing.T, g *guest) { g.filmed(t); g.screen.next <- struct{}{}; g.at(t, "receipt") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			c.goes(t, g)
			if c.want == "" { // and a page that is read on
				g.archive.mu.Lock()
				defer g.archive.mu.Unlock()
				if g.tape.reason != "" {
					t.Errorf("nobody has stopped it, and kept is %q", g.tape.reason)
				}
				return
			}
			g.stop(t)
			g.archive.mu.Lock()
			defer g.archive.mu.Unlock()
			if g.tape.reason != c.want || g.tape.state == Sealed || g.tape.state == Declined {
				t.Errorf("on the last pages it is kept as %s, %q", g.tape.state, g.tape.reason)
			}
		})
	}
}

// A recording that ends at once says why before it is closed.
func TestAStopAtOnceIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.screen.answers <- yes
	b.until(t, "the film", func(s Status) bool { return s.Live && s.Video })
	hold := make(chan struct{}) // it is not closed before the film has ended
	resume := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(resume)
	b.archive.mu.Lock()
	b.reel.hold = hold
	b.archive.mu.Unlock()
	cur, cut := b.end(errors.New(drill))
	if !cut || cur.id != id {
		t.Fatalf("ended %+v, cut %t", cur, cut)
	}
	cur.keepStop(errors.New(drill))
	tape := b.archive.find(id)
	b.archive.mu.Lock()
	kept, state := tape.reason, tape.state
	b.archive.mu.Unlock()
	resume()
	if kept != drill || state != Recording {
		t.Errorf("kept as %s, %q", state, kept)
	}
	if out := waitFor(t, b); out.State != Sealed || out.Reason != drill {
		t.Errorf("outcome %+v", out)
	}
	if _, cut := b.end(errors.New(drill)); cut {
		t.Error("a recording was ended that there is not")
	}
}

// A session that the operator had stopped, and that was cut off before it was closed, leads
// to what is still due to the participant, and records nobody.
func TestWhatWasStoppedIsLedOut(t *testing.T) {
	t.Parallel()
	st := *invited
	st.Sheets = append([]study.Sheet{{ID: "debrief", Kind: study.DebriefSheet}}, st.Sheets...)
	st.Flow = []study.Part{st.Flow[0], st.Flow[1], st.Flow[2], {Sheets: []string{"debrief", "receipt"}}}
	at := func(is func(study.Step) bool) int {
		for _, step := range st.Plan(0).Steps {
			if is(step) {
				return step.Index
			}
		}
		t.Fatal("the plan has no such step")
		return 0
	}
	sheet := func(id string) int { return at(func(s study.Step) bool { return s.Sheet == id }) }
	clip := at(func(s study.Step) bool { return s.Action == study.Play })
	yes := []Consent{{Scope: Notice, Granted: true}, {Scope: Traces, Granted: true}, {Scope: FaceVideo, Granted: true}}
	for name, c := range map[string]struct {
		step     int
		consents []Consent
		recorded bool
		pages    []string
		state    State
	}{
		"in a clip":                        {clip, yes, true, []string{"debrief", leaveSheet, leftSheet}, Sealed},
		"on the debrief":                   {sheet("debrief"), yes, true, []string{"debrief", leaveSheet, leftSheet}, Sealed},
		"when asked about the data":        {sheet(leaveSheet), yes, true, []string{leaveSheet, leftSheet}, Sealed},
		"on the receipt":                   {sheet(leftSheet), yes, true, []string{leftSheet}, Sealed},
		"before the recording":             {sheet("screening"), yes, false, []string{leftSheet}, Declined},
		"before anything was agreed to":    {sheet("notice"), nil, false, nil, Declined},
		"recorded, and nothing agreed to ": {clip, nil, true, nil, Sealed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guest{rubber: &rubber{}, id: "cut"}
			g.bench = newBench(t, func(o *Options) {
				o.Study, o.Codes, o.Eraser = &st, mint{}, g.rubber
				m := o.Archive.(*memory)
				g.rubber.archive = m
				g.tape = &tape{archive: m, id: g.id, participant: "P1", state: Recovered, reason: drill, plan: &st,
					steps: []int{c.step}, consents: c.consents, recorded: c.recorded, samples: map[string]int{}}
				m.sessions = []*tape{g.tape}
			})
			if err := g.Continue(t.Context(), g.id); err != nil {
				t.Fatal(err)
			}
			for _, page := range c.pages {
				if s := g.at(t, page); !s.Stopped || s.Live || s.Video {
					t.Errorf("on %s: %+v", page, s)
				}
				g.beats(t, 1)
				switch page {
				case leaveSheet:
					g.says(study.Answers{study.LeaveKey: "keep"})
				case leftSheet:
					g.says(nil) // which the screen takes after it has asked for the receipt
					if r, _ := g.screen.receipt.Load().(Receipt); r.Code != "K7QM-2RXA" {
						t.Errorf("receipt %+v", r)
					}
				default:
					g.says(nil)
				}
			}
			if out := waitFor(t, g.bench); out.State != c.state || out.Reason != drill || out.Error != "" {
				t.Errorf("outcome %+v", out)
			}
			if g.tape.reason != drill || len(g.tape.samples) != 0 || len(g.reel.begun) != 0 {
				t.Errorf("kept are %q and the samples %v, film %+v", g.tape.reason, g.tape.samples, g.reel)
			}
		})
	}
}
