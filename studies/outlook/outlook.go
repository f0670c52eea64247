// Package outlook tells what a study will be like before its first participant comes: who
// sees what in which order, how long it takes, how even the orders are, and what can be
// found with so many people.
package outlook

import (
	"time"

	"emolab/studies/study"
)

// Outlook is what a study will be like for so many people.
type Outlook struct {
	Study  string   `json:"study"` // id
	Title  string   `json:"title"`
	Rows   int      `json:"rows"` // orders to be filled evenly; 0 = an order of their own for everybody
	People []Person `json:"people"`
	Length Length   `json:"length"`
	Days   Days     `json:"days"`
	Blocks []Even   `json:"blocks"`
	Power  *Power   `json:"power"` // nil where nothing is compared
}

// Person is one of the people to come.
type Person struct {
	Number int     `json:"number"` // from 1
	Row    int     `json:"row"`
	Shown  []Shown `json:"shown"` // in order
	// PlanS is how long they are there according to the plan, in s: what is timed, and
	// what is read and answered at a common pace.
	PlanS float64 `json:"plan_s"`
}

// Shown is one presentation of a stimulus.
type Shown struct {
	Block     string  `json:"block"`
	Stimulus  string  `json:"stimulus"` // id
	Filler    bool    `json:"filler"`
	DurationS float64 `json:"duration_s"`
	// Depends says that it is shown or not depending on the answers.
	Depends bool `json:"depends"`
}

// Of returns the outlook of a study for the first so many people, if nobody drops out.
func Of(s *study.Study, people int) Outlook {
	o := Outlook{Study: s.ID, Title: s.Title, Rows: s.Rows(), People: make([]Person, 0, people)}
	pace := newPace(s)
	var lengths []length
	for n := range people {
		row := n
		if o.Rows > 0 {
			row = n % o.Rows
		}
		plan := s.Plan(row)
		l := pace.of(plan)
		lengths = append(lengths, l)
		o.People = append(o.People, Person{Number: n + 1, Row: row, Shown: shown(plan), PlanS: l.whole().Seconds()})
	}
	o.Length = mean(lengths)
	o.Days = days(o.Length, people, usable(s, people))
	o.Blocks = even(s, o.People)
	o.Power = expect(s, people)
	return o
}

// usable is how many of so many people are wanted: no more than the quota.
func usable(s *study.Study, people int) int {
	if s.Quota.Total > 0 {
		return min(s.Quota.Total, people)
	}
	return people
}

func shown(p study.Plan) []Shown {
	var all []Shown
	for _, step := range p.Steps {
		if step.Action == study.Play && !step.Again {
			all = append(all, Shown{Block: step.Block, Stimulus: step.Stimulus, Filler: step.Filler,
				DurationS: step.Duration.Seconds(), Depends: step.If != ""})
		}
	}
	return all
}

// seconds are seconds as a duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
