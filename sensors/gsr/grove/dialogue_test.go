package grove

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
)

// tape is a line on which everything that will be heard is recorded, with its
// arrivals. It ends the conversation at its end.
type tape struct {
	mu    sync.Mutex
	heard []reading
	end   context.CancelFunc
}

type reading struct {
	text string
	at   instant.Instant
}

var errEnd = errors.New("end of the tape")

func (l *tape) Read(b []byte) (int, instant.Instant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.heard) == 0 {
		l.end()
		return 0, 0, errEnd
	}
	r := l.heard[0]
	l.heard = l.heard[1:]
	return copy(b, r.text), r.at, nil
}

func (l *tape) Write(b []byte) (int, error) { return len(b), nil }
func (l *tape) Close() error                { return nil }

// replay lets the driver hear a tape and returns what it delivered.
func replay(t *testing.T, o Options, heard []reading) (samples []stream.Sample, events []stream.Event) {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	out := make(chan stream.Chunk)
	var done sync.WaitGroup
	done.Go(func() {
		defer close(out)
		clock := &instant.Hand{}
		opened := false
		err := connection.Keeper{
			Streams: []string{"eda"}, Clock: clock,
			Open: func() (connection.Line, error) {
				if opened {
					return nil, errEnd
				}
				opened = true
				return &tape{heard: heard, end: func() {}}, nil
			},
			Begin: func(log *connection.Log) connection.Dialogue { return newDialogue(o.withDefaults(), log) },
		}.Run(ctx, out)
		if err != nil {
			t.Error(err)
		}
	})
	for c := range out {
		samples, events = append(samples, c.Samples...), append(events, c.Events...)
		for _, e := range c.Events {
			if e.Kind == stream.Disconnected {
				end()
			}
		}
	}
	done.Wait()
	return samples, events
}

// at returns n lines of which each comes a period after the one before.
func at(hz float64, n int, line func(i int) string) []reading {
	var all []reading
	for i := range n {
		all = append(all, reading{line(i), instant.Instant(float64(i) / hz * 1e9)})
	}
	return all
}

func number500(int) string { return "500\r\n" }

// How many lines were hit by damage is told by the time.
func TestCountsLost(t *testing.T) {
	for name, c := range map[string]struct {
		damaged map[int]string
		lost    int64
	}{
		"one line, and the next is not believed": {map[int]string{20: "5\xff0\r\n"}, 2},
		"two lines in one":                       {map[int]string{20: "500", 21: "500\r\n"}, 2}, // 500500 is none, but its end is an end
		"a line in two":                          {map[int]string{20: "\r\n50\xff\r\n"}, 2},
		"a remark between":                       {map[int]string{20: "ready\r\n500\r\n500\r\n"}, 0},
		"ten":                                    {map[int]string{20: "\xff", 21: "", 22: "", 23: "", 24: "", 25: "", 26: "", 27: "", 28: "", 29: "\n"}, 11},
	} {
		heard := at(DefaultRate, 50, func(i int) string {
			if text, hit := c.damaged[i]; hit {
				return text
			}
			return "500\r\n"
		})
		samples, events := replay(t, Options{}, heard)
		var lost int64
		for _, e := range events {
			if e.Kind == stream.Lost {
				lost += e.Count
			}
		}
		if last := samples[len(samples)-1]; lost != c.lost || (last.Seq != 48 && c.lost > 0) || last.Tick != last.Seq {
			t.Errorf("%s: %d lost, the last number is %d with tick %d; want %d and 48", name, lost, last.Seq, last.Tick, c.lost)
		}
	}
}

// The stream is placed by counting lines, so a rate that is not theirs is said.
func TestJudgesTheRate(t *testing.T) {
	for _, c := range []struct {
		hz     float64
		millis int
		kind   stream.EventKind // of what is said
		says   string
	}{
		{19.6, 0, "", ""},
		{19.65, 0, "", ""},
		{20, 0, stream.Marker, "20.00 lines come a second, not 19.6: set rate: 20.00"},
		{25, 0, stream.Marker, "25.00 lines come a second, not 19.6: set rate: 25.00"},
		{10, 0, stream.Marker, "10.00 lines come a second"},
		{196, 0, stream.Marker, "196.00 lines come a second"},
		{25, 1, "", ""}, // its times are its own
	} {
		heard := at(c.hz, int(c.hz*95), func(i int) string {
			if c.millis > 0 {
				return fmt.Sprintf("%d,500\r\n", int(float64(i)*1000/c.hz))
			}
			return number500(i)
		})
		_, events := replay(t, Options{Millis: c.millis}, heard)
		said, times := "", 0
		for _, e := range events {
			if (e.Kind == stream.Marker || e.Kind == stream.Disconnected) && e.Detail != errEnd.Error() {
				said, times = string(e.Kind)+": "+e.Detail, times+1
			}
		}
		if times > 1 {
			t.Errorf("%v lines a second: said %d times", c.hz, times)
		}
		if (c.says == "") != (said == "") || !strings.Contains(said, c.says) || !strings.HasPrefix(said, string(c.kind)) {
			t.Errorf("%v lines a second: said %q, want %q", c.hz, said, c.says)
		}
	}
}

// A line that comes late is late, not lost.
func TestLateLinesAreNotLost(t *testing.T) {
	heard := at(DefaultRate, 40, number500)
	for i := 20; i < 30; i++ {
		heard[i].at = heard[29].at.Add(300 * time.Millisecond)
	}
	samples, events := replay(t, Options{}, heard)
	if len(samples) != 39 || samples[38].Seq != 38 {
		t.Errorf("%d samples up to number %d, want 39", len(samples), samples[len(samples)-1].Seq)
	}
	for _, e := range events {
		if e.Kind == stream.Lost || e.Kind == stream.Fault {
			t.Errorf("%+v", e)
		}
	}
}

// After a good start, bytes that are no readings do not count as life.
func TestGarbageForEver(t *testing.T) {
	for _, text := range []string{"7", "ready\n", "\xff\xfe\n", "5000\n"} {
		heard := at(DefaultRate, 200, func(i int) string {
			if i < 20 {
				return number500(i)
			}
			return text
		})
		samples, events := replay(t, Options{}, heard)
		last := events[len(events)-1]
		if len(samples) != 19 || !strings.Contains(last.Detail, "no line with a reading") {
			t.Errorf("%q: %d samples, then %+v", text, len(samples), last)
		}
	}
}
