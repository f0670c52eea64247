// Package portrait is a camera that films the virtual participant: a drawn face
// that plays the script, for trying out the whole lab without a person.
//
// The face is drawn from the front by curves that FACS action units move, then
// laid into the picture in the pose of the head. It is a test pattern which the
// real detector and expression net read as intended; it says nothing about how
// well they read people.
package portrait

import (
	"context"
	"fmt"
	"math"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// Options are the settings of a Camera. The zero value is a webcam of 640x480
// at 30 frames a second.
type Options struct {
	Width, Height int     // pixels
	FPS           float64 // frames per second
	Seed          uint64  // of noise and sway
}

// Largest settings: beyond them the drawing cannot be made in time.
const (
	maxSide = 4096 // pixels
	maxFPS  = 240
	minSide = 32 // pixels; less holds no face
)

// Camera films the virtual participant.
type Camera struct {
	truth   *script.Truth
	clock   instant.Clock
	options Options
}

// New returns a camera that films the virtual participant, who plays truth.
func New(truth *script.Truth, clock instant.Clock, o Options) *Camera {
	if o.Width == 0 && o.Height == 0 {
		o.Width, o.Height = 640, 480
	}
	if o.FPS == 0 {
		o.FPS = 30
	}
	return &Camera{truth, clock, o}
}

// Run delivers frames to out until ctx ends, and then returns nil. It paces
// itself by the clock. A frame's At is its scheduled instant of exposure, and
// the face is that of the script at this instant.
//
// A frame waits for its consumer until the next one is due and is then dropped.
// Exposures that pass while the drawing is late are left out. Seq counts both.
//
// An error means that the options or the script can never work.
func (c *Camera) Run(ctx context.Context, out chan<- frame.Frame) error {
	if err := c.check(); err != nil {
		return err
	}
	o := c.options
	painter, sway := NewPainter(o.Width, o.Height, o.Seed), newSway(o.Seed)
	exposures := schedule{c.clock.Now(), o.FPS}
	for seq := int64(0); c.wait(ctx, exposures.due(seq)); {
		at := exposures.due(seq)
		pix := painter.Paint(lookAt(c.truth.Script(), c.truth.Elapsed(at), sway))
		f := frame.Frame{
			Seq: seq, At: at, Arrival: c.clock.Now(),
			Width: o.Width, Height: o.Height, Pix: pix,
		}
		c.deliver(ctx, out, f, exposures.due(seq+1))
		seq = max(seq+1, exposures.newest(c.clock.Now()))
	}
	return nil
}

func (c *Camera) check() error {
	o := c.options
	if min(o.Width, o.Height) < minSide || max(o.Width, o.Height) > maxSide {
		return fmt.Errorf("portrait: picture of %dx%d: choose a width and a height of %d to %d pixels",
			o.Width, o.Height, minSide, maxSide)
	}
	if !(o.FPS > 0 && o.FPS <= maxFPS) {
		return fmt.Errorf("portrait: %v frames per second: choose a rate up to %d", o.FPS, maxFPS)
	}
	for _, e := range c.truth.Script().Expressions {
		if _, known := weights(e.Name); !known {
			return fmt.Errorf("portrait: the script asks for the expression %q, which the drawing does not know", e.Name)
		}
	}
	return nil
}

// schedule is when a camera exposes its frames.
type schedule struct {
	begin instant.Instant
	fps   float64
}

// due returns the instant of an exposure.
func (s schedule) due(seq int64) instant.Instant {
	return s.begin.Add(time.Duration(math.Round(float64(seq) * float64(time.Second) / s.fps)))
}

// newest returns the last exposure that is due at an instant.
func (s schedule) newest(at instant.Instant) int64 {
	seq := int64(at.Sub(s.begin).Seconds() * s.fps)
	// The division may fall on the wrong side of a whole number.
	switch {
	case s.due(seq+1) <= at:
		return seq + 1
	case s.due(seq) > at:
		return seq - 1
	}
	return seq
}

// wait returns true at the instant due, or false when ctx ends first. The clock
// decides: a timer that fires early by it is set again.
func (c *Camera) wait(ctx context.Context, due instant.Instant) bool {
	for ctx.Err() == nil {
		left := due.Sub(c.clock.Now())
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return false
}

// deliver hands f to out unless the instant until, or the end of ctx, comes
// first.
func (c *Camera) deliver(ctx context.Context, out chan<- frame.Frame, f frame.Frame, until instant.Instant) {
	for ctx.Err() == nil {
		left := until.Sub(c.clock.Now())
		if left <= 0 { // drawn late; whoever waits already may still have it
			select {
			case out <- f:
			default:
			}
			return
		}
		timer := time.NewTimer(left)
		select {
		case out <- f:
			timer.Stop()
			return
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
