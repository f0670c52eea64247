package iscan

import (
	"context"
	"math"
	"math/rand/v2"

	"emolab/fusion/instant"
	"emolab/sensors/device"
	"emolab/sensors/virtual"
)

const (
	// pupilPerMM is how many of the virtual tracker's units a millimetre of the
	// pupil has. A real one's depend on its camera and distance.
	pupilPerMM = 10
	// elsewhere is what the virtual tracker sends as outputs that no channel is for.
	elsewhere = 100
	// shut is the closure from which the tracker loses the pupil.
	shut = 0.5
)

// field is the screen in the virtual tracker's own units.
func field() device.Span { return device.Span{Right: 512, Bottom: 256} }

// twin is the virtual tracker. It rounds to the protocol's whole words and adds
// no noise.
type twin struct {
	o   virtual.TwinOptions
	set Options
}

// Twin makes a virtual tracker that plays the gaze, pupil and blinks of a truth.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	set := *o
	set.Simulated = true
	return &twin{o: t, set: set.withDefaults()}
}

// Run is one life of the tracker. Its camera runs from power-on; frames go out
// while the tracking is on.
func (e *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	now := e.o.Clock.Now()
	rate := float64(e.set.Rate)
	clock := virtual.SwitchOn(e.o, now, virtual.Power{TickHz: rate}, e.set.ID)
	sampler := virtual.NewSampler(clock, now, rate, rate)
	tracking := e.set.Unasked
	random := rand.New(rand.NewPCG(e.o.Seed, 5))
	for {
		due.After(sampler.Until(e.o.Clock.Now()))
		select {
		case got := <-in:
			for _, b := range got.Bytes {
				switch int(b) {
				case e.set.Start:
					tracking = true
				case e.set.Stop:
					tracking = false
				}
			}
		case <-due.C():
			for sampler.Until(e.o.Clock.Now()) == 0 {
				_, _, at := sampler.Next()
				sampler.Done()
				if tracking {
					send(AppendFrame(nil, e.words(at, random)...))
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// words are what the camera sees at an instant, in the order of the outputs.
func (e *twin) words(at instant.Instant, random *rand.Rand) []uint16 {
	words := make([]uint16, len(e.set.Outputs))
	elapsed := e.o.Truth.Elapsed(at)
	if e.o.Truth.Script().Closure(elapsed) > shut {
		return words
	}
	x, y := e.set.Screen.Units(e.o.Truth.Tracked(at, 0, random))
	for i, name := range e.set.Outputs {
		units := float64(elsewhere)
		switch name {
		case porH:
			units = x
		case porV:
			units = y
		case pupil:
			units = e.o.Truth.Script().PupilMM(elapsed) * pupilPerMM
		}
		words[i] = uint16(max(0, min(math.MaxUint16, math.Round(units*e.set.Divisor))))
	}
	return words
}
