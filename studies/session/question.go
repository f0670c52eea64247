package session

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"

	"emolab/studies/alarm"
	"emolab/studies/study"
)

// What Surface.Ask can ask.
const (
	AskCode  = "code"  // is this your code?
	AskSound = "sound" // how many tones do you hear?
)

// Question is what the participant is asked beside the sheets of the study.
type Question struct {
	Kind  string
	Code  string // of AskCode: that of the participant
	Tones int    // of AskSound: how many are played
	// Tries counts the answers before this that were not the right one.
	Tries int
}

// Reply is what the participant says to a Question.
type Reply struct {
	Value     string // study.Yes or study.No to a code; the number of tones
	Audio     string // of AskSound: what the page says of its sound: "running"; "" = it has none
	Simulated bool   // by a page, or a client, that stands for nobody
}

const (
	// mostTones are played at most: more are no better heard, and harder to count.
	mostTones = 4
	// soundTries is how often the tones are counted before the experimenter is called.
	soundTries = 2
)

// soundHeard is how the sound check of a session stands.
type soundHeard struct {
	tries int // answers that were not right
	heard bool
	audio string // as in Reply, of the latest
}

// admit has the participant confirm the code for which the session was begun. Who says
// that it is another's waits for the experimenter, and may still say that it is theirs. In
// a session that goes on they are recorded from then on, and filmed if that was allowed:
// until then somebody else may sit there, who has allowed nothing.
func (v *visit) admit(ctx context.Context, on Surface) error {
	q := Question{Kind: AskCode, Code: v.cur.participant}
	for {
		r, err := on.Ask(ctx, q)
		if err != nil {
			return err
		}
		yes := r.Value == study.Yes
		v.m.mu.Lock()
		v.cur.confirmed.Participant, v.cur.denied = yes, !yes
		v.m.mu.Unlock()
		if yes {
			if err := v.goOn(); err != nil {
				return err
			}
			if v.m.RecordingSince() != 0 {
				v.film(v.m.o.Clock.Now())
			}
			return nil
		}
		q.Tries++
	}
}

// goOn opens the recording again of a session that was cut off, if it is to be and nobody
// has stopped it.
func (v *visit) goOn() error {
	v.m.mu.Lock()
	opens := v.goesOn && v.cur.over == 0
	overrides := slices.Clone(v.cur.overrides)
	v.m.mu.Unlock()
	if !opens {
		return nil
	}
	v.goesOn = false // a page that comes back confirms once more
	o := v.m.opening(v.cur.id, overrides, v.m.o.Clock.Now())
	if err := v.desk.open("go on with the recording", o, func(context.Context, Recorder) error { return nil }); err != nil {
		return err
	}
	v.m.measures(v.cur, o.since)
	return nil
}

// notTheirs is the condition of a session whose participant says that the code is not
// theirs.
func notTheirs() alarm.Condition {
	return alarm.Condition{ID: "stage/code", Severity: Major, Panel: panelStage,
		Text:   "The participant says that the code is not theirs",
		Advice: "Look at the code with them. If it is another's, stop this session and start it with theirs; else they confirm it."}
}

// sounds tells whether the study has a clip that is to be heard.
func sounds(s *study.Study) bool {
	for _, m := range s.Stimuli {
		if m.Sound != "" {
			return true
		}
	}
	return false
}

// listen has the participant count soft tones until the number is right. After
// soundTries it calls waits, because then the operator may go on without.
func (v *visit) listen(ctx context.Context, on Surface, waits func()) error {
	for {
		v.m.mu.Lock()
		s := v.cur.sound
		v.m.mu.Unlock()
		if s.heard {
			return nil
		}
		if s.tries >= soundTries {
			waits()
		}
		tones := 1 + rand.IntN(mostTones)
		r, err := on.Ask(ctx, Question{Kind: AskSound, Tones: tones, Tries: s.tries})
		if err != nil {
			return err
		}
		s.audio, s.heard = r.Audio, r.Value == strconv.Itoa(tones)
		if !s.heard {
			s.tries++
		}
		v.m.mu.Lock()
		v.cur.sound = s
		v.m.mu.Unlock()
	}
}
