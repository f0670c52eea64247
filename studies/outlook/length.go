package outlook

import (
	"math"
	"strings"
	"time"

	"emolab/studies/study"
)

// How long people take for what has no duration of its own. These are common paces, to
// plan days with; slower people need half as much again.
const (
	wordsPerMinute = 200. // of somebody who reads a form
	tickS          = 4.   // a box, a yes or no, a point on a scale
	choiceS        = 6.   // one of several, or a number
	writeS         = 30.  // free text
	cameraS        = 45.  // until seat and light are right
	calibratePerS  = 2.5  // a target of the eye tracker, with the one to validate it
	calibrateMoreS = 20.  // words before, the result after
	breathS        = 15.
	beginS         = 15. // until the experimenter begins
)

// The day of a laboratory.
const (
	seatMinutes  = 5.   // greeting, code, electrodes
	afterMinutes = 5.   // taking off, backup, cleaning
	slotMinutes  = 15.  // appointments are made in such steps
	dayMinutes   = 450. // of appointments
	mostADay     = 10   // which people who record keep up
	// lostShare is the share of sessions that turn out not to be usable: providers of
	// remote studies throw away 15 to 25 %.
	lostShare = .2
)

// Length is how long a participant is there, in s: the mean over all.
type Length struct {
	IntakeS   float64 `json:"intake_s"`   // reading, consent, screening: before the recording
	RecordedS float64 `json:"recorded_s"` // of it
	// DependsS is how much longer it gets at most, by steps that depend on answers.
	DependsS float64 `json:"depends_s"`
}

// Days is what that makes of a laboratory's days.
type Days struct {
	SlotMinutes float64 `json:"slot_minutes"` // an appointment, with what is done before and after
	ADay        int     `json:"a_day"`        // people
	Days        int     `json:"days"`         // for all of them
	Usable      int     `json:"usable"`       // of them wanted: no more than the quota
	// Invite is how many to invite so that as many as are wanted are usable.
	Invite int `json:"invite"`
}

type length struct{ intake, recorded, depends time.Duration }

func (l length) whole() time.Duration { return l.intake + l.recorded }

// pace knows how long a study's sheets take.
type pace struct {
	study  *study.Study
	sheets map[string]time.Duration
}

func newPace(s *study.Study) pace {
	p := pace{s, make(map[string]time.Duration)}
	language := ""
	if len(s.Languages) > 0 {
		language = s.Languages[0]
	}
	for _, sheet := range s.Sheets {
		words := len(strings.Fields(sheet.Words(language)))
		takes := float64(words) / wordsPerMinute * 60
		if sheet.Kind == study.RatingSheet { // known from the second time on
			takes = 0
		}
		for _, f := range sheet.Fields {
			takes += answering(f)
		}
		p.sheets[sheet.ID] = seconds(takes)
	}
	return p
}

func answering(f study.Field) float64 {
	switch f.Type {
	case study.FreeText:
		return writeS
	case study.Integer, study.Choice, study.AffectGrid:
		return choiceS
	}
	return tickS
}

// of tells how long a plan takes.
func (p pace) of(plan study.Plan) length {
	var l length
	begin := plan.Recorded()
	skipped := make(map[int]bool)
	for _, k := range p.study.Skip(plan, nil) {
		skipped[k] = true
	}
	for _, step := range plan.Steps {
		takes := p.step(step)
		switch {
		case step.Aside, step.Again:
		case skipped[step.Index]:
			l.depends += takes
		case step.Index < begin:
			l.intake += takes
		default:
			l.recorded += takes
		}
	}
	return l
}

func (p pace) step(s study.Step) time.Duration {
	switch s.Action {
	case study.Fill:
		return p.sheets[s.Sheet]
	case study.Camera:
		return seconds(cameraS)
	case study.Calibrate:
		return seconds(calibrateMoreS + calibratePerS*float64(p.study.Gaze.CalibratePoints+p.study.Gaze.ValidatePoints))
	case study.Validate:
		return seconds(calibrateMoreS + calibratePerS*float64(p.study.Gaze.ValidatePoints))
	case study.Breath:
		return seconds(breathS)
	case study.Begin:
		return seconds(beginS)
	}
	return s.Duration
}

func mean(all []length) Length {
	var sum length
	for _, l := range all {
		sum.intake += l.intake
		sum.recorded += l.recorded
		sum.depends += l.depends
	}
	n := math.Max(1, float64(len(all)))
	return Length{sum.intake.Seconds() / n, sum.recorded.Seconds() / n, sum.depends.Seconds() / n}
}

func days(l Length, people, usable int) Days {
	minutes := (l.IntakeS+l.RecordedS+l.DependsS)/60 + seatMinutes + afterMinutes
	d := Days{SlotMinutes: slotMinutes * math.Ceil(minutes/slotMinutes)}
	d.ADay = min(max(int(dayMinutes/d.SlotMinutes), 1), mostADay)
	d.Invite = int(math.Ceil(float64(usable) / (1 - lostShare)))
	d.Usable = usable
	d.Days = (people + d.ADay - 1) / d.ADay
	return d
}
