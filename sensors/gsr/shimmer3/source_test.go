package shimmer3

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
	"emolab/sensors/serialtest"
)

// Commands as a Shimmer receives them.
var (
	stopBytes      = []byte{0x20}
	checksumsOff   = []byte{0x8B, 0x00}
	checksumsOn    = []byte{0x8B, 0x02}
	whatItIs       = []byte{0x3F}
	whatItRuns     = []byte{0x2E}
	withoutAck     = []byte{0xA3, 0x00}
	itsBattery     = []byte{0x95}
	onlyGSR        = []byte{0x08, 0x04, 0x00, 0x00}
	at51Hz         = []byte{0x05, 0x80, 0x02}
	rangeByItself  = []byte{0x21, 0x04}
	itsChannels    = []byte{0x01}
	startStreaming = []byte{0x07}
)

// step is one question of the driver and what the Shimmer says to it.
type step struct{ take, send []byte }

// sure appends the checksum of a whole answer.
func sure(b ...byte) []byte { return seal(b, checksumSize) }

// identified are the steps up to the firmware's version.
func identified(hardware byte, version ...byte) []step {
	return []step{
		{stopBytes, []byte{0xFF}},
		{checksumsOff, []byte{0xFF}},
		{whatItIs, []byte{0xFF, 0x25, hardware}},
		{whatItRuns, append([]byte{0xFF, 0x2F}, version...)},
	}
}

// conversation is a whole set-up of a Shimmer3 with LogAndStream 0.16.11.
func conversation() []step {
	return append(identified(3, 3, 0, 0, 0, 16, 11),
		step{withoutAck, []byte{0xFF}},
		step{checksumsOn, sure(0xFF)},
		step{itsBattery, sure(0xFF, 0x8A, 0x94, 0x76, 0x0A, 0x80)},
		step{onlyGSR, sure(0xFF)},
		step{at51Hz, sure(0xFF)},
		step{rangeByItself, sure(0xFF)},
		step{itsChannels, sure(0xFF, 0x02, 0x80, 0x02, 0x01, 0x00, 0x00, 0x08, 0x01, 0x01, 0x1C)},
		step{startStreaming, sure(0xFF)})
}

// play is the Shimmer for some steps.
func play(far *serialtest.Port, steps []step) {
	for _, s := range steps {
		far.Take(s.take)
		far.Send(s.send)
	}
}

func optionsOn(far *serialtest.Port) Options {
	o := Defaults()
	o.Place = device.Place{ID: "eda", Port: far.Path(), Clock: instant.Monotonic{}}
	return o
}

// hasty is a pace for a far end that answers all, in this process. It asks nothing
// twice, however busy the machine is: the steps of a test know no repetitions.
func hasty() pace {
	p := usual()
	p.patience, p.stopped, p.quiet = 15*time.Second, 100*time.Millisecond, 50*time.Millisecond
	return p
}

func openAt(t *testing.T, p pace) (*serialtest.Port, *serialtest.Recording) {
	t.Helper()
	far := serialtest.Open(t)
	s := New(optionsOn(far))
	s.pace = p
	return far, serialtest.Record(t, s)
}

func open(t *testing.T) (*serialtest.Port, *serialtest.Recording) {
	t.Helper()
	return openAt(t, hasty())
}

// calm is hasty with so much time that no answer comes after its time.
func calm() pace {
	p := hasty()
	p.stopped, p.quiet = time.Second, time.Second
	return p
}

// slowly is the pace of tests in which a question stays without an answer.
func slowly() pace {
	p := hasty()
	p.patience = 700 * time.Millisecond
	return p
}

// curt is a pace for those that will not answer in any time.
func curt() pace {
	p := hasty()
	p.patience, p.within, p.silence = 100*time.Millisecond, time.Second, time.Second
	p.stopped = 400 * time.Millisecond // the other end may be held up
	return p
}

// detail waits for the first event of a kind and returns what it says.
func detail(got *serialtest.Recording, kind stream.EventKind) string {
	got.AwaitEvents(kind, 1)
	return got.Events(kind)[0].Detail
}

func TestConversation(t *testing.T) {
	t.Parallel()
	far, got := openAt(t, calm())
	play(far, conversation())
	// The vectors' words, 1, 1 and 4 periods apart, across the wrap.
	const tick = 1<<24 - 700
	for _, p := range []struct {
		periods uint32
		w       Word
	}{{0, 0x48F0}, {1, 0x0BB8}, {2, 0x87D0}, {6, 0x02AA}} {
		far.Send(data((tick+p.periods*period)&tickMask, p.w, 2))
	}
	got.AwaitSamples(3) // the last one may be a repeated word: a packet is missing before it
	far.Send(data((tick+7*period)&tickMask, 0x0BB8, 2))
	got.AwaitSamples(5)
	if about := detail(got, stream.Connected); about != "Shimmer3, LogAndStream 0.16.11, battery 3.90 V, 51.2 Hz, range auto" {
		t.Errorf("%q", about)
	}
	want := []struct {
		seq, periods       int64
		raw, us, rng, hold float64
	}{
		{0, 0, 2288, 8.1964, 1, 0},
		{1, 1, 3000, 84.468, 0, 0},
		{2, 2, 2000, 1.9304, 2, 0},
		{6, 6, 682, math.NaN(), 0, 0},
		{7, 7, 3000, 84.468, 0, 0},
	}
	for i, s := range got.Samples() {
		w, v := want[i], s.Values
		if s.Seq != w.seq || s.Tick != tick+w.periods*period || v[0] != w.raw || v[2] != w.rng || v[3] != w.hold ||
			!(math.Abs(v[1]-w.us) < 1e-3 || math.IsNaN(v[1]) && math.IsNaN(w.us)) {
			t.Errorf("sample %d: %+v, want %+v", i, s, w)
		}
	}
	if n := got.Total(stream.Lost); n != 3 {
		t.Errorf("%d lost, want 3", n)
	}
	if n := got.Total(stream.Fault); n != 0 {
		t.Errorf("%d faults: %v", n, got.Events(stream.Fault))
	}
	got.Stop()
	far.Take(stopBytes) // the goodbye
}

// A repeated word is marked, and keeps its own arrival.
func TestMarksRepeatedWords(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	play(far, conversation())
	a, b := newWord(1, 1480), newWord(2, 2100)
	for i, w := range []Word{newWord(1, 1500), a, a, a, a, a, b} {
		far.Send(data(uint32(i*period), w, 2))
	}
	got.AwaitSamples(7)
	for i, s := range got.Samples() {
		repeated := i >= 2 && i <= 5
		if (s.Values[3] == 1) != repeated || math.IsNaN(s.Values[1]) != repeated {
			t.Errorf("sample %d: %v", i, s.Values)
		}
	}
}

// Firmware before checksums and before 0.15.4, on a device with other sensors on.
func TestOldFirmware(t *testing.T) {
	t.Parallel()
	far, got := openAt(t, slowly())
	play(far, append(identified(3, 3, 0, 0, 0, 11, 0),
		step{checksumsOn, nil}, // ignored, and asked again
		step{checksumsOn, nil},
		step{checksumsOff, nil},
		step{itsBattery, []byte{0xFF, 0x8A, 0x94, 0x76, 0x0A, 0x80}},
		step{onlyGSR, []byte{0xFE}}, // it will not be set
		step{at51Hz, []byte{0xFE}},
		step{rangeByItself, []byte{0xFE}},
		step{itsChannels, []byte{0xFF, 0x02, 0x80, 0x02, 0x01, 0x00, 0x00, 0x08, 0x03, 0x01, 0x03, 0x1C, 0x0A}},
		step{startStreaming, []byte{0xFF}}))
	packet := func(i int) []byte {
		b := data(uint32(i*period), newWord(1, 1500+i), 0)
		return slices.Concat(b[:4], []byte{0x00, 0xFF}, b[4:], []byte{0x00, 0x8A})
	}
	for i := range 5 {
		far.Send(packet(i))
	}
	far.Send([]byte{0xFF, 0x8A, 0x71, 0x32}) // its state, with the acknowledgement of before 0.15.4
	for i := 5; i < 11; i++ {
		far.Send(packet(i))
	}
	got.AwaitSamples(10)
	if about := detail(got, stream.Connected); !strings.Contains(about, "0.11.0") || !strings.HasSuffix(about, "without checksums") {
		t.Errorf("%q", about)
	}
	for i, s := range got.Samples() {
		if s.Seq != int64(i) || s.Values[0] != float64(1500+i) {
			t.Errorf("sample %d: %+v", i, s)
		}
	}
}

func TestRefusals(t *testing.T) {
	set := func(config, channels []byte) []step {
		steps := conversation()[:10] // up to the range
		answer := slices.Concat([]byte{0xFF, 0x02}, config, []byte{byte(len(channels)), 0x01}, channels)
		return append(steps, step{itsChannels, sure(answer...)})
	}
	right := []byte{0x80, 0x02, 1, 0, 0, 0x08}
	refusing := set([]byte{0x00, 0x01, 1, 0, 0, 0x08}, []byte{0x1C})
	for i := 7; i < 10; i++ {
		refusing[i].send = sure(0xFE)
	}
	for name, c := range map[string]struct {
		steps []step
		want  []string
	}{
		"BtStream":        {identified(3, 1, 0, 0, 0, 8, 0), []string{"BtStream 0.8.0", "need LogAndStream"}},
		"ancient":         {identified(3, 3, 0, 0, 0, 5, 3), []string{"LogAndStream 0.5.3", "0.5.4"}},
		"other hardware":  {identified(2, 3, 0, 0, 0, 5, 3)[:3], []string{"hardware 2", "need a Shimmer3"}},
		"synchronised":    {append(identified(3)[:2], step{whatItIs, []byte{0xFE}}), []string{"refuses", "synchronise"}},
		"unknown channel": {set(right, []byte{0x2A, 0x1C}), []string{"channel 2A"}},
		"no GSR":          {set(right, []byte{0x12}), []string{"GSR+ board"}},
		"other rate":      {set([]byte{0x00, 0x01, 1, 0, 0, 0x08}, []byte{0x1C}), []string{"each 256 ticks instead of 640"}},
		"other range":     {set([]byte{0x80, 0x02, 1, 0, 0, 0x02}, []byte{0x1C}), []string{"range is 1 instead of 4"}},
		"recording":       {refusing, []string{"256 ticks", "recording on its card"}},
		"no start":        {append(conversation()[:11], step{startStreaming, sure(0xFE)}), []string{"the start", "dock"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far, got := open(t)
			play(far, c.steps)
			why := detail(got, stream.Disconnected)
			for _, want := range c.want {
				if !strings.Contains(why, want) {
					t.Errorf("%q does not say %q", why, want)
				}
			}
			if len(got.Events(stream.Connected)) != 0 {
				t.Error("it counts as connected")
			}
		})
	}
}

// What never answers and what never stops is named.
func TestNoShimmer(t *testing.T) {
	t.Parallel()
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		far, got := openAt(t, curt())
		far.AwaitOpen()
		if why := detail(got, stream.Disconnected); !strings.Contains(why, "no answer: check") {
			t.Errorf("%q does not say what to do", why)
		}
	})
	t.Run("another device's bytes", func(t *testing.T) {
		t.Parallel()
		far, got := openAt(t, curt())
		far.AwaitOpen()
		r := rand.New(rand.NewPCG(1, 2))
		serialtest.Eventually(t, "the driver gives up", func() bool {
			if len(got.Events(stream.Disconnected)) == 0 {
				// Without what begins an answer: by chance, it may answer anything.
				far.Send(bytes.ReplaceAll(serialtest.Garbage(r, 500), []byte{ack}, nil))
			}
			return len(got.Events(stream.Disconnected)) > 0
		})
		why := got.Events(stream.Disconnected)[0].Detail
		// Where this process was held up, the bytes may have paused.
		if !strings.Contains(why, "not stopped sending") && !strings.Contains(why, "check that this is the Shimmer's port") {
			t.Errorf("%q", why)
		}
		if len(got.Events(stream.Connected)) != 0 {
			t.Error("it counts as connected")
		}
	})
}

// After a good start, bytes that are no packets do not count as life.
func TestGarbageForEver(t *testing.T) {
	t.Parallel()
	p := hasty()
	p.silence = time.Second
	far, got := openAt(t, p)
	play(far, conversation())
	far.Send(packets(10, 5000, 2))
	got.AwaitSamples(10)
	r := rand.New(rand.NewPCG(1, 2))
	serialtest.Eventually(t, "the driver gives up", func() bool {
		if len(got.Events(stream.Disconnected)) == 0 {
			far.Send(serialtest.Garbage(r, 100))
		}
		return len(got.Events(stream.Disconnected)) > 0
	})
	if why := detail(got, stream.Disconnected); !strings.Contains(why, "none of them were readings") {
		t.Errorf("%q", why)
	}
}

// Garbage, half packets and wrong bytes cost what they hit.
func TestSurvivesGarbage(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	r := rand.New(rand.NewPCG(1, 2))
	far.AwaitOpen()
	far.SendSplit(r, serialtest.Garbage(r, 300)) // the rest of an earlier stream
	play(far, conversation())
	var line []byte
	for i := range 200 {
		one := data(uint32(i*period), newWord(1, 1000+i), 2)
		switch i % 4 {
		case 1:
			line = append(line, serialtest.Garbage(r, 1+r.IntN(60))...)
		case 2:
			line = append(line, one[:r.IntN(len(one))]...)
		case 3:
			line = append(line, sure(0x8A, 0x71, 0x32)...)
		}
		line = append(line, one...)
	}
	far.SendSplit(r, line)
	got.AwaitSamples(200)
	for i, s := range got.Samples() {
		if s.Seq != int64(i) || s.Tick != int64(i)*period || s.Values[0] != float64(1000+i) {
			t.Fatalf("sample %d: %+v", i, s)
		}
	}
	if n := got.Total(stream.Lost); n != 0 {
		t.Errorf("%d lost, want none", n)
	}
	far.Unplug()
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n < 80 {
		t.Errorf("%d faults, want about one for each of 100 pieces of garbage and half packets", n)
	}
}

// A cable that is pulled in the middle of a packet: nothing is made of the half,
// and the numbers go on in a new epoch.
func TestPulledWithinAPacket(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	for plug := range 3 {
		play(far, conversation())
		far.Send(packets(5, 0, 2))
		got.AwaitSamples(5*plug + 5)
		far.Send(data(5*period, newWord(1, 1005), 2)[:3+plug])
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, plug+1)
		far.Plug()
	}
	checkEpochs(t, got, 15)
}

// checkEpochs demands n samples, five in each epoch.
func checkEpochs(t *testing.T, got *serialtest.Recording, n int64) {
	t.Helper()
	next := int64(0)
	for _, c := range got.Chunks() {
		for _, s := range c.Samples {
			if s.Seq != next || c.Epoch != int(next/5) || s.Tick != next%5*period {
				t.Fatalf("sample %d at tick %d in epoch %d, want %d at %d in %d", s.Seq, s.Tick, c.Epoch, next, next%5*period, next/5)
			}
			next++
		}
	}
	if next != n {
		t.Errorf("%d samples, want %d", next, n)
	}
	if n := got.Total(stream.Lost); n != 0 {
		t.Errorf("%d lost, want none: nobody can count them", n)
	}
}

// What is held back as a possible repeated word when a conversation ends comes
// out with the next one, in the epoch that it belongs to.
func TestHeldAtTheEnd(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	for range 2 {
		play(far, conversation())
		for i := range 5 {
			far.Send(data(uint32(i*period), newWord(1, 1480), 2))
		}
		far.Send(sure(0x8A, 0x71, 0x21)) // it stopped
	}
	got.AwaitEvents(stream.Disconnected, 2)
	far.Take(stopBytes) // the third conversation has begun
	got.AwaitSamples(6)
	got.Stop()
	n := len(got.Samples())
	if n != 6 && n != 10 { // those of the second come with the first bytes of the third
		t.Errorf("%d samples", n)
	}
	checkEpochs(t, got, int64(n))
}

// A Shimmer that is put into its dock says so.
func TestStopsByItself(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	play(far, conversation())
	far.Send(packets(3, 5000, 2))
	got.AwaitSamples(3)
	far.Send(sure(0x8A, 0x71, 0x31)) // docked, and still streaming
	far.Send(sure(0x8A, 0x71, 0x21))
	if why := detail(got, stream.Disconnected); !strings.Contains(why, "dock") {
		t.Errorf("%q", why)
	}
}

// The start's acknowledgement is lost, but there are data.
func TestStartedUnacknowledged(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	steps := conversation()
	steps[len(steps)-1].send = nil
	play(far, steps)
	far.Send(packets(20, 5000, 2))
	got.AwaitSamples(20)
	if n := len(got.Events(stream.Disconnected)); n != 0 {
		t.Errorf("%d Disconnected events, want none", n)
	}
}

// Answers that come late are not taken for those to the next question.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	far, got := openAt(t, slowly())
	steps := conversation()
	for i, s := range steps {
		if bytes.Equal(s.take, onlyGSR) {
			far.Take(s.take)
			far.Take(s.take) // asked again
			far.Send(append(sure(0xFF), sure(0xFF)...))
			continue
		}
		play(far, steps[i:i+1])
	}
	far.Send(packets(5, 5000, 2))
	got.AwaitSamples(5)
	if n := len(got.Events(stream.Disconnected)); n != 0 {
		t.Errorf("%d Disconnected events, want none: %v", n, got.Events(stream.Disconnected))
	}
}

// Far more than the rate: what the line carries is placed right, and what it does
// not carry is counted.
func TestFlood(t *testing.T) {
	t.Parallel()
	far, got := open(t)
	play(far, conversation())
	const all = 3000
	var flood []byte
	for i := range all {
		flood = append(flood, data(uint32(i*period), newWord(1, 1000+i%1000), 2)...)
	}
	for b := flood; len(b) > 0; b = b[min(len(b), 1000):] {
		far.Send(b[:min(len(b), 1000)])
	}
	last := all
	serialtest.Eventually(t, "those after the flood come", func() bool {
		far.Send(data(uint32(last*period), newWord(1, 1000+last%1000), 2))
		last++
		s := got.Samples()
		return len(s) > 0 && s[len(s)-1].Tick >= all*period
	})
	samples := got.Samples()
	for _, s := range samples {
		if s.Seq-samples[0].Seq != (s.Tick-samples[0].Tick)/period || s.Values[0] != float64(1000+s.Tick/period%1000) {
			t.Fatalf("sample %+v", s)
		}
	}
	if n := len(got.Events(stream.Connected)); n != 1 {
		t.Errorf("connected %d times", n)
	}
}
