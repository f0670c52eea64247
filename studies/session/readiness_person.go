package session

import (
	"fmt"
	"slices"
	"strings"

	"emolab/studies/study"
)

// told is what the participant has said so far, as far as a gate looks at it. Of the
// screening no more is known here than that it was passed.
type told struct {
	granted, refused []string // scopes
	textSHA256       string   // of the consent that was read
	language         string   // in which
	simulated        bool     // nobody was asked
	screened         bool
}

// seatFound is what the Camera step came to.
type seatFound struct {
	over  bool
	fault string // what was still wrong, in words; "" = nothing
}

// reached is what a gate looks at of the participant.
type reached struct {
	told
	seated    seatFound
	sound     soundHeard
	confirmed Confirmed
	denied    bool // they said that the code is another's
	waits     bool // they have come to the Begin step
}

// person lists what has to be known of the participant before the recording begins, in
// the order in which they meet it. What they have not come to yet is to come, and missing
// only once they have refused it or failed; what they have passed over, by a condition of
// the study, is not asked for.
func (r ready) person(p reached) []Readiness {
	all := []Readiness{p.code()}
	early := r.plan.Steps[:max(0, r.plan.Recorded())]
	if agreed := p.consent(); r.fills(early, study.ConsentSheet) && (!p.waits || agreed.Level == ReadyOK) {
		all = append(all, agreed)
	}
	if r.fills(early, study.ScreeningSheet) && (!p.waits || p.screened) {
		all = append(all, p.screening())
	}
	if slices.ContainsFunc(early, func(s study.Step) bool { return s.Action == study.Camera }) && (!p.waits || p.seated.over) {
		all = append(all, p.camera())
	}
	if sounds(r.study) {
		all = append(all, p.heard())
	}
	for i := range all {
		all[i].Gate = AtBegin
	}
	return all
}

// fills tells whether one of the steps is a sheet of that kind.
func (r ready) fills(steps []study.Step, kind study.SheetKind) bool {
	return slices.ContainsFunc(steps, func(s study.Step) bool {
		sheet, _ := r.study.Sheet(s.Sheet)
		return s.Action == study.Fill && sheet.Kind == kind && !s.Aside
	})
}

const notYet = "It comes on the participant's screen."

func (p reached) code() Readiness {
	c := Readiness{ID: "code", Label: "Code", Level: ReadyOK, Text: "The participant has confirmed the code",
		Advice: "Type its last two characters to begin: they stand on the slip."}
	switch {
	case p.denied:
		c.Level, c.Text = ReadyMissing, "The participant says that the code is not theirs"
		c.Advice = "Look at the code with them. Is it another's, stop this session and start it with theirs."
	case !p.confirmed.Participant:
		c.Level, c.Text, c.Advice = ReadyWaiting, "The participant has not confirmed the code yet", notYet
	}
	return c
}

func (p reached) consent() Readiness {
	switch {
	case len(p.granted) == 0 && len(p.refused) > 0:
		return Readiness{ID: "consent", Label: "Consent", Level: ReadyMissing, Text: "The participant has not agreed",
			Advice: "Nothing of them may be recorded: they are led out."}
	case len(p.granted) == 0:
		return Readiness{ID: "consent", Label: "Consent", Level: ReadyWaiting, Text: "Consent has not been given yet", Advice: notYet}
	}
	text := "Agreed to " + strings.Join(p.granted, ", ")
	if len(p.refused) > 0 {
		text += ", not to " + strings.Join(p.refused, ", ")
	}
	if len(p.textSHA256) >= noted {
		text += fmt.Sprintf(" (text %s, %s)", p.textSHA256[:noted], p.language)
	}
	if p.simulated {
		text += "; simulated"
	}
	return Readiness{ID: "consent", Label: "Consent", Level: ReadyOK, Text: text}
}

func (p reached) screening() Readiness {
	if !p.screened {
		return Readiness{ID: "screening", Label: "Screening", Level: ReadyWaiting, Text: "The screening has not been passed yet", Advice: notYet}
	}
	return Readiness{ID: "screening", Label: "Screening", Level: ReadyOK, Text: "The screening is passed"}
}

func (p reached) camera() Readiness {
	c := Readiness{ID: "camera", Label: "Seat and light", Level: ReadyOK, Text: "Seat and light are good"}
	switch {
	case !p.seated.over:
		c.Level, c.Text, c.Advice = ReadyWaiting, "Seat and light have not been looked at yet", notYet
	case p.seated.fault != "":
		view, advice, _ := strings.Cut(p.seated.fault, ": ")
		c.Level, c.Text, c.Advice = ReadyAttention, view, toDo(advice)
	}
	return c
}

func (p reached) heard() Readiness {
	c := Readiness{ID: "sound", Label: "Sound", Level: ReadyOK, Text: "The participant hears the sound"}
	switch {
	case p.sound.heard:
	case p.sound.tries >= soundTries:
		c.Level, c.Text = ReadyMissing, "The participant does not hear the sound"
		c.Advice = "Check the headphones, their plug and the volume there; then have the participant play the tones once more."
		if p.sound.audio != "running" {
			c.Advice = "The browser there plays no sound: reload the page and press a key, or allow sound for it; then play the tones once more."
		}
	default:
		c.Level, c.Text, c.Advice = ReadyWaiting, "The sound has not been checked yet", notYet
	}
	return c
}
