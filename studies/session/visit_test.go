package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/study"
)

// invited is a study with everything that a participant meets before the recording and
// after it, around one clip.
var invited = &study.Study{
	ID: "s", Title: "Cloth", Titles: study.Text{"en": "Cloth", "fr": "Étoffe"}, Stimuli: twoSteps.Stimuli,
	Sheets: []study.Sheet{
		{ID: "notice", Kind: study.NoticeSheet},
		{ID: "consent", Kind: study.ConsentSheet, Fields: []study.Field{
			{ID: Traces, Type: study.ScopeField, Required: true}, {ID: FaceVideo, Type: study.ScopeField}}},
		{ID: "screening", Kind: study.ScreeningSheet, Fields: []study.Field{{ID: "age", Type: study.Integer, Min: 0, Max: 120, Required: true}}},
		{ID: "receipt", Kind: study.ReceiptSheet},
		{ID: leaveSheet, Kind: study.LeaveSheet, Fields: []study.Field{{ID: study.LeaveKey, Type: study.Choice, Required: true}}},
		{ID: "exit.consent", Kind: study.ExitSheet}, {ID: "exit.screening", Kind: study.ExitSheet}, {ID: quotaSheet, Kind: study.ExitSheet},
		{ID: leftSheet, Kind: study.ReceiptSheet}, {ID: withdrawnSheet, Kind: study.ExitSheet},
	},
	Screening: []study.Question{{
		Field: study.Field{ID: "age", Type: study.Integer}, Pass: "18 <= age < 35",
		Bands: []study.Band{{Name: "18-24", Min: 18, Max: 24}, {Name: "25-34", Min: 25, Max: 34}},
	}, {Field: study.Field{ID: "relation", Type: study.YesNo}, Pass: "relation == 'no'"}},
	Quota:  study.Quota{Cells: []study.Cell{{Question: "age", Band: "18-24", Usable: 1}, {Question: "age", Band: "25-34", Usable: 1}}},
	Retain: study.Retain{Traces: 24 * time.Hour, Identity: 30 * 24 * time.Hour},
	Flow: []study.Part{
		{Sheets: []string{"notice", "consent", "screening"}}, {Action: study.Begin},
		{Block: &study.BlockPart{Name: "main", Method: "fixed", Trial: []study.TrialPart{{Action: study.Play}}}},
		{Sheets: []string{"receipt"}},
	},
}

// mint makes one code, over and over.
type mint struct{}

func (mint) New() (code, hash string, err error) { return "K7QM-2RXA", "aa11", nil }

// rubber erases what it is told to in a memory.
type rubber struct {
	archive *memory
	refuse  error
	erased  []string
}

func (r *rubber) Withdraw(_ context.Context, id string, _ Progress) (Erasure, error) {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	t := r.archive.find(id)
	switch {
	case r.refuse != nil:
		return Erasure{}, r.refuse
	case t == nil:
		return Erasure{}, errors.New("no such session")
	case t.state == Recording || t.state == Prepared:
		return Erasure{}, errors.New("it is still recorded")
	}
	r.archive.sessions = slices.DeleteFunc(r.archive.sessions, func(o *tape) bool { return o == t })
	r.erased = append(r.erased, id)
	return Erasure{Sessions: 1, Rows: int64(t.samples["eda"])}, nil
}

func (r *rubber) Session(_ context.Context, typed string) (string, error) {
	r.archive.mu.Lock()
	defer r.archive.mu.Unlock()
	for _, t := range r.archive.sessions {
		if t.hash != "" && typed == "K7QM-2RXA" {
			return t.id, nil
		}
	}
	return "", errors.New("nobody has that code")
}

// guest is a bench with the study that a participant is invited to.
type guest struct {
	*bench
	rubber *rubber
	id     string
	tape   *tape
}

func newGuest(t *testing.T, change ...func(*Options)) *guest {
	t.Helper()
	g := &guest{rubber: &rubber{}}
	g.bench = newBench(t, append([]func(*Options){func(o *Options) {
		o.Study, o.Codes, o.Eraser = invited, mint{}, g.rubber
		g.rubber.archive = o.Archive.(*memory)
	}}, change...)...)
	g.arrive(t, "P1")
	return g
}

func (g *guest) arrive(t *testing.T, code string) {
	t.Helper()
	id, err := g.Start(t.Context(), Request{Participant: code})
	if err != nil {
		t.Fatal(err)
	}
	g.id = id
	g.archive.mu.Lock()
	defer g.archive.mu.Unlock()
	g.tape = g.archive.find(id)
}

// says answers the sheet that is up.
func (g *guest) says(values study.Answers) {
	g.screen.answers <- Answer{Values: values, Language: "fr", TextSHA256: "ab", At: 5, How: OnScreen}
}

// admitted goes through the questions.
func (g *guest) admitted(video string) {
	g.says(nil) // the notice
	g.says(study.Answers{Traces: study.Yes, FaceVideo: video})
	g.says(study.Answers{"age": "22", "relation": study.No})
}

// begins lets the operator begin once the participant waits for it.
func (g *guest) begins(t *testing.T) {
	t.Helper()
	g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
	code := g.tape.participant
	if err := g.Begin(Beginning{Confirm: code[max(0, len(code)-confirmBy):]}); err != nil {
		t.Fatal(err)
	}
	g.until(t, "the recording to begin", func(s Status) bool { return s.State == Recording })
}

func TestNothingIsRecordedBeforeTheOperatorBegins(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	if s := g.Status(); s.State != Prepared || s.SessionID != g.id {
		t.Fatalf("status %+v", s)
	}
	if err := g.Begin(Beginning{}); !errors.Is(err, ErrNotReady) {
		t.Errorf("begun before the consent: %v", err)
	}
	g.beats(t, 5)
	g.admitted(study.Yes)
	g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
	g.beats(t, 5)
	if g.reel.running || len(g.tape.samples) != 0 {
		t.Fatalf("recorded before it was begun: %+v, film %+v", g.tape, g.reel)
	}
	g.begins(t)
	g.beats(t, 1)
	g.until(t, "the film", func(s Status) bool { return s.Video })
	g.screen.next <- struct{}{} // the clip
	g.says(nil)                 // the receipt
	if out := waitFor(t, g.bench); out.State != Sealed || out.Reason != "" {
		t.Fatalf("outcome %+v", out)
	}
	if g.tape.samples["eda"] != 1 || !g.tape.recorded || g.tape.hash != "aa11" {
		t.Errorf("recorded %+v", g.tape)
	}
	if !slices.Equal(g.reel.begun, []string{g.id + "/0"}) {
		t.Errorf("film %+v", g.reel)
	}
	var scopes []string
	for _, c := range g.tape.consents {
		scopes = append(scopes, c.Scope)
		if !c.Granted || c.Language != "fr" || c.At != 0 {
			t.Errorf("consent %+v", c)
		}
	}
	if !slices.Equal(scopes, []string{Notice, Traces, FaceVideo}) {
		t.Errorf("scopes %q", scopes)
	}
	if len(g.tape.answers) == 0 || g.tape.answers[0].Values["age"] != "18-24" {
		t.Errorf("answers %+v", g.tape.answers)
	}
}

// Who says no, is not in the sample, is one too many, or goes, is let out, and leaves
// no sample behind.
func TestWhoDoesNotTakePartIsNotRecorded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does  func(g *guest)
		why   string
		sheet string // the last that is shown
	}{
		"declines": {func(g *guest) {
			g.says(nil)
			g.screen.answers <- Answer{Declined: true, Values: study.Answers{Traces: study.Yes}}
		}, "consent", "exit.consent"},
		"ticks nothing": {func(g *guest) { g.says(nil); g.says(study.Answers{FaceVideo: study.Yes}) }, "consent", "exit.consent"},
		"is too old": {func(g *guest) {
			g.says(nil)
			g.says(study.Answers{Traces: study.Yes})
			g.says(study.Answers{"age": "35", "relation": study.No})
		}, "screening: age", "exit.screening"},
		"is one too many": {func(g *guest) {
			g.archive.mu.Lock()
			g.archive.cells = []CellNow{{Cell: study.Cell{Question: "age", Band: "18-24", Usable: 1}, Have: 1}}
			g.archive.mu.Unlock()
			g.admitted(study.No)
		}, "quota: age 18-24", quotaSheet},
		"goes": {func(g *guest) { g.says(nil); g.screen.left <- struct{}{} }, whyLeft, leftSheet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			c.does(g)
			g.beats(t, 1)
			g.until(t, "the last sheet", func(s Status) bool { return s.Step >= 0 && s.Plan.Steps[s.Step].Sheet == c.sheet })
			g.says(nil)
			out := waitFor(t, g.bench)
			if out.State != Declined || out.Reason != c.why || out.Bundle != "" || out.Error != "" {
				t.Errorf("outcome %+v", out)
			}
			if g.tape.state != Declined || g.tape.reason != c.why || len(g.tape.samples) != 0 || len(g.reel.begun) != 0 {
				t.Errorf("recorded %+v, film %+v", g.tape, g.reel)
			}
			if c.sheet == quotaSheet && !cmp.Equal(g.tape.answers[0].Values, study.Answers{"age": "18-24"}) {
				t.Errorf("kept %+v", g.tape.answers)
			}
			if r := strings.Contains(c.why, "age"); r && slices.ContainsFunc(g.tape.answers, func(a Answer) bool { return a.Values["age"] == "35" || a.Values["age"] == "22" }) {
				t.Errorf("the age itself was kept: %+v", g.tape.answers)
			}
		})
	}
}

func TestAnEmptyCellHasRoom(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.archive.mu.Lock()
	// This very participant is counted in the cell from the moment they are in it.
	g.archive.cells = []CellNow{{Cell: study.Cell{Question: "age", Band: "18-24", Usable: 1}, Have: 1}}
	g.archive.people = []Person{{Code: "P1", Bands: study.Answers{"age": "18-24"}}}
	g.archive.mu.Unlock()
	g.admitted(study.No)
	g.begins(t)
}

// Who stops decides what becomes of the data.
func TestWhoStopsKeepsOrDeletes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wish   string
		refuse error
		state  State
		last   string
	}{
		"keeps":                         {"keep", nil, Sealed, leftSheet},
		"deletes":                       {study.LeaveDelete, nil, Withdrawn, withdrawnSheet},
		"deletes, and it does not work": {study.LeaveDelete, errors.New("the disk does not answer"), Withdrawn, leftSheet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			g.rubber.refuse = c.refuse
			g.admitted(study.Yes)
			g.begins(t)
			g.beats(t, 1)
			g.screen.left <- struct{}{}
			g.until(t, "the question", func(s Status) bool { return s.Step >= 0 && s.Plan.Steps[s.Step].Sheet == leaveSheet })
			g.says(study.Answers{study.LeaveKey: c.wish})
			g.says(nil)
			out := waitFor(t, g.bench)
			if out.State != c.state || (out.Error != "") != (c.refuse != nil) {
				t.Errorf("outcome %+v", out)
			}
			steps := g.tape.steps
			if c.wish == "keep" {
				if g.tape.state != Sealed || g.tape.reason != whyStopped || g.tape.samples["eda"] != 1 || g.reel.running {
					t.Errorf("recorded %+v", g.tape)
				}
				if sheet := invited.Plan(0).Steps[steps[len(steps)-1]].Sheet; sheet != c.last {
					t.Errorf("the last sheet is %q", sheet)
				}
				return
			}
			if g.tape.reason != whyWithdrawn || g.reel.running || len(g.tape.videos) != 2 { // named when the participant stopped
				t.Errorf("recorded %+v, film %+v", g.tape, g.reel)
			}
			if c.refuse == nil && (out.Erasure == nil || out.Erasure.Rows != 1 || !slices.Equal(g.rubber.erased, []string{g.id})) {
				t.Errorf("erased %+v, %+v", g.rubber, out.Erasure)
			}
		})
	}
}

// The wish to be erased outlives the program.
func TestAWithdrawalIsFinishedAtTheNextStart(t *testing.T) {
	t.Parallel()
	var r *rubber
	b := newBench(t, func(o *Options) {
		m := o.Archive.(*memory)
		for _, s := range []*tape{{id: "a", participant: "P1", state: Failed, reason: whyWithdrawn}, {id: "b", participant: "P2", state: Recovered, reason: whyWithdrawn}, {id: "c", state: Failed, reason: "disk"}, {id: "d", state: Sealed}} {
			s.archive = m
			m.sessions = append(m.sessions, s)
		}
		r = &rubber{archive: m}
		o.Eraser = r
	})
	if !slices.Equal(r.erased, []string{"a", "b"}) || len(b.archive.sessions) != 2 {
		t.Errorf("erased %q, left %d", r.erased, len(b.archive.sessions))
	}
}

func TestTheOperatorWithdraws(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.admitted(study.No)
	g.begins(t)
	g.beats(t, 1)
	if _, err := g.Withdraw(t.Context(), "another"); !errors.Is(err, ErrBusy) {
		t.Errorf("another session while one runs: %v", err)
	}
	e, err := g.Withdraw(t.Context(), g.id)
	if err != nil || e.Sessions != 1 || e.Rows != 1 {
		t.Fatalf("erased %+v, %v", e, err)
	}
	if out := waitFor(t, g.bench); out.State != Withdrawn {
		t.Errorf("outcome %+v", out)
	}
	if _, err := g.Withdraw(t.Context(), g.id); err == nil {
		t.Error("withdrawn twice")
	}
}

// A code that was used before is asked about.
func TestACodeThatWasUsedBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.archive.sessions = []*tape{
		{archive: b.archive, id: "cut", participant: "P1", state: Recovered, steps: []int{0}, samples: map[string]int{}},
		{archive: b.archive, id: "whole", participant: "P2", state: Sealed},
	}
	for code, cut := range map[string]string{"P1": "cut", " P2 ": ""} {
		_, err := b.Start(t.Context(), Request{Participant: code})
		var known *KnownError
		if !errors.As(err, &known) || known.Cut != cut || len(known.Sessions) != 1 {
			t.Errorf("%q: %v", code, err)
		}
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P2", Again: ContinueIt}); err == nil {
		t.Error("continued what has ended")
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1", Again: ContinueIt})
	if err != nil || id != "cut" {
		t.Fatalf("continued %q, %v", id, err)
	}
	if s := b.Status(); s.SessionID != "cut" || s.Segment != 1 {
		t.Errorf("status %+v", s)
	}
}

// Codes that people read as one are asked about as one, and stay one.
func TestACodeThatLooksLikeOneUsedBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.archive.sessions = []*tape{{archive: b.archive, id: "whole", participant: "WOMBAT-0L", state: Sealed}}
	for _, code := range []string{"WOMBAT-0L", "wombat-0l", "Wombat-O1", "W0MBAT-OI"} {
		_, err := b.Start(t.Context(), Request{Participant: code})
		var known *KnownError
		if !errors.As(err, &known) || known.Participant != "WOMBAT-0L" || len(known.Sessions) != 1 {
			t.Errorf("%q: %v", code, err)
		}
	}
	if err := b.Move(t.Context(), "other", "wombat-0l", "x"); err == nil {
		t.Error("a session was given to a second spelling")
	}
	if err := b.Move(t.Context(), "whole", "wombat-0l", "x"); err != nil {
		t.Errorf("a code cannot be spelt anew: %v", err)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "wombat-oi", Again: NewRun}); err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); s.Participant != "WOMBAT-0L" {
		t.Errorf("the new run is one of %q", s.Participant)
	}
	b.Close()
	if Alike("P1", "P2") || Alike("P-1", "P1") {
		t.Error("different codes are alike")
	}
}

// The console must not count on as if somebody were recorded.
func TestTheLastPagesAreNoRecording(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.admitted(study.No)
	g.begins(t)
	if g.Status().Over {
		t.Error("over as it begins")
	}
	g.screen.next <- struct{}{}
	s := g.until(t, "the recording to be over", func(s Status) bool { return s.Over })
	if late := g.Status(); s.State != Recording || s.Busy != "" || late.ElapsedMs != s.ElapsedMs {
		t.Errorf("on the receipt %+v, and then %v ms", s, late.ElapsedMs)
	}
	g.says(nil)
	if out := waitFor(t, g.bench); out.State != Sealed {
		t.Errorf("outcome %+v", out)
	}
	if g.Status().Over {
		t.Error("over after the end")
	}
}

func TestTheOperatorWithdrawsByCode(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.admitted(study.No)
	g.begins(t)
	if _, err := g.WithdrawByCode(t.Context(), "AAAA-AAAA"); err == nil || len(g.rubber.erased) != 0 {
		t.Errorf("a code that nobody has: %v", err)
	}
	if e, err := g.WithdrawByCode(t.Context(), "K7QM-2RXA"); err != nil || e.Sessions != 1 || !slices.Equal(g.rubber.erased, []string{g.id}) {
		t.Errorf("erased %+v, %v", e, err)
	}
}

// A program that ends while the participant reads finds them there again.
func TestAPreparedSessionGoesOn(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.says(nil)
	g.says(study.Answers{Traces: study.Yes})
	g.Close()
	if g.tape.state != Prepared {
		t.Fatalf("closed as %s", g.tape.state)
	}
	if out := g.Status().LastOutcome; out == nil || out.State != Recovered {
		t.Errorf("outcome %+v", out)
	}
}
