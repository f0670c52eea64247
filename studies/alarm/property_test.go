package alarm

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// anyConditions draws what deviates at one moment, of a few things.
func anyConditions(t *rapid.T) []Condition {
	var out []Condition
	for _, id := range []string{"eda/slow", "eda/disconnected", "gaze/useless", "disk/low"} {
		if rapid.Bool().Draw(t, id) {
			out = append(out, Condition{
				ID: id, Severity: rapid.SampledFrom([]Severity{Minor, Major}).Draw(t, "severity"),
				Delay: rapid.SampledFrom([]time.Duration{0, 2 * time.Second}).Draw(t, "delay"),
				Idle:  rapid.Bool().Draw(t, "idle"),
			})
		}
	}
	return out
}

// Whatever comes and goes: what was raised stays until it was acknowledged (or shelved)
// and is clear, never becomes less severe on the way, and is where its state says.
func TestAnAlarmStaysUntilItIsSeenAndClear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Board
		now := instant.Instant(1e9)
		harmed := map[string]bool{} // it has lasted while the lab was not idle
		seen := map[string]bool{}   // since it was raised, or worse, or back from the shelf
		before := map[string]Alarm{}
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
			lasts := anyConditions(t)
			changes := b.Update(now, lasts)
			for _, c := range changes {
				if c.Event == Raised {
					harmed[c.Alarm.ID] = false
				}
			}
			for _, c := range lasts {
				harmed[c.ID] = harmed[c.ID] || !c.Idle
			}
			for _, c := range changes {
				switch c.Event {
				case Raised, Worse, Returned:
					seen[c.Alarm.ID] = false
				}
			}
			if all := b.Alarms(now); len(all) > 0 {
				id := rapid.SampledFrom(all).Draw(t, "alarm").ID
				switch rapid.IntRange(0, 5).Draw(t, "act") {
				case 0:
					b.Acknowledge(now, id)
					seen[id] = true
				case 1:
					b.Shelve(now, id, time.Duration(rapid.IntRange(1, 30).Draw(t, "for"))*time.Second)
					seen[id] = true
				}
			}
			after := map[string]Alarm{}
			for _, a := range b.Alarms(now) {
				after[a.ID] = a
				lastsNow := slices.ContainsFunc(lasts, func(c Condition) bool { return c.ID == a.ID })
				if a.State == Active && seen[a.ID] || a.State == Acknowledged && !seen[a.ID] ||
					a.State == Cleared && (seen[a.ID] || lastsNow && b.entries[a.ID].latest.Delay == 0) ||
					a.State == Shelved != (a.ShelvedMs > 0) || (a.ClearedMs >= 0) != (b.entries[a.ID].cleared != 0) {
					t.Fatalf("%+v, lasts %t, seen %t", a, lastsNow, seen[a.ID])
				}
			}
			for id, a := range before {
				x, there := after[id]
				switch {
				case !there && !seen[id] && harmed[id]:
					t.Fatalf("%+v has gone unseen", a)
				case !there && slices.ContainsFunc(lasts, func(c Condition) bool { return c.ID == id }) && b.entries[id] == nil:
					t.Fatalf("%+v has gone while it lasts", a)
				case there && a.Severity == Major && x.Severity == Minor && x.AgeMs > a.AgeMs:
					t.Fatalf("%+v became %+v", a, x)
				}
			}
			before = after
		}
		// In the end everything is seen and clear, and nothing is left.
		b.Acknowledge(now, "")
		for _, wait := range []time.Duration{0, time.Minute, ClearAfter, ChatterWindow} {
			now = now.Add(wait)
			b.Update(now, nil)
			b.Acknowledge(now, "")
		}
		if b.Update(now, nil); len(b.entries) != 0 {
			t.Fatalf("left: %+v", b.Alarms(now))
		}
	})
}

// No condition is an alarm before its delay, unless it chatters.
func TestNothingIsRaisedTooSoon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Board
		now, since := instant.Instant(1e9), instant.Instant(0)
		var comings []instant.Instant
		c := Condition{ID: "eda/slow", Severity: Minor, Delay: 2 * time.Second}
		for range rapid.IntRange(1, 80).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
			if !rapid.Bool().Draw(t, "lasts") {
				since = 0
				b.Update(now, nil)
				continue
			}
			if since == 0 {
				since, comings = now, append(comings, now)
			}
			lately := 0
			for _, at := range comings {
				if now.Sub(at) <= ChatterWindow {
					lately++
				}
			}
			raised := slices.ContainsFunc(b.Update(now, []Condition{c}), func(x Change) bool { return x.Event == Raised })
			if due := now.Sub(since) >= c.Delay || lately >= ChatterCount; raised != due {
				t.Fatalf("lasts for %v, came %d times lately: raised %t", now.Sub(since), lately, raised)
			}
			if raised {
				return
			}
		}
	})
}
