package main

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"emolab/fusion/align/aligntest"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/eyetrac"
	"emolab/sensors/eyetracker/eyetribe"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/eyetracker/iscan"
	"emolab/sensors/eyetracker/iviewx"
	"emolab/sensors/gsr/bitalino"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/gsr/grove"
	"emolab/sensors/gsr/shimmer3"
	"emolab/sensors/virtual"
)

// Ten hours of every device that has a clock or counts, in simulated time. The real
// driver reads what its virtual twin says on a line within the process, which
// batches, jitters and loses; the twin's clock follows the temperature; and its
// cable is pulled twice. Time never leaps: each slot of the converter, each message
// and each ping of the ten hours takes place. Samples are rarer than in a lab, so
// that it takes seconds, which is harder for alignment: it hears less. How soon it is
// sure again after a reset is a matter of samples, not of seconds, so there is a short
// run at the device's usual rate besides.

const (
	// tenHourPower is how long each of the three times lasts for which the device has
	// power; racedPower is for the race detector.
	tenHourPower = tenHours / 3
	tenHours     = 10 * time.Hour
	racedPower   = 20 * time.Minute
	shortPower   = 2 * time.Minute
	// pulledFor is how long the cable is out in between.
	pulledFor = 2 * time.Second
	powers    = 3

	// usualRate, in Hz, is that of the slower eye trackers.
	usualRate = 60

	// The clock runs 1,700 ppm fast when cold and up to 600 more: 2,000 ± 300.
	coldPPM      = 1700
	ppmPerMinute = 10
	warmingFor   = time.Hour
)

// worn is the line: an adapter's latency timer, a millisecond of jitter, 2 % loss.
func worn() virtual.Disturbance {
	return virtual.Disturbance{Batch: 16 * time.Millisecond, Jitter: time.Millisecond, LossPercent: 2}
}

// played is a device whose hours are played.
type played struct {
	driver  string
	promise aligntest.Promise
	// set gives it a rate, in Hz; 0 = its usual one.
	set func(s device.Settings, hz int)
	// rare is the rate of the ten hours, often the one of the short run.
	rare, often int
	counters    []counter
}

// counter is one that comes round: a clock's, or else one of the samples of a
// connection.
type counter struct {
	bits  int
	clock bool
	every string // at the rate of the ten hours
}

func playedDevices() []played {
	return []played{
		{driver: "emobox", promise: aligntest.Asked, rare: 10,
			set:      func(s device.Settings, hz int) { s.(*emobox.Options).Rate = hz },
			counters: []counter{{32, true, "71.6 minutes"}, {16, false, "1.8 hours"}}},
		{driver: "shimmer3", promise: aligntest.Told, rare: 8,
			set:      func(s device.Settings, hz int) { s.(*shimmer3.Options).Rate = float64(hz) },
			counters: []counter{{24, true, "8.5 minutes"}}},
		{driver: "bitalino", promise: aligntest.Told, rare: 10,
			set:      func(s device.Settings, hz int) { s.(*bitalino.Options).Rate = hz },
			counters: []counter{{4, false, "1.6 seconds"}}},
		// At the usual 19.6 Hz it takes 1.4 s after a reset until 20 samples have met
		// enough phases of the latency timer.
		{driver: "grove", promise: aligntest.Told, rare: 5, often: 30,
			set:      func(s device.Settings, hz int) { o := s.(*grove.Options); o.Rate, o.Millis = float64(hz), 1 },
			counters: []counter{{32, true, "49.7 days, the first time 15 s after power-on"}}},
		{driver: "eyetrac", promise: aligntest.Told, rare: 5,
			set:      func(s device.Settings, hz int) { s.(*eyetrac.Options).Rate = hz },
			counters: []counter{{16, true, "3.6 hours, the first time 15 s after power-on"}}},
		// The next three write their clocks out in full.
		{driver: "gazepoint", promise: aligntest.Told, rare: 5,
			set: func(s device.Settings, hz int) { s.(*gazepoint.Options).Rate = hz }},
		{driver: "iviewx", promise: aligntest.Told, rare: 5,
			set: func(s device.Settings, hz int) { s.(*iviewx.Options).Rate = hz }},
		{driver: "eyetribe", promise: aligntest.Told, rare: 3,
			set: func(s device.Settings, hz int) {
				o := s.(*eyetribe.Options)
				o.Rate, o.Address = hz, "tcp://127.0.0.1:6555" // demanded, and not used
			}},
		// It has none. What is on the line for longer than from one sample to the next
		// could not be told from its neighbours: its usual 60 Hz are too many.
		{driver: "iscan", promise: aligntest.Silent, rare: 5, often: 30,
			set: func(s device.Settings, hz int) { s.(*iscan.Options).Rate = hz }},
	}
}

// stampedHere are the drivers whose devices are only written to: this process stamps
// what they do.
func stampedHere() []string { return []string{"usbttl", "xid", "rawbyte"} }

func TestEveryDriverIsPlayed(t *testing.T) {
	t.Parallel()
	for _, d := range drivers() {
		if !slices.Contains(stampedHere(), d.Name) &&
			!slices.ContainsFunc(playedDevices(), func(p played) bool { return p.driver == d.Name }) {
			t.Errorf("%s has a clock or counts, and is in no test of hours: add it to playedDevices", d.Name)
		}
	}
}

func TestTenHours(t *testing.T) {
	if testing.Short() {
		t.Skip("ten hours take some seconds for each device")
	}
	power := tenHourPower
	if raced {
		power = racedPower
	}
	for _, p := range playedDevices() {
		t.Run(p.driver, func(t *testing.T) {
			t.Parallel()
			tape := p.play(t, p.rare, power)
			tape.judge(t, p, false)
			if raced {
				return // it is not long enough
			}
			for _, c := range p.counters {
				if n := tape.rounds(c); n < 2 {
					t.Errorf("a counter of %d bits came round %d times, want 2 or more: every %s", c.bits, n, c.every)
				}
			}
		})
	}
}

func TestResetsAtTheUsualRate(t *testing.T) {
	for _, p := range playedDevices() {
		t.Run(p.driver, func(t *testing.T) {
			t.Parallel()
			p.play(t, p.often, shortPower).judge(t, p, true)
		})
	}
}

// bubbleClock is the lab clock of a synctest bubble.
type bubbleClock struct{ begun time.Time }

// Now begins with a machine that has been up for a day.
func (c bubbleClock) Now() instant.Instant {
	return instant.Instant(24 * time.Hour).Add(time.Since(c.begun))
}

// play records the device at a rate, through all times of power.
func (p played) play(t *testing.T, hz int, power time.Duration) *tape {
	t.Helper()
	driver, err := driverNamed(p.driver)
	if err != nil {
		t.Fatal(err)
	}
	kept := &tape{power: power, unnumbered: p.promise == aligntest.Silent}
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		clock := bubbleClock{time.Now()}
		// A participant who does nothing: this is about time.
		still := &script.Script{Period: time.Hour, LevelUS: 5, Fixations: []script.Fixation{{X: .5, Y: .5}}}
		kept.truth = script.NewTruth(still, clock.Now())
		settings := driver.Settings()
		place := settings.At()
		place.Driver, place.ID, place.Clock, place.Simulated = driver.Name, driver.Stream, clock, true
		p.set(settings, hz)
		twin := settings.Twin(virtual.TwinOptions{
			Truth: kept.truth, Clock: clock, DriftPPM: coldPPM, Seed: 1,
			Warming: script.Warming{From: clock.Now(), PPMPerMinute: ppmPerMinute, For: warmingFor},
		})
		link, wire, err := virtual.NewWire(twin, worn(), 2, clock)
		if err != nil {
			t.Fatal(err)
		}
		place.Through = wire
		source, err := settings.Open()
		if err != nil {
			t.Fatal(err)
		}
		kept.info = source.Info()[0]
		kept.record(t, source, link)
	})
	t.Logf("%v at %g Hz in %v", powers*power, kept.info.Rate, time.Since(begun).Round(time.Millisecond))
	return kept
}

// judge holds what was recorded against the budgets of alignment. With prompt, bounds
// are to be as usual a second after a reset, else after as many samples as a tracker
// sends in that time.
func (k *tape) judge(t *testing.T, p played, prompt bool) {
	t.Helper()
	rec := k.recording(t)
	scenario := aligntest.Scenario{Name: p.driver, Promise: p.promise, Unseen: p.promise != aligntest.Asked}
	r, err := scenario.Judge(rec)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("live p95 %v, final p95 %v of %v, constant %v, bounds %v and %v, true for %.2f and %.2f %%, flagged %v",
		r.Live.P95, r.Final.P95, r.Final.Max, r.Final.Constant, r.Live.BoundMedian, r.Final.BoundMedian, 100*r.LiveCovered, 100*r.FinalCovered, r.Flagged)
	if !prompt { // in as many samples as the slower trackers send in the budget's second
		r.Flagged = time.Duration(float64(r.Flagged) * k.info.Rate / usualRate)
	}
	if missed := r.Failures(); len(missed) > 0 {
		t.Error(strings.Join(missed, "; "))
	}
}
