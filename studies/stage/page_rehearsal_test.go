package stage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// A simulated participant acts through the page's own fields, buttons and keys: what they
// are told to answer is what arrives, and they pause, swipe and leave as people do.
func TestConductInChromium(t *testing.T) {
	t.Parallel()
	st := clipStudy(t)
	clip := st.Stimuli[0]
	plan := plainSteps(
		fill("notice"), fill("consent"), fill("screening"), study.Step{Action: study.Begin},
		study.Step{Action: study.Play, Stimulus: clip.ID, Presentation: 1, Duration: clip.Duration, Skippable: true},
		fill("rate.sam"), fill("rate.grid"), fill("form.exit"),
		study.Step{Action: study.Rest, Duration: time.Minute},
		fill("debrief"), aside("leave"),
	)
	does := map[int]session.Conduct{
		0:  {Answer: true, Language: "fr"},
		1:  {Answer: true, Fill: study.Answers{"traces": "yes", "face_video": "no"}, After: 700 * time.Millisecond},
		2:  {Answer: true, Fill: study.Answers{"age": "31", "income": "high", "relation": "no"}},
		4:  {Swipe: true, After: 300 * time.Millisecond},
		5:  {Answer: true, Fill: study.Answers{"sam.valence": "8", "sam.arousal": "2", "sam.dominance": "5"}},
		6:  {Answer: true, Fill: study.Answers{"grid.valence": "9", "grid.arousal": "1"}},
		7:  {}, // nothing is said: the least
		8:  {Leave: true, After: 100 * time.Millisecond},
		10: {Answer: true, Fill: study.Answers{"leave": "keep"}},
	}
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart,virtual")
	show := l.show(session.Presentation{
		Session: "test", Study: st, Plan: plan, Skip: []int{10}, Procedure: begins,
		Conduct: func(step study.Step) session.Conduct { return does[step.Index] },
		Left:    func(instant.Instant) session.Ruling { return only(len(plan.Steps), 10) },
		Answered: func(context.Context, session.Answer) (session.Ruling, error) {
			return session.Ruling{Skip: []int{10}}, nil
		},
	})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 10}) {
		t.Errorf("steps began in the order %v", got)
	}
	want := map[string]study.Answers{"notice": {}, "form.exit": {"liked": "4", "share": "50"}}
	for i, c := range does {
		if c.Fill != nil {
			want[plan.Steps[i].Sheet] = c.Fill
		}
	}
	given := show.given()
	if len(given) != len(want) {
		t.Errorf("%d sheets were answered, want %d", len(given), len(want))
	}
	for _, a := range given {
		if fmt.Sprint(a.Values) != fmt.Sprint(want[a.Sheet]) {
			t.Errorf("%s: %v, want %v", a.Sheet, a.Values, want[a.Sheet])
		}
		if a.How != session.Simulated || a.Language != "fr" {
			t.Errorf("%s is said to be answered in %s by %q", a.Sheet, a.Language, a.How)
		}
	}
	if !l.said(stream.Marker, "was swiped away by the participant") {
		t.Errorf("markers %v", l.events(stream.Marker))
	}
	reads(page, "Merci. Veuillez appeler la personne qui mène l’expérience.")
}

// A rehearsal whose answers a sheet does not take says so, rather than to wait for ever.
func TestConductThatFails(t *testing.T) {
	t.Parallel()
	st := paged()
	l := newLab(t, stage.Options{Study: st})
	open(t, l.http.URL+"/stage#autostart,virtual")
	for _, c := range []struct {
		fill study.Answers
		says string
	}{
		{study.Answers{"age": "31"}, "screening"}, // relation is missing
		{study.Answers{"size": "31"}, "size"},
	} {
		show := l.show(session.Presentation{
			Session: "test", Study: st, Plan: plainSteps(fill("screening")),
			Conduct: func(study.Step) session.Conduct { return session.Conduct{Answer: true, Fill: c.fill} },
		})
		if err := show.end(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want an error that names %s", c.fill, err, c.says)
		}
	}
}

// A pause that is acted ends by itself, and the step begins anew.
func TestConductedPause(t *testing.T) {
	t.Parallel()
	st := clipStudy(t)
	l := newLab(t, stage.Options{Study: st})
	open(t, l.http.URL+"/stage#autostart,virtual")
	show := l.show(session.Presentation{
		Session: "test", Study: st, Plan: plainSteps(study.Step{Action: study.Rest, Duration: 4 * time.Second}),
		Conduct: func(study.Step) session.Conduct {
			return session.Conduct{Pause: 500 * time.Millisecond, After: 300 * time.Millisecond}
		},
	})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 0}) {
		t.Errorf("steps began in the order %v", got)
	}
}

// Before the cross of a baseline the page says what to do and for how long, in both
// languages, and the step begins with the cross. The cross of a trial comes without words.
func TestBaselineIsAnnounced(t *testing.T) {
	t.Parallel()
	source := axe(t)
	for language, want := range map[string]string{
		"en": "A cross comes now, for 1 minute. Please look at it and sit still: there is nothing else to do.",
		"fr": "Une croix va apparaître pendant 1 minute. Veuillez la regarder sans bouger\u00a0: il n’y a rien d’autre à faire.",
	} {
		st := paged()
		st.Languages = []string{language}
		l := newLab(t, stage.Options{Study: st})
		page := openUnhurried(t, l.http.URL+"/stage#autostart")
		show := l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(
			study.Step{Action: study.Fixation, Stimulus: "a", Duration: 300 * time.Millisecond},
			study.Step{Action: study.Fixation, Duration: time.Minute},
		)})
		page.Until(fmt.Sprintf(`document.body.dataset.view === "cue" && document.getElementById("cue-text").textContent === %q`, want))
		if got := show.steps(); !slices.Equal(got, []int{0}) {
			t.Errorf("under the words of the second step the steps %v have begun, want the trial's", got)
		}
		accessible(t, page, source, "the words before a baseline")
		pictures(t, page, "baseline-"+language)
		settled(page)
		stroke(page, " ")
		view(page, "cross")
		show.reached(1)
		if words := browsertest.Value[string](page, `document.querySelector("main").innerText.trim()`); words != "" {
			t.Errorf("beside the cross stands %q", words)
		}
		show.mu.Lock()
		if n := len(show.crosses); n != 3 { // that of the trial came and went
			t.Errorf("%d news of crosses: %+v", n, show.crosses)
		}
		show.mu.Unlock()
		show.cancel()
		_ = show.end()
	}
}

// What the laboratory asks of the participant in words can be read out, in both languages,
// and a cross stands over what the face is to do.
func TestLedPagesAreAccessible(t *testing.T) {
	t.Parallel()
	source := axe(t)
	for language, want := range map[string][]string{
		"en": {"Please come a little closer.", "Please look straight at the screen.", "That is good. Please stay like this.", "Please wait until the experimenter begins."},
		"fr": {"Veuillez vous rapprocher un peu.", "Veuillez regarder droit vers l’écran.", "C’est bien. Restez comme cela.", "Veuillez attendre le début de l’expérience."},
	} {
		st := paged()
		st.Languages = []string{language}
		l := newLab(t, stage.Options{Study: st})
		page := open(t, l.http.URL+"/stage#autostart")
		next := make(chan struct{})
		lead := func(ctx context.Context, step study.Step, on session.Surface) error {
			keys := map[study.Action][]string{study.Camera: {"seat-closer", "look", "seat-good"}, study.Begin: {"begin"}}
			for _, key := range keys[step.Action] {
				if _, err := on.Cue(ctx, key); err != nil {
					return err
				}
				select {
				case <-next:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		}
		show := l.show(session.Presentation{Session: "test", Participant: "P-7K2", Study: st, Procedure: lead, Plan: plainSteps(
			study.Step{Action: study.Camera}, study.Step{Action: study.Begin}, study.Step{Action: study.Neutral, Duration: time.Minute},
		)})
		for i, words := range want {
			page.Until(fmt.Sprintf(`document.body.dataset.view === "cue" && document.getElementById("cue-text").textContent === %q`, words))
			accessible(t, page, source, words)
			code := "" // is asked for while the last stands there
			if i == len(want)-1 {
				code = "P-7K2"
			}
			if said := browsertest.Value[string](page, `document.getElementById("cue-code").innerText`); said != code {
				t.Errorf("%s: the code %q is shown, want %q", words, said, code)
			}
			if language == "en" {
				pictures(t, page, fmt.Sprintf("cue-%d", i))
			}
			next <- struct{}{}
		}
		view(page, "neutral")
		accessible(t, page, source, "neutral")
		pictures(t, page, "neutral-"+language)
		if apart := browsertest.Value[bool](page, `(() => {
			const w = document.getElementById("neutral-words").getBoundingClientRect();
			return w.top > innerHeight / 2 + .03 * innerHeight && w.bottom < innerHeight;
		})()`); !apart {
			t.Error("the words lie over the cross")
		}
		show.cancel()
		_ = show.end()
	}
}
