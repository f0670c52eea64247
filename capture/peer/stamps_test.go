package peer

import (
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

func TestStamps(t *testing.T) {
	const unix = int64(1_795_440_000) // s
	ntp := uint64(unix+ntpEpoch)<<32 | 1<<31
	var s stamps
	s.state(perReport, ntp, 5000)
	if s.at(5000) != unix*TickHz+TickHz/2 {
		t.Errorf("the stated frame is at %d", s.at(5000))
	}
	if d := s.at(5000+90000) - s.at(5000); d != TickHz {
		t.Errorf("a second later is %d ticks later", d)
	}
	before := uint32(5000)
	before -= 9000
	if d := s.at(before) - s.at(5000); d != -TickHz/10 {
		t.Errorf("a tenth before, over the wrap, is %d ticks", d)
	}
	s.state(perFrame, ntp+1<<32, 5000)
	s.state(perReport, ntp, 5000)
	if s.origin != perFrame || s.at(5000) != (unix+1)*TickHz+TickHz/2 {
		t.Error("a report counts more than what stands with the frames")
	}
	if _, ok := statedTime(make([]byte, 7)); ok {
		t.Error("a time of 7 bytes")
	}
}

func TestTheTwoClocksOfABrowser(t *testing.T) {
	for _, ahead := range []int64{0, 4000, -12000} { // µs
		var a agreement
		for i := range int64(40) {
			a.frame(i*33_000 + ahead)
		}
		for i := range int64(compared) {
			got, known := a.page((10 + i) * 33_000)
			if known != (i == compared-1) {
				t.Fatalf("after %d comparisons: known %v", i+1, known)
			}
			if known && got != time.Duration(ahead)*time.Microsecond {
				t.Errorf("%v ahead, want %d µs", got, ahead)
			}
		}
	}
	if _, known := new(agreement).page(1); known {
		t.Error("known without any frame")
	}
}

// A browser whose page is not told when a picture was taken says so nowhere itself.
func TestThatNothingVouchesIsSaidOnce(t *testing.T) {
	r := &Remote{events: make(chan stream.Event, 1)}
	said := func(d *delivery, at instant.Instant) bool {
		d.listen(at)
		select {
		case e := <-r.events:
			if e.Kind != stream.Marker || e.At != at {
				t.Errorf("%+v", e)
			}
			return true
		default:
			return false
		}
	}
	const start = instant.Instant(time.Hour)
	late := start.Add(unheard + 1)
	silent := &delivery{camera: &Camera{remote: r}, since: start}
	if said(silent, start.Add(unheard)) || !said(silent, late) || said(silent, late+1) {
		t.Error("it is not said after that time, and once")
	}
	telling := &delivery{camera: &Camera{remote: r}, since: start}
	telling.clocks.frame(1)
	telling.compare(1)
	if said(telling, late) {
		t.Error("said of a page that says when")
	}
}

func TestPings(t *testing.T) {
	var p pings
	for i := range pingBurst + 1 {
		want := pingSpacing
		if i >= pingBurst-1 {
			want = pingPeriod
		}
		if _, pause := p.ask(instant.Instant(i)); pause != want {
			t.Errorf("after ping %d: %v", i+1, pause)
		}
	}
	probe, ok := p.answered(said{ID: 3, Rx: 10, Tx: 11}, 20)
	if !ok || probe.T0 != 2 || probe.Rx != 10 || probe.Tx != 11 || probe.T3 != 20 {
		t.Errorf("%+v, %v", probe, ok)
	}
	if _, ok := p.answered(said{ID: 3}, 21); ok {
		t.Error("answered twice")
	}
	for range 10 * maxPending {
		p.ask(1)
	}
	if len(p.pending) > maxPending {
		t.Errorf("%d pings are waited for", len(p.pending))
	}
}
