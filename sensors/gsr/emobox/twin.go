package emobox

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/sensors/virtual"
)

const (
	// counterBits is the width of the box's tick counter, which counts µs.
	counterBits = 32
	// defaultWrap is how long after power-on it does so, so that every run of the
	// virtual lab crosses the wrap (a real box starts at 0).
	defaultWrap = 15 * time.Second

	// readingNoise is the amplifier's and converter's noise, in counts of the
	// 16-bit reading (one standard deviation): about 0.003 µS.
	readingNoise = 2.0

	statusEvery = 5 * time.Second
)

// twin is the virtual box.
type twin struct {
	o       virtual.TwinOptions
	id      string        // of the stream
	rate    int           // samples per second until the host sets another
	wrapIn  time.Duration // from power-on until the tick counter comes round
	circuit conductance.Circuit
}

// Twin makes a virtual box that plays the conductance of a truth.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	set := o.withDefaults()
	return &twin{o: t, id: set.ID, rate: set.Rate, wrapIn: defaultWrap, circuit: set.Circuit}
}

// Run is one life of the box.
func (b *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	f := &firmware{twin: b, send: send, rate: b.rate, random: rand.New(rand.NewPCG(b.o.Seed, 1))}
	f.oscillator = virtual.SwitchOn(b.o, b.o.Clock.Now(), virtual.Power{
		Tick0: 1<<counterBits - b.wrapIn.Microseconds(), TickHz: tickHz, WrapBits: counterBits}, b.id)
	f.hello(wire.Started)
	for {
		if f.sampling {
			due.After(f.sampler.Until(b.o.Clock.Now()))
		}
		select {
		case got := <-in:
			f.receive(got)
		case <-due.C():
			for f.sampling && f.sampler.Until(b.o.Clock.Now()) == 0 {
				f.sample()
			}
		case <-ctx.Done():
			return
		}
	}
}

// firmware is one life of the box.
type firmware struct {
	*twin
	send       func([]byte)
	random     *rand.Rand
	oscillator virtual.Oscillator
	decoder    wire.Decoder
	rate       int
	sampling   bool
	sampler    virtual.Sampler
	seq        uint16
	status     wire.Status
	statusDue  int64 // tick
}

func (f *firmware) now() uint32 { return uint32(f.oscillator.Tick(f.o.Clock.Now())) }

func (f *firmware) hello(cause wire.Cause) {
	f.send(wire.AppendHello(nil, wire.Hello{
		Protocol: wire.Version, Cause: cause, Model: "virtual", Firmware: [3]uint8{1, 0, 0},
		Serial: uint32(f.o.Seed), TickHz: 1e6, Rate: uint16(f.rate),
	}))
}

// receive obeys the host's commands.
func (f *firmware) receive(got virtual.Arrived) {
	rx := uint32(f.oscillator.Tick(got.At))
	for p := got.Bytes; len(p) > 0; {
		m, rest, ok := f.decoder.Next(p)
		p = rest
		if !ok {
			break
		}
		switch m.Type {
		case wire.TypeIdentify:
			f.hello(wire.Asked)
		case wire.TypeRate:
			if hz := int(m.Uint16()); hz >= 1 && hz <= 1000 {
				f.rate = hz
				if f.sampling {
					f.sampler = virtual.NewSampler(f.oscillator, f.o.Clock.Now(), tickHz, float64(hz))
				}
			}
		case wire.TypeStart:
			f.start()
		case wire.TypeStop:
			f.sampling = false
		case wire.TypePing:
			f.send(wire.AppendPong(nil, wire.Pong{ID: m.Uint16(), Rx: rx, Tx: f.now()}))
		}
	}
	bad := f.decoder.Faults()
	f.status.BadFrames = uint16(bad.COBS + bad.CRC + bad.Unknown + bad.Short + bad.Oversize)
}

func (f *firmware) start() {
	if f.sampling {
		return
	}
	now := f.o.Clock.Now()
	f.sampling, f.seq = true, 0
	f.sampler = virtual.NewSampler(f.oscillator, now, tickHz, float64(f.rate))
	f.statusDue = f.oscillator.Tick(now) + statusEvery.Microseconds()
}

// sample takes the sample that is due: its tick is the timer's, its value what
// was true at that instant, however late this goroutine comes to it.
func (f *firmware) sample() {
	_, tick, at := f.sampler.Next()
	f.sampler.Done()
	us := f.o.Truth.Script.Conductance(f.o.Truth.Elapsed(at))
	raw := float64(f.circuit.Raw(us)) + readingNoise*f.random.NormFloat64()
	f.send(wire.AppendEDA(nil, wire.EDA{Seq: f.seq, Tick: uint32(tick), Raw: uint16(max(0, min(65535, math.Round(raw))))}))
	f.seq++
	f.status.Samples++
	if tick >= f.statusDue {
		f.statusDue += statusEvery.Microseconds()
		f.send(wire.AppendStatus(nil, f.status))
	}
}
