package align_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/stream"
)

const (
	tenHours = 10 * time.Hour
	// rareRate, in Hz, is a tenth of what devices send, so that ten hours take a second.
	rareRate = 10
	// rarestRate, in Hz, is enough to see whether memory grows.
	rarestRate = 2
	// usualRate, in Hz, is that of the slower eye trackers: after a reset the bounds may
	// be wider than usual for as many samples as those send in the budget's second.
	usualRate = 60
)

// tenHourDevice is a device of one kind of clock.
type tenHourDevice struct {
	name    string
	promise aligntest.Promise
	device  aligntest.Device
}

func tenHourDevices(hz float64, length time.Duration) []tenHourDevice {
	const seed = 10
	all := []tenHourDevice{
		{"answers pings", aligntest.Asked, aligntest.EDABox(seed)},
		{"browser", aligntest.Asked, aligntest.Browser(seed)},
		{"stamps", aligntest.Told, aligntest.Tracker(seed)},
		{"numbers", aligntest.Told, aligntest.Numbered(seed)},
		{"neither", aligntest.Silent, aligntest.Counted(seed, hz)},
	}
	for i := range all {
		d := &all[i].device
		if d.Info.Clock == stream.CountedClock {
			d.Info.TickHz = hz
		}
		d.Info.Rate = hz
		// Its clock gets 10 ppm a minute faster for an hour, as fast slower for the next,
		// and so on: by 300 ppm around what it is off in the mean.
		d.WarmingPPM, d.WarmingFor = 10, time.Hour
		d.DriftPPM -= 300
		d.Loss = .02
		if all[i].name != "browser" { // there is no adapter
			d.Batch = 16 * time.Millisecond
		}
		d.Resets, d.Unplug = []time.Duration{length / 3, length * 2 / 3}, 2*time.Second
	}
	return all
}

// Budgets hold for ten hours of a clock that follows the temperature.
func TestTenHours(t *testing.T) {
	if testing.Short() {
		t.Skip("ten hours take a second for each device")
	}
	length := tenHours
	if raced {
		length = time.Hour
	}
	for _, d := range tenHourDevices(rareRate, length) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			rec := d.device.Record(length)
			s := aligntest.Scenario{Name: d.name, Promise: d.promise, Unseen: d.promise != aligntest.Asked}
			r, err := s.Judge(rec)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d samples: live p95 %v, final p95 %v, constant %v, bounds true for %.2f and %.2f %%, flagged %v",
				len(rec.Stamps), r.Live.P95, r.Final.P95, r.Final.Constant, 100*r.LiveCovered, 100*r.FinalCovered, r.Flagged)
			r.Flagged = r.Flagged * rareRate / usualRate
			if missed := r.Failures(); len(missed) > 0 {
				t.Error(strings.Join(missed, "; "))
			}
		})
	}
}

// Live keeps nothing of what is long past.
func TestTenHoursLiveInTheSameMemory(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("ten hours take a second for each device, and the race detector keeps memory of its own")
	}
	for _, d := range tenHourDevices(rarestRate, tenHours) {
		t.Run(d.name, func(t *testing.T) {
			rec := d.device.Record(tenHours)
			before := liveHeap()
			live := align.NewLive(rec.Info)
			feed := func(from, until int) int64 {
				for _, c := range rec.Chunks[from:until] {
					live.Align(c)
				}
				return liveHeap() - before
			}
			hour := len(rec.Chunks) / 10
			early := feed(0, hour)
			late := feed(hour, len(rec.Chunks))
			t.Logf("%d bytes after an hour, %d after ten", early, late)
			// Slices that grow are up to twice as large as what is in them.
			const twice, slack = 2, 32 << 10
			if late > twice*max(early, 0)+slack {
				t.Errorf("%d bytes after an hour and %d after ten", early, late)
			}
			runtime.KeepAlive(live)
			runtime.KeepAlive(rec)
		})
	}
}

// liveHeap is how many bytes are in use.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
