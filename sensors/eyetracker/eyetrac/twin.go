package eyetrac

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/device"
	"emolab/sensors/virtual"
)

const (
	// untilWrap is how long after power-on the frame numbers begin anew, so that
	// every run of the virtual lab crosses that (a real tracker was started long ago).
	untilWrap = 15 * time.Second
	// pupilPerMM is how many of the virtual tracker's units a millimetre of the
	// pupil has. A real one's depend on its camera and distance.
	pupilPerMM = 20
	// shut is the closure from which the tracker loses the pupil.
	shut = 0.5
)

// scene is the tracker's scene: 260 by 240 units, in tenths of one, as the
// virtual tracker reports them.
func scene() device.Span { return device.Span{Right: 2600, Bottom: 2400} }

// twin is the virtual tracker. It rounds to the protocol's whole units and adds
// no noise.
type twin struct {
	o      virtual.TwinOptions
	id     string // of the stream
	rate   int    // camera fields a second
	screen device.Span
}

// Twin makes a virtual tracker that plays the gaze, pupil and blinks of a truth.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	set := *o
	set.Simulated = true
	set = set.withDefaults()
	return &twin{o: t, id: set.ID, rate: set.Rate, screen: set.Screen}
}

// Run is one life of the tracker. It hears nothing: this line has one direction.
func (e *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	now := e.o.Clock.Now()
	rate := float64(e.rate)
	clock := virtual.SwitchOn(e.o, now, virtual.Power{
		Tick0: numbers - int64(untilWrap.Seconds()*rate), TickHz: rate, WrapBits: 16}, e.id)
	sampler := virtual.NewSampler(clock, now, rate, rate)
	random := rand.New(rand.NewPCG(e.o.Seed, 4))
	for {
		due.After(sampler.Until(e.o.Clock.Now()))
		select {
		case <-in:
		case <-due.C():
			for sampler.Until(e.o.Clock.Now()) == 0 {
				_, tick, at := sampler.Next()
				sampler.Done()
				send(AppendFrame(nil, e.frame(uint16(tick), at, random)))
			}
		case <-ctx.Done():
			return
		}
	}
}

// frame is what the camera sees at an instant.
func (e *twin) frame(number uint16, at instant.Instant, random *rand.Rand) Frame {
	f := Frame{Status: statusGood, Number: number}
	elapsed := e.o.Truth.Elapsed(at)
	if e.o.Truth.Script().Closure(elapsed) > shut {
		return f
	}
	x, y := e.screen.Units(e.o.Truth.Tracked(at, 0, random))
	f.Horizontal, f.Vertical = whole(x), whole(y)
	f.Pupil = uint16(math.Round(e.o.Truth.Script().PupilMM(elapsed) * pupilPerMM))
	return f
}

func whole(x float64) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, math.Round(x))))
}
