package virtual

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/script"
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

// BoxOptions say what virtual box to build.
type BoxOptions struct {
	Stream   string // under which its clock is entered in the truth
	DriftPPM float64
	Rate     int // samples per second until the host sets another; 0 = 100
	Seed     uint64
	WrapIn   time.Duration       // from power-on until the tick counter comes round; 0 = 15 s
	Circuit  conductance.Circuit // zero value = conductance.Emobox()
}

// EDABox is the virtual twin of Emolab's skin-conductance box.
type EDABox struct {
	o     BoxOptions
	truth *script.Truth
	clock instant.Clock
}

// NewEDABox makes a box that plays the conductance of a truth.
func NewEDABox(truth *script.Truth, clock instant.Clock, o BoxOptions) *EDABox {
	if o.Rate == 0 {
		o.Rate = 100
	}
	if o.WrapIn == 0 {
		o.WrapIn = defaultWrap
	}
	if o.Circuit == (conductance.Circuit{}) {
		o.Circuit = conductance.Emobox()
	}
	return &EDABox{o: o, truth: truth, clock: clock}
}

func (b *EDABox) run(ctx context.Context, due *alarm, in <-chan arrived, send func([]byte)) {
	f := &firmware{EDABox: b, send: send, rate: b.o.Rate, random: rand.New(rand.NewPCG(b.o.Seed, 1))}
	f.oscillator = switchOn(b.truth, b.o.Stream, b.clock.Now(), 1<<counterBits-b.o.WrapIn.Microseconds(), counterBits, b.o.DriftPPM)
	f.hello(wire.Started)
	for {
		if f.sampling {
			due.after(f.sampler.until(b.clock.Now()))
		}
		select {
		case got := <-in:
			f.receive(got)
		case <-due.C():
			for f.sampling && f.sampler.until(b.clock.Now()) == 0 {
				f.sample()
			}
		case <-ctx.Done():
			return
		}
	}
}

// firmware is one life of the box.
type firmware struct {
	*EDABox
	send       func([]byte)
	random     *rand.Rand
	oscillator oscillator
	decoder    wire.Decoder
	rate       int
	sampling   bool
	sampler    sampler
	seq        uint16
	status     wire.Status
	statusDue  int64 // tick
}

func (f *firmware) now() uint32 { return uint32(f.oscillator.Tick(f.clock.Now())) }

func (f *firmware) hello(cause wire.Cause) {
	f.send(wire.AppendHello(nil, wire.Hello{
		Protocol: wire.Version, Cause: cause, Model: "virtual", Firmware: [3]uint8{1, 0, 0},
		Serial: uint32(f.o.Seed), TickHz: 1e6, Rate: uint16(f.rate),
	}))
}

// receive obeys the host's commands.
func (f *firmware) receive(got arrived) {
	rx := uint32(f.oscillator.Tick(got.at))
	for p := got.bytes; len(p) > 0; {
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
					f.sampler = newSampler(f.oscillator, f.clock.Now(), float64(hz))
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
	now := f.clock.Now()
	f.sampling, f.seq = true, 0
	f.sampler = newSampler(f.oscillator, now, float64(f.rate))
	f.statusDue = f.oscillator.Tick(now) + statusEvery.Microseconds()
}

// sample takes the sample that is due: its tick is the timer's, its value what
// was true at that instant, however late this goroutine comes to it.
func (f *firmware) sample() {
	tick, at := f.sampler.due()
	f.sampler.next++
	us := f.truth.Script.Conductance(f.truth.Elapsed(at))
	raw := float64(f.o.Circuit.Raw(us)) + readingNoise*f.random.NormFloat64()
	f.send(wire.AppendEDA(nil, wire.EDA{Seq: f.seq, Tick: uint32(tick), Raw: uint16(max(0, min(65535, math.Round(raw))))}))
	f.seq++
	f.status.Samples++
	if tick >= f.statusDue {
		f.statusDue += statusEvery.Microseconds()
		f.send(wire.AppendStatus(nil, f.status))
	}
}
