// Package alarm keeps the alarms of a lab: what deviates now (Condition) becomes what
// somebody has to have seen (Alarm), by the rules of ISA-18.2 as far as a room with one
// experimenter needs them. It knows nothing of devices, and no clock: every call says
// when it is.
package alarm

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
)

const (
	// ChatterWindow and ChatterCount: a condition that comes so often within so long is
	// an alarm, however short it lasts each time: that is how a loose plug shows.
	ChatterWindow = 10 * time.Second
	ChatterCount  = 5
	// ClearAfter is how long a condition has to be gone before its alarm is clear. It is
	// the mean time between two comings of what chatters, which therefore stays one alarm.
	ClearAfter = ChatterWindow / ChatterCount
	// IdleLatch is how long a major alarm that has come and gone while the lab was idle
	// waits for somebody to see it: a loose plug is to be found before a session, and who
	// comes back to the lab later looks at it as it is then.
	IdleLatch = 5 * time.Minute
)

// Severity ranks alarms.
type Severity string

// The severities.
const (
	Minor Severity = "minor" // look at it when there is time
	Major Severity = "major" // data are being lost or will be
)

// above tells whether s is worse than another severity.
func (s Severity) above(other Severity) bool { return s == Major && other != Major }

// State is where an alarm stands.
type State string

// The states of an alarm. One that was acknowledged and has gone is none any more; and
// what was Idle throughout ends by itself once it has gone.
const (
	Active       State = "active"       // lasts, and nobody has acknowledged it
	Acknowledged State = "acknowledged" // lasts, and was seen
	Cleared      State = "cleared"      // has gone, and nobody has acknowledged it
	Shelved      State = "shelved"      // put aside for a time, whether it lasts or not
)

// Condition is a deviation that lasts now.
type Condition struct {
	// ID names it for as long as it lasts: "eda/silent". What stands before the slash is
	// what it is about.
	ID       string
	Severity Severity
	Text     string        // what deviates
	Advice   string        // what to do about it
	Panel    string        // where at the console it is to be seen
	Delay    time.Duration // how long it has to last to be an alarm; 0 = it is one at once
	// Idle: nothing is under way that it could harm. Its alarm ends by itself once it has
	// gone, a major one after IdleLatch, unless it has lasted at a time that was not idle.
	Idle bool
}

// Alarm is a deviation in words, with what to do about it.
type Alarm struct {
	ID        string   `json:"id"`
	Severity  Severity `json:"severity"` // the highest since it was raised
	Text      string   `json:"text"`
	Advice    string   `json:"advice"`
	Panel     string   `json:"panel"`
	State     State    `json:"state"`
	AgeMs     float64  `json:"age_ms"`     // since it was raised
	ClearedMs float64  `json:"cleared_ms"` // since it has gone; -1 while it lasts
	ShelvedMs float64  `json:"shelved_ms"` // until it returns from the shelf; 0 = it is not there
	Count     int      `json:"count"`      // how often its condition has come
}

// Event says what happened to an alarm.
type Event string

// The events.
const (
	Raised   Event = "raised"
	Worse    Event = "worse" // a minor one became major
	Back     Event = "back"  // it had cleared and lasts again
	Clear    Event = "cleared"
	Seen     Event = "acknowledged"
	Aside    Event = "shelved"
	Returned Event = "returned" // from the shelf
)

// Change is one event of an alarm, as it stands after it.
type Change struct {
	Event Event
	Alarm Alarm
}

// Board keeps the alarms. Its zero value is empty and ready. It is not safe for
// concurrent use, and time must not go back from call to call.
type Board struct {
	entries map[string]*entry
}

// entry is one condition that lasts, has come lately, or is an alarm.
type entry struct {
	latest  Condition
	lasts   bool
	came    instant.Instant   // when it came the last time
	went    instant.Instant   // when it was seen to be gone, the last time
	comings []instant.Instant // within ChatterWindow
	count   int

	raised   instant.Instant // 0 = it is no alarm
	severity Severity        // the highest since then
	cleared  instant.Instant // when it went; 0 = it is not clear
	seen     bool
	idle     bool            // its condition has been Idle since it was raised
	shelf    instant.Instant // when it returns from the shelf; 0 = it is not there
}

// Update takes in all conditions that last now, and returns what became of alarms by it.
func (b *Board) Update(now instant.Instant, last []Condition) []Change {
	if b.entries == nil {
		b.entries = map[string]*entry{}
	}
	var out []Change
	there := map[string]bool{}
	for _, c := range last {
		there[c.ID] = true
		e := b.entries[c.ID]
		if e == nil {
			e = &entry{}
			b.entries[c.ID] = e
		}
		if event := e.lastsNow(now, c); event != "" {
			out = append(out, Change{event, e.alarm(now)})
			if event == Raised {
				out = append(out, b.unshelve(now, c.ID)...)
			}
		}
	}
	for _, id := range b.ids() {
		e := b.entries[id]
		if !there[id] && e.isGone(now) {
			out = append(out, Change{Clear, e.alarm(now)})
		}
		if e.shelf != 0 && now >= e.shelf {
			e.shelf = 0 // what has gone meanwhile was seen when it was put aside
			if e.lasts {
				e.seen = false
				out = append(out, Change{Returned, e.alarm(now)})
			}
		}
		if e.over(now) {
			delete(b.entries, id)
		}
	}
	return out
}

// lastsNow notes that the condition of an entry lasts, and returns what that makes of it.
func (e *entry) lastsNow(now instant.Instant, c Condition) Event {
	if !e.lasts {
		e.lasts, e.came = true, now
		e.count++
		e.comings = append(e.comings, now)
	}
	e.forget(now)
	e.latest = c
	e.idle = c.Idle && (e.idle || e.raised == 0)
	alarming := now.Sub(e.came) >= c.Delay || len(e.comings) >= ChatterCount
	switch {
	case e.raised == 0 && alarming:
		e.raised, e.severity = now, c.Severity
		return Raised
	case e.raised == 0:
		return ""
	case c.Severity.above(e.severity):
		e.severity, e.cleared, e.seen, e.shelf, e.raised = c.Severity, 0, false, 0, now
		return Worse
	case e.cleared != 0 && alarming:
		e.cleared = 0
		return Back
	}
	return ""
}

// isGone notes that the condition of an entry does not last, and tells whether its alarm
// has become clear by that.
func (e *entry) isGone(now instant.Instant) bool {
	if e.lasts {
		e.lasts, e.went = false, now
	}
	e.forget(now)
	if e.raised == 0 || e.cleared != 0 || now.Sub(e.went) < ClearAfter {
		return false
	}
	e.cleared = e.went
	return true
}

// forget lets go of comings that are too long ago to count as chatter.
func (e *entry) forget(now instant.Instant) {
	e.comings = slices.DeleteFunc(e.comings, func(at instant.Instant) bool { return now.Sub(at) > ChatterWindow })
}

// over ends an alarm that is clear and was seen, or need not be, and tells whether nothing
// is left of the entry that anybody needs.
func (e *entry) over(now instant.Instant) bool {
	if e.cleared != 0 && (e.seen || e.passing(now)) && e.shelf == 0 {
		e.raised, e.cleared, e.seen, e.count, e.comings = 0, 0, false, 0, nil
		if e.lasts { // again, and too short yet to be an alarm
			e.count, e.comings = 1, []instant.Instant{e.came}
		}
	}
	return e.raised == 0 && !e.lasts && len(e.comings) == 0
}

// passing tells whether an alarm that is clear ends although nobody has seen it.
func (e *entry) passing(now instant.Instant) bool {
	return e.idle && (e.severity != Major || now.Sub(e.cleared) >= IdleLatch)
}

// unshelve takes from the shelf what is about the same thing as an alarm that was raised:
// what was put aside may be part of it.
func (b *Board) unshelve(now instant.Instant, raised string) []Change {
	var out []Change
	for _, id := range b.ids() {
		if e := b.entries[id]; e.shelf != 0 && id != raised && subject(id) == subject(raised) {
			e.shelf, e.seen = 0, false
			out = append(out, Change{Returned, e.alarm(now)})
		}
	}
	return out
}

// subject is what a condition is about.
func subject(id string) string {
	about, _, _ := strings.Cut(id, "/")
	return about
}

// Acknowledge notes that an alarm was seen, "" = every one that is not on the shelf. ok is
// false if there is no such alarm.
func (b *Board) Acknowledge(now instant.Instant, id string) (out []Change, ok bool) {
	for _, each := range b.ids() {
		e := b.entries[each]
		if e.raised == 0 || each != id && (id != "" || e.shelf != 0) {
			continue
		}
		ok = true
		if e.seen {
			continue
		}
		e.seen = true
		out = append(out, Change{Seen, e.alarm(now)})
		if e.over(now) {
			delete(b.entries, each)
		}
	}
	return out, ok || id == ""
}

// Shelve puts an alarm aside for so long; it returns by itself. It comes back sooner when
// it becomes worse, or when another alarm is raised about the same thing. ok is false if
// there is no such alarm.
func (b *Board) Shelve(now instant.Instant, id string, how time.Duration) (out []Change, ok bool) {
	e := b.entries[id]
	if e == nil || e.raised == 0 {
		return nil, false
	}
	e.shelf, e.seen = now.Add(how), true
	return []Change{{Aside, e.alarm(now)}}, true
}

// Alarms lists the alarms: what nobody has acknowledged first, in it the major ones, and
// of those the newest.
func (b *Board) Alarms(now instant.Instant) []Alarm {
	out := []Alarm{} // in JSON an empty list is not null
	for _, e := range b.entries {
		if e.raised != 0 {
			out = append(out, e.alarm(now))
		}
	}
	slices.SortFunc(out, func(x, y Alarm) int {
		return cmp.Or(x.rank()-y.rank(), cmp.Compare(x.AgeMs, y.AgeMs), strings.Compare(x.ID, y.ID))
	})
	return out
}

// rank orders alarms by how much somebody has to do about them.
func (a Alarm) rank() int {
	rank := 0
	switch a.State {
	case Acknowledged:
		rank = 2
	case Shelved:
		rank = 4
	}
	if a.Severity != Major {
		rank++
	}
	return rank
}

// alarm is how an entry stands.
func (e *entry) alarm(now instant.Instant) Alarm {
	a := Alarm{
		ID: e.latest.ID, Severity: e.severity, Text: e.latest.Text, Advice: e.latest.Advice, Panel: e.latest.Panel,
		State: Active, AgeMs: inMs(now.Sub(e.raised)), ClearedMs: -1, Count: e.count,
	}
	if e.cleared != 0 {
		a.ClearedMs = inMs(now.Sub(e.cleared))
	}
	switch {
	case e.shelf != 0:
		a.State, a.ShelvedMs = Shelved, inMs(max(e.shelf.Sub(now), 0))
	case e.cleared != 0:
		a.State = Cleared
	case e.seen:
		a.State = Acknowledged
	}
	return a
}

// ids lists the entries in an order that does not change from call to call.
func (b *Board) ids() []string {
	ids := make([]string, 0, len(b.entries))
	for id := range b.entries {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func inMs(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
