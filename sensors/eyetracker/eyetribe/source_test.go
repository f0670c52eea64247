package eyetribe_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/eyetribe"
	"emolab/sensors/serialtest"
)

const (
	set       = `{"category":"tracker","request":"set","values":{"push":true,"version":1}}` + "\n"
	get       = `{"category":"tracker","request":"get","values":["heartbeatinterval","trackerstate","framerate","iscalibrated","screenresw","screenresh"]}` + "\n"
	heartbeat = `{"category":"heartbeat"}` + "\n"
	beatReply = `{"category":"heartbeat","statuscode":200}` + "\n"
	setReply  = `{"category":"tracker","request":"set","statuscode":200}` + "\n"
)

// status is the answer to get.
func status(values string) string {
	return `{"category":"tracker","request":"get","statuscode":200,"values":{` + values + "}}\n"
}

const usual = `"heartbeatinterval":300,"trackerstate":0,"framerate":30,"iscalibrated":true,"screenresw":1600,"screenresh":900`

// frame is frame n of a tracker at 30 Hz that looks at 400, 450 px.
func frame(n int) string {
	return fmt.Sprintf(`{"category":"tracker","request":"get","statuscode":200,"values":{"frame":{"avg":{"x":410.0,"y":460.0},"fix":true,`+
		`"lefteye":{"avg":{"x":1.0,"y":1.0},"pcenter":{"x":0.5,"y":0.5},"psize":26.5,"raw":{"x":1.0,"y":1.0}},"raw":{"x":400.0,"y":450.0},`+
		`"righteye":{"avg":{"x":1.0,"y":1.0},"pcenter":{"x":0.5,"y":0.5},"psize":0.0,"raw":{"x":1.0,"y":1.0}},"state":7,"time":%d}}}`, 5000+n*1000/30)
}

func source(address string) *eyetribe.Source {
	return eyetribe.New(eyetribe.Options{Place: device.Place{ID: "gaze", Address: address, Clock: instant.Monotonic{}}})
}

// greet answers the driver's requests.
func (f *far) greet(values string) {
	f.take(set)
	f.send(setReply)
	f.take(get)
	f.send(status(values))
}

// begin sends frames until they are entered, and returns the number of the next.
func begin(t *testing.T, f *far, got *serialtest.Recording) int {
	t.Helper()
	before, n := len(got.Samples()), 0
	serialtest.Eventually(t, "the driver enters frames", func() bool {
		f.send(frame(n) + "\n")
		n++
		return len(got.Samples()) > before+1
	})
	return n
}

func TestInfo(t *testing.T) {
	info := source("tcp://127.0.0.1:6555").Info()[0]
	if info.Clock != stream.TickedClock || info.TickHz != 1000 || info.Rate != 30 || info.Kind != stream.Gaze || len(info.Channels) != 9 {
		t.Errorf("%+v", info)
	}
}

func TestRefusesBadOptions(t *testing.T) {
	place := device.Place{ID: "gaze", Address: "tcp://127.0.0.1:6555"}
	if _, err := (&eyetribe.Options{Place: place}).Open(); err != nil {
		t.Error(err)
	}
	for _, o := range []eyetribe.Options{
		{}, {Place: device.Place{Port: "/dev/ttyUSB0"}}, {Place: device.Place{Address: "udp://127.0.0.1:6555"}}, {Place: device.Place{Address: "tcp://127.0.0.1"}},
		{Place: place, Rate: -1}, {Place: place, Rate: 1000}, {Place: place, Screen: device.Span{Right: 1920}},
	} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

// A whole conversation, byte by byte.
func TestTranscript(t *testing.T) {
	t.Parallel()
	f := serve(t)
	got := serialtest.Record(t, source(f.address()))
	f.greet(usual)
	f.take(heartbeat)
	f.send(beatReply)
	begin(t, f, got)
	for range 3 { // they go on by themselves
		f.take(heartbeat)
	}
	if s := got.Samples()[0]; s.Values[0] != .25 || s.Values[1] != .5 || s.Values[2] != 1 || !math.IsNaN(s.Values[3]) || !math.IsNaN(s.Values[4]) ||
		s.Values[5] != 400 || s.Values[6] != 450 || s.Values[7] != 26.5 || !math.IsNaN(s.Values[8]) {
		t.Errorf("%+v", s)
	}
	if e := got.Events(stream.Connected); len(e) != 1 || !strings.Contains(e[0].Detail, "30 frames") {
		t.Errorf("%v", e)
	}
	if n := len(got.Events(stream.Marker)); n != 0 {
		t.Errorf("markers %v", got.Events(stream.Marker))
	}
	got.Stop()
	f.take(`{"category":"tracker","request":"set","values":{"push":false,"version":1}}` + "\n")
}

// What was lost is asked for again; messages need no line ends.
func TestAsksAgain(t *testing.T) {
	t.Parallel()
	f := serve(t)
	got := serialtest.Record(t, source(f.address()))
	f.take(set)
	f.send(`{"category":"tracker","request":"se`)
	f.take(set)
	f.send(strings.TrimSpace(setReply) + frame(-1))
	f.take(get)
	f.send(strings.TrimSpace(status(`"screenresw":1600.0,"screenresh":900.0,"iscalibrated":false,"framerate":60,"heartbeatinterval":1`)))
	n := 0
	serialtest.Eventually(t, "the driver enters frames", func() bool {
		f.send(frame(2 * n)) // twice the rate of the lab's settings, half of what the server says
		n++
		return len(got.Samples()) > 2
	})
	got.AwaitEvents(stream.Marker, 2)
	m := got.Events(stream.Marker)
	if !strings.Contains(m[0].Detail, "60 frames") || !strings.Contains(m[1].Detail, "not calibrated") {
		t.Errorf("markers %v", m)
	}
}

func TestTroubleIsExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, words string }{
		"no tracker": {setReply + status(strings.Replace(usual, `"trackerstate":0`, `"trackerstate":1`, 1)), "plug it in"},
		"usb 2":      {setReply + status(strings.Replace(usual, `"trackerstate":0`, `"trackerstate":3.0`, 1)), "USB 3"}, // a number with a point
		"new state":  {setReply + status(strings.Replace(usual, `"trackerstate":0`, `"trackerstate":9`, 1)), "state 9"},
		"no screen":  {setReply + status(`"trackerstate":0`), "screen:"},
		"refusal":    {`{"category":"tracker","request":"set","statuscode":400,"values":{"statusmessage":"version 1 is gone"}}` + "\n", "version 1 is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t)
			got := serialtest.Record(t, source(f.address()))
			f.take(set)
			f.send(c.answer)
			got.AwaitEvents(stream.Disconnected, 1)
			if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, c.words) {
				t.Errorf("%q does not say %q", e.Detail, c.words)
			}
		})
	}
}

// The server says that something has changed: it is asked, and its new screen is
// used; a tracker that was unplugged is a disconnection.
func TestChangesAreTakenUp(t *testing.T) {
	t.Parallel()
	f := serve(t)
	got := serialtest.Record(t, source(f.address()))
	f.greet(usual)
	n := begin(t, f, got)
	f.send(`{"category":"tracker","statuscode":801}` + "\n")
	f.take(get)
	f.send(status(strings.Replace(usual, "1600", "800", 1)))
	serialtest.Eventually(t, "gaze on the new screen", func() bool {
		f.send(frame(n) + "\n")
		n++
		s := got.Samples()
		return s[len(s)-1].Values[0] == .5
	})
	if m := got.Events(stream.Marker); len(m) != 1 || !strings.Contains(m[0].Detail, "screen has changed") {
		t.Errorf("markers %v", m)
	}
	f.send(`{"category":"calibration","statuscode":800}` + "\n" + `{"category":"tracker","statuscode":802}` + "\n")
	f.take(get)
	f.send(status(`"trackerstate":1`))
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n != 0 {
		t.Errorf("%d faults: %v", n, got.Events(stream.Fault))
	}
}

func TestSurvivesGarbage(t *testing.T) {
	t.Parallel()
	f := serve(t)
	got := serialtest.Record(t, source(f.address()))
	f.greet(usual)
	next := begin(t, f, got)
	before := len(got.Samples())
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for i := range 120 {
		switch i % 4 {
		case 1:
			text.Write(serialtest.Garbage(r, 1+r.IntN(80)))
			text.WriteByte('\n')
		case 2:
			text.WriteString(frame(next + i)[:200])
		case 3:
			text.WriteString(`{"category":"news","statuscode":200}` + `{"category":7}` + "}")
		}
		text.WriteString(frame(next+i) + "\n")
	}
	for _, piece := range serialtest.Split(r, []byte(text.String())) {
		f.send(string(piece))
	}
	got.AwaitSamples(before + 120)
	for i, s := range got.Samples() {
		if s.Seq != int64(i) || s.Values[0] != .25 || s.Values[5] != 400 || s.Values[7] != 26.5 {
			t.Fatalf("frame %d: %+v", i, s)
		}
	}
	f.hangUp() // what was not reported for a second is reported now
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n < 80 {
		t.Errorf("%d faults, want one for most of the 90 pieces of damage", n)
	}
}

// The connection ends in the middle of a frame, again and again: the numbers go
// on where they were, and half a frame is no sample.
func TestCutInTheMiddleOfAFrame(t *testing.T) {
	t.Parallel()
	f := serve(t)
	got := serialtest.Record(t, source(f.address()))
	for round := 1; round <= 3; round++ {
		f.greet(usual)
		n := begin(t, f, got)
		f.send(frame(n)[:150])
		f.hangUp()
		got.AwaitEvents(stream.Disconnected, round)
	}
	got.Stop()
	epochs, next := map[int]bool{}, int64(0)
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			epochs[c.Epoch] = true
			if s.Seq != next {
				t.Fatalf("frame %+v, want number %d", s, next)
			}
			next++
		}
	}
	if len(epochs) != 3 {
		t.Errorf("%d epochs with frames, want 3", len(epochs))
	}
}
