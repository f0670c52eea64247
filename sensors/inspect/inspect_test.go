package inspect_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/gsr/grove"
	"emolab/sensors/inspect"
	"emolab/sensors/serialport"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// far is a device made of a function.
type far func(ctx context.Context, in <-chan virtual.Arrived, send func([]byte))

func (f far) Run(ctx context.Context, _ *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	f(ctx, in, send)
}

// hold lets a device do nothing more.
func hold(ctx context.Context, in <-chan virtual.Arrived) {
	for {
		select {
		case <-in:
		case <-ctx.Done():
			return
		}
	}
}

// modem echoes what it hears, as modems do with commands, and says ERROR to each
// line.
func modem(ctx context.Context, in <-chan virtual.Arrived, send func([]byte)) {
	for {
		select {
		case got := <-in:
			send(got.Bytes)
			send([]byte("\r\nERROR\r\n"))
		case <-ctx.Done():
			return
		}
	}
}

// chatter sends text that no driver understands, as fast as the line takes it.
func chatter(ctx context.Context, in <-chan virtual.Arrived, send func([]byte)) {
	b := bytes.Repeat([]byte("~#!\x00"), 500)
	for ctx.Err() == nil {
		select {
		case <-in:
		default:
			send(b)
		}
	}
}

func box() *emobox.Options {
	return &emobox.Options{Place: device.Place{ID: "eda", Clock: instant.Monotonic{}, Simulated: true}}
}

func twin(o *emobox.Options) virtual.Device {
	clock := instant.Monotonic{}
	return o.Twin(virtual.TwinOptions{Truth: script.NewTruth(script.New(1), clock.Now()), Clock: clock, Seed: 1})
}

// starting is a board that a host's opening of the port has reset: it is deaf
// for two seconds, and what it says first is the boot loader's. It hears of the opening
// with the first question, which comes 600 ms later.
type starting struct{ inner virtual.Device }

func (s starting) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	<-in // the port is open
	send([]byte{0xF0, 0x0D, 0xF0})
	awake := time.After(1400 * time.Millisecond)
	for deaf := true; deaf; {
		select {
		case <-in:
		case <-awake:
			deaf = false
		case <-ctx.Done():
			return
		}
	}
	s.inner.Run(ctx, due, in, send)
}

func plug(t *testing.T, d virtual.Device, what virtual.Disturbance) string {
	t.Helper()
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyDEV"), d, what, 1, instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return link.Path()
}

func TestPort(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		device virtual.Device
		want   inspect.State
		says   string
	}{
		"a box":                {twin(box()), inspect.Known, "Emolab"},
		"nothing":              {far(func(ctx context.Context, in <-chan virtual.Arrived, _ func([]byte)) { hold(ctx, in) }), inspect.Silent, "switch"},
		"a modem":              {far(modem), inspect.Unknown, "another device"},
		"a device that floods": {far(chatter), inspect.Unknown, "another device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := inspect.Port(context.Background(), plug(t, c.device, virtual.Disturbance{}), instant.Monotonic{}, []device.Driver{emobox.Driver()})
			if f.State != c.want || !strings.Contains(f.Said, c.says) {
				t.Errorf("%+v, want %s and %q", f, c.want, c.says)
			}
			if (f.Driver == "emobox") != (c.want == inspect.Known) {
				t.Errorf("driver %q", f.Driver)
			}
		})
	}
}

func TestResetBoard(t *testing.T) {
	t.Parallel()
	f := inspect.Port(context.Background(), plug(t, starting{twin(box())}, virtual.Disturbance{}), instant.Monotonic{}, []device.Driver{emobox.Driver()})
	if f.State != inspect.Known {
		t.Errorf("%+v, want the box after its boot loader", f)
	}
}

func TestPortThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	p, err := serialport.Open(serialport.Config{Path: far.Path(), Clock: instant.Monotonic{}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if f := inspect.Port(context.Background(), far.Path(), instant.Monotonic{}, []device.Driver{emobox.Driver()}); f.State != inspect.Held {
		t.Errorf("%+v, want held", f)
	}
	if f := inspect.Port(context.Background(), "/dev/ttyNONE", instant.Monotonic{}, nil); f.State != inspect.Gone {
		t.Errorf("%+v, want gone", f)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := inspect.Port(context.Background(), file, instant.Monotonic{}, nil); f.State != inspect.Broken {
		t.Errorf("%+v, want broken", f)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	// A device that speaks is waited for as long as a busy machine needs; one that does
	// not costs the whole time.
	const first, never = serialtest.Deadline, 3 * time.Second
	for name, c := range map[string]struct {
		device func(*emobox.Options) virtual.Device
		line   virtual.Disturbance
		limit  time.Duration
		want   inspect.Health
		says   string
	}{
		"well": {twin, virtual.Disturbance{}, first, inspect.Well, " of 100 samples a second"},
		"mute": {func(*emobox.Options) virtual.Device {
			return far(func(ctx context.Context, in <-chan virtual.Arrived, _ func([]byte)) { hold(ctx, in) })
		}, virtual.Disturbance{}, never, inspect.Mute, "no data"},
		"foreign": {func(*emobox.Options) virtual.Device { return far(modem) }, virtual.Disturbance{}, never, inspect.Foreign, "wrong"},
		"flooded": {func(*emobox.Options) virtual.Device { return far(chatter) }, virtual.Disturbance{}, never, inspect.Foreign, "wrong"},
		// Slow is less than half: what had waited for a busy machine when it began to read
		// must not make up for what is lost.
		"bad line": {twin, virtual.Disturbance{LossPercent: 75}, first, inspect.Slow, "cable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := box()
			o.Port = plug(t, c.device(o), c.line)
			r, err := inspect.Watch(context.Background(), o, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			if r.Health != c.want || !strings.Contains(r.Said, c.says) {
				t.Errorf("%+v, want %s and %q", r, c.want, c.says)
			}
			if c.want == inspect.Well && len(r.Latest) == 0 {
				t.Errorf("%+v, want a value", r)
			}
			if r.Deaf != (c.want == inspect.Mute || c.want == inspect.Foreign) {
				t.Errorf("deaf %v, but %s", r.Deaf, r.Health)
			}
		})
	}
}

// metronome is a device whose samples arrive when they should, however busy the machine is.
type metronome struct {
	device.Place
	step    time.Duration // from one arrival to the next
	nominal float64
}

func (m *metronome) At() *device.Place { return &m.Place }

func (m *metronome) Twin(virtual.TwinOptions) virtual.Device { return nil }

func (m *metronome) Open() (stream.Source, error) { return m, nil }

func (m *metronome) Info() []stream.Info {
	return []stream.Info{{ID: "beat", Rate: m.nominal, Channels: []stream.Channel{{Name: "n", Unit: "1"}}}}
}

func (m *metronome) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for n := int64(0); ctx.Err() == nil; n++ {
		stream.Send(ctx, out, stream.Chunk{Stream: "beat", Samples: []stream.Sample{
			{Seq: n, Arrival: instant.Instant(n) * instant.Instant(m.step), Values: []float64{float64(n)}}}})
	}
	return nil
}

// The rate is that of the arrivals, of a second and no more.
func TestRateIsThatOfTheArrivals(t *testing.T) {
	for _, c := range []struct {
		step    time.Duration
		nominal float64
		rate    float64
		samples int
		want    inspect.Health
	}{
		{10 * time.Millisecond, 100, 100, 101, inspect.Well},
		{8 * time.Millisecond, 100, 125, 126, inspect.Well},
		{25 * time.Millisecond, 100, 40, 41, inspect.Slow},
		{4 * time.Millisecond, 100, 250, 251, inspect.Flood},
		{40 * time.Millisecond, 0, 25, 26, inspect.Well},
	} {
		m := &metronome{step: c.step, nominal: c.nominal}
		m.Clock = instant.Monotonic{}
		r, err := inspect.Watch(t.Context(), m, serialtest.Deadline)
		if err != nil {
			t.Fatal(err)
		}
		// One sample more may have been on its way when there were enough.
		if math.Abs(r.RateHz-c.rate) > 1e-6*c.rate || r.Samples < c.samples || r.Samples > c.samples+1 || r.Health != c.want {
			t.Errorf("a sample each %v: %+v, want %v Hz and %s", c.step, r, c.rate, c.want)
		}
	}
}

func TestFindBaud(t *testing.T) {
	t.Parallel()
	o := box()
	o.Port = plug(t, twin(o), virtual.Disturbance{Baud: 9600})
	if got := inspect.FindBaud(context.Background(), o, []int{57600, 9600, 19200}); got != 9600 {
		t.Errorf("understood at %d baud, want 9600", got)
	}
	if o.Baud != 0 {
		t.Errorf("the settings were left at %d baud", o.Baud)
	}
}

// A board that prints ten times as fast as its settings say.
func TestFlood(t *testing.T) {
	t.Parallel()
	clock := instant.Monotonic{}
	fast := grove.Options{Place: device.Place{ID: "eda", Clock: clock, Simulated: true}, Rate: 10 * grove.DefaultRate}
	o := fast
	o.Rate = 0
	o.Port = plug(t, fast.Twin(virtual.TwinOptions{Truth: script.NewTruth(script.New(1), clock.Now()), Clock: clock, Seed: 1}), virtual.Disturbance{})
	r, err := inspect.Watch(context.Background(), &o, 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if r.Health != inspect.Flood || !strings.Contains(r.Said, "state its rate") || r.RateHz < 5*grove.DefaultRate {
		t.Errorf("%+v, want a flood of ten times the rate", r)
	}
}
