package emobox

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/virtual"
)

const (
	// counterBits is the width of the box's tick counter, which counts µs.
	counterBits = 32
	// wrapIn is how long after power-on it comes round, so that every run of the
	// virtual lab crosses the wrap (a real box starts at 0).
	wrapIn = 15 * time.Second

	// codeNoise is the amplifier's and converter's noise in steps of the 10-bit
	// converter (one standard deviation). It is what lets a mean be finer than a
	// step; of 120 conversions 0.05 steps remain, about 0.005 µS.
	codeNoise = 0.5

	// The patch in the corner of the virtual screen: lit for the first half of each
	// second of the script.
	patchPeriod = time.Second
	patchDarkMV = 300.0
	patchLitMV  = 3000.0
	// The virtual trigger line: high for this long from each second of the script on.
	pulse = 10 * time.Millisecond
)

// PatchMV is what the virtual photodiode gives, in mV, at a time of the script: a
// patch that is lit in the first half of every second.
func PatchMV(elapsed time.Duration) float64 {
	if fold(elapsed) < patchPeriod/2 {
		return patchLitMV
	}
	return patchDarkMV
}

// TriggerLevel is the level of the virtual trigger line at a time of the script: 1
// for the first 10 ms of every second.
func TriggerLevel(elapsed time.Duration) uint8 {
	if fold(elapsed) < pulse {
		return 1
	}
	return 0
}

// nextEdge returns the time of the script of the trigger's first edge after
// elapsed.
func nextEdge(elapsed time.Duration) time.Duration {
	into := fold(elapsed)
	if into < pulse {
		return elapsed + pulse - into
	}
	return elapsed + patchPeriod - into
}

func fold(t time.Duration) time.Duration { return (t%patchPeriod + patchPeriod) % patchPeriod }

// twin is the virtual box: a board with a clock, and the script on its inputs.
type twin struct {
	o          virtual.TwinOptions
	settings   Options
	circuit    conductance.Circuit
	correction conductance.Calibration
}

// Twin makes a virtual box that plays the conductance of a truth, a flashing patch
// (PatchMV) and a trigger line (TriggerLevel).
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	correction, err := o.correction()
	if err != nil { // Open refuses these options
		correction = conductance.Calibration{Gain: 1}
	}
	return &twin{o: t, settings: *o, circuit: o.circuit(), correction: correction}
}

// PowerOn enters the clock of a box that has been switched on in the truth, under
// the id of each of its streams: of a stream's tick, the instant of which its
// reading speaks.
func (o *Options) PowerOn(t *script.Truth, c script.Clock) {
	begun := c.Tick0
	for i, id := range o.streams() {
		c.Stream, c.Tick0 = id, begun+o.delays()[i]
		t.Power(c)
	}
}

// Run is one life of the box.
func (t *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	l := &life{twin: t, board: newBoard(uint32(t.o.Seed), send), random: rand.New(rand.NewPCG(t.o.Seed, 1))}
	now := t.o.Clock.Now()
	l.clock = virtual.SwitchOn(t.o, now, virtual.Power{
		Tick0: 1<<counterBits - wrapIn.Microseconds(), TickHz: tickHz, WrapBits: counterBits})
	t.settings.PowerOn(t.o.Truth, l.clock.Clock)
	l.slot = l.clock.Tick(now) + slotTicks
	l.edge = nextEdge(t.o.Truth.Elapsed(now))
	l.board.Greet(wire.Started)
	for {
		due.After(l.clock.At(l.slot + int64(l.board.Idle()-1)*slotTicks + slotEnd).Sub(t.o.Clock.Now()))
		select {
		case got := <-in:
			l.catchUp(got.At)
			l.board.Receive(got.Bytes, uint32(l.clock.Tick(got.At)), func() uint32 { return uint32(l.clock.Tick(t.o.Clock.Now())) })
		case <-due.C():
			l.catchUp(t.o.Clock.Now())
		case <-ctx.Done():
			return
		}
	}
}

// life is the box from power-on to power-off.
type life struct {
	*twin
	board  *board
	random *rand.Rand
	clock  virtual.Oscillator
	slot   int64         // tick at which the next slot begins
	edge   time.Duration // time of the script of the trigger's next edge
}

// catchUp plays all slots and edges that have passed by now. What they read is
// what was true at their instants, however late this goroutine comes to it.
func (l *life) catchUp(now instant.Instant) {
	tick := l.clock.Tick(now)
	if idle := (tick - l.slot) / slotTicks; !l.board.sampling && idle > windowSlots {
		l.slot += (idle - windowSlots) * slotTicks // nobody will hear of the earlier ones
	}
	for ; l.slot+slotEnd <= tick; l.slot += slotTicks {
		end := l.slot + slotEnd
		l.edges(end)
		if lit := l.slot + lightTicks; l.board.Watching() {
			l.board.Light(l.light(lit), uint32(lit))
		}
		l.board.Skin(l.skin(end), uint32(end))
	}
}

// edges plays the trigger's edges up to a tick.
func (l *life) edges(until int64) {
	for {
		at := l.o.Truth.Origin.Add(l.edge)
		tick := l.clock.Tick(at)
		if tick > until {
			return
		}
		l.board.Edge(TriggerLevel(l.edge), uint32(tick))
		l.edge = nextEdge(l.edge)
	}
}

// elapsed is the script's time at a tick.
func (l *life) elapsed(tick int64) time.Duration { return l.o.Truth.Elapsed(l.clock.At(tick)) }

// light converts what the photodiode gives at a tick.
func (l *life) light(tick int64) uint16 {
	return l.convert(PatchMV(l.elapsed(tick-wire.LightDelayTicks)) / l.circuit.VccMV)
}

// skin converts what the skin's amplifier gives in the slot that ends at a tick,
// slotConversions times. The skin does not change in a slot.
func (l *life) skin(end int64) uint32 {
	us := l.o.Truth.Conductance(l.clock.At(end - skinTicks))
	measured := (us - l.correction.OffsetUS) / l.correction.Gain
	share := l.circuit.VrefMV * (1 + measured*l.circuit.RfKohm/1000) / l.circuit.VccMV
	var sum uint32
	for range slotConversions {
		sum += uint32(l.convert(share))
	}
	return sum
}

// convert is one conversion of a share of the supply voltage.
func (l *life) convert(share float64) uint16 {
	return uint16(max(0, min(1023, math.Floor(share*1024+codeNoise*l.random.NormFloat64()))))
}
