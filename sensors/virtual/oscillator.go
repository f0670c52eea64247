package virtual

import (
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// oscillator is a device's own clock: it counts microseconds of its own, which
// are driftPPM millionths shorter than the lab's.
type oscillator struct{ script.Clock }

// switchOn starts an oscillator at an instant, from a first tick, and enters it
// in the truth.
func switchOn(truth *script.Truth, stream string, at instant.Instant, tick0 int64, wrapBits int, driftPPM float64) oscillator {
	c := script.Clock{Stream: stream, At0: at, Tick0: tick0, NsPerTick: 1000 / (1 + driftPPM*1e-6), WrapBits: wrapBits}
	truth.Power(c)
	return oscillator{c}
}

// sampler is the timer of a device that samples at a steady rate by its own
// clock.
type sampler struct {
	clock  oscillator
	period float64 // ticks between two samples
	start  float64 // tick of sample 0
	next   int64   // number of the next sample
}

// newSampler begins one period after now.
func newSampler(clock oscillator, now instant.Instant, rate float64) sampler {
	period := 1e6 / rate
	return sampler{clock: clock, period: period, start: float64(clock.Tick(now)) + period}
}

// due returns the next sample's tick and the true instant of that tick.
func (s *sampler) due() (tick int64, at instant.Instant) {
	tick = int64(s.start + float64(s.next)*s.period)
	return tick, s.clock.At(tick)
}

// until returns how long it is to the next sample, 0 when it is due.
func (s *sampler) until(now instant.Instant) time.Duration {
	_, at := s.due()
	return max(0, at.Sub(now))
}
