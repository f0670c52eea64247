package iviewx

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"emolab/sensors/device"
	"emolab/sensors/virtual"
)

const (
	// trackerStart is the stamp at power-on: the tracker was started hours ago.
	trackerStart = 28437864110 * time.Microsecond
	// pupilPerMM is how many of the virtual tracker's camera px × 32 a millimetre of
	// the pupil has. A real one's depend on its camera and distance.
	pupilPerMM = 5 * 32
	// shut is the closure from which the tracker loses the eyes.
	shut = 0.5
)

// area is the virtual tracker's calibration area in px.
func area() device.Span { return device.Span{Right: 1680, Bottom: 1050} }

// twin is the virtual tracker, of two eyes that look at the same point. It
// rounds to the protocol's whole numbers and adds no noise.
type twin struct {
	o   virtual.TwinOptions
	set Options
}

// Twin makes a virtual tracker that plays the gaze, pupils and blinks of a truth.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	set := *o
	set.Simulated = true
	return &twin{o: t, set: set.withDefaults()}
}

// Run is one life of the tracker.
func (e *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	now := e.o.Clock.Now()
	t := &tracking{twin: e, send: send, random: rand.New(rand.NewPCG(e.o.Seed, 6)), format: "%TS: %SX, %SY",
		clock: virtual.SwitchOn(e.o, now, virtual.Power{Tick0: trackerStart.Microseconds(), TickHz: tickHz}, e.set.ID)}
	for {
		if t.streaming {
			due.After(t.sampler.Until(e.o.Clock.Now()))
		}
		select {
		case got := <-in:
			t.receive(got.Bytes)
		case <-due.C():
			for t.streaming && t.sampler.Until(e.o.Clock.Now()) == 0 {
				t.sample()
			}
		case <-ctx.Done():
			return
		}
	}
}

// tracking is one life of the tracker.
type tracking struct {
	*twin
	send      func([]byte)
	random    *rand.Rand
	clock     virtual.Oscillator
	scanner   Scanner
	format    string
	streaming bool
	sampler   virtual.Sampler
}

// receive obeys the host's commands.
func (t *tracking) receive(p []byte) {
	for {
		m, rest, ok := t.scanner.Next(p)
		if !ok {
			return
		}
		p = rest
		name, argument, _ := strings.Cut(string(m), " ")
		switch name {
		case "ET_FRM":
			t.format = strings.Trim(argument, `" `)
		case "ET_SRT":
			t.send(fmt.Appendf(nil, "ET_SRT %d\r\n", t.set.Rate))
		case "ET_STR":
			t.start(argument)
		case "ET_EST":
			t.streaming = false
		}
	}
}

// start begins the stream, at the tracker's own rate or a lower one.
func (t *tracking) start(argument string) {
	rate := t.set.Rate
	if hz, err := strconv.Atoi(argument); err == nil && hz >= 1 && hz < rate {
		rate = hz
	}
	if !t.streaming {
		t.streaming = true
		t.sampler = virtual.NewSampler(t.clock, t.o.Clock.Now(), tickHz, float64(rate))
	}
}

// sample sends what is due, in the format that was asked for: each specifier is
// replaced, by two values where each eye has its own.
func (t *tracking) sample() {
	_, tick, at := t.sampler.Next()
	t.sampler.Done()
	elapsed := t.o.Truth.Elapsed(at)
	var x, y, d float64
	if t.o.Truth.Script().Closure(elapsed) <= shut {
		x, y = t.set.Screen.Units(t.o.Truth.Tracked(at, 0, t.random))
		d = t.o.Truth.Script().PupilMM(elapsed) * pupilPerMM
	}
	both := func(v float64) string { return fmt.Sprintf("%.0f %.0f", math.Round(v), math.Round(v)) }
	line := strings.NewReplacer(
		"%TU", strconv.FormatInt(tick, 10), "%TS", strconv.FormatInt(tick/1000, 10), "%ET", "b",
		"%SX", both(x), "%SY", both(y), "%DX", both(d), "%DY", both(d),
	).Replace(t.format)
	t.send([]byte("ET_SPL " + line + "\r\n"))
}
