package iviewx

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/linetest"
	"emolab/sensors/serialtest"
)

func options() Options {
	return Options{Place: device.Place{ID: "gaze", Port: "x", Clock: instant.Monotonic{}}, Screen: device.Span{Right: 1680, Bottom: 1050}}
}

// at is when sample i of a 60 Hz tracker arrives, stamp what it is stamped with.
func at(i int) instant.Instant {
	return instant.Instant(time.Hour).Add(time.Duration(i) * time.Second / 60)
}

func stamp(i int) int64 { return 28437864110 + int64(i)*1_000_000/60 }

// line is sample i, whose left pupil is i wide.
func line(i int) string {
	return fmt.Sprintf("ET_SPL %d b 410 430 500 550 %d 1100 900 910\r\n", stamp(i), i)
}

func playReads(t testing.TB, o Options, reads []linetest.Read) (*serialtest.Recording, string) {
	o = o.withDefaults()
	return linetest.Play(t, func(log *connection.Log) connection.Dialogue { return newDialogue(o, log) }, reads)
}

// play lets a dialogue hear one read for each sample's time.
func play(t testing.TB, o Options, texts ...string) (*serialtest.Recording, string) {
	var reads []linetest.Read
	for i, text := range texts {
		if text != "" {
			reads = append(reads, linetest.Read{Bytes: []byte(text), At: at(i)})
		}
	}
	return playReads(t, o, reads)
}

func TestValues(t *testing.T) {
	nan := math.NaN()
	spl := func(i int, rest string) string { return fmt.Sprintf("ET_SPL %d %s\n", stamp(i), rest) }
	got, why := play(t, options(),
		spl(0, "b 410 430 500 550 1000 1100 900 910"),
		spl(1, "b 0 430 0 550 0 1100 0 910"), // the left eye is lost
		spl(2, "b 0 0 0 0 0 0 0 0"),
		spl(3, "l 420 525 1000 900"),
		spl(4, "r 420 525 1000 900"),
	)
	if why != "" {
		t.Fatal(why)
	}
	want := [][]float64{
		{.25, .5, 1, nan, nan, 420, 525, 1000, 1100},
		{430. / 1680, 550. / 1050, 1, nan, nan, 430, 550, 0, 1100},
		{nan, nan, 0, nan, nan, 0, 0, 0, 0},
		{.25, .5, 1, nan, nan, 420, 525, 1000, nan},
		{.25, .5, 1, nan, nan, 420, 525, nan, 1000},
	}
	samples := got.Samples()
	if len(samples) != len(want) {
		t.Fatalf("%d samples, want %d", len(samples), len(want))
	}
	for i, s := range samples {
		if fmt.Sprint(s.Values) != fmt.Sprint(want[i]) || s.Tick != stamp(i) || s.Seq != int64(i) || s.Arrival != at(i) {
			t.Errorf("sample %d: tick %d, %v, want %v", s.Seq, s.Tick, s.Values, want[i])
		}
	}
	info := New(options()).Info()[0]
	if len(info.Channels) != len(want[0]) || info.Clock != stream.TickedClock || info.TickHz != 1e6 {
		t.Errorf("%+v", info)
	}
}

func TestCountsLoss(t *testing.T) {
	var texts []string
	for i := range 120 {
		text := line(i)
		if i >= 30 && i < 40 || i == 80 {
			text = ""
		}
		if i == 100 { // out of order, as datagrams can be: 101 before 100
			text = line(101)
		} else if i == 101 {
			text = line(100)
		}
		texts = append(texts, text)
	}
	got, why := play(t, options(), texts...)
	if why != "" {
		t.Fatal(why)
	}
	if n := got.Total(stream.Lost); n != 12 {
		t.Errorf("%d lost, want 11 and the one that came too late", n)
	}
	if n := got.Total(stream.Fault); n != 1 {
		t.Errorf("%d faults, want one for the one that came too late", n)
	}
	for _, s := range got.Samples() {
		if s.Values[7] != float64(s.Seq) || s.Tick != stamp(int(s.Seq)) {
			t.Fatalf("sample %d: tick %d, %v", s.Seq, s.Tick, s.Values)
		}
	}
}

// What the tracker says of a calibration enters the stream as it came.
func TestMarksCalibration(t *testing.T) {
	got, why := play(t, options(),
		line(0), line(1),
		"ET_CAL 9\r\nET_CSZ 1680 1050\r\nET_PNT 1 840 525\r\nET_CHG 1\r\n",
		"ET_FIN\r\nET_VLS left 840 525 0.51\r\nET_CSZ 1280 1024\r\nET_SRT\r\nET_SRT 120\r\nET_ACC\r\nET_XXX\r\n")
	if why != "" {
		t.Fatal(why)
	}
	var marks []string
	for _, e := range got.Events(stream.Marker) {
		marks = append(marks, e.Detail)
	}
	want := []string{"ET_CAL 9", "ET_CHG 1", "ET_FIN", "ET_VLS left 840 525 0.51",
		"the tracker's calibration area is 1280 x 1024 px", "the tracker's own rate: 120"}
	if len(marks) != len(want) {
		t.Fatalf("%q, want %q", marks, want)
	}
	for i := range want {
		if !strings.HasPrefix(marks[i], want[i]) {
			t.Errorf("%q, want %q", marks[i], want[i])
		}
	}
	if n := got.Total(stream.Fault); n != 1 {
		t.Errorf("%d faults, want one for the message that the language does not have", n)
	}
}

func TestRestartBeginsEpoch(t *testing.T) {
	var reads []linetest.Read
	for i := range 40 {
		text := line(i)
		if i >= 20 {
			text = fmt.Sprintf("ET_SPL %d b 410 430 500 550 %d 1100 900 910\r\n", 5000+int64(i)*1_000_000/60, i)
		}
		reads = append(reads, linetest.Read{Bytes: []byte(text), At: at(i)})
	}
	got, why := playReads(t, options(), reads)
	if why != "" || len(got.Samples()) != 40 || got.Total(stream.Lost) != 0 || len(got.Events(stream.Marker)) != 1 {
		t.Fatalf("%q, %d samples, %d lost, %d markers", why, len(got.Samples()), got.Total(stream.Lost), len(got.Events(stream.Marker)))
	}
}

func TestWrongRateIsExplained(t *testing.T) {
	for _, rate := range []int{120, 30, 50, 59} {
		o := options()
		o.Rate = rate
		var texts []string
		for i := range 2 * watchOver {
			texts = append(texts, line(i))
		}
		_, why := play(t, o, texts...)
		if rate == 59 { // cameras are not exact
			if why != "" {
				t.Errorf("59 stated, 60 real: %q", why)
			}
			continue
		}
		if !strings.Contains(why, "60 samples") || !strings.Contains(why, fmt.Sprint(rate)) {
			t.Errorf("%q names neither the counted nor the stated rate, %d", why, rate)
		}
	}
}

// After any damage, every sample from the second good one on is entered, with the
// right stamp and values.
func TestDamageProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const before, hit, after = 10, 4, 8
		var reads []linetest.Read
		wrong := ""
		for i := range before + hit + after {
			if i >= before && i < before+hit {
				wrong += line(i)
				if i == before+hit-1 {
					if b := linetest.Damage(rt, []byte(wrong)); len(b) > 0 {
						reads = append(reads, linetest.Read{Bytes: b, At: at(i)})
					}
				}
				continue
			}
			reads = append(reads, linetest.Read{Bytes: []byte(line(i)), At: at(i)})
		}
		got, why := playReads(t, options(), reads)
		if why != "" {
			rt.Fatal(why)
		}
		samples := got.Samples()
		if len(samples) < after-1 {
			rt.Fatalf("%d samples, want those after the damage", len(samples))
		}
		for i, s := range samples[len(samples)-after+1:] {
			k := before + hit + 1 + i
			if s.Values[7] != float64(k) || s.Arrival != at(k) || s.Tick != stamp(k) {
				rt.Fatalf("sample %d: tick %d, arrival %d, %v", k, s.Tick, s.Arrival, s.Values)
			}
		}
	})
}

func TestRecognise(t *testing.T) {
	for text, want := range map[string]string{
		"ET_SRT 500\r\n":                      "SMI iView X, 500 Hz",
		"garbage\r\nET_SRT\r\nET_SRT 60":      "SMI iView X, 60 Hz",
		"5 l 1 2\nET_SPL 28437864110 400 5\n": "SMI iView X",
		"ET_SRT\nET_SRT\n":                    "",
		"ET_SRT 99999\n":                      "",
		"OK\r\nERROR\r\n":                     "",
		"":                                    "",
	} {
		if model, ok := recognise([]byte(text)); model != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, model, ok)
		}
	}
}

func TestSpeakGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said asked
		err := newDialogue(options().withDefaults(), nil).Speak(t.Context(), &said)
		if err == nil || !strings.Contains(err.Error(), "iView X") {
			t.Fatalf("%v", err)
		}
		want := strings.Repeat(setFormat+askRate+"ET_STR 60\n", attempts) + "ET_EST\n"
		if string(said.b) != want {
			t.Errorf("said %q, want %q", said.b, want)
		}
	})
}

type asked struct{ b []byte }

func (a *asked) Write(b []byte) (int, error) {
	a.b = append(a.b, b...)
	return len(b), nil
}

func TestSettings(t *testing.T) {
	change := func(f func(*Options)) *Options {
		o := options()
		f(&o)
		return &o
	}
	for name, o := range map[string]*Options{
		"no place":  change(func(o *Options) { o.Port = "" }),
		"no screen": change(func(o *Options) { o.Screen = device.Span{} }),
		"rate":      change(func(o *Options) { o.Rate = 5000 }),
		"address":   change(func(o *Options) { o.Port, o.Address = "", "127.0.0.1:4444" }),
	} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := change(func(o *Options) { o.Port, o.Address = "", "udp://127.0.0.1:4444?from=5555" }).Open(); err != nil {
		t.Error(err)
	}
}
