package grove

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
)

// stalls are how long a host stood still in these tests.
var stalls = []time.Duration{300 * time.Millisecond, 1900 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second}

// stall holds up what would come within a time, until its end.
func stall(heard []reading, from, passed time.Duration) {
	begin, end := instant.Instant(0).Add(from), instant.Instant(0).Add(from+passed)
	for i := range heard {
		if heard[i].at >= begin && heard[i].at < end {
			heard[i].at = end
		}
	}
}

// troubles returns what a driver said besides that it connected.
func troubles(events []stream.Event) (all []string) {
	for _, e := range events {
		if e.Kind != stream.Connected && e.Detail != errEnd.Error() {
			all = append(all, fmt.Sprintf("%s: %s", e.Kind, e.Detail))
		}
	}
	return all
}

func timed(i int) string { return fmt.Sprintf("%d,500\r\n", 90_000+50*i) }

// Lines that waited for the host are late, and no restart of the board.
func TestStallOfTheHost(t *testing.T) {
	for _, passed := range stalls {
		for _, c := range []struct {
			name string
			o    Options
			line func(i int) string
		}{
			{"times", Options{Rate: 20, Millis: 1}, timed},
			{"readings only", Options{Rate: 20}, number500},
		} {
			const n = 2000
			heard := at(20, n, c.line)
			for from := time.Duration(0); from < 90*time.Second; from += 13 * time.Second {
				stall(heard, from, passed) // the first before the first line
			}
			samples, events := replay(t, c.o, heard)
			if said := troubles(events); len(samples) != n-1 || len(said) > 0 {
				t.Errorf("%s, %v: %d of %d samples, %q", c.name, passed, len(samples), n-1, said)
			}
		}
	}
}

// The port hands over in pieces what waited, and while it does the host stops again.
func TestStallsOneAfterTheOther(t *testing.T) {
	const n = 800
	heard := at(20, n, timed)
	stall(heard, 10*time.Second, 5*time.Second)
	stall(heard[250:], 15*time.Second, 4*time.Second)
	var pieces []reading
	for _, r := range heard {
		pieces = append(pieces, reading{r.text[:3], r.at}, reading{r.text[3:], r.at})
	}
	samples, events := replay(t, Options{Rate: 20, Millis: 1}, pieces)
	if said := troubles(events); len(samples) != n-1 || len(said) > 0 {
		t.Errorf("%d of %d samples, %q", len(samples), n-1, said)
	}
}

// What the buffers did not hold is a leap of the times, and no restart either.
func TestStallThatLosesLines(t *testing.T) {
	heard := at(20, 1200, timed)
	stall(heard, 10*time.Second, 30*time.Second)
	kept := append(heard[:500:500], heard[800:]...) // 15 of 30 s
	samples, events := replay(t, Options{Rate: 20, Millis: 1}, kept)
	if said := troubles(events); len(samples) != len(kept)-1 || len(said) > 0 {
		t.Errorf("%d of %d samples, %q", len(samples), len(kept)-1, said)
	}
}

// A true restart is found, also when it happens while the host stands still.
func TestRestartDuringAStall(t *testing.T) {
	for _, passed := range append(stalls, 0) {
		heard := at(20, 600, func(i int) string {
			if i >= 220 {
				return fmt.Sprintf("%d,500\r\n", 1000+50*(i-220))
			}
			return timed(i)
		})
		heard = append(heard[:210:210], heard[220:]...) // its boot loader
		stall(heard, 10*time.Second, passed)
		samples, events := replay(t, Options{Rate: 20, Millis: 1}, heard)
		said := strings.Join(troubles(events), "; ")
		before := 0
		for _, s := range samples {
			if s.Tick >= 90_000 {
				before++
			}
		}
		if before != 209 || !strings.Contains(said, connection.ErrRestarted.Error()) {
			t.Errorf("%v: %d samples, %q; want 209, and a restart", passed, before, said)
		}
	}
}

// Times that go on where they were, but stay late, are not those of a busy host.
func TestTimesThatStayBehind(t *testing.T) {
	for name, line := range map[string]func(i int) string{
		"restart that goes on by chance": func(i int) string {
			return fmt.Sprintf("%d,500\r\n", 1000+50*i-min(max(0, 50*(i-20)), 4000))
		},
		"number of the line": func(i int) string { return fmt.Sprintf("%d,500\r\n", i) },
	} {
		heard := at(20, 2000, line)
		if strings.HasPrefix(name, "restart") {
			heard = append(heard[:20:20], heard[101:]...)
		}
		_, events := replay(t, Options{Rate: 20, Millis: 1}, heard)
		if said := strings.Join(troubles(events), "; "); !strings.Contains(said, "stay so") {
			t.Errorf("%s: %q", name, said)
		}
	}
}

// Stalls do not hide a rate that is not the stated one, while there is half a minute
// between those that are long.
func TestRateBetweenStalls(t *testing.T) {
	for _, passed := range stalls {
		heard := at(25, 3000, number500)
		stall(heard, 500*time.Millisecond, passed)
		stall(heard, 60*time.Second, passed)
		_, events := replay(t, Options{Rate: 20}, heard)
		said := troubles(events)
		var hz float64
		if len(said) == 1 {
			if _, err := fmt.Sscanf(said[0], string(stream.Marker)+": %f lines come", &hz); err != nil {
				t.Error(err)
			}
		}
		if hz < 24.9 || hz > 25.1 {
			t.Errorf("%v: %q, want one marker that says 25", passed, said)
		}
	}
}
