package eyetrac

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/linetest"
	"emolab/sensors/serialtest"
)

func options(port string) Options {
	return Options{Place: device.Place{ID: "gaze", Port: port, Clock: instant.Monotonic{}},
		Screen: device.Span{Left: 10, Top: 20, Right: 210, Bottom: 220}}
}

// play lets a dialogue at 60 Hz hear frames, each at the time of its number.
func play(t testing.TB, o Options, frames []Frame) (*serialtest.Recording, string) {
	var reads []linetest.Read
	for i, f := range frames {
		b := AppendFrame(nil, f)
		if i == len(frames)-1 {
			b = append(b, statusGood)
		}
		reads = append(reads, linetest.Read{Bytes: b, At: at(i)})
	}
	return playReads(t, o, reads)
}

func playReads(t testing.TB, o Options, reads []linetest.Read) (*serialtest.Recording, string) {
	o = o.withDefaults()
	return linetest.Play(t, func(log *connection.Log) connection.Dialogue { return newDialogue(o, log) }, reads)
}

// at is when field i of a 60 Hz camera arrives.
func at(i int) instant.Instant {
	return instant.Instant(time.Hour).Add(time.Duration(i) * time.Second / 60)
}

// run is n good frames from a number on, each with its number as pupil.
func run(from, n int) []Frame {
	var all []Frame
	for i := range n {
		all = append(all, Frame{Status: statusGood, Number: uint16(from + i), Pupil: uint16(from+i) | 1, Horizontal: 60, Vertical: 170})
	}
	return all
}

func TestValues(t *testing.T) {
	frames := run(100, 4)
	frames[2].Status = 0x84
	frames[3].Pupil = 0
	got, why := play(t, options("x"), frames)
	if why != "" {
		t.Fatal(why)
	}
	nan := math.NaN()
	want := [][]float64{
		{.25, .75, 1, nan, nan, 60, 170, 101},
		{.25, .75, 1, nan, nan, 60, 170, 101},
		{nan, nan, 0, nan, nan, 60, 170, 103},
		{nan, nan, 0, nan, nan, 60, 170, 0},
	}
	samples := got.Samples()
	if len(samples) != len(want) {
		t.Fatalf("%d samples, want %d", len(samples), len(want))
	}
	for i, s := range samples {
		if fmt.Sprint(s.Values) != fmt.Sprint(want[i]) || s.Tick != int64(100+i) || s.Seq != int64(i) {
			t.Errorf("sample %d: tick %d, %v, want %v", s.Seq, s.Tick, s.Values, want[i])
		}
	}
	if info := New(options("x")).Info()[0]; len(info.Channels) != len(want[0]) {
		t.Errorf("%d channels, want %d", len(info.Channels), len(want[0]))
	}
}

func TestCountsLossOverTheWrap(t *testing.T) {
	frames := run(65500, 100)
	var sent []linetest.Read
	for i, f := range frames {
		if i >= 30 && i < 50 || i == 70 {
			continue
		}
		sent = append(sent, linetest.Read{Bytes: AppendFrame(nil, f), At: at(i)})
	}
	sent = append(sent, linetest.Read{Bytes: []byte{statusGood}, At: at(100)})
	got, why := playReads(t, options("x"), sent)
	if why != "" {
		t.Fatal(why)
	}
	if n := got.Total(stream.Lost); n != 21 {
		t.Errorf("%d lost, want 21", n)
	}
	for _, s := range got.Samples() {
		if s.Tick != 65500+s.Seq || s.Arrival != at(int(s.Seq)) {
			t.Fatalf("sample %d: tick %d, arrival %d", s.Seq, s.Tick, s.Arrival)
		}
	}
	if n := got.Total(stream.Fault); n != 0 {
		t.Errorf("%d faults, want none", n)
	}
}

func TestRestartBeginsEpoch(t *testing.T) {
	got, why := play(t, options("x"), append(run(5000, 20), run(0, 20)...))
	if why != "" || len(got.Samples()) != 40 || got.Total(stream.Lost) != 0 {
		t.Fatalf("%q, %d samples, %d lost", why, len(got.Samples()), got.Total(stream.Lost))
	}
	if n := len(got.Events(stream.Marker)); n != 1 {
		t.Errorf("%d markers, want one for the new epoch", n)
	}
}

func TestWrongRateIsExplained(t *testing.T) {
	o := options("x")
	o.Rate = 240
	_, why := play(t, o, run(0, 600))
	if !strings.Contains(why, "60 camera fields") || !strings.Contains(why, "240") {
		t.Errorf("%q names neither the counted nor the stated rate", why)
	}
}

// After any damage, every frame from the second good one on is entered, with the
// right number, time and values.
func TestDamageProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const before, hit, after = 10, 4, 8
		start := rapid.IntRange(0, 65535).Draw(rt, "start")
		frames := run(start, before+hit+after)
		var wrong []byte
		for _, f := range frames[before : before+hit] {
			wrong = AppendFrame(wrong, f)
		}
		var reads []linetest.Read
		for i, f := range frames {
			switch {
			case i == before:
				if b := linetest.Damage(rt, wrong); len(b) > 0 {
					reads = append(reads, linetest.Read{Bytes: b, At: at(before + hit - 1)})
				}
			case i < before || i >= before+hit:
				reads = append(reads, linetest.Read{Bytes: AppendFrame(nil, f), At: at(i)})
			}
		}
		reads = append(reads, linetest.Read{Bytes: []byte{statusGood}, At: at(len(frames))})
		got, why := playReads(t, options("x"), reads)
		if why != "" {
			rt.Fatal(why)
		}
		samples := got.Samples()
		if len(samples) < after {
			rt.Fatalf("%d samples, want those after the damage", len(samples))
		}
		last := samples[len(samples)-1].Tick
		for i, s := range samples[len(samples)-after+1:] {
			k := before + hit + 1 + i
			if want := float64(uint16(start+k) | 1); s.Values[7] != want || s.Arrival != at(k) || s.Tick != last-int64(after-2-i) {
				rt.Fatalf("frame %d: tick %d, arrival %d, %v", k, s.Tick, s.Arrival, s.Values)
			}
		}
	})
}

func TestRecognise(t *testing.T) {
	var b []byte
	for _, f := range run(65530, enough+1) {
		b = AppendFrame(b, f)
	}
	if model, ok := recognise(b[5:]); ok {
		t.Errorf("%d frames pass as %q", enough-1, model)
	}
	if _, ok := recognise(append(append(serialtest.Garbage(rand.New(rand.NewPCG(1, 2)), 300), b...), statusGood)); !ok {
		t.Error("frames after garbage are not recognised")
	}
	if model, ok := recognise([]byte(strings.Repeat("<REC CNT=\"1\" />\r\n", 100))); ok {
		t.Errorf("text passes as %q", model)
	}
}

func TestSettings(t *testing.T) {
	place := device.Place{ID: "gaze", Port: "x"}
	span := device.Span{Right: 1, Bottom: 1}
	for name, o := range map[string]Options{
		"no place":       {Screen: span},
		"no screen":      {Place: place},
		"rate too high":  {Place: place, Screen: span, Rate: 1000},
		"rate too low":   {Place: place, Screen: span, Rate: -1},
		"over a network": {Place: device.Place{ID: "gaze", Address: "tcp://127.0.0.1:1"}, Screen: span},
	} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o := Options{Place: place, Screen: span, Rate: 360}
	if s, err := o.Open(); err != nil || s.Info()[0].TickHz != 360 {
		t.Errorf("good settings: %v", err)
	}
}
