package shimmer3

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/virtual"
)

const (
	// twinWrap is how long after power-on the ticks come round, so that every run
	// of the virtual lab crosses the wrap.
	twinWrap = 15 * time.Second
	// twinNoise is the amplifier's and the converter's noise, in counts (one
	// standard deviation): 0.003 µS in the range of usual skin.
	twinNoise = 0.5
	// twinBattery is the count of a battery of 3.9 V.
	twinBattery = 2678
	// ignored is how many packets after a start have a count of 0: the firmware
	// waits for its amplifier and has nothing to repeat yet.
	ignored = 6
	// byteWithin is how long the firmware waits for the next byte of a command.
	byteWithin = 10 * time.Millisecond
)

// quirks are what Shimmers differ in. The zero value is a Shimmer3 of today.
type quirks struct {
	hardware    hardware // 0 = Shimmer3
	firmware    firmware // zero = LogAndStream 0.16.11
	noChecksums bool     // it does not know the command
	logging     bool     // it records on its card, and refuses to be set
	noStopAck   bool     // it does not acknowledge the stop of a stream
	checksum    int      // mode left on by an earlier connection
	streaming   bool     // as an earlier connection left it
	slow        time.Duration
	statusEach  int    // packets between two unasked status messages; 0 = none
	battery     bool   // it also sends its battery's voltage, and will not be told otherwise
	settings    []byte // commands that an earlier connection gave
}

// twin is the virtual Shimmer.
type twin struct {
	o  virtual.TwinOptions
	id string // of the stream
	q  quirks
}

// Twin makes a virtual Shimmer that plays the conductance of a truth. Its rate
// and range are those that the host sets.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	return newTwin(o.ID, t, quirks{})
}

func newTwin(id string, t virtual.TwinOptions, q quirks) *twin {
	if q.hardware == 0 {
		q.hardware = shimmer3
	}
	if q.firmware == (firmware{}) {
		q.firmware = firmware{logAndStream, 0, 16, 11}
	}
	return &twin{o: t, id: id, q: q}
}

// Run is one life of the Shimmer, and one connection: checksums are off, but for
// what a quirk left on.
func (s *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	u := &unit{
		twin: s, send: send, random: rand.New(rand.NewPCG(s.o.Seed, 3)),
		divider: 640, setting: autoRange, sensors: [3]byte{},
		checksum: s.q.checksum, logging: s.q.logging, prefixed: true,
	}
	u.oscillator = virtual.SwitchOn(s.o, s.o.Clock.Now(), virtual.Power{
		Tick0: 1<<tickBits - int64(twinWrap.Seconds()*tickHz), TickHz: tickHz, WrapBits: tickBits}, s.id)
	u.earlier()
	for {
		if wait, any := u.until(s.o.Clock.Now()); any {
			due.After(wait)
		}
		select {
		case got := <-in:
			u.receive(got)
		case <-due.C():
			u.work()
		case <-ctx.Done():
			return
		}
	}
}

// unit is one life of the Shimmer.
type unit struct {
	*twin
	send       func([]byte)
	random     *rand.Rand
	oscillator virtual.Oscillator

	// What can be set.
	sensors  [3]byte
	divider  int
	setting  int // of the range: 0..3 or autoRange
	checksum int // bytes
	prefixed bool
	logging  bool
	offset   uint64 // of the world clock, ticks
	names    [3][]byte
	expPower bool

	command   []byte // not complete yet
	commandAt instant.Instant
	answers   []answer // on their way

	streaming bool
	sampler   virtual.Sampler
	sent      int
	amplifier amplifier
}

// answer is a message that is sent later.
type answer struct {
	at      instant.Instant
	message []byte
}

// earlier replays what an earlier connection left.
func (u *unit) earlier() {
	mute := u.send
	u.send = func([]byte) {}
	slow, logging := u.q.slow, u.logging
	u.q.slow, u.logging = 0, false
	u.receive(virtual.Arrived{Bytes: u.q.settings, At: u.o.Clock.Now()})
	if u.q.streaming {
		u.begin()
	}
	u.q.slow, u.logging, u.send = slow, logging, mute
}

// until returns how long it is to the next thing to do, if there is one.
func (u *unit) until(now instant.Instant) (time.Duration, bool) {
	wait, any := time.Duration(math.MaxInt64), false
	if u.streaming {
		wait, any = u.sampler.Until(now), true
	}
	if len(u.answers) > 0 {
		wait, any = min(wait, max(0, u.answers[0].at.Sub(now))), true
	}
	return wait, any
}

// work does what is due.
func (u *unit) work() {
	for len(u.answers) > 0 && u.answers[0].at <= u.o.Clock.Now() {
		u.send(u.answers[0].message)
		u.answers = u.answers[1:]
	}
	for u.streaming && u.sampler.Until(u.o.Clock.Now()) == 0 {
		u.sample()
	}
}

// begin starts the stream; without a channel there is none.
func (u *unit) begin() {
	if u.streaming || len(u.channels()) == 0 {
		return
	}
	u.streaming = true
	u.sampler = virtual.NewSampler(u.oscillator, u.o.Clock.Now(), tickHz, tickHz/float64(u.divider))
	u.amplifier = newAmplifier(u.setting, u.divider)
}

// sample sends the packet that is due: its tick is the timer's, its reading what
// was true at that instant.
func (u *unit) sample() {
	_, tick, at := u.sampler.Next()
	u.sampler.Done()
	us := u.o.Truth.Conductance(at)
	word := u.amplifier.read(func(number int) int {
		return int(max(0, min(fullScale, math.Round(reading(us, number)+twinNoise*u.random.NormFloat64()))))
	})
	b := []byte{dataPacket, byte(tick), byte(tick >> 8), byte(tick >> 16)}
	for _, id := range u.channels() {
		value := uint16(twinBattery)
		if id == channelGSR {
			value = uint16(word)
		}
		b = append(b, byte(value), byte(value>>8))
	}
	u.send(seal(b, u.checksum))
	u.sent++
	if u.q.statusEach > 0 && u.sent%u.q.statusEach == 0 {
		var status []byte
		if u.prefixed {
			status = append(status, ack)
		}
		u.send(seal(append(status, u.status()...), u.checksum))
	}
}

// channels lists what the packets contain, in their order.
func (u *unit) channels() []byte {
	var list []byte
	const sensorBattery = 0x20
	if u.sensors[1]&sensorBattery != 0 || u.q.battery {
		list = append(list, channelBattery)
	}
	if u.sensors[0]&sensorGSR != 0 {
		list = append(list, channelGSR)
	}
	return list
}

// channelBattery is the battery's voltage within packets.
const channelBattery = 0x03

// status is the body of a status message.
func (u *unit) status() []byte {
	var bits byte
	const sensing, logging, card = 1 << 1, 1 << 3, 1 << 5
	bits |= card
	if u.streaming {
		bits |= statusStreaming | sensing
	}
	if u.logging {
		bits |= logging | sensing
	}
	return append([]byte{instream, rspStatus, bits}, make([]byte, statusSize(u.q.hardware, u.q.firmware)-1)...)
}

// amplifier is the one with the four feedback resistors, and how the firmware
// switches them.
type amplifier struct {
	auto    bool
	divider int
	number  int // of the range that is switched on
	before  int // of the range at the packet before
	shown   int // while settling: of the range that is still told
	settles int // packets
	last    int // count
}

func newAmplifier(setting, divider int) amplifier {
	if setting != autoRange {
		return amplifier{number: setting, before: setting, divider: divider}
	}
	return amplifier{auto: true, divider: divider, settles: ignored}
}

// bounds are the counts at which the firmware goes to the next larger resistor
// (below low) or to the next smaller one (above high).
//
// Source: GSR/gsr.c of ShimmerResearch/log-and-stream-common.
func bounds(number int) (low, high int) {
	switch number {
	case 0:
		return 1120, fullScale
	case 1:
		return 1490, 3960
	case 2:
		return 1630, 3700
	}
	return 0, 3930
}

// read takes one reading; count measures in a range.
func (a *amplifier) read(count func(number int) int) Word {
	adc, told := count(a.number), a.number
	if a.auto {
		if a.number != a.before {
			a.shown, a.settles = a.before, settling/a.divider
		}
		a.before = a.number
		if a.settles > 0 {
			a.settles--
			adc, told = a.last, a.shown
		} else if low, high := bounds(a.number); adc < low {
			a.number++
		} else if adc > high {
			a.number--
		}
	}
	a.last = adc
	return newWord(told, adc)
}
