package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/studies/session"
	"emolab/studies/study"
)

const (
	// readingTime and answeringTime are how long a simulated person of ordinary pace takes for
	// a sheet, and for each field of it besides: people take some thirty times as long. A
	// real page takes no answer before .6 s, and waits by itself.
	readingTime   = 400 * time.Millisecond
	answeringTime = 50 * time.Millisecond
	// pausing is how long somebody pauses who does.
	pausing = 2 * time.Second
)

// visitor is one simulated person on the way through a study. It decides what they do
// in each step, and remembers what they did. It is safe for concurrent use.
type visitor struct {
	person script.Person
	study  *study.Study
	// screened are the answers to the screening, of which the study keeps less.
	screened study.Answers
	truth    *script.Truth
	clock    instant.Clock
	// die pulls the cable of the device that is to die; nil = none does.
	die func() error

	mu     sync.Mutex
	plays  int           // Play steps that began for the first time
	most   int           // Play steps of the plan
	shown  map[int]shows // by presentation
	said   map[int]reply // by step
	met    map[string]bool
	paused bool
	swiped bool
	left   bool
	died   error // why the device could not be made to die
}

// shows is when a stimulus was on the screen; it is open while Until is 0.
type shows struct{ From, Until instant.Instant }

// reply is what a visitor answered in a step.
type reply struct {
	sheet  study.Sheet
	values study.Answers
	no     bool
}

// newVisitor lets a person in. most is how many stimuli the plan shows.
func newVisitor(p script.Person, st *study.Study, screened study.Answers, truth *script.Truth, clock instant.Clock, most int) *visitor {
	return &visitor{
		person: p, study: st, screened: screened, truth: truth, clock: clock, most: most,
		shown: map[int]shows{}, said: map[int]reply{}, met: map[string]bool{},
	}
}

// language is the one that the visitor reads; "" if the study has no texts.
func (v *visitor) language() string {
	if n := len(v.study.Languages); n > 0 {
		return v.study.Languages[v.person.Language%n]
	}
	return ""
}

// conduct is what the visitor does in a step that begins now.
func (v *visitor) conduct(step study.Step) session.Conduct {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch step.Action {
	case study.Play:
		return v.watch(step)
	case study.Fill:
		v.seen()
		v.met[step.Sheet] = true
		return v.answer(step)
	}
	v.seen()
	return session.Conduct{}
}

// watch is what the visitor does while a stimulus plays.
func (v *visitor) watch(step study.Step) session.Conduct {
	before, again := v.shown[step.Presentation]
	v.shown[step.Presentation] = shows{From: v.clock.Now()}
	if !again {
		v.plays++
	}
	due := v.plays > int(v.person.At*float64(v.most))
	middle := step.Duration / 2
	fault := v.person.Fault
	switch {
	case fault == script.DeviceDies && v.plays == 1 && !again && v.die != nil:
		v.died = v.die()
	case (fault == script.DropsOut || fault == script.Deletes) && due && !v.left:
		v.left = true
		return session.Conduct{After: middle, Leave: true}
	case v.person.Pauses && due && !v.paused && before == shows{}:
		v.paused = true
		return session.Conduct{After: middle, Pause: pausing}
	case v.person.Swipes && due && !v.swiped && step.Skippable:
		v.swiped = true
		return session.Conduct{After: middle, Swipe: true}
	}
	return session.Conduct{}
}

// seen notes that the stimulus that was on the screen has gone.
func (v *visitor) seen() {
	for n, s := range v.shown {
		if s.Until == 0 {
			s.Until = v.clock.Now()
			v.shown[n] = s
		}
	}
}

// answer fills a sheet in.
func (v *visitor) answer(step study.Step) session.Conduct {
	sheet, ok := v.study.Sheet(step.Sheet)
	if !ok {
		return session.Conduct{}
	}
	c := session.Conduct{Answer: true, Language: v.language(), After: v.takes(sheet)}
	r := respondent{v.person, v.language()}
	switch sheet.Kind {
	case study.ScreeningSheet:
		c.Fill = on(sheet, v.screened)
	case study.ConsentSheet:
		if v.person.Fault == script.Declines {
			c.No = true
			break
		}
		c.Fill = r.fill(sheet, script.Feeling{}, 0)
	case study.LeaveSheet:
		c.Fill = r.leave(sheet)
	case study.RatingSheet:
		c.Fill = r.fill(sheet, v.felt(step.Presentation), step.Presentation)
	default:
		c.Fill = r.fill(sheet, script.Feeling{}, 0)
	}
	v.said[step.Index] = reply{sheet, c.Fill, c.No}
	return c
}

// takes is how long the visitor takes for a sheet.
func (v *visitor) takes(sheet study.Sheet) time.Duration {
	d := readingTime + time.Duration(len(sheet.Fields))*answeringTime
	return time.Duration(float64(d) / v.person.Pace)
}

// felt is what the visitor felt during a presentation.
func (v *visitor) felt(presentation int) script.Feeling {
	s, ok := v.shown[presentation]
	if !ok {
		return script.Feeling{}
	}
	return v.truth.Script().Felt(v.truth.Elapsed(s.From), v.truth.Elapsed(s.Until))
}

// leave answers the sheet of who stops: what is to become of the data.
func (r respondent) leave(sheet study.Sheet) study.Answers {
	answers := r.fill(sheet, script.Feeling{}, 0)
	for _, f := range sheet.Fields {
		if f.ID != leaveKey {
			continue
		}
		answers[leaveKey] = keepsData
		if r.person.Fault == script.Deletes {
			answers[leaveKey] = deletesData
		}
	}
	return answers
}

// The answer of who stops, in the study's vocabulary.
const (
	leaveKey    = "leave"
	keepsData   = "keep"
	deletesData = "delete"
)

// allowed tells whether the visitor has agreed to a scope.
func (v *visitor) allowed(scope string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range v.said {
		if a.sheet.Kind == study.ConsentSheet {
			return !a.no && a.values[scope] == study.Yes
		}
	}
	return false
}

// did says in a few words what the visitor did that others do not.
func (v *visitor) did() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.person
	words := string(p.Fault)
	add := func(is bool, text string) {
		if is {
			if words != "" {
				words += ", "
			}
			words += text
		}
	}
	add(v.paused, "pauses")
	add(v.swiped, "swipes one away")
	add(p.Slips, "the eye tracker slips once")
	add(!p.Responsive, "skin does not respond")
	if words == "" {
		return "goes through"
	}
	return words
}

// answersFor finds what a person answers in the screening: nothing that a full cell
// of the quota would turn away, where such answers exist. turned says why the person
// does not take part; "" = they do.
func answersFor(s *screening, p script.Person, full func(question, band string) bool) (answers study.Answers, turned string, err error) {
	chance := p.Chance("screening", 0)
	if p.Fault == script.ScreenedOut {
		answers, question, err := s.failing(chance)
		return answers, "screening: " + question, err
	}
	open := func(kept study.Answers) bool {
		for question, band := range kept {
			if full(question, band) {
				return false
			}
		}
		return true
	}
	if answers, err = s.passing(chance, open); err == nil {
		return answers, "", nil
	}
	answers, err = s.passing(rand.New(rand.NewPCG(p.Seed, 0)), func(study.Answers) bool { return true })
	if err != nil {
		return nil, "", fmt.Errorf("person %d: %w", p.Number, err)
	}
	return answers, "quota", nil
}
