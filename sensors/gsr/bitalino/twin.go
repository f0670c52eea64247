package bitalino

import (
	"context"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/virtual"
)

const (
	// commandGap is how soon after one command the board misses the next. That it
	// needs 100 ms is what the vendor's library keeps; a little less is granted for
	// the scheduler of the machine on which it is played.
	commandGap = 90 * time.Millisecond

	// bootRate is the rate until the host sets one.
	bootRate = 1000

	// midScale is what inputs read that carry no EDA sensor.
	midScale = 512
)

// twin is the virtual board: a (r)evolution with firmware 5.2.
type twin struct {
	o      virtual.TwinOptions
	id     string // of the stream
	input  int    // of the EDA sensor
	sensor Sensor
}

// Twin makes a virtual board that plays the conductance of a truth. It adds no
// noise: the converter's step of 0.024 µS hides that of the sensor.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	set := o.withDefaults()
	if set.Sensor == "" {
		set.Sensor = R2
	}
	return &twin{o: t, id: set.ID, input: set.Channel, sensor: set.Sensor}
}

// Run is one life of the board. Its host may come and go meanwhile: the board does
// not notice, and streams until it is told to stop.
func (b *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	f := &firmware{twin: b, send: send, rate: bootRate}
	for {
		if len(f.inputs) > 0 {
			due.After(f.sampler.Until(b.o.Clock.Now()))
		}
		select {
		case got := <-in:
			f.receive(got)
		case <-due.C():
			for len(f.inputs) > 0 && f.sampler.Until(b.o.Clock.Now()) == 0 {
				f.sample()
			}
		case <-ctx.Done():
			return
		}
	}
}

// firmware is one life of the board.
type firmware struct {
	*twin
	send    func([]byte)
	rate    int
	inputs  []int // that are streamed, none while idle
	sampler virtual.Sampler

	heard    bool
	heardAt  instant.Instant // the latest command
	oneFrame []byte
}

// receive obeys the host's commands, those that come slowly enough.
func (f *firmware) receive(got virtual.Arrived) {
	for _, c := range got.Bytes {
		missed := f.heard && got.At.Sub(f.heardAt) < commandGap
		f.heard, f.heardAt = true, got.At
		if !missed {
			f.obey(c)
		}
	}
}

func (f *firmware) obey(c byte) {
	streams := len(f.inputs) > 0
	switch {
	case c == idle, c == stop && streams:
		f.inputs = nil
	case streams:
		// Of what is left it obeys only its outputs' commands, which it has none of.
	case c == askVersion:
		f.send([]byte("BITalino_v5.2\n"))
	case c&0x3F == rate:
		f.rate = rates()[c>>6]
	case c&3 == live && c>>2 != 0:
		f.start(c >> 2)
	}
}

// start begins a new count of frames, which is the only clock that a host sees.
func (f *firmware) start(mask byte) {
	for i := range MaxChannels {
		if mask>>i&1 == 1 {
			f.inputs = append(f.inputs, i+1)
		}
	}
	hz, now := float64(f.rate), f.o.Clock.Now()
	clock := virtual.SwitchOn(f.o, now, virtual.Power{Tick0: -1, TickHz: hz}, f.id)
	f.sampler = virtual.NewSampler(clock, now, hz, hz) // frame 0 is one period from now
}

// sample sends the frame that is due: its value is what was true at its instant,
// however late this goroutine comes to it.
func (f *firmware) sample() {
	_, number, at := f.sampler.Next()
	f.sampler.Done()
	frame := Frame{Seq: uint8(number & 15)}
	for i, input := range f.inputs {
		reading := uint16(midScale)
		if input == f.input {
			reading = f.sensor.Reading(f.o.Truth.Conductance(at))
		}
		if i >= 4 {
			reading >>= 4 // the fifth and the sixth have 6 bits
		}
		frame.Analog[i] = reading
	}
	f.oneFrame = Append(f.oneFrame[:0], frame, len(f.inputs))
	f.send(f.oneFrame)
}
