package gazepoint_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/serialtest"
)

func source(port string) *gazepoint.Source {
	return gazepoint.New(gazepoint.Options{Place: device.Place{ID: "gaze", Port: port, Clock: instant.Monotonic{}, Simulated: true}})
}

func set(id string) []byte { return fmt.Appendf(nil, "<SET ID=\"%s\" STATE=\"1\" />\r\n", id) }

func ack(id string) []byte { return fmt.Appendf(nil, "<ACK ID=\"%s\" STATE=\"1\" />\r\n", id) }

// accept answers all commands of the driver, as a GP3 does.
func accept(far *serialtest.Port) {
	far.Take([]byte("<GET ID=\"PRODUCT_ID\" />\r\n"))
	far.Send([]byte("<ACK ID=\"PRODUCT_ID\" VALUE=\"GP3\" BUS=\"USB2\" RATE=\"60\" />\r\n"))
	for _, id := range []string{"COUNTER", "TIME", "POG_BEST", "PUPILMM", "DATA"} {
		far.Take(set("ENABLE_SEND_" + id))
		far.Send(ack("ENABLE_SEND_" + id))
	}
}

// rec is record n of a 60 Hz tracker whose clock shows start at record 0.
func rec(n, start int) []byte {
	us := start + n*1_000_000/60
	return fmt.Appendf(nil, "<REC CNT=\"%d\" TIME=\"%d.%06d\" BPOGX=\"0.25\" BPOGY=\"0.75\" BPOGV=\"1\" LPMM=\"3\" LPMMV=\"1\" RPMM=\"4\" RPMMV=\"1\" />\r\n",
		n, us/1_000_000, us%1_000_000)
}

// begin sends records until the driver reports that it is connected: those that
// come while it takes note of the last answer are not entered. It returns the
// number of the next record.
func begin(t *testing.T, far *serialtest.Port, got *serialtest.Recording) int {
	t.Helper()
	accept(far)
	n := 0
	serialtest.Eventually(t, "the driver enters records", func() bool {
		far.Send(rec(n, 5_000_000))
		n++
		return len(got.Samples()) > 0
	})
	serialtest.Eventually(t, "all records are entered", func() bool {
		s := got.Samples()
		return s[len(s)-1].Tick == int64(5_000_000+(n-1)*1_000_000/60)
	})
	return n
}

func TestInfo(t *testing.T) {
	info := source("/dev/ttyX").Info()[0]
	if info.Clock != stream.TickedClock || info.TickHz != 1e6 || info.Rate != 60 || !info.Simulated {
		t.Errorf("%+v", info)
	}
	for i, name := range []string{"gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm"} {
		if info.Index(name) != i {
			t.Errorf("channel %s at %d, want %d", name, info.Index(name), i)
		}
	}
}

func TestRefusesBadOptions(t *testing.T) {
	place := device.Place{ID: "gaze", Port: "x"}
	for _, o := range []gazepoint.Options{{}, {Place: place, Rate: -1}, {Place: place, Model: "GP4"}, {Place: device.Place{Address: "udp://127.0.0.1:4242"}}} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestSurvivesGarbage(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, source(far.Path()))
	next := begin(t, far, got)
	before := len(got.Samples())
	r := rand.New(rand.NewPCG(1, 2))
	var line []byte
	for i := range 120 {
		switch i % 4 {
		case 1:
			line = append(append(line, serialtest.Garbage(r, 1+r.IntN(80))...), "\r\n"...)
		case 2:
			half := rec(next+i, 5_000_000)
			line = append(line, half[:len(half)/2]...)
		case 3:
			line = append(line, "<NEWS FROM=\"nowhere\" />\r\n>"...)
		}
		line = append(line, rec(next+i, 5_000_000)...)
	}
	far.SendSplit(r, line)
	got.AwaitSamples(before + 120)
	samples := got.Samples()
	if n := len(samples); n != before+120 {
		t.Errorf("%d samples, want %d", n, before+120)
	}
	for i, s := range samples {
		if s.Seq != int64(i) || s.Values[0] != .25 || s.Values[1] != .75 || s.Values[2] != 1 || s.Values[3] != 3 || s.Values[4] != 4 {
			t.Fatalf("sample %d: %+v", i, s)
		}
	}
	far.Unplug() // what was not reported for a second is reported now
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n < 80 {
		t.Errorf("%d faults, want one for most of the 90 pieces of damage", n)
	}
}

// An answer that is lost is asked for again; a tracker that does not say what it
// is and cannot send pupils is of use without.
func TestHandshake(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, source(far.Path()))
	far.Take(set("ENABLE_SEND_COUNTER"))
	far.Send([]byte("<ACK ID=\"ENABLE_SEND_COU\xff\xff"))
	far.Take(set("ENABLE_SEND_COUNTER"))
	far.Send(ack("ENABLE_SEND_COUNTER"))
	far.Take(set("ENABLE_SEND_TIME"))
	far.Send([]byte("<ACK ID=\" ENABLE_SEND_TIME\"STATE=\"1\">\r\n"))
	far.Take(set("ENABLE_SEND_POG_BEST"))
	far.Send(ack("ENABLE_SEND_POG_BEST"))
	far.Take(set("ENABLE_SEND_PUPILMM"))
	far.Send([]byte("<NACK ID=\"ENABLE_SEND_PUPILMM\" />\r\n"))
	far.Take(set("ENABLE_SEND_DATA"))
	far.Send(ack("ENABLE_SEND_DATA"))
	n := 0
	serialtest.Eventually(t, "records without pupils", func() bool {
		us := n * 1_000_000 / 60
		far.Send(fmt.Appendf(nil, "<REC CNT=\"%d\" TIME=\"%d.%06d\" BPOGX=\"0.5\" BPOGY=\"0.5\" BPOGV=\"0\" />\r\n", n, us/1_000_000, us%1_000_000))
		n++
		return len(got.Samples()) > 0
	})
	v := got.Samples()[0].Values
	if !math.IsNaN(v[0]) || !math.IsNaN(v[1]) || v[2] != 0 || !math.IsNaN(v[3]) || !math.IsNaN(v[4]) {
		t.Errorf("%v, want nothing but gaze_valid 0", v)
	}
	got.Stop()
	far.Take([]byte("<SET ID=\"ENABLE_SEND_DATA\" STATE=\"0\" />\r\n"))
}

func TestRefusalIsExplained(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, source(far.Path()))
	far.Take([]byte("<GET ID=\"PRODUCT_ID\" />\r\n"))
	far.Send([]byte("<NACK ID=\"PRODUCT_ID\" />\r\n"))
	far.Take(set("ENABLE_SEND_COUNTER"))
	far.Send([]byte("<NACK ID=\"ENABLE_SEND_COUNTER\" />\r\n"))
	got.AwaitEvents(stream.Disconnected, 1)
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "ENABLE_SEND_COUNTER") {
		t.Errorf("%q does not name what was refused", e.Detail)
	}
}

// The cable is pulled in the middle of a record, again and again: each time the
// numbers go on where they were, and half a record is no sample.
func TestPulledInTheMiddleOfARecord(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, source(far.Path()))
	for round := 1; round <= 3; round++ {
		accept(far)
		before, n := len(got.Samples()), 0
		serialtest.Eventually(t, "the driver enters records again", func() bool {
			far.Send(rec(n, 5_000_000))
			n++
			return len(got.Samples()) > before+2
		})
		half := rec(n, 5_000_000)
		far.Send(half[:len(half)/2])
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, round)
		far.Plug()
	}
	got.AwaitEvents(stream.Connected, 3)
	got.Stop()
	epochs := map[int]bool{}
	next := int64(0)
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			epochs[c.Epoch] = true
			if s.Seq != next || s.Values[0] != .25 {
				t.Fatalf("sample %d: %+v, want number %d", s.Seq, s, next)
			}
			next++
		}
	}
	if len(epochs) != 3 {
		t.Errorf("%d epochs with samples, want 3", len(epochs))
	}
}

// Skin resistance of the biometrics kit: µS where it can be skin, and never where
// the finger block is unplugged.
func TestBiometrics(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	s := gazepoint.New(gazepoint.Options{Biometrics: true, Place: device.Place{ID: "gaze", Port: far.Path(), Clock: instant.Monotonic{}}})
	if info := s.Info(); len(info) != 2 || info[1].ID != "eda" || info[1].Kind != stream.EDA || info[1].Index("eda_us") != 1 || len(info[1].Channels) != 2 {
		t.Errorf("%+v", info)
	}
	got := serialtest.Record(t, s)
	far.Take([]byte("<GET ID=\"PRODUCT_ID\" />\r\n"))
	far.Send([]byte("<NACK ID=\"PRODUCT_ID\" />\r\n"))
	for _, id := range []string{"COUNTER", "TIME", "POG_BEST", "PUPILMM", "GSR", "DATA"} {
		far.Take(set("ENABLE_SEND_" + id))
		far.Send(ack("ENABLE_SEND_" + id))
	}
	skin := []struct {
		fields string
		raw    float64
		us     float64
	}{
		{`GSR="67296" GSRV="1"`, 67296, 1e6 / 67296},
		{`GSR="67296" GSRV="0"`, 67296, math.NaN()},
		{`GSR="9999" GSRV="1"`, 9999, math.NaN()},
		{`GSR="2000000" GSRV="1"`, 2e6, .5},
		{`GSR="2000001" GSRV="1"`, 2000001, math.NaN()},
		{``, math.NaN(), math.NaN()},
	}
	n := 0
	send := func() {
		b := rec(n, 5_000_000)
		far.Send(append(b[:len(b)-4:len(b)-4], skin[n%len(skin)].fields+" />\r\n"...))
		n++
	}
	var eda []stream.Sample
	serialtest.Eventually(t, "samples of all kinds of skin", func() bool {
		send()
		eda = nil
		for _, c := range got.Chunks() {
			if c.Stream == "eda" {
				eda = append(eda, c.Samples...)
			}
		}
		return len(eda) > len(skin)
	})
	for _, s := range eda {
		number := (s.Tick - 5_000_000 + 1) * 60 / 1_000_000
		want := skin[number%int64(len(skin))]
		if got := s.Values; !same(got[0], want.raw) || !same(got[1], want.us) {
			t.Errorf("record %d: %v, want %v, %v", number, got, want.raw, want.us)
		}
	}
}

// same tells whether two values are equal, or neither was measured.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// Records at another rate than stated all look damaged. The driver says what is
// wrong with them.
func TestWrongRateIsExplained(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, gazepoint.New(gazepoint.Options{Place: device.Place{ID: "gaze", Port: far.Path(), Clock: instant.Monotonic{}}, Rate: 150}))
	accept(far)
	n := 0
	serialtest.Eventually(t, "the driver gives up", func() bool {
		far.Send(rec(n, 5_000_000))
		n++
		return len(got.Events(stream.Disconnected)) > 0
	})
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "150") {
		t.Errorf("%q does not name the rate", e.Detail)
	}
}

// A calibration starts the tracker's clock anew: a new epoch, nothing lost.
func TestCalibrationBeginsEpoch(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, source(far.Path()))
	next := begin(t, far, got)
	before := len(got.Samples())
	for i := range 10 {
		far.Send(rec(next+i, -next*1_000_000/60+100_000))
	}
	got.AwaitSamples(before + 10)
	if n := len(got.Events(stream.Marker)); n != 1 {
		t.Errorf("%d Marker events, want 1", n)
	}
	if n := got.Total(stream.Lost) + got.Total(stream.Fault); n != 0 {
		t.Errorf("%d losses and faults, want none", n)
	}
	seq := int64(0)
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			want := 0
			if s.Seq >= int64(before) {
				want = 1
			}
			if s.Seq != seq || c.Epoch != want {
				t.Fatalf("sample %d in epoch %d, want %d in %d", s.Seq, c.Epoch, seq, want)
			}
			seq++
		}
	}
}
