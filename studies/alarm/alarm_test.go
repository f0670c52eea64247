package alarm

import (
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
)

var (
	pulled = Condition{ID: "eda/disconnected", Severity: Major, Text: "not connected", Advice: "Check the cable.", Panel: "streams"}
	slow   = Condition{ID: "eda/slow", Severity: Minor, Text: "slow", Advice: "Close other programs.", Panel: "streams", Delay: 2 * time.Second}
)

// shift plays conditions to a board, second by second.
type shift struct {
	Board
	now instant.Instant
}

func newShift() *shift { return &shift{now: 100e9} }

// goes lets conditions last for so long, looked at four times a second.
func (s *shift) goes(d time.Duration, c ...Condition) (out []Change) {
	for end := s.now.Add(d); s.now < end; s.now = s.now.Add(250 * time.Millisecond) {
		out = append(out, s.Update(s.now, c)...)
	}
	return out
}

// only is the one alarm there is.
func (s *shift) only(t *testing.T) Alarm {
	t.Helper()
	all := s.Alarms(s.now)
	if len(all) != 1 {
		t.Fatalf("%d alarms: %+v", len(all), all)
	}
	return all[0]
}

func events(all []Change) (out []Event) {
	for _, c := range all {
		out = append(out, c.Event)
	}
	return out
}

func TestACableIsPulledAndPutBack(t *testing.T) {
	s := newShift()
	if got := events(s.Update(s.now, []Condition{pulled})); !slices.Equal(got, []Event{Raised}) {
		t.Fatalf("a pulled cable: %v", got)
	}
	if a := s.only(t); a.State != Active || a.AgeMs != 0 || a.ClearedMs != -1 || a.Count != 1 || a.Text != pulled.Text || a.Advice != pulled.Advice || a.Panel != "streams" {
		t.Errorf("raised: %+v", a)
	}
	s.goes(3*time.Second, pulled)
	if got := events(s.goes(3 * time.Second)); !slices.Equal(got, []Event{Clear}) {
		t.Errorf("put back: %v", got)
	}
	if a := s.only(t); a.State != Cleared || a.AgeMs != 6000 || a.ClearedMs != 3000 {
		t.Errorf("put back: %+v", a)
	}
	s.goes(time.Hour)
	if a := s.only(t); a.State != Cleared {
		t.Errorf("an hour later, unseen: %+v", a)
	}
	if got, ok := s.Acknowledge(s.now, pulled.ID); !ok || !slices.Equal(events(got), []Event{Seen}) {
		t.Errorf("acknowledged: %v, %t", got, ok)
	}
	if all := s.Alarms(s.now); len(all) != 0 {
		t.Errorf("acknowledged and gone: %+v", all)
	}
}

func TestSeenFirstAndGoneThen(t *testing.T) {
	s := newShift()
	s.goes(time.Second, pulled)
	s.Acknowledge(s.now, "")
	s.goes(time.Second, pulled)
	if a := s.only(t); a.State != Acknowledged {
		t.Errorf("seen, and lasts: %+v", a)
	}
	if got := s.goes(ClearAfter + time.Second); !slices.Equal(events(got), []Event{Clear}) || len(s.Alarms(s.now)) != 0 {
		t.Errorf("seen and gone: %v, %+v", got, s.Alarms(s.now))
	}
}

func TestWhatComesAndGoesWithinItsDelayIsNoAlarm(t *testing.T) {
	s := newShift()
	for range 10 {
		if got := append(s.goes(1750*time.Millisecond, slow), s.goes(2*time.Second)...); len(got) != 0 {
			t.Fatalf("%v", got)
		}
	}
	if len(s.entries) > 1 {
		t.Errorf("%d entries", len(s.entries))
	}
	s.goes(ChatterWindow + time.Second)
	if len(s.entries) != 0 {
		t.Errorf("what is over is kept: %d entries", len(s.entries))
	}
	if got := s.goes(slow.Delay+time.Second, slow); !slices.Equal(events(got), []Event{Raised}) {
		t.Errorf("what lasts: %v", got)
	}
}

func TestChatterIsAnAlarm(t *testing.T) {
	s := newShift()
	var got []Change
	for range ChatterCount {
		got = append(got, append(s.goes(250*time.Millisecond, slow), s.goes(1500*time.Millisecond)...)...)
	}
	if !slices.Equal(events(got), []Event{Raised}) {
		t.Errorf("%d times in %v: %v", ChatterCount, ChatterWindow, got)
	}
	if a := s.only(t); a.Count != ChatterCount || a.State != Active {
		t.Errorf("it chatters: %+v", a)
	}
	if more := append(s.goes(250*time.Millisecond, slow), s.goes(1500*time.Millisecond)...); len(more) != 0 {
		t.Errorf("it goes on chattering: %v", more)
	}
}

func TestWhatBecomesWorseIsNews(t *testing.T) {
	s := newShift()
	dim := Condition{ID: "face/view", Severity: Minor}
	dark := Condition{ID: "face/view", Severity: Major}
	s.goes(time.Second, dim)
	s.Acknowledge(s.now, "face/view")
	s.Shelve(s.now, "face/view", time.Hour)
	if got := s.goes(time.Second, dark); !slices.Equal(events(got), []Event{Worse}) {
		t.Errorf("worse: %v", got)
	}
	if a := s.only(t); a.State != Active || a.Severity != Major {
		t.Errorf("worse: %+v", a)
	}
	s.goes(time.Second, dim)
	if a := s.only(t); a.Severity != Major {
		t.Errorf("better again, and not clear: %+v", a)
	}
}

func TestTheShelf(t *testing.T) {
	s := newShift()
	s.goes(time.Second, pulled)
	if _, ok := s.Shelve(s.now, "gaze/disconnected", time.Minute); ok {
		t.Error("what is no alarm was shelved")
	}
	s.Shelve(s.now, pulled.ID, time.Minute)
	s.goes(10*time.Second, pulled)
	if a := s.only(t); a.State != Shelved || a.ShelvedMs != 50_000 {
		t.Errorf("on the shelf: %+v", a)
	}
	if got, _ := s.Acknowledge(s.now, ""); len(got) != 0 {
		t.Errorf("all were acknowledged, and with them the shelf: %v", got)
	}
	if got := s.goes(time.Minute, pulled); !slices.Equal(events(got), []Event{Returned}) {
		t.Errorf("after its time: %v", got)
	}
	if a := s.only(t); a.State != Active {
		t.Errorf("after its time: %+v", a)
	}

	s.Shelve(s.now, pulled.ID, time.Minute)
	s.goes(30 * time.Second)
	if a := s.only(t); a.State != Shelved || a.ClearedMs != 30_000 {
		t.Errorf("gone, on the shelf: %+v", a)
	}
	if s.goes(time.Minute); len(s.Alarms(s.now)) != 0 {
		t.Errorf("gone, and its time is over: %+v", s.Alarms(s.now))
	}
}

func TestANewAlarmAboutTheSameThingEmptiesTheShelf(t *testing.T) {
	s := newShift()
	s.goes(3*time.Second, slow)
	s.Shelve(s.now, slow.ID, time.Hour)
	other := Condition{ID: "gaze/disconnected", Severity: Major}
	s.goes(time.Second, slow, other)
	if a := s.Alarms(s.now); len(a) != 2 || a[1].State != Shelved {
		t.Fatalf("an alarm about something else: %+v", a)
	}
	if got := s.goes(time.Second, slow, other, pulled); !slices.Equal(events(got), []Event{Raised, Returned}) {
		t.Errorf("a new one about the same: %v", got)
	}
}

func TestOrder(t *testing.T) {
	s := newShift()
	major := func(id string) Condition { return Condition{ID: id, Severity: Major} }
	minor := func(id string) Condition { return Condition{ID: id, Severity: Minor} }
	now := []Condition{major("old/x")}
	for _, c := range []Condition{minor("minor/x"), major("seen/x"), minor("seen minor/x"), minor("shelf/x"), major("new/x")} {
		s.goes(time.Second, now...)
		now = append(now, c)
	}
	s.goes(time.Second, now...)
	s.Acknowledge(s.now, "seen/x")
	s.Acknowledge(s.now, "seen minor/x")
	s.Shelve(s.now, "shelf/x", time.Minute)
	var got []string
	for _, a := range s.Alarms(s.now) {
		got = append(got, a.ID)
	}
	if want := []string{"new/x", "old/x", "minor/x", "seen/x", "seen minor/x", "shelf/x"}; !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}

// What comes and goes while the lab is idle is nobody's to acknowledge: a minor one ends
// when it has gone, a major one some minutes later.
func TestWhatPassesWhileNobodyIsThere(t *testing.T) {
	s := newShift()
	idleSlow, idlePulled := slow, pulled
	idleSlow.Idle, idlePulled.Idle = true, true
	s.goes(5*time.Second, idleSlow)
	if got := s.goes(ClearAfter + time.Second); !slices.Equal(events(got), []Event{Clear}) || len(s.Alarms(s.now)) != 0 {
		t.Errorf("a minor one: %v, %+v", got, s.Alarms(s.now))
	}
	s.goes(time.Second, idlePulled)
	s.goes(IdleLatch - time.Second)
	if a := s.only(t); a.State != Cleared {
		t.Errorf("a major one: %+v", a)
	}
	s.goes(2 * time.Second)
	if all := s.Alarms(s.now); len(all) != 0 {
		t.Errorf("a major one, some minutes later: %+v", all)
	}
	// What has lasted in a session, at any time, is kept for whoever reads the screen after it.
	s.goes(5*time.Second, idleSlow)
	s.goes(time.Second, slow)
	s.goes(5*time.Second, idleSlow)
	s.goes(time.Hour)
	if a := s.only(t); a.State != Cleared {
		t.Errorf("that lasted in a session: %+v", a)
	}
	s.Acknowledge(s.now, "")
	s.goes(5*time.Second, idleSlow)
	s.goes(time.Minute)
	if all := s.Alarms(s.now); len(all) != 0 {
		t.Errorf("and comes again after it: %+v", all)
	}
}
