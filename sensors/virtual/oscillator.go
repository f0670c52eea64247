package virtual

import (
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// Oscillator is a device's own clock.
type Oscillator struct{ script.Clock }

// Power is how a device's clock begins: with which tick, how long its ticks are
// by design, and how many bits its counter has (0 = it never wraps).
type Power struct {
	Tick0    int64
	TickHz   float64
	WrapBits int
}

// SwitchOn starts the clock of a device that is powered up at an instant, and
// enters it in the truth under the id of each of the device's streams. It runs
// faster than designed by the device's drift, and warms up.
func SwitchOn(o TwinOptions, at instant.Instant, p Power, streams ...string) Oscillator {
	c := script.Clock{At0: at, Tick0: p.Tick0, NsPerTick: 1e9 / p.TickHz / (1 + o.DriftPPM*1e-6), WrapBits: p.WrapBits, Warming: o.Warming}
	for _, id := range streams {
		c.Stream = id
		o.Truth.Power(c)
	}
	return Oscillator{c}
}

// Sampler is the timer of a device that samples at a steady rate by its own
// clock.
type Sampler struct {
	clock  Oscillator
	period float64 // ticks between two samples
	start  float64 // tick of sample 0
	next   int64   // number of the next sample
}

// NewSampler begins one period after now. rate is in Hz of the device's own
// nominal clock, which has tickHz ticks in a second.
func NewSampler(clock Oscillator, now instant.Instant, tickHz, rate float64) Sampler {
	period := tickHz / rate
	return Sampler{clock: clock, period: period, start: float64(clock.Tick(now)) + period}
}

// Next returns the number of the next sample, its tick and the true instant of
// that tick, however late it is asked for.
func (s *Sampler) Next() (number, tick int64, at instant.Instant) {
	tick = int64(s.start + float64(s.next)*s.period)
	return s.next, tick, s.clock.At(tick)
}

// Done goes on to the sample after.
func (s *Sampler) Done() { s.next++ }

// Until returns how long it is to the next sample, 0 when it is due.
func (s *Sampler) Until(now instant.Instant) time.Duration {
	_, _, at := s.Next()
	return max(0, at.Sub(now))
}
