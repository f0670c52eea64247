package bitalino_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/gsr/bitalino"
	"emolab/sensors/serialtest"
)

func options(port string) bitalino.Options {
	return bitalino.Options{Place: device.Place{ID: "eda", Port: port, Clock: instant.Monotonic{}, Simulated: true}}
}

// hasty makes the source of a board that answers all, in this process. Nothing is
// asked twice, however busy the machine is: transcripts know no repetitions.
func hasty(o bitalino.Options) *bitalino.Source {
	return bitalino.NewHasty(o, serialtest.Deadline, serialtest.Deadline)
}

// frames returns frames from..until of one input; the reading is 300 + the number.
func frames(from, until int) []byte {
	var b []byte
	for i := from; i < until; i++ {
		b = bitalino.Append(b, bitalino.Frame{Seq: uint8(i & 15), Analog: [6]uint16{uint16(300 + i)}}, 1)
	}
	return b
}

// line is one line of a transcript: what the host says, and what the board
// answers.
type line struct{ host, board []byte }

// greeting is the whole conversation until frames come, at 100 Hz from A3.
func greeting() []line {
	return []line{
		{[]byte{0x00}, nil},
		{[]byte{0xFF}, nil},
		{[]byte{0x07}, []byte("BITalino_v5.2\n")},
		{[]byte{0x83}, nil},
		{[]byte{0x11}, nil},
	}
}

func play(far *serialtest.Port, transcript []line) {
	for _, l := range transcript {
		far.Take(l.host)
		if l.board != nil {
			far.Send(l.board)
		}
	}
}

func readings(got *serialtest.Recording) []int {
	var all []int
	for _, s := range got.Samples() {
		all = append(all, int(s.Values[0])-300)
	}
	return all
}

func upTo(from, until int) []int {
	var all []int
	for i := from; i < until; i++ {
		all = append(all, i)
	}
	return all
}

func TestInfo(t *testing.T) {
	info := bitalino.New(options("/dev/ttyX")).Info()[0]
	if info.Clock != stream.CountedClock || info.Rate != 100 || info.TickHz != 100 || !info.Simulated ||
		info.Index("raw") != 0 || info.Index("eda_us") != 1 || len(info.Channels) != 2 {
		t.Errorf("%+v", info)
	}
}

func TestRefusesBadOptions(t *testing.T) {
	for what, change := range map[string]func(*bitalino.Options){
		"port":    func(o *bitalino.Options) { o.Port = "" },
		"rate":    func(o *bitalino.Options) { o.Rate = 250 },
		"channel": func(o *bitalino.Options) { o.Channel = 7 },
		"sensor":  func(o *bitalino.Options) { o.Sensor = "r3" },
	} {
		o := options("/dev/ttyX")
		change(&o)
		if _, err := o.Open(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v does not name it", what, err)
		}
	}
	o := options("/dev/ttyX")
	if _, err := o.Open(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

func TestConversation(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, hasty(options(far.Path())))
	play(far, greeting())
	far.Send(frames(0, 100))
	got.AwaitSamples(100)
	if e := got.Events(stream.Connected); len(e) != 1 || e[0].Detail != "BITalino (r)evolution, firmware 5.2" {
		t.Errorf("connected: %+v", e)
	}
	for i, s := range got.Samples() {
		us := float64(300+i) / 1024 * 3.3 / .132
		if s.Seq != int64(i) || s.Tick != int64(i) || s.Values[0] != float64(300+i) || math.Abs(s.Values[1]-us) > 1e-9 {
			t.Fatalf("sample %d: %+v", i, s)
		}
	}
	got.Stop()
	far.Take([]byte{0x00})
	if n := got.Total(stream.Fault) + got.Total(stream.Lost); n != 0 {
		t.Errorf("%d faults and losses on a perfect line: %v", n, got.Events(stream.Fault))
	}
}

// Rates, inputs and sensors other than the usual ones.
func TestSettings(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options(far.Path())
	o.Rate, o.Channel, o.Sensor = 1000, 6, bitalino.R1
	got := serialtest.Record(t, hasty(o))
	transcript := greeting()
	transcript[3].host, transcript[4].host = []byte{0xC3}, []byte{0x81}
	play(far, transcript)
	far.Send(bitalino.Append(bytes.Clone(frames(468, 476)), bitalino.Frame{Seq: 476 & 15}, 1))
	got.AwaitSamples(9)
	if us := got.Samples()[0].Values[1]; us != 4 { // reading 768: R = 1 - 768/1024 MΩ
		t.Errorf("%v µS, want 4", us)
	}
	if v := got.Samples()[8].Values; v[0] != 0 || !math.IsNaN(v[1]) {
		t.Errorf("open electrodes: %v, want the reading 0 and no conductance", v)
	}
}

// A board of the first generation says so, and its sensor's formula is used.
func TestFirstGeneration(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, hasty(options(far.Path())))
	transcript := greeting()
	transcript[2].board = []byte("BITalino V3.2\n")
	play(far, transcript)
	far.Send(frames(212, 220)) // reading 512 first
	got.AwaitSamples(8)
	if us := got.Samples()[0].Values[1]; us != 2 {
		t.Errorf("%v µS, want 2", us)
	}
}

// A board that its last host left streaming is stopped first, and what it sent is
// no part of this recording.
func TestFindsABoardThatStreams(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, hasty(options(far.Path())))
	far.Take([]byte{0x00})
	far.Send(frames(400, 500)[1:])
	far.Take([]byte{0xFF})
	far.Take([]byte{0x07})
	far.Send(append(frames(500, 510)[2:], "BITalino_v5.2\n"...))
	far.Take([]byte{0x83})
	far.Take([]byte{0x11})
	far.Send(frames(0, 20))
	got.AwaitSamples(20)
	if have := readings(got); !slices.Equal(have, upTo(0, 20)) {
		t.Errorf("readings %v, want those of after the start only", have)
	}
}

// The first question may be lost on the way: it is asked again.
func TestAsksAgain(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, bitalino.NewHasty(options(far.Path()), time.Second, serialtest.Deadline))
	far.Take([]byte{0x07})
	play(far, greeting())
	far.Send(frames(0, 10))
	got.AwaitSamples(10)
	if n := len(got.Events(stream.Disconnected)); n != 0 {
		t.Errorf("%d Disconnected events, want none", n)
	}
}

// Whatever is between frames costs only what it hits.
func TestSurvivesGarbage(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, hasty(options(far.Path())))
	play(far, greeting())
	r := rand.New(rand.NewPCG(1, 2))
	var sent []byte
	for i := 0; i < 400; i += 20 {
		sent = append(sent, serialtest.Garbage(r, r.IntN(40))...)
		sent = append(sent, frames(i, i+20)...)
		sent = append(sent, frames(i+20, i+21)[:r.IntN(3)]...) // half a frame
	}
	far.SendSplit(r, sent)
	got.AwaitSamples(400)
	have := got.Samples()
	for i, s := range have[len(have)-400:] {
		if int(s.Values[0])-300 != i {
			t.Fatalf("reading %v, want that of frame %d", s.Values[0], i)
		}
	}
	if n := got.Total(stream.Lost); n%16 != 0 {
		t.Errorf("%d lost, none were but for multiples of 16 that the clock suggests", n)
	}
	far.Unplug() // what was not reported for a second is reported now
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n < 20 {
		t.Errorf("%d faults, want one for each of the 20 pieces of garbage at least", n)
	}
}

func TestCountsLost(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, hasty(options(far.Path())))
	play(far, greeting())
	far.Send(slices.Concat(frames(3, 20), frames(25, 40)))
	got.AwaitSamples(32)
	var seqs, ticks []int
	for _, s := range got.Samples() {
		seqs, ticks = append(seqs, int(s.Seq)), append(ticks, int(s.Tick))
	}
	if want := slices.Concat(upTo(0, 17), upTo(22, 37)); !slices.Equal(seqs, want) {
		t.Errorf("numbers %v, want %v", seqs, want)
	}
	if want := slices.Concat(upTo(3, 20), upTo(25, 40)); !slices.Equal(ticks, want) {
		t.Errorf("ticks %v, want %v", ticks, want)
	}
	if n := got.Total(stream.Lost); n != 5 {
		t.Errorf("%d lost, want 5", n)
	}
}

// The cable is pulled in the middle of a frame; the rest of the frame that follows
// is not joined to it.
func TestPulledInTheMiddleOfAFrame(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, hasty(options(far.Path())))
	for life := range 3 {
		play(far, greeting())
		far.Send(frames(0, 21)[:61])
		got.AwaitSamples(20 * (life + 1))
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, life+1)
		far.Plug()
	}
	want := slices.Concat(upTo(0, 20), upTo(0, 20), upTo(0, 20))
	if have := readings(got); !slices.Equal(have, want) {
		t.Errorf("readings %v", have)
	}
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			if c.Epoch != int(s.Seq)/20 {
				t.Fatalf("sample %d in epoch %d", s.Seq, c.Epoch)
			}
		}
	}
}

// A board that sends at another rate than it was told is started anew.
func TestWrongRate(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	clock := &instant.Hand{}
	o := options(far.Path())
	o.Rate, o.Clock = 10, clock
	got := serialtest.Record(t, hasty(o))
	transcript := greeting()
	transcript[3].host = []byte{0x43}
	play(far, transcript)
	for n := range 2 { // 50 a second
		far.Send(frames(150*n, 150*n+150))
		got.AwaitSamples(150*n + 150)
		clock.Advance(3 * time.Second)
	}
	far.Send(frames(300, 450))
	got.AwaitEvents(stream.Disconnected, 1)
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "it was told 10") {
		t.Errorf("%q does not say what is wrong", e.Detail)
	}
	play(far, transcript)
}

// After a good start, bytes that are no frames do not count as life.
func TestGarbageForEver(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	clock := &instant.Hand{}
	o := options(far.Path())
	o.Clock = clock
	got := serialtest.Record(t, hasty(o))
	play(far, greeting())
	far.Send(frames(0, 50))
	got.AwaitSamples(50)
	serialtest.Eventually(t, "the driver gives up", func() bool {
		clock.Advance(time.Second)
		far.Send([]byte("GSR: 512\r\n"))
		return len(got.Events(stream.Disconnected)) > 0
	})
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "no frame was among them") {
		t.Errorf("%q does not say what is wrong", e.Detail)
	}
	if got.Total(stream.Fault) == 0 {
		t.Error("no fault counted")
	}
}

// Another device on the port is told from the board.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, bitalino.NewHasty(options(far.Path()), 100*time.Millisecond, serialtest.Deadline))
	far.AwaitOpen()
	serialtest.Eventually(t, "the driver gives up", func() bool {
		far.Send([]byte("GSR: 512\r\n"))
		return len(got.Events(stream.Disconnected)) > 0
	})
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "does not answer as a BITalino does") {
		t.Errorf("%q does not say what is wrong", e.Detail)
	}
	if n := len(got.Samples()) + len(got.Events(stream.Connected)); n != 0 {
		t.Errorf("%d samples and connections", n)
	}
}

// A board that says its name but never starts is tried anew.
func TestDoesNotStart(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, bitalino.NewHasty(options(far.Path()), serialtest.Deadline, 300*time.Millisecond))
	play(far, greeting())
	far.Send(frames(0, 7)) // not enough to be believed
	got.AwaitEvents(stream.Disconnected, 1)
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "sends no frames") {
		t.Errorf("%q does not say what is wrong", e.Detail)
	}
	play(far, greeting())
}

func TestRecognise(t *testing.T) {
	g := bitalino.Driver().Greeting
	r := rand.New(rand.NewPCG(5, 6))
	six := func(n int) []byte {
		var b []byte
		for i := range n {
			b = bitalino.Append(b, bitalino.Frame{Seq: uint8(i & 15), Digital: 15, Analog: [6]uint16{1, 2, 3, 4, 5, 6}}, 6)
		}
		return b
	}
	for _, c := range []struct {
		name  string
		heard []byte
		want  string
	}{
		{"nothing", nil, ""},
		{"the echo of the question", g.Ask[0], ""},
		{"version", []byte("\x07BITalino_v5.2\n"), "BITalino (r)evolution, firmware 5.2"},
		{"streaming one input", frames(5, 25)[2:], "BITalino, left streaming"},
		{"streaming six inputs", six(20)[5:], "BITalino, left streaming"},
		{"too few frames", frames(0, 15), ""},
		{"garbage", serialtest.Garbage(r, 1<<16), ""},
		{"zeros", make([]byte, 5000), ""},
		{"numbers", bytes.Repeat([]byte("512\r\n"), 200), ""},
	} {
		model, ok := g.Recognise(c.heard)
		if model != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", c.name, model, ok, c.want)
		}
	}
}
