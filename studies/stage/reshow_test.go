package stage_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/study"
)

// repeats is a plan of two rests, each of which may come again after the end of their
// block, and a third.
func repeats() study.Plan {
	rest := func(again bool) study.Step {
		return study.Step{Action: study.Rest, Duration: 200 * time.Millisecond, Again: again}
	}
	return plainSteps(rest(false), rest(false), study.Step{Action: study.Reshow}, rest(true), rest(true), rest(false))
}

// asksAgain has what belongs to the first rest shown again, or nothing. It is asked for in
// the last moment: no answer has come in between.
func asksAgain(asks bool) session.Presentation {
	skip := []int{3, 4}
	return session.Presentation{
		Session: "test", Study: &study.Study{ID: "s"}, Plan: repeats(), Skip: skip,
		Procedure: func(context.Context, study.Step, session.Surface) error {
			if asks {
				skip = []int{4}
			}
			return nil
		},
		Ruled: func() session.Ruling { return session.Ruling{Skip: skip} },
	}
}

// What is asked for while a block runs comes at its end, in the browser as in the built-in
// client, and what is not does not.
func TestWhatIsAskedForComesAtTheEndOfTheBlock(t *testing.T) {
	t.Parallel()
	for name, opens := range map[string]func(*testing.T, *lab){
		"chromium":        func(t *testing.T, l *lab) { open(t, l.http.URL+"/stage#autostart") },
		"built-in client": func(_ *testing.T, l *lab) { l.play(client.Options{Study: &study.Study{ID: "s"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, stage.Options{Simulated: name != "chromium"})
			opens(t, l)
			for asks, want := range map[bool][]int{true: {0, 1, 2, 3, 5}, false: {0, 1, 2, 5}} {
				show := l.show(asksAgain(asks))
				if err := show.end(); err != nil {
					t.Fatal(err)
				}
				if got := show.steps(); !slices.Equal(got, want) {
					t.Errorf("asked for: %t: steps began in the order %v, want %v", asks, got, want)
				}
			}
			if f := l.events(stream.Fault); len(f) > 0 {
				t.Errorf("faults: %v", f)
			}
		})
	}
}
