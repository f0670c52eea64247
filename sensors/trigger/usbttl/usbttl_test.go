package usbttl

import (
	"path/filepath"
	"slices"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/trigger"
	"emolab/sensors/virtual"
)

func TestVectors(t *testing.T) {
	for code, want := range map[uint8]string{0: "00", 1: "01", 10: "0A", 171: "AB", 255: "FF"} {
		if got := string(language{}.Code(code)); got != want {
			t.Errorf("code %d is %q, want %q", code, got, want)
		}
	}
}

func TestDecoder(t *testing.T) {
	for text, want := range map[string][]uint8{
		"RR0100": {0, 1, 0},
		"0AFF":   {10, 255},
		"0aFF":   {255},   // small letters mean nothing
		"1\n10":  {16},    // nor do line ends
		"R01RR":  {1, 0},  // half a reset, as a module without power had it
		"RRR0F":  {0, 15}, // an R too many
		"":       nil,
		"0":      nil,
	} {
		var d decoder
		var got []uint8
		for _, b := range []byte(text) {
			if code, ok := d.take(b); ok {
				got = append(got, code)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q sets %v, want %v", text, got, want)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("RR0AFF00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d decoder
		set := 0
		for _, c := range b {
			if _, ok := d.take(c); ok {
				set++
			}
		}
		if set > len(b)/2 {
			t.Fatalf("%d bytes set the lines %d times", len(b), set)
		}
	})
}

func options(port string) Options {
	return Options{Place: device.Place{ID: "trigger", Port: port, Clock: instant.Monotonic{}, Simulated: true}, Settings: trigger.Settings{PulseMs: 5}}
}

// fire fires a code until it was written once: the module may not be ready, or this
// machine too busy to write it in time.
func fire(t *testing.T, e *trigger.Emitter, got *serialtest.Recording, code uint8) {
	t.Helper()
	asked, before := 0, len(got.Samples())
	lost := got.Total(stream.Lost)
	serialtest.Eventually(t, "a code is written", func() bool {
		if n := len(got.Samples()) - before; n == 0 && got.Total(stream.Lost) == lost+int64(asked) {
			e.Fire(code, trigger.NoOnset)
			asked++
		}
		return len(got.Samples()) > before
	})
}

func TestTranscript(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	e := New(options(far.Path()))
	got := serialtest.Record(t, e)
	for range 2 {
		far.Take([]byte("RR"))
		far.Send([]byte("3F\x00\xffgarbage")) // whatever it says
		fire(t, e, got, 10)
		far.Take([]byte("0A00"))
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, 1)
		far.Plug()
	}
	if f := got.Total(stream.Fault); f != 0 {
		t.Errorf("%d faults", f)
	}
}

func TestTwin(t *testing.T) {
	t.Parallel()
	clock := instant.Monotonic{}
	o := options("")
	twin := o.Twin(virtual.TwinOptions{Clock: clock}).(*Twin)
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyTTL"), twin, virtual.FTDI(0), 1, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	e := New(options(link.Path()))
	got := serialtest.Record(t, e)
	want := []uint8{255, 1, 2, 16, 16, 250}
	for _, code := range want {
		fire(t, e, got, code)
	}
	serialtest.Eventually(t, "all codes have come and gone", func() bool { return len(twin.Levels()) == 2*len(want) })
	if codes := twin.Codes(); !slices.Equal(codes, want) {
		t.Errorf("the lines showed %v, want %v", codes, want)
	}
}

func TestRefusesBadOptions(t *testing.T) {
	for _, o := range []Options{{}, {Place: device.Place{Port: "x"}, Settings: trigger.Settings{PulseMs: -1}}} {
		if _, err := o.Open(); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	good := options("x")
	if _, err := good.Open(); err != nil {
		t.Error(err)
	}
}
