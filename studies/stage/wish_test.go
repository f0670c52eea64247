package stage_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

func (s *showing) paused() []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pauses)
}

// A pause cuts the step, which begins anew when the participant goes on.
func TestAPauseBeginsTheStepAnew(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	at := walk(st, path)
	at.From = atClip
	show := l.show(at)
	p := l.open(browser("1"))
	plan := ready(p)
	began(p, plan, atClip)
	p.say(&protocol.Paused{Run: plan.Run, Step: atClip, Tick: 5})
	l.until("the pause is known", func() bool { return slices.Equal(show.paused(), []bool{true}) })
	p.say(&protocol.Blank{Run: plan.Run, Tick: 6}) // what is still to be reported
	p.say(&protocol.Resumed{Run: plan.Run, Step: atClip, Tick: 9})
	again := ready(p)
	if again.Run == plan.Run || again.From != atClip || !slices.Equal(show.paused(), []bool{true, false}) {
		t.Errorf("plan %+v, pauses %v", again, show.paused())
	}
	p.say(&protocol.StepEnded{Run: plan.Run, Step: atClip}) // of the plan before: means nothing
	passes(p, again, atClip)
	show.reached(atClip)
	if !l.said(stream.Marker, "the participant paused in step 3") || !l.said(stream.Marker, "the participant goes on with step 3") {
		t.Errorf("markers %v", l.events(stream.Marker))
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
	show.cancel()
	if err := show.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
}

// A pause ends the round of a step that the session leads.
func TestAPauseEndsTheProcedure(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	at := walk(st, path)
	at.From = atBegin
	ends := make(chan error, 2)
	at.Procedure = func(ctx context.Context, _ study.Step, on session.Surface) error {
		_, err := on.Cue(ctx, session.CueBegin)
		ends <- err
		return err
	}
	show := l.show(at)
	p := l.open(browser("1"))
	plan := ready(p)
	began(p, plan, atBegin)
	if cue := hear[*protocol.Cue](p); cue.Key != "begin" {
		t.Errorf("asked %+v", cue)
	}
	p.say(&protocol.Paused{Run: plan.Run, Step: atBegin})
	p.say(&protocol.Resumed{Run: plan.Run, Step: atBegin})
	if err := <-ends; !errors.Is(err, context.Canceled) {
		t.Errorf("the procedure ended with %v", err)
	}
	plan = ready(p)
	began(p, plan, atBegin)
	cue := hear[*protocol.Cue](p)
	p.say(&protocol.Shown{Run: plan.Run, Step: atBegin, ID: cue.ID, Tick: 5})
	hear[*protocol.Finish](p)
	if err := <-ends; err != nil {
		t.Errorf("the second round ended with %v", err)
	}
	if got := show.steps(); !slices.Equal(got, []int{atBegin, atBegin}) {
		t.Errorf("steps began in the order %v", got)
	}
}

// wayOut goes through the last pages of a path, keeping the data.
func wayOut(t *testing.T, p *page, plan *protocol.Plan) {
	t.Helper()
	began(p, plan, atLeave)
	p.say(reply(plan, atLeave, study.Answers{"leave": "keep"}))
	hear[*protocol.Go](p)
	began(p, plan, atLeft)
	hear[*protocol.Receipt](p)
	p.say(reply(plan, atLeft, nil))
	if m := hear[*protocol.Over](p); m.Outcome != protocol.OverLeft {
		t.Errorf("over %+v", m)
	}
}

func TestStoppingInTheMiddleOfAClip(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	at := walk(st, path)
	at.From = atClip
	show := l.show(at)
	p := l.open(browser("1"))
	plan := ready(p)
	began(p, plan, atClip)
	p.say(&protocol.Leave{Run: plan.Run, Step: atClip, Tick: 5})
	p.say(&protocol.StepEnded{Run: plan.Run, Step: atClip}) // said before the answer was read: means nothing
	left := hear[*protocol.Left](p)
	if left.Run != plan.Run || !slices.Equal(left.Skip, path.Except("leave", "left")) {
		t.Errorf("leave %+v", left)
	}
	wayOut(t, p, plan)
	if err := show.end(); err != nil || show.left != 1 {
		t.Errorf("%v, left %d times", err, show.left)
	}
	if f := l.events(stream.Fault); len(f) > 0 || !l.said(stream.Marker, "the participant stopped the session in step 3") {
		t.Errorf("faults %v, markers %v", f, l.events(stream.Marker))
	}
}

// The operator ends the session: the page, wherever it is, is sent the plan from the last
// pages on.
func TestTheOperatorEndsTheSession(t *testing.T) {
	for name, goes := range map[string]func(*lab, *page) *page{
		"during a clip": func(_ *lab, p *page) *page { began(p, ready(p), atClip); return p },
		"during a pause": func(l *lab, p *page) *page {
			plan := ready(p)
			began(p, plan, atClip)
			p.say(&protocol.Paused{Run: plan.Run, Step: atClip, Tick: 5})
			l.until("the pause is known", func() bool { return l.said(stream.Marker, "the participant paused in step 3") })
			return p
		},
		"before the page is touched": func(l *lab, p *page) *page {
			plan := hear[*protocol.Plan](p)
			p.say(&protocol.Waiting{Run: plan.Run})
			l.until("the page waits", func() bool { return l.server.Waiting() != "" })
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, stage.Options{})
			st, path := pathStudy(t, 10)
			at := walk(st, path)
			at.From = atClip
			end := make(chan struct{})
			at.Ended, at.Out = end, func() session.Ruling { return session.Ruling{Skip: path.Except("leave", "left")} }
			show := l.show(at)
			p := goes(l, l.open(browser("1")))
			close(end)
			plan := ready(p)
			if plan.From != atLeave || !slices.Equal(plan.Skip, path.Except("leave", "left")) {
				t.Errorf("plan %+v", plan)
			}
			wayOut(t, p, plan)
			if err := show.end(); err != nil {
				t.Error(err)
			}
			if f := l.events(stream.Fault); len(f) > 0 || !l.said(stream.Marker, "the operator ended the session in step 3") {
				t.Errorf("faults %v, markers %v", f, l.events(stream.Marker))
			}
		})
	}
}

// A presentation that cannot be left goes on.
func TestAPlanThatCannotBeLeft(t *testing.T) {
	l := newLab(t, stage.Options{})
	show := l.present(shortStudy(t, 10), 0)
	p := l.open(browser("1"))
	plan := ready(p)
	for i := range plan.Steps {
		began(p, plan, i)
		p.say(&protocol.Leave{Run: plan.Run, Step: i})
		p.say(&protocol.StepEnded{Run: plan.Run, Step: i})
	}
	if m := hear[*protocol.Over](p); m.Outcome != protocol.OverComplete {
		t.Errorf("over %+v", m)
	}
	if err := show.end(); err != nil {
		t.Error(err)
	}
}

func TestSwipingAway(t *testing.T) {
	for _, may := range []bool{true, false} {
		l := newLab(t, stage.Options{})
		st, path := pathStudy(t, 10)
		path.Steps[atClip].Skippable = may
		at := walk(st, path)
		at.From = atClip
		show := l.show(at)
		p := l.open(browser("1"))
		plan := ready(p)
		if plan.Steps[atClip].Skippable != may {
			t.Errorf("step %+v", plan.Steps[atClip])
		}
		began(p, plan, atClip)
		p.say(&protocol.StepEnded{Run: plan.Run, Step: atClip, Swiped: true, Media: 1_250_000})
		if !may {
			p.closed()
			l.until("the fault is in the stream", func() bool { return l.said(stream.Fault, "which may not be") })
			continue
		}
		began(p, plan, atRating)
		show.reached(atRating)
		if !l.said(stream.Marker, "the clip of presentation 1 was swiped away by the participant (at 1.250 s of its time)") {
			t.Errorf("markers %v", l.events(stream.Marker))
		}
	}
}

// A simulated participant does what they are told, through the client.
func TestTheClientObeys(t *testing.T) {
	t.Parallel()
	// A clip that is cut is long: a busy machine must come to it before its end.
	const short, middling, long = 6, 120, 300 // frames
	for name, c := range map[string]struct {
		frames  int
		conduct map[int]session.Conduct
		steps   []int
		check   func(t *testing.T, l *lab, show *showing)
	}{
		"answers in French": {
			short, map[int]session.Conduct{
				atConsent: {Answer: true, Fill: study.Answers{"traces": "yes", "face_video": "yes"}, Language: "fr"},
				atRating:  {Answer: true, Fill: study.Answers{"sam.valence": "9", "why": "parce que"}, After: 300 * time.Millisecond},
			}, []int{0, 1, 2, 3, 4, 5}, func(t *testing.T, _ *lab, show *showing) {
				got := show.given()
				if got[0].Language != "fr" || got[0].Values["face_video"] != "yes" || got[1].Language != "fr" || got[1].Values["why"] != "parce que" ||
					got[1].ResponseMs["sam.valence"] < 290 || got[2].Language != "fr" {
					t.Errorf("answers %+v", got)
				}
			},
		},
		"declines": {
			short, map[int]session.Conduct{atConsent: {Answer: true, No: true}}, []int{atConsent, atExit}, func(t *testing.T, _ *lab, show *showing) {
				if got := show.given(); !got[0].Declined {
					t.Errorf("answers %+v", got)
				}
			},
		},
		"swipes": {
			long, map[int]session.Conduct{atClip: {Swipe: true, After: 400 * time.Millisecond}}, []int{0, 1, 2, 3, 4, 5}, func(t *testing.T, l *lab, _ *showing) {
				if !l.said(stream.Marker, "was swiped away") {
					t.Errorf("markers %v", l.events(stream.Marker))
				}
			},
		},
		"pauses on a clip and on a sheet": {
			middling, map[int]session.Conduct{
				atClip:   {Pause: 50 * time.Millisecond, After: 300 * time.Millisecond},
				atRating: {Pause: 50 * time.Millisecond, Answer: true, Fill: study.Answers{"sam.valence": "2"}},
			}, []int{0, 1, 2, 3, 3, 4, 4, 5}, func(t *testing.T, _ *lab, show *showing) {
				if got := show.paused(); !slices.Equal(got, []bool{true, false, true, false}) || show.given()[1].Values["sam.valence"] != "2" {
					t.Errorf("pauses %v, answers %+v", got, show.given())
				}
			},
		},
		"stops on a clip": {
			long, map[int]session.Conduct{atClip: {Leave: true, After: 300 * time.Millisecond}, atLeave: {Answer: true, Fill: study.Answers{"leave": "delete"}}},
			[]int{0, 1, 2, 3, atLeave, atLeft}, func(t *testing.T, _ *lab, show *showing) {
				if got := show.given(); len(got) != 3 || got[1].Values["leave"] != "delete" {
					t.Errorf("answers %+v", got)
				}
			},
		},
		"stops on a sheet": {
			short, map[int]session.Conduct{atRating: {Leave: true}}, []int{0, 1, 2, 3, 4, atLeave, atLeft}, func(*testing.T, *lab, *showing) {},
		},
		"is told what cannot be": {
			short, map[int]session.Conduct{atRating: {Answer: true, Fill: study.Answers{"sam.valence": "90210"}}}, []int{0, 1, 2, 3, 4, 5}, func(t *testing.T, l *lab, show *showing) {
				if got := show.given(); got[1].Values["sam.valence"] != "5" || !l.said(stream.Fault, "rate.sam does not take") || l.said(stream.Fault, "90210") {
					t.Errorf("answers %+v, faults %v", got, l.events(stream.Fault))
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, path := pathStudy(t, c.frames)
			l := newLab(t, stage.Options{Simulated: true})
			at := walk(st, path)
			at.Conduct = func(step study.Step) session.Conduct { return c.conduct[step.Index] }
			show := l.show(at)
			l.play(client.Options{Study: st})
			if err := show.end(); err != nil {
				t.Fatal(err)
			}
			if got := show.steps(); !slices.Equal(got, c.steps) {
				t.Errorf("steps began in the order %v, want %v", got, c.steps)
			}
			c.check(t, l, show)
		})
	}
}

// A connection that is lost on a sheet, or in a pause, loses nothing: the sheet is shown
// again, and answered once.
func TestTheClientLosesItsConnectionOnASheet(t *testing.T) {
	t.Parallel()
	st, path := pathStudy(t, 6)
	l := newLab(t, stage.Options{Simulated: true})
	at := walk(st, path)
	rounds := 0
	at.Conduct = func(step study.Step) session.Conduct {
		if step.Index != atRating {
			return session.Conduct{}
		}
		if rounds++; rounds == 1 {
			return session.Conduct{Pause: time.Hour} // until the connection is lost
		}
		return session.Conduct{Answer: true, Fill: study.Answers{"sam.valence": "8"}}
	}
	show := l.show(at)
	l.play(client.Options{Study: st})
	l.until("the participant pauses", func() bool { return len(show.paused()) == 1 })
	l.line.cut()
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 4, 5}) || !slices.Equal(show.paused(), []bool{true, false}) {
		t.Errorf("steps began in the order %v, pauses %v", got, show.paused())
	}
	if got := show.given(); len(got) != 3 || got[1].Values["sam.valence"] != "8" {
		t.Errorf("answers %+v", got)
	}
}
