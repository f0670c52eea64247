package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"emolab/studies/study"
)

// at waits until a sheet is up.
func (g *guest) at(t *testing.T, sheet string) Status {
	t.Helper()
	return g.until(t, "the sheet "+sheet, func(s Status) bool { return s.Step >= 0 && s.Plan.Steps[s.Step].Sheet == sheet })
}

// filmed goes on until the face is filmed.
func (g *guest) filmed(t *testing.T) {
	t.Helper()
	g.admitted(study.Yes)
	g.begins(t)
	g.until(t, "the film", func(s Status) bool { return s.Video })
}

// filming tells whether pictures are kept.
func (g *guest) filming() bool {
	g.archive.mu.Lock()
	defer g.archive.mu.Unlock()
	return g.reel.running
}

// Nobody is filmed who reads the receipt, or the question what becomes of the data.
func TestTheFilmEndsWithTheMeasuring(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goes  func(*guest)
		sheet string
	}{
		"shown to its end": {func(g *guest) { g.screen.next <- struct{}{} }, "receipt"},
		"stopped":          {func(g *guest) { g.screen.left <- struct{}{} }, leaveSheet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			g.filmed(t)
			c.goes(g)
			g.at(t, c.sheet)
			g.until(t, "the film to end", func(s Status) bool { return !s.Video })
			if g.filming() {
				t.Error("is filmed on the page " + c.sheet)
			}
			g.Close()
			if len(g.tape.videos) != 2 {
				t.Errorf("videos %+v", g.tape.videos)
			}
		})
	}
}

// The video scope may be asked about again while the session runs. The latest answer
// holds at once.
func TestConsentToTheVideoMayBeTakenBack(t *testing.T) {
	t.Parallel()
	st := *invited
	st.Sheets = append([]study.Sheet{{ID: "again", Kind: study.ConsentSheet, Fields: []study.Field{{ID: FaceVideo, Type: study.ScopeField}}}}, st.Sheets...)
	again, play := study.Part{Sheets: []string{"again"}}, st.Flow[2]
	st.Flow = []study.Part{st.Flow[0], st.Flow[1], again, again, play, st.Flow[3]}
	g := newGuest(t, func(o *Options) { o.Study = &st })
	g.filmed(t)
	first := slices.IndexFunc(st.Plan(0).Steps, func(s study.Step) bool { return s.Sheet == "again" })
	g.says(study.Answers{FaceVideo: study.Yes})
	g.atStep(t, first+1) // so the answer has been dealt with
	if len(g.reel.begun) != 1 || !g.filming() {
		t.Fatalf("agreed twice: %+v", g.reel)
	}
	g.says(study.Answers{FaceVideo: study.No})
	g.screen.next <- struct{}{}
	if g.filming() || g.Status().Video {
		t.Error("filmed after it was taken back")
	}
}

// The operator who ends a session whose participant is on the way out does not become
// the reason.
func TestTheParticipantsReasonStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goes  func(*testing.T, *guest)
		sheet string
		state State
		why   string
	}{
		"left":     {func(t *testing.T, g *guest) { g.filmed(t); g.screen.left <- struct{}{} }, leaveSheet, Sealed, whyStopped},
		"declined": {func(_ *testing.T, g *guest) { g.says(nil); g.screen.answers <- Answer{Declined: true} }, "exit.consent", Declined, "consent"},
	} {
		for how, end := range map[string]func(*guest){
			"stopped": func(g *guest) { _ = g.Stop(context.Background(), "") },
			"closed":  func(g *guest) { g.Close() },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				g := newGuest(t)
				c.goes(t, g)
				g.at(t, c.sheet)
				end(g)
				if out := g.Status().LastOutcome; out.State != c.state || out.Reason != c.why || g.tape.reason != c.why {
					t.Errorf("outcome %+v", out)
				}
			})
		}
	}
}

// The program may end between an answer and what follows from it.
func TestWhoWasLedOutStaysOut(t *testing.T) {
	t.Parallel()
	plan := invited.Plan(0)
	step := func(sheet string) int {
		return slices.IndexFunc(plan.Steps, func(s study.Step) bool { return s.Sheet == sheet })
	}
	yes := []Consent{{Scope: Notice, Granted: true}, {Scope: Traces, Granted: true}, {Scope: FaceVideo}}
	no := []Consent{{Scope: Notice, Granted: true}, {Scope: Traces}, {Scope: FaceVideo}}
	aged := func(band string) []Answer {
		return []Answer{{Step: step("screening"), Sheet: "screening", Kind: study.ScreeningSheet, Values: study.Answers{"age": band}}}
	}
	for name, c := range map[string]struct {
		tape  tape
		full  bool
		sheet string // that comes up; "" = the beginning is waited for
		why   string
	}{
		"declined, and nothing more":    {tape{steps: []int{step("consent")}, consents: no}, false, "exit.consent", "consent"},
		"declined":                      {tape{steps: []int{step("exit.consent")}, consents: no}, false, "exit.consent", "consent"},
		"too old, and nothing more":     {tape{steps: []int{step("screening")}, consents: yes, answers: aged(study.Failed)}, false, "exit.screening", "screening: age"},
		"too old":                       {tape{steps: []int{step("exit.screening")}, consents: yes, answers: aged(study.Failed)}, false, "exit.screening", "screening: age"},
		"one too many":                  {tape{steps: []int{step("screening")}, consents: yes, answers: aged("18-24")}, true, quotaSheet, "quota: age 18-24"},
		"one too many, and now no more": {tape{steps: []int{step(quotaSheet)}, consents: yes, answers: aged("18-24")}, false, quotaSheet, "quota"},
		"left before":                   {tape{steps: []int{step(leftSheet)}, consents: yes}, false, leftSheet, whyLeft},
		"left":                          {tape{steps: []int{step(leaveSheet)}, consents: yes, answers: aged("18-24"), recorded: true}, true, leaveSheet, whyStopped},
		"left, and answered":            {tape{steps: []int{step(leftSheet)}, consents: yes, answers: aged("18-24"), recorded: true}, true, leftSheet, whyStopped},
		"takes part":                    {tape{steps: []int{step("screening")}, consents: yes, answers: aged("18-24")}, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guest{rubber: &rubber{}, id: "cut"}
			g.bench = newBench(t, func(o *Options) {
				o.Study, o.Codes, o.Eraser = invited, mint{}, g.rubber
				m := o.Archive.(*memory)
				g.rubber.archive = m
				v := c.tape
				v.archive, v.id, v.participant, v.state, v.plan, v.samples = m, g.id, "P1", Recovered, invited, map[string]int{}
				g.tape, m.sessions = &v, []*tape{&v}
				if c.full {
					m.cells = []CellNow{{Cell: study.Cell{Question: "age", Band: "18-24", Usable: 1}, Have: 1}}
				}
			})
			if err := g.Continue(t.Context(), g.id); err != nil {
				t.Fatal(err)
			}
			if c.sheet == "" {
				g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
				return
			}
			g.at(t, c.sheet)
			g.beats(t, 1)
			if c.sheet == leaveSheet {
				g.says(study.Answers{study.LeaveKey: "keep"})
				g.at(t, leftSheet)
			}
			g.says(nil)
			state := Declined
			if c.tape.recorded {
				state = Sealed
			}
			if out := waitFor(t, g.bench); out.State != state || out.Reason != c.why || g.tape.reason != c.why {
				t.Errorf("outcome %+v", out)
			}
			if len(g.tape.samples) != 0 || len(g.reel.begun) != 0 {
				t.Errorf("recorded %+v, film %+v", g.tape.samples, g.reel)
			}
		})
	}
}

// Who has agreed can take everything back, whether or not it came to a recording.
func TestTheReceiptHasTheCode(t *testing.T) {
	t.Parallel()
	for name, recorded := range map[string]bool{"before the recording": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			sheet := leftSheet
			if recorded {
				g.filmed(t)
				g.screen.next <- struct{}{}
				sheet = "receipt"
			} else {
				g.says(nil)
				g.says(study.Answers{Traces: study.Yes})
				g.screen.left <- struct{}{}
			}
			g.at(t, sheet)
			g.says(nil)
			waitFor(t, g.bench)
			r := g.screen.receipt.Load().(Receipt)
			if r.Study != "Étoffe" { // they answered in French
				t.Errorf("the receipt is of %q", r.Study)
			}
			if r.Code != "K7QM-2RXA" || g.tape.hash != "aa11" || !slices.Contains(r.Scopes, Traces) || slices.Contains(r.Scopes, FaceVideo) != recorded || slices.Contains(r.Refused, FaceVideo) == recorded {
				t.Errorf("receipt %+v", r)
			}
			if limits := len(r.Until); limits != map[bool]int{true: 3, false: 1}[recorded] || r.Until[0].Class != Identity || r.Until[0].AfterPayment != 30 {
				t.Errorf("limits %+v", r.Until)
			}
		})
	}
}

// Withdrawal takes effect wherever the session stands.
func TestWithdrawnWhereverItStands(t *testing.T) {
	t.Parallel()
	for name, goes := range map[string]func(*testing.T, *guest){
		"reads": func(*testing.T, *guest) {},
		"waits": func(t *testing.T, g *guest) {
			g.admitted(study.Yes)
			g.until(t, "the wait", func(s Status) bool { return s.Ready })
		},
		"is asked to leave": func(t *testing.T, g *guest) { g.filmed(t); g.screen.left <- struct{}{}; g.at(t, leaveSheet) },
		"is on the way out": func(t *testing.T, g *guest) {
			g.says(nil)
			g.screen.answers <- Answer{Declined: true}
			g.at(t, "exit.consent")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			goes(t, g)
			if e, err := g.Withdraw(t.Context(), g.id); err != nil || e.Sessions != 1 {
				t.Fatalf("erased %+v, %v", e, err)
			}
			if out := g.Status().LastOutcome; out.State != Withdrawn || g.filming() {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// slow is a bundler that is held up.
type slow struct {
	begun, resume chan struct{}
}

func (s slow) Export(_ context.Context, id string, _ Progress) (string, error) {
	close(s.begun)
	<-s.resume
	return id + ".zip", nil
}

// A withdrawal that comes while the session is being sealed is carried out after it.
func TestWithdrawnWhileItIsBeingSealed(t *testing.T) {
	t.Parallel()
	zip := slow{make(chan struct{}), make(chan struct{})}
	g := newGuest(t, func(o *Options) { o.Bundler = zip })
	g.filmed(t)
	stopped := make(chan error, 1)
	go func() { // the second closes the last pages
		stopped <- errors.Join(g.Stop(context.Background(), ""), g.Stop(context.Background(), ""))
	}()
	<-zip.begun
	erased := make(chan error, 1)
	go func() {
		_, err := g.Withdraw(context.Background(), g.id)
		erased <- err
	}()
	close(zip.resume)
	if err := errors.Join(<-stopped, <-erased); err != nil {
		t.Fatal(err)
	}
	if out := g.Status().LastOutcome; out.State != Withdrawn || !slices.Equal(g.rubber.erased, []string{g.id}) {
		t.Errorf("outcome %+v, erased %q", out, g.rubber.erased)
	}
}

// What is to be erased and could not be is neither sealed, nor exported, nor continued.
func TestWhatIsToBeErasedIsNotSealed(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *Options) {
		m := o.Archive.(*memory)
		m.sessions = []*tape{{archive: m, id: "a", participant: "P1", state: Recovered, reason: whyWithdrawn, steps: []int{0}}}
		o.Eraser = &rubber{archive: m, refuse: errors.New("the disk does not answer")}
	})
	if err := b.Seal(t.Context(), "a"); !errors.Is(err, errUnwanted) {
		t.Errorf("sealed: %v", err)
	}
	if err := b.Continue(t.Context(), "a"); !errors.Is(err, errUnwanted) {
		t.Errorf("continued: %v", err)
	}
	var known *KnownError
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); !errors.As(err, &known) || known.Cut != "" {
		t.Errorf("offered to be continued: %v", err)
	}
	if len(b.Status().Recovered) != 0 {
		t.Errorf("offered: %+v", b.Status().Recovered)
	}
}

// A disk that refuses an answer ends the session, and lets the participant go.
func TestADiskThatRefusesAnAnswer(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.archive.mu.Lock()
	g.archive.refuse = errors.New("no space left")
	g.archive.mu.Unlock()
	g.says(nil)
	out := waitFor(t, g.bench)
	if out.State != Failed || !strings.Contains(out.Error, "no space left") || g.tape.state != Failed {
		t.Errorf("outcome %+v", out)
	}
	if len(g.tape.consents)+len(g.tape.samples) != 0 {
		t.Errorf("kept %+v", g.tape)
	}
}

// A desk that was told to be quiet before the recording was opened still comes to an end.
func TestAQuietDeskCloses(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	d, tape := newDesk(g.o.Clock), &tape{archive: g.archive, samples: map[string]int{}}
	go func() {
		d.err = d.write(context.Background(), tape, func() []Video { return nil })
		close(d.gone)
	}()
	d.hush()
	o := &opening{sub: g.o.Lab.Bus().Lossless("a test", backlog)}
	if err := d.open("open", o, func(context.Context, Recorder) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

// What was kept is told to be kept, also where the writer has ended by the time at which the
// answer is looked at.
func TestWhatWasKeptIsToldSo(t *testing.T) {
	t.Parallel()
	for range 200 {
		d := newDesk(&napper{})
		go func() {
			g := <-d.deeds
			close(g.kept)
			close(d.gone)
		}()
		if err := d.keep("keep it", func(context.Context, Recorder) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
