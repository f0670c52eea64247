package grove

import (
	"context"
	"fmt"
	"strings"
	"time"

	"emolab/sensors/virtual"
)

const (
	// counterBits is the width of what millis() counts.
	counterBits = 32
	// wrapIn is how long after power-on it comes round, so that every run of the
	// virtual lab crosses the wrap (a real board starts at 0).
	wrapIn = 15 * time.Second
)

// twin is the virtual board.
type twin struct {
	o   virtual.TwinOptions
	set Options
}

// Twin makes a virtual board that plays the conductance of a truth. It adds no
// noise: the converter's step hides that of the sensor. Without printed times
// nobody can say which of its lines a host heard first, so that the truth has its
// clock only where it prints them.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	return &twin{o: t, set: o.withDefaults()}
}

// Run is one life of the board, which prints from power-on on.
func (b *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	now := b.o.Clock.Now()
	var streams []string
	if b.set.Millis > 0 {
		streams = []string{b.set.ID}
	}
	clock := virtual.SwitchOn(b.o, now, virtual.Power{
		Tick0: 1<<counterBits - wrapIn.Milliseconds(), TickHz: tickHz, WrapBits: counterBits}, streams...)
	sampler := virtual.NewSampler(clock, now, tickHz, b.set.Rate)
	for {
		due.After(sampler.Until(b.o.Clock.Now()))
		select {
		case <-in: // it does not listen
		case <-due.C():
			for sampler.Until(b.o.Clock.Now()) == 0 {
				_, tick, at := sampler.Next()
				sampler.Done()
				us := b.o.Truth.Conductance(at)
				send([]byte(b.set.print(tick, b.set.Reading(us))))
			}
		case <-ctx.Done():
			return
		}
	}
}

// print returns a line as the sketch that these options describe prints it. What
// stands in other columns is 0.
func (o Options) print(tick int64, reading float64) string {
	place := o.Column
	if place == 0 {
		place = o.Millis + 1
	}
	words := make([]string, max(place, o.Millis))
	for i := range words {
		words[i] = "0"
	}
	if o.Millis > 0 {
		words[o.Millis-1] = fmt.Sprint(uint32(tick))
	}
	words[place-1] = fmt.Sprint(reading)
	return strings.Join(words, ",") + "\r\n"
}
