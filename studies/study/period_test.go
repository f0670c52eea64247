package study

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/studies/wording"
)

func TestPeriods(t *testing.T) {
	english, _ := wording.Builtin("en")
	french, _ := wording.Builtin("fr")
	for _, c := range []struct {
		written  string
		days     int
		says, en string
	}{
		{"30d", 30, "30 jours", "30 days"}, {"1d", 1, "un jour", "one day"}, {"6w", 42, "6 semaines", "6 weeks"},
		{"1w", 7, "une semaine", "one week"}, {"24m", 730, "24 mois", "24 months"}, {"1m", 28, "un mois", "one month"},
		{"18m", 543, "18 mois", "18 months"}, {"2y", 730, "2 ans", "2 years"}, {"1y", 365, "un an", "one year"},
	} {
		p, ok := parsePeriod(c.written)
		if !ok || p.String() != c.written || p.length() != time.Duration(c.days)*day || p.in(french) != c.says || p.in(english) != c.en {
			t.Errorf("%s: %v, %q, %s, %q, %q", c.written, ok, p, p.length(), p.in(french), p.in(english))
		}
	}
	for _, s := range []string{"", "0d", "d", "24", "1.5y", "30 d", "-3d", "100000d", "2h", "3M"} {
		if p, ok := parsePeriod(s); ok {
			t.Errorf("%q is %v", s, p)
		}
	}
	if none := (period{}); none.String() != "" || none.length() != 0 {
		t.Errorf("no limit is %q, %s", none, none.length())
	}
}

// Whatever the calendar, nothing is kept longer than the participant has read.
func TestPeriodsAreNoLongerThanPromised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := period{rapid.IntRange(1, 60).Draw(t, "count"), rapid.SampledFrom([]string{"d", "w", "m", "y"}).Draw(t, "unit")}
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1461).Draw(t, "day"))
		until := map[string]time.Time{
			"d": from.AddDate(0, 0, p.count), "w": from.AddDate(0, 0, 7*p.count), "m": from.AddDate(0, p.count, 0), "y": from.AddDate(p.count, 0, 0),
		}[p.unit]
		if got := from.Add(p.length()); got.After(until) || until.Sub(got) > until.Sub(from)/12+3*day {
			t.Fatalf("%s from %s ends %s, promised is %s", p, from, got, until)
		}
	})
}
