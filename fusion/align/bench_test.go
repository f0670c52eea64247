package align_test

import (
	"fmt"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/stream"
)

// hour is an hour of a device of each kind of clock. The budget: at 1 kHz an hour is
// aligned in a second, and live a sample costs a microsecond.
func hour(clock string, rate float64) aligntest.Recording {
	d := aligntest.EyeTracker(1)
	switch clock {
	case "pinged":
		d = aligntest.EDABox(1)
	case "browser":
		d = aligntest.Browser(1)
	case "counted":
		d.Info.Clock, d.Info.TickHz = stream.CountedClock, rate
	}
	d.Info.Rate = rate
	return d.Record(time.Hour)
}

var clocks = []string{"pinged", "ticked", "counted", "browser"}

func BenchmarkFitHour(b *testing.B) {
	for _, clock := range clocks {
		b.Run(clock, func(b *testing.B) {
			r := hour(clock, 1000)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := align.Fit(r.Info, r.Stamps, r.Pings); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLive(b *testing.B) {
	for _, clock := range clocks {
		for _, rate := range []float64{60, 1000} {
			b.Run(fmt.Sprintf("%s/%v_Hz", clock, rate), func(b *testing.B) {
				r := hour(clock, rate)
				b.ReportAllocs()
				for b.Loop() {
					l := align.NewLive(r.Info)
					for _, c := range r.Chunks {
						l.Align(c)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(r.Stamps)), "ns/sample")
			})
		}
	}
}
