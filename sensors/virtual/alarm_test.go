package virtual

import (
	"testing"
	"time"

	"emolab/fusion/instant"
)

// kinds of alarms, by name.
func kinds() map[string]alarmMaker {
	return map[string]alarmMaker{"kernel": kernelAlarm, "program": programAlarm}
}

func openAlarm(t *testing.T, newOne alarmMaker) *Alarm {
	t.Helper()
	a, err := newOne()
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
	var clock instant.Monotonic
	for name, newOne := range kinds() {
		a := openAlarm(t, newOne)
		for _, wait := range []time.Duration{-time.Second, 0, 300 * time.Microsecond, 2500 * time.Microsecond} {
			begun := clock.Now()
			a.After(wait)
			hear(t, a)
			if passed := clock.Now().Sub(begun); passed < wait {
				t.Errorf("%s alarm: set to %v it rang after %v", name, wait, passed)
			}
		}
	}
}

func TestAlarmCanBeSetAnew(t *testing.T) {
	for name, newOne := range kinds() {
		a := openAlarm(t, newOne)
		a.After(time.Hour)
		a.After(time.Millisecond)
		hear(t, a)
		select {
		case <-a.C():
			t.Errorf("%s alarm: it rang twice for one setting", name)
		default:
		}
	}
}
