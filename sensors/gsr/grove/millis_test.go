package grove

import (
	"errors"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

func TestMillis(t *testing.T) {
	type line struct {
		printed float64
		passed  time.Duration
		ok      bool
		tick    int64
	}
	for name, lines := range map[string][]line{
		"steady": {
			{1000, 0, true, 1000}, {1051, 51 * time.Millisecond, true, 1051}, {1102, 0, true, 1102}},
		"wraps": {
			{4294967290, 0, true, 4294967290}, {45, 51 * time.Millisecond, true, 4294967341}},
		"damaged digits": {
			{1000, 0, true, 1000}, {9051, 51 * time.Millisecond, false, 1000}, {102, 51 * time.Millisecond, false, 1000},
			{1153, 51 * time.Millisecond, true, 1153}},
		"no times": {
			{1.5, 0, false, 0}, {-1, 0, false, 0}, {4294967296, 0, false, 0}},
		"twice the same": {
			{1000, 0, true, 1000}, {1000, 51 * time.Millisecond, false, 1000}},
		"a line that stalled": {
			{1000, 0, true, 1000}, {1051, 1900 * time.Millisecond, true, 1051}, {2900, 0, true, 2900}},
	} {
		var m millis
		at := instant.Instant(0)
		for i, l := range lines {
			at = at.Add(l.passed)
			if ok := m.take(l.printed, at); ok != l.ok || m.last.tick != l.tick {
				t.Errorf("%s, line %d: %v, tick %d, want %v, %d", name, i, ok, m.last.tick, l.ok, l.tick)
			}
		}
	}
}

// One false time is damage, three are a board that began anew.
func TestMillisBeginAnew(t *testing.T) {
	var m millis
	at := instant.Instant(0)
	for i, printed := range []float64{90_000, 51, 90_102, 12, 63, 114} {
		at = at.Add(51 * time.Millisecond)
		m.take(printed, at)
		if err := m.err(); errors.Is(err, connection.ErrRestarted) != (i == 5) {
			t.Errorf("line %d: %v", i, err)
		}
	}
}

// A column that holds no times is not taken for a board that restarts for ever.
func TestMillisOfNoClock(t *testing.T) {
	for name, printed := range map[string]func(i int) float64{
		"always the same": func(int) float64 { return 25 },
		"fractions":       func(i int) float64 { return float64(i) + .5 },
		"readings":        func(i int) float64 { return float64(500 + i*7%5*-100) },
		"microseconds":    func(i int) float64 { return float64(51_000 * i) },
	} {
		var m millis
		n := 0
		for ; m.err() == nil && n < 100; n++ {
			m.take(printed(n), instant.Instant(0).Add(time.Duration(n)*51*time.Millisecond))
		}
		if err := m.err(); err == nil || errors.Is(err, connection.ErrRestarted) || n > noClock+1 {
			t.Errorf("%s: %v after %d lines", name, err, n)
		}
	}
}
