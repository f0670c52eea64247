package gazepoint

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"emolab/sensors/virtual"
)

const (
	// gazeNoise is one standard deviation of the point of gaze, in screens: about
	// 0.15° on a 24-inch screen at 65 cm.
	gazeNoise = 0.003
	// pupilNoise is one standard deviation of the pupil's diameter, mm.
	pupilNoise = 0.02
	// shut is the closure from which the tracker loses the eye.
	shut = 0.5

	// trackerStart is the tracker's TIME at power-on: it was started a while ago.
	trackerStart = 1234567890 * time.Microsecond
)

// twin is the virtual tracker. It prints TIME with six decimals, the microsecond
// that its clock counts.
type twin struct {
	o    virtual.TwinOptions
	id   string // of the stream
	rate int    // records per second
}

// Twin makes a virtual tracker that plays the gaze, pupils and blinks of a truth.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	return &twin{o: t, id: o.ID, rate: o.withDefaults().Rate}
}

// Run is one life of the tracker.
func (e *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	t := &tracking{twin: e, send: send, enabled: map[string]bool{}, random: rand.New(rand.NewPCG(e.o.Seed, 2))}
	now := e.o.Clock.Now()
	clock := virtual.SwitchOn(e.o, now, virtual.Power{Tick0: trackerStart.Microseconds(), TickHz: tickHz}, e.id)
	t.sampler = virtual.NewSampler(clock, now, tickHz, float64(e.rate))
	for {
		due.After(t.sampler.Until(e.o.Clock.Now()))
		select {
		case got := <-in:
			t.receive(got.Bytes)
		case <-due.C():
			for t.sampler.Until(e.o.Clock.Now()) == 0 {
				t.record()
			}
		case <-ctx.Done():
			return
		}
	}
}

// tracking is one life of the tracker.
type tracking struct {
	*twin
	send    func([]byte)
	random  *rand.Rand
	scanner Scanner
	enabled map[string]bool
	sampler virtual.Sampler
}

// receive answers the host's commands.
func (t *tracking) receive(p []byte) {
	for len(p) > 0 {
		m, rest, ok := t.scanner.Next(p)
		p = rest
		if !ok {
			return
		}
		id, state := string(m.Value("ID")), string(m.Value("STATE"))
		switch tag := string(m.Tag); {
		case tag == "SET" && knows(id) && (state == "0" || state == "1"):
			t.enabled[id] = state == "1"
			t.send(fmt.Appendf(nil, "<ACK ID=\"%s\" STATE=\"%s\" />\r\n", id, state))
		case tag == "GET" && id == "PRODUCT_ID":
			t.send(fmt.Appendf(nil, "<ACK ID=\"PRODUCT_ID\" VALUE=\"GP3\" BUS=\"USB3\" RATE=\"%d\" />\r\n", t.rate))
		default:
			t.send(fmt.Appendf(nil, "<NACK ID=\"%s\" />\r\n", id))
		}
	}
}

// knows tells whether the tracker has the switch.
func knows(id string) bool {
	switch id {
	case "ENABLE_SEND_DATA", "ENABLE_SEND_COUNTER", "ENABLE_SEND_TIME", "ENABLE_SEND_POG_BEST", "ENABLE_SEND_PUPILMM":
		return true
	}
	return false
}

// record makes the record of the camera picture that is due.
func (t *tracking) record() {
	number, tick, at := t.sampler.Next()
	t.sampler.Done()
	if !t.enabled["ENABLE_SEND_DATA"] {
		return
	}
	b := []byte("<REC")
	if t.enabled["ENABLE_SEND_COUNTER"] {
		b = fmt.Appendf(b, " CNT=\"%d\"", number)
	}
	if t.enabled["ENABLE_SEND_TIME"] {
		b = fmt.Appendf(b, " TIME=\"%d.%06d\"", tick/1e6, tick%1e6)
	}
	elapsed := t.o.Truth.Elapsed(at)
	valid := 1
	if t.o.Truth.Script.Closure(elapsed) > shut {
		valid = 0
	}
	x, y := t.o.Truth.Script.Gaze(elapsed)
	if t.enabled["ENABLE_SEND_POG_BEST"] {
		b = fmt.Appendf(b, " BPOGX=\"%.5f\" BPOGY=\"%.5f\" BPOGV=\"%d\"",
			x+gazeNoise*t.random.NormFloat64(), y+gazeNoise*t.random.NormFloat64(), valid)
	}
	if t.enabled["ENABLE_SEND_PUPILMM"] {
		mm := t.o.Truth.Script.PupilMM(elapsed)
		b = fmt.Appendf(b, " LPMM=\"%.5f\" LPMMV=\"%d\" RPMM=\"%.5f\" RPMMV=\"%d\"",
			mm+pupilNoise*t.random.NormFloat64(), valid, mm+pupilNoise*t.random.NormFloat64(), valid)
	}
	t.send(append(b, " />\r\n"...))
}
