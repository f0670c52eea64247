package stage_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
	"emolab/studies/wording"
)

// enFr are words in two languages.
func enFr(en, fr string) study.Text { return study.Text{"en": en, "fr": fr} }

// pathStudy is a whole path: consent, a clip that may be swiped away with a scale
// after it, a receipt, and the pages for who declines and who stops.
func pathStudy(t *testing.T, frames int) (*study.Study, study.Plan) {
	t.Helper()
	st := shortStudy(t, frames)
	st.Languages = []string{"en", "fr"}
	st.Sheets = []study.Sheet{
		{ID: "consent", Kind: study.ConsentSheet, Heading: enFr("Do you agree?", "Êtes-vous d’accord ?"), Go: enFr("I agree", "J’accepte"), No: enFr("I do not", "Je refuse"), Fields: []study.Field{
			{ID: "traces", Type: study.ScopeField, Ask: enFr("Numbers", "Des chiffres"), Required: true},
			{ID: "face_video", Type: study.ScopeField, Ask: enFr("Video", "La vidéo")},
		}},
		{ID: "rate.sam", Kind: study.RatingSheet, Heading: enFr("How was it?", "Comment était-ce ?"), Go: enFr("Go on", "Continuer"), Fields: []study.Field{
			{ID: "sam.valence", Type: study.SAM, Ask: enFr("How pleasant?", "Agréable ?"), Required: true, Points: 9, Dimension: "valence"},
			{ID: "why", Type: study.FreeText, Ask: enFr("Why?", "Pourquoi ?")},
		}},
		{ID: "receipt", Kind: study.ReceiptSheet, Heading: enFr("Your receipt", "Votre reçu"), Go: enFr("Done", "Terminé")},
		{ID: "leave", Kind: study.LeaveSheet, Heading: enFr("You have stopped", "Vous avez arrêté"), Go: enFr("Go on", "Continuer"), Fields: []study.Field{
			{ID: "leave", Type: study.Choice, Ask: enFr("Your data?", "Vos données ?"), Required: true, Options: []study.Option{{Value: "keep", Label: enFr("Keep", "Garder")}, {Value: "delete", Label: enFr("Delete", "Effacer")}}},
		}},
		{ID: "exit.consent", Kind: study.ExitSheet, Heading: enFr("Thank you", "Merci"), Go: enFr("Done", "Terminé")},
		{ID: "left", Kind: study.ReceiptSheet, Heading: enFr("Your receipt", "Votre reçu"), Go: enFr("Done", "Terminé")},
	}
	plan := study.Plan{Steps: []study.Step{
		{Action: study.Fill, Sheet: "consent"},
		{Action: study.Begin},
		{Action: study.Neutral, Duration: 50 * time.Millisecond},
		{Action: study.Play, Stimulus: "a", Presentation: 1, Duration: st.Stimuli[0].Duration, Skippable: true},
		{Action: study.Fill, Sheet: "rate.sam", Stimulus: "a", Presentation: 1},
		{Action: study.Fill, Sheet: "receipt"},
		{Action: study.Fill, Sheet: "leave", Aside: true},
		{Action: study.Fill, Sheet: "exit.consent", Aside: true},
		{Action: study.Fill, Sheet: "left", Aside: true},
	}}
	for i := range plan.Steps {
		plan.Steps[i].Index = i
	}
	return st, plan
}

// Steps of pathStudy.
const (
	atConsent, atBegin, atNeutral, atClip, atRating, atReceipt = 0, 1, 2, 3, 4, 5
	atLeave, atExit, atLeft                                    = 6, 7, 8
)

// walk is a presentation of pathStudy whose rulings are those of a session.
func walk(st *study.Study, plan study.Plan) session.Presentation {
	return session.Presentation{
		Session: "test", Study: st, Plan: plan,
		Answered: func(_ context.Context, a session.Answer) (session.Ruling, error) {
			switch {
			case a.Declined:
				return session.Ruling{Skip: plan.Except("exit.consent")}, nil
			case a.Sheet == "leave":
				return session.Ruling{Skip: plan.Except("left")}, nil
			case a.Sheet == "exit.consent" || a.Sheet == "left":
				return session.Ruling{Skip: plan.Except()}, nil
			}
			return session.Ruling{Skip: []int{atLeave, atExit, atLeft}}, nil
		},
		Left:    func(instant.Instant) session.Ruling { return session.Ruling{Skip: plan.Except("leave", "left")} },
		Receipt: func() session.Receipt { return session.Receipt{Code: "K7QX-2MPD", Study: "s", Session: "test"} },
	}
}

// ready takes a page by hand as far as the beginning of its plan.
func ready(p *page) *protocol.Plan {
	p.t.Helper()
	plan := hear[*protocol.Plan](p)
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	return plan
}

func began(p *page, plan *protocol.Plan, step int) {
	p.t.Helper()
	p.say(&protocol.StepBegan{Run: plan.Run, Step: step})
}

// passes shows a step that takes its course.
func passes(p *page, plan *protocol.Plan, step int) {
	p.t.Helper()
	began(p, plan, step)
	switch plan.Steps[step].Action {
	case study.Begin, study.Calibrate, study.Breath:
		hear[*protocol.Finish](p)
	}
	p.say(&protocol.StepEnded{Run: plan.Run, Step: step})
}

// reply answers the sheet of a step in French.
func reply(plan *protocol.Plan, step int, values study.Answers) *protocol.Answer {
	id := plan.Steps[step].Sheet
	i := slices.IndexFunc(plan.Sheets, func(s protocol.Sheet) bool { return s.ID == id })
	return &protocol.Answer{Run: plan.Run, Step: step, Sheet: id, Language: "fr", TextSHA256: plan.Sheets[i].Hashes["fr"], Values: values, Tick: 12345}
}

var agreed = study.Answers{"traces": "yes", "face_video": "no"}

func TestAnAnswerEndsItsStep(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	show := l.show(walk(st, path))
	p := l.open(browser("1"))
	plan := ready(p)
	if !slices.Equal(plan.Skip, []int{atLeave, atExit, atLeft}) || !slices.Equal(plan.Languages, []string{"en", "fr"}) || plan.Conducted {
		t.Errorf("plan %+v", plan)
	}
	for i, sheet := range plan.Sheets {
		for _, language := range st.Languages {
			if sheet.Hashes[language] != st.Sheets[i].SHA256(language) {
				t.Errorf("%s in %s has the hash %s", sheet.ID, language, sheet.Hashes[language])
			}
		}
	}
	began(p, plan, atConsent)
	a := reply(plan, atConsent, agreed)
	a.ResponseMs = map[string]float64{"traces": 812.5}
	p.say(a)
	if m := hear[*protocol.Go](p); m.Run != plan.Run || m.Step != atConsent || !slices.Equal(m.Skip, []int{atLeave, atExit, atLeft}) {
		t.Errorf("go %+v", m)
	}
	got := show.given()
	if len(got) != 1 || got[0].At <= 0 {
		t.Fatalf("answers %+v", got)
	}
	got[0].At = 0
	want := session.Answer{
		Step: atConsent, Sheet: "consent", Kind: study.ConsentSheet, Values: agreed, ResponseMs: map[string]float64{"traces": 812.5},
		TextSHA256: st.Sheets[0].SHA256("fr"), Language: "fr", Text: st.Sheets[0].Words("fr"), How: session.OnScreen,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, step := range []int{atBegin, atNeutral, atClip} {
		passes(p, plan, step)
	}
	began(p, plan, atRating)
	p.say(reply(plan, atRating, study.Answers{"sam.valence": "7"}))
	hear[*protocol.Go](p)
	if got := show.given()[1]; got.Stimulus != "a" || got.Presentation != 1 || got.Values["sam.valence"] != "7" {
		t.Errorf("rating %+v", got)
	}
	began(p, plan, atReceipt)
	if m := hear[*protocol.Receipt](p); m.Step != atReceipt || m.Receipt.Code != "K7QX-2MPD" || len(m.QR) < 21 || len(m.QR) != len(m.QR[0]) || !m.QR[0][0] {
		t.Errorf("receipt %+v", m)
	}
	p.say(reply(plan, atReceipt, nil))
	hear[*protocol.Go](p)
	if m := hear[*protocol.Over](p); m.Outcome != protocol.OverComplete {
		t.Errorf("over %+v", m)
	}
	if err := show.end(); err != nil {
		t.Error(err)
	}
}

// What is missing or cannot be is asked for again; nothing is known of it elsewhere.
func TestAnAnswerThatIsNotComplete(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	at := walk(st, path)
	at.From = atRating
	show := l.show(at)
	p := l.open(browser("1"))
	plan := ready(p)
	began(p, plan, atRating)
	for _, values := range []study.Answers{{}, {"why": "x"}, {"sam.valence": "10"}, {"sam.valence": "5", "why": strings.Repeat("x", study.MaxText+1)}} {
		p.say(reply(plan, atRating, values))
		if m := hear[*protocol.Again](p); m.Run != plan.Run || m.Step != atRating || m.Reason == "" {
			t.Errorf("%v: %+v", values, m)
		}
	}
	if got := show.given(); len(got) != 0 {
		t.Errorf("answers %+v", got)
	}
	p.say(reply(plan, atRating, study.Answers{"sam.valence": "5"}))
	hear[*protocol.Go](p)
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

func TestWhoDeclinesIsSentToTheExit(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	show := l.show(walk(st, path))
	p := l.open(browser("1"))
	plan := ready(p)
	began(p, plan, atConsent)
	a := reply(plan, atConsent, study.Answers{"face_video": "yes"})
	a.Declined = true
	p.say(a)
	if m := hear[*protocol.Go](p); !slices.Equal(m.Skip, path.Except("exit.consent")) {
		t.Errorf("go %+v", m)
	}
	if got := show.given()[0]; !got.Declined || len(got.Values) != 0 {
		t.Errorf("what was ticked before declining is kept: %+v", got)
	}
	began(p, plan, atExit)
	p.say(&protocol.Leave{Run: plan.Run, Step: atExit}) // there is nothing to stop any more
	p.say(reply(plan, atExit, nil))
	hear[*protocol.Go](p)
	if m := hear[*protocol.Over](p); m.Outcome != protocol.OverDeclined {
		t.Errorf("over %+v", m)
	}
	if err := show.end(); err != nil || show.left != 0 {
		t.Errorf("%v, left %d times", err, show.left)
	}
}

// A sheet that was answered is not asked again; one that was not, is.
func TestASheetOutlivesItsPage(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	show := l.show(walk(st, path))
	p := l.open(browser("1"))
	began(p, ready(p), atConsent)
	show.reached(atConsent)
	p.conn.Close()
	l.until("the stage is free", func() bool { return !l.server.Connected() })
	p = l.open(browser("2"))
	plan := ready(p)
	if plan.From != atConsent || len(show.given()) != 0 {
		t.Fatalf("from step %d, answers %+v", plan.From, show.given())
	}
	began(p, plan, atConsent)
	p.say(reply(plan, atConsent, agreed))
	l.until("the answer has come", func() bool { return len(show.given()) == 1 })
	p.conn.Close()
	l.until("the stage is free again", func() bool { return !l.server.Connected() })
	if plan := hear[*protocol.Plan](l.open(browser("3"))); plan.From != atBegin {
		t.Errorf("after the answer the plan goes on from step %d", plan.From)
	}
}

// Whatever a page says, only a choice about words that it was sent is an answer.
func TestWhatIsNoAnswer(t *testing.T) {
	change := func(f func(*protocol.Answer)) func(*protocol.Plan) protocol.Message {
		return func(plan *protocol.Plan) protocol.Message {
			a := reply(plan, atRating, study.Answers{"sam.valence": "5"})
			f(a)
			return a
		}
	}
	for name, c := range map[string]struct {
		say  func(*protocol.Plan) protocol.Message
		want string
	}{
		"other words":          {change(func(a *protocol.Answer) { a.TextSHA256 = strings.Repeat("0", 64) }), "words of that hash"},
		"another language":     {change(func(a *protocol.Answer) { a.Language = "en" }), "words of that hash"},
		"an unknown language":  {change(func(a *protocol.Answer) { a.Language = "xx" }), "words of that hash"},
		"another sheet":        {change(func(a *protocol.Answer) { a.Sheet = "consent" }), "another sheet"},
		"another step":         {change(func(a *protocol.Answer) { a.Step = 1 }), "answer of step 1, the plan is at step 4"},
		"a field of no sheet":  {change(func(a *protocol.Answer) { a.Values["salary"] = "90210" }), "not on the sheet"},
		"a time of no field":   {change(func(a *protocol.Answer) { a.ResponseMs = map[string]float64{"90210": 1} }), "not on the sheet"},
		"declining what is no": {change(func(a *protocol.Answer) { a.Declined = true }), "is no consent"},
		"no answer at all": {func(plan *protocol.Plan) protocol.Message {
			return &protocol.StepEnded{Run: plan.Run, Step: atRating}
		}, "step-ended of step 4"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, stage.Options{})
			st, path := pathStudy(t, 10)
			at := walk(st, path)
			at.From = atRating
			show := l.show(at)
			p := l.open(browser("1"))
			plan := ready(p)
			began(p, plan, atRating)
			p.say(c.say(plan))
			p.closed() // it will be asked again
			l.until("the fault is in the stream", func() bool { return l.said(stream.Fault, c.want) })
			if got := show.given(); len(got) != 0 || l.said(stream.Fault, "90210") {
				t.Errorf("answers %+v, faults %v", got, l.events(stream.Fault))
			}
		})
	}
}

func TestAPlanWithAnUnknownSheet(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	path.Steps[0].Sheet = "salary"
	for _, of := range []*study.Study{st, nil} {
		if err := l.server.Present(t.Context(), session.Presentation{Study: of, Plan: path}); err == nil || !strings.Contains(err.Error(), "sheet") {
			t.Errorf("Present returns %v", err)
		}
	}
}

// The stream goes into the bundle and is read by many; what the participant answers,
// types and is given does not.
func TestTheStreamHoldsNoAnswer(t *testing.T) {
	l := newLab(t, stage.Options{})
	st, path := pathStudy(t, 10)
	show := l.show(walk(st, path))
	p := l.open(browser("1"))
	plan := ready(p)
	began(p, plan, atConsent)
	p.say(reply(plan, atConsent, study.Answers{"traces": "sentinel-a"})) // is refused
	hear[*protocol.Again](p)
	p.raw(`{"type":"answer","run":1,"step":0,"sheet":"consent","language":"fr","values":{"traces":{"sentinel-b":1}}}`) // cannot be read
	p.say(reply(plan, atConsent, agreed))
	hear[*protocol.Go](p)
	for _, step := range []int{atBegin, atNeutral, atClip} {
		passes(p, plan, step)
	}
	began(p, plan, atRating)
	p.say(reply(plan, atRating, study.Answers{"sam.valence": "3", "why": "sentinel-c"}))
	hear[*protocol.Go](p)
	began(p, plan, atReceipt)
	hear[*protocol.Receipt](p)
	p.say(reply(plan, atReceipt, nil))
	hear[*protocol.Over](p)
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the sheet consent came up, in step 0", "the sheet rate.sam was answered, in step 4", "the sheet receipt came up, in step 5"} {
		if !l.said(stream.Marker, want) {
			t.Errorf("no marker says %q: %v", want, l.events(stream.Marker))
		}
	}
	all, err := json.Marshal(l.all())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"sentinel", "K7QX"} {
		if strings.Contains(string(all), secret) {
			t.Errorf("%q is in the stream", secret)
		}
	}
}

// What a study says in its own words stands in place of the built-in ones, and what it
// leaves out is there all the same.
func TestWordsOfAStudy(t *testing.T) {
	st := shortStudy(t, 10)
	st.Languages = []string{"it", "fr"}
	st.Words = map[string]wording.Catalogue{"it": {"page.thanks": "Grazie."}, "fr": {"page.thanks": "Merci bien."}}
	h := newTestServer(t, stage.New(stage.Options{Clock: instant.Monotonic{}, Study: st}))
	builtin, _ := wording.Builtin("fr")
	english, _ := wording.Builtin("en")
	for _, c := range []struct{ language, key, want string }{
		{"it", "page.thanks", "Grazie."}, {"it", "page.connecting", english["page.connecting"]},
		{"fr", "page.thanks", "Merci bien."}, {"fr", "page.connecting", builtin["page.connecting"]},
		{"en", "page.thanks", english["page.thanks"]},
	} {
		resp, err := http.Get(h.URL + "/stage/words/" + c.language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var all wording.Catalogue
		if err := json.Unmarshal(body, &all); err != nil || all[c.key] != c.want || c.want == "" {
			t.Errorf("%s in %s is %q, want %q (%v)", c.key, c.language, all[c.key], c.want, err)
		}
		if missing := all.Missing(); len(missing) > 0 {
			t.Errorf("%s lacks %v", c.language, missing)
		}
	}
}

// The built-in client goes the whole way by itself, and says whom it speaks for.
func TestTheClientGoesTheWholePath(t *testing.T) {
	t.Parallel()
	st, path := pathStudy(t, 6)
	l := newLab(t, stage.Options{Simulated: true})
	show := l.show(walk(st, path))
	l.play(client.Options{Study: st})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("steps began in the order %v", got)
	}
	for _, a := range show.given() {
		if a.How != session.Simulated || a.Language != "en" {
			t.Errorf("answer %+v", a)
		}
	}
	if got := show.given(); len(got) != 3 || got[0].Values["traces"] != "yes" || got[0].Values["face_video"] != "no" || got[1].Values["sam.valence"] != "5" {
		t.Errorf("answers %+v", got)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}
