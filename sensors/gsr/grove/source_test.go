package grove_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/gsr/grove"
	"emolab/sensors/serialtest"
)

func options(port string) grove.Options {
	return grove.Options{Place: device.Place{ID: "eda", Port: port, Clock: instant.Monotonic{}, Simulated: true}}
}

// lines returns lines of the readings from..until.
func lines(from, until int) []byte {
	var b []byte
	for i := from; i < until; i++ {
		b = fmt.Appendf(b, "%d\r\n", i)
	}
	return b
}

// filler is a reading that the board prints while the driver opens the port, which
// drops what comes meanwhile.
const filler = 1

// begin prints line(0), line(1) and so on until the driver has connected n times.
func begin(t *testing.T, far *serialtest.Port, got *serialtest.Recording, n int, line func(i int) string) {
	t.Helper()
	i := 0
	serialtest.Eventually(t, "the driver connects", func() bool {
		far.Send([]byte(line(i)))
		i++
		return len(got.Events(stream.Connected)) >= n
	})
}

func plain(int) string { return fmt.Sprintf("%d\r\n", filler) }

// samples returns what came so far, without fillers.
func samples(got *serialtest.Recording) []stream.Sample {
	return slices.DeleteFunc(got.Samples(), func(s stream.Sample) bool { return s.Values[0] == filler })
}

// await waits until n samples came that are no fillers.
func await(t *testing.T, got *serialtest.Recording, n int) {
	t.Helper()
	serialtest.Eventually(t, fmt.Sprintf("%d samples", n), func() bool { return len(samples(got)) >= n })
}

func readings(got *serialtest.Recording) []int {
	var all []int
	for _, s := range samples(got) {
		all = append(all, int(s.Values[0]))
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
	o := options("/dev/ttyX")
	info := grove.New(o).Info()[0]
	if info.Clock != stream.CountedClock || info.Rate != 19.6 || info.TickHz != 19.6 || !info.Simulated ||
		info.Index("raw") != 0 || info.Index("eda_us") != 1 || len(info.Channels) != 2 ||
		!strings.Contains(info.Channels[0].Note, "512 without skin") {
		t.Errorf("%+v", info)
	}
	o.Millis = 1
	if info := grove.New(o).Info()[0]; info.Clock != stream.TickedClock || info.TickHz != 1000 {
		t.Errorf("with printed times: %+v", info)
	}
}

func TestRefusesBadOptions(t *testing.T) {
	for what, change := range map[string]func(*grove.Options){
		"port":   func(o *grove.Options) { o.Port = "" },
		"rate":   func(o *grove.Options) { o.Rate = -1 },
		"column": func(o *grove.Options) { o.Column = -2 },
		"millis": func(o *grove.Options) { o.Millis, o.Column = 2, 2 },
		"bits":   func(o *grove.Options) { o.Bits = 16 },
		"cal":    func(o *grove.Options) { o.Cal = 2048 },
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
	got := serialtest.Record(t, grove.New(options(far.Path())))
	begin(t, far, got, 1, plain)
	far.Send(lines(400, 450))
	far.Send([]byte("GSR: 511\r\n512\r\n0\r\n"))
	await(t, got, 53)
	got.Stop()
	if e := got.Events(stream.Connected); len(e) != 1 || e[0].Detail != "lines of 1 numbers" {
		t.Errorf("connected: %+v", e)
	}
	for i, s := range got.Samples() {
		if s.Seq != int64(i) || s.Tick != int64(i) {
			t.Fatalf("sample %d: %+v", i, s)
		}
	}
	for i, s := range samples(got)[:50] {
		x := float64(400 + i)
		if us := 100 * (512 - x) / (1024 + 2*x); s.Values[0] != x || math.Abs(s.Values[1]-us) > 1e-9 {
			t.Fatalf("%+v, want the reading %v, %v µS", s, x, us)
		}
	}
	for _, s := range samples(got)[51:] { // electrodes open, saturated
		if !math.IsNaN(s.Values[1]) {
			t.Errorf("reading %v: %v µS, want none", s.Values[0], s.Values[1])
		}
	}
	if n := got.Total(stream.Fault) + got.Total(stream.Lost); n != 0 {
		t.Errorf("%d faults and losses on a perfect line: %v", n, got.Events(stream.Fault))
	}
}

func TestColumnsAndTimes(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options(far.Path())
	o.Millis, o.Column, o.Bits, o.Cal = 1, 2, 12, 2000
	got := serialtest.Record(t, grove.New(o))
	line := func(ms, reading int) string {
		return fmt.Sprintf("t=%d, GSR: %d (raw), temp: -3.5\r\n", uint32(ms), reading)
	}
	const wrap = 1 << 32
	ms := wrap - 1900 // within what a line may stray
	begin(t, far, got, 1, func(int) string { ms++; return line(ms, filler) })
	var want []int64
	for i := range 5 {
		ms = wrap - 120 + i*51 // the clock comes round between the third and the fourth
		far.Send([]byte(line(ms, 1500+i)))
		want = append(want, int64(ms))
	}
	await(t, got, 5)
	for i, s := range samples(got) {
		us := 100 * (500 - float64(i)) / (4096 + 2*(1500+float64(i)))
		if s.Tick != want[i] || s.Values[0] != float64(1500+i) || math.Abs(s.Values[1]-us) > 1e-9 {
			t.Errorf("sample %d: %+v, want the tick %d, %v µS", i, s, want[i], us)
		}
	}
}

// Whatever is between lines costs the line that it hits and the next one.
func TestSurvivesGarbage(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, grove.New(options(far.Path())))
	begin(t, far, got, 1, plain)
	r := rand.New(rand.NewPCG(1, 2))
	var sent []byte
	var want []int
	for i := 100; i < 400; i += 10 {
		garbage := append(serialtest.Garbage(r, 1+r.IntN(300)), 0xFF) // that is never part of a line
		sent = append(append(sent, lines(i, i+10)...), garbage...)
		sent = append(append(sent, '\n'), lines(i+9, i+10)...) // this one is not believed
		want = append(want, upTo(i, i+10)...)
	}
	far.SendSplit(r, sent)
	await(t, got, len(want))
	if have := readings(got); !slices.Equal(have, want) {
		t.Errorf("readings %v", have)
	}
	far.Unplug() // what was not reported for a second is reported now
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n < 30 {
		t.Errorf("%d faults, want one for each of the 30 pieces of garbage at least", n)
	}
}

// A line without end is bounded, and the next ones are read.
func TestFlood(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, grove.New(options(far.Path())))
	begin(t, far, got, 1, plain)
	for range 200 {
		far.Send([]byte(strings.Repeat("5", 2000)))
	}
	far.Send([]byte("\n"))
	far.Send(lines(100, 103))
	await(t, got, 2)
	if have := readings(got); !slices.Equal(have, upTo(101, 103)) {
		t.Errorf("readings %v", have)
	}
}

// The cable is pulled in the middle of a line; the line that follows is not joined
// to it.
func TestPulledInTheMiddleOfALine(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, grove.New(options(far.Path())))
	for life := range 3 {
		begin(t, far, got, life+1, plain)
		far.Send(append(lines(300, 320), '3'))
		await(t, got, 20*(life+1))
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, life+1)
		far.Plug()
	}
	want := slices.Concat(upTo(300, 320), upTo(300, 320), upTo(300, 320))
	if have := readings(got); !slices.Equal(have, want) {
		t.Errorf("readings %v", have)
	}
	n := 0
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			if s.Values[0] == filler {
				continue
			}
			if c.Epoch != n/20 {
				t.Fatalf("reading %d in epoch %d", n, c.Epoch)
			}
			n++
		}
	}
}

// Another device, or the wrong speed, is told from the board.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, grove.New(options(far.Path())))
	far.AwaitOpen()
	r := rand.New(rand.NewPCG(3, 4))
	serialtest.Eventually(t, "the driver gives up", func() bool {
		far.Send(serialtest.Garbage(r, 10))
		return len(got.Events(stream.Disconnected)) > 0
	})
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "check baud, column and bits") {
		t.Errorf("%q does not say what to do", e.Detail)
	}
	if n := len(got.Samples()) + len(got.Events(stream.Connected)); n != 0 {
		t.Errorf("%d samples and connections", n)
	}
}

// A board that restarts begins a new epoch where it prints its time.
func TestRestart(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options(far.Path())
	o.Millis = 1
	got := serialtest.Record(t, grove.New(o))
	begin(t, far, got, 1, func(i int) string { return fmt.Sprintf("%d,%d\r\n", 90_000+i, filler) })
	begin(t, far, got, 2, func(i int) string { return fmt.Sprintf("%d,%d\r\n", 51+i, filler) })
	far.Send([]byte("1408,500\r\n"))
	await(t, got, 1)
	chunks := got.Chunks()
	last := chunks[len(chunks)-1]
	if n := len(last.Samples); last.Epoch != 1 || n == 0 || last.Samples[n-1].Tick != 1408 {
		t.Errorf("%+v, want the tick 1408 in epoch 1", last)
	}
	if n := len(got.Events(stream.Disconnected)); n != 1 {
		t.Errorf("%d Disconnected events, want 1", n)
	}
}

func TestRecognise(t *testing.T) {
	g := grove.Driver().Greeting
	if len(g.Ask) != 0 {
		t.Errorf("it asks %q of a board that does not listen", g.Ask)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for name, c := range map[string]struct {
		heard []byte
		want  bool
	}{
		"nothing":         {nil, false},
		"readings":        {lines(99, 120)[1:], true},
		"labelled":        {[]byte(strings.Repeat("GSR: 512\r\n", 12)), true},
		"too few":         {lines(100, 108), false},
		"larger numbers":  {lines(2000, 2100), false},
		"text":            {[]byte(strings.Repeat("ready\r\n", 50)), false},
		"garbage":         {serialtest.Garbage(r, 1<<18), false},
		"another's bytes": {[]byte(strings.Repeat("<REC CNT=\"12\" TIME=\"1.5\" />\r\n", 50)), false},
	} {
		if model, ok := g.Recognise(c.heard); ok != c.want || ok != (model != "") {
			t.Errorf("%s: %q, %v", name, model, ok)
		}
	}
}
