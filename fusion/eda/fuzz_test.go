package eda

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"emolab/fusion/instant"
)

// FuzzAnalyze reads samples of 4 bytes: 2 for the step in time, 2 for the value.
// Nothing may panic, and nothing may be missing without a flag.
func FuzzAnalyze(f *testing.F) {
	f.Add([]byte{}, uint8(0), 0.0)
	f.Add([]byte("01234567890123456789012345678901234567890123456789"), uint8(3), 25.0)
	long := make([]byte, 4*800)
	for i := range 800 {
		binary.LittleEndian.PutUint16(long[4*i:], 400)
		binary.LittleEndian.PutUint16(long[4*i+2:], uint16(5000+2000*math.Sin(float64(i)/30)))
	}
	for how := range uint8(12) {
		f.Add(long, how, 0.0)
	}
	f.Fuzz(func(t *testing.T, b []byte, how uint8, rate float64) {
		var at []instant.Instant
		var us []float64
		now := instant.Instant(0)
		for ; len(b) >= 4 && len(at) < 3000; b = b[4:] {
			step, v := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
			now = now.Add(time.Duration(step) * 100 * time.Microsecond)
			at = append(at, now)
			switch {
			case v > 0xfff0:
				us = append(us, math.NaN())
			case v > 0xffe0:
				us = append(us, math.Inf(int(v%2)*2-1))
			default:
				us = append(us, float64(v)/1000-.5)
			}
		}
		o := Options{
			Rate:    rate,
			Method:  []Method{HighPass, Median, CVX, CDA}[how%4],
			Scoring: []Scoring{TroughToPeak, OnPhasic, Relative}[how/4%3],
		}
		r := Analyze(at, us, o)
		for i := range us {
			if missing := math.IsNaN(r.Tonic[i]) || math.IsNaN(r.Phasic[i]); missing && r.Flags[i]&Unsplit == 0 ||
				math.IsInf(r.Tonic[i], 0) || math.IsInf(r.Phasic[i], 0) {
				t.Fatalf("sample %d: tonic %v, phasic %v, flags %q", i, r.Tonic[i], r.Phasic[i], r.Flags[i])
			}
		}
		for _, x := range r.Fine {
			if x.Peak < x.Onset || x.Flags&NoOnset == 0 && !(x.AmplitudeUS > 0) {
				t.Fatalf("%+v", x)
			}
		}
		r.Summary(Stretch{})
		live := NewLive(o)
		for i := range us {
			if v := live.Add(at[i], us[i]); math.IsInf(v.Tonic, 0) || math.IsNaN(v.Tonic) != math.IsNaN(v.Phasic) {
				t.Fatalf("live at sample %d: %+v", i, v)
			}
		}
	})
}
