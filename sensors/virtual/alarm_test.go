package virtual

import (
	"testing"
	"time"

	"emolab/fusion/instant"
)

func openAlarm(t *testing.T) *Alarm {
	t.Helper()
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func hear(t *testing.T, a *Alarm) {
	t.Helper()
	select {
	case <-a.C():
	case <-time.After(20 * time.Second):
		t.Fatal("the alarm did not ring")
	}
}

func TestAlarmRingsNotBeforeItsTime(t *testing.T) {
	a := openAlarm(t)
	var clock instant.Monotonic
	for _, wait := range []time.Duration{-time.Second, 0, 300 * time.Microsecond, 2500 * time.Microsecond} {
		begun := clock.Now()
		a.After(wait)
		hear(t, a)
		if passed := clock.Now().Sub(begun); passed < wait {
			t.Errorf("set to %v it rang after %v", wait, passed)
		}
	}
	begun := clock.Now()
	a.Every(3 * time.Millisecond)
	for range 4 {
		hear(t, a)
	}
	// The fourth may not be heard before the fourth period: none is made up.
	if passed := clock.Now().Sub(begun); passed < 12*time.Millisecond {
		t.Errorf("4 periods of 3 ms took %v", passed)
	}
}

func TestAlarmCanBeSetAnew(t *testing.T) {
	a := openAlarm(t)
	a.After(time.Hour)
	a.After(time.Millisecond)
	hear(t, a)
	select {
	case <-a.C():
		t.Error("it rang twice for one setting")
	default:
	}
}
