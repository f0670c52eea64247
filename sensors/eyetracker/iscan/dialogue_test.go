package iscan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/linetest"
	"emolab/sensors/serialtest"
)

func options(port string) Options {
	return Options{Place: device.Place{ID: "gaze", Port: port, Clock: instant.Monotonic{}},
		Outputs: []string{"cr_h", "por_h", "por_v", "pupil"},
		Screen:  device.Span{Left: 10, Top: 20, Right: 210, Bottom: 220}}
}

// play lets a dialogue hear frames of the given words at 60 Hz.
func play(t testing.TB, o Options, frames [][]uint16) (*serialtest.Recording, string) {
	var reads []linetest.Read
	for i, words := range frames {
		reads = append(reads, linetest.Read{Bytes: AppendFrame(nil, words...), At: at(i)})
	}
	o = o.withDefaults()
	return linetest.Play(t, func(log *connection.Log) connection.Dialogue { return newDialogue(o, log) }, reads)
}

// at is when field i of a 60 Hz camera arrives.
func at(i int) instant.Instant {
	return instant.Instant(time.Hour).Add(time.Duration(i) * time.Second / 60)
}

func TestValues(t *testing.T) {
	frame := []uint16{7, 600, 1700, 341}
	got, why := play(t, options("x"), [][]uint16{frame, frame, {0, 0, 0, 0}, {0, 600, 1700, 0}, frame})
	if why != "" {
		t.Fatal(why)
	}
	nan := math.NaN()
	want := [][]float64{
		{.25, .75, 1, nan, nan, 60, 170, 34.1},
		{nan, nan, 0, nan, nan, 0, 0, 0},
		{.25, .75, 1, nan, nan, 60, 170, 0},
	}
	samples := got.Samples()
	if len(samples) != len(want) {
		t.Fatalf("%d samples, want %d", len(samples), len(want))
	}
	for i, s := range samples {
		if fmt.Sprint(s.Values) != fmt.Sprint(want[i]) || s.Tick != int64(i) || s.Seq != int64(i) || s.Arrival != at(i+1) {
			t.Errorf("sample %d: tick %d, arrival %d, %v, want %v", s.Seq, s.Tick, s.Arrival, s.Values, want[i])
		}
	}
}

// A word that is not of the eye says nothing of the pupil.
func TestLostPupilBesideOtherWords(t *testing.T) {
	o := options("x")
	o.Outputs = []string{"por_h", "por_v", "pupil", "other"}
	blink := []uint16{0, 0, 0, 5}
	got, why := play(t, o, [][]uint16{blink, blink, blink, blink})
	samples := got.Samples()
	if why != "" || len(samples) == 0 {
		t.Fatalf("%q, %d samples", why, len(samples))
	}
	if v := samples[0].Values; v[2] != 0 || !math.IsNaN(v[0]) || v[5] != 0 {
		t.Errorf("%v, want no gaze", v)
	}
}

func TestInfo(t *testing.T) {
	o := options("x")
	info := New(o).Info()[0]
	if info.Clock != stream.CountedClock || info.Rate != 60 || info.TickHz != 60 || len(info.Channels) != 8 {
		t.Errorf("%+v", info)
	}
	o.Outputs, o.Rate = []string{porV, porH}, 240
	if info := New(o).Info()[0]; info.Rate != 240 || len(info.Channels) != 7 {
		t.Errorf("without a pupil: %+v", info)
	}
}

func TestWrongSettingsAreExplained(t *testing.T) {
	var three, four [][]uint16
	for i := range uint16(600) {
		three = append(three, []uint16{i, i + 1, i + 2})
		four = append(four, []uint16{i, i + 1, i + 2, i + 3})
	}
	if _, why := play(t, options("x"), three); !strings.Contains(why, "3 outputs") || !strings.Contains(why, "cr_h, por_h, por_v, pupil") {
		t.Errorf("%q names neither what came nor what was stated", why)
	}
	if got, why := play(t, options("x"), append(four[:100:100], three...)); !strings.Contains(why, "3 outputs") || len(got.Samples()) != 99 {
		t.Errorf("%q after %d samples: what was changed during the recording is not named", why, len(got.Samples()))
	}
	o := options("x")
	o.Rate = 120
	if _, why := play(t, o, four); !strings.Contains(why, "60 frames") || !strings.Contains(why, "120") {
		t.Errorf("%q names neither the counted nor the stated rate", why)
	}
	if _, why := play(t, options("x"), four); why != "" {
		t.Errorf("right settings: %q", why)
	}
}

func TestRecognise(t *testing.T) {
	b := serialtest.Garbage(rand.New(rand.NewPCG(1, 2)), 300)
	for i := range uint16(enough + 2) {
		b = AppendFrame(b, 100+i, 200, 300)
	}
	if model, ok := recognise(b); !ok || !strings.Contains(model, "3 outputs") {
		t.Errorf("%q, %v", model, ok)
	}
	for name, b := range map[string][]byte{
		"text":   []byte(strings.Repeat("<REC CNT=\"1\" />\r\n", 100)),
		"no eye": nil,
	} {
		if model, ok := recognise(b); ok {
			t.Errorf("%s passes as %q", name, model)
		}
	}
}

func TestSettings(t *testing.T) {
	change := func(f func(*Options)) *Options {
		o := options("x")
		f(&o)
		return &o
	}
	for name, o := range map[string]*Options{
		"no place":         change(func(o *Options) { o.Port = "" }),
		"no outputs":       change(func(o *Options) { o.Outputs = nil }),
		"unknown output":   change(func(o *Options) { o.Outputs[0] = "nose" }),
		"output twice":     change(func(o *Options) { o.Outputs[0] = "por_h" }),
		"no gaze":          change(func(o *Options) { o.Outputs = []string{"pup_h", "pup_v"} }),
		"seven outputs":    change(func(o *Options) { o.Outputs = append(o.Outputs, "other", "other", "other") }),
		"rate":             change(func(o *Options) { o.Rate = 1000 }),
		"divisor":          change(func(o *Options) { o.Divisor = -1 }),
		"no screen":        change(func(o *Options) { o.Screen = device.Span{} }),
		"start is no byte": change(func(o *Options) { o.Start = 300 }),
		"over a network":   change(func(o *Options) { o.Port, o.Address = "", "tcp://127.0.0.1:1" }),
	} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := change(func(*Options) {}).Open(); err != nil {
		t.Error(err)
	}
}
