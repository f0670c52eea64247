// Package emobox drives Emolab's own box, which speaks the protocol of
// firmware-bridge/wire over a serial line: skin conductance, and where it is asked
// for the photodiode and the trigger input. The box answers clock pings, so all
// three are placed on the lab clock to a fraction of a millisecond, and by the same
// clock.
package emobox

import (
	"context"
	"fmt"
	"time"

	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/device"
	"emolab/sensors/serialport"
)

const (
	// DefaultRate is enough for skin conductance (below 5 Hz) and fine enough
	// that a lost sample costs nothing.
	DefaultRate = 100

	tickHz = 1e6

	// silence is how long the box may be quiet. A reset board needs 2 s until it
	// answers; after that it answers a ping a second.
	silence = 5 * time.Second
)

// Source is one box. It delivers one to three streams: skin conductance with the
// channels raw and eda_us; "<id>_light" and "<id>_trigger" where they are turned on.
type Source struct {
	o     Options
	pings pinger // ids go on over reconnects, so that a late pong is never mistaken
}

// New makes the source of one box. Nothing is opened before Run. Bad options make
// Run fail; Open finds them earlier.
func New(o Options) *Source { return &Source{o: o} }

// Info describes the streams.
func (s *Source) Info() []stream.Info {
	box := stream.Info{
		Device:    "Emolab box",
		Serial:    s.o.Serial,
		Port:      s.o.Where(),
		Clock:     stream.PingedClock,
		TickHz:    tickHz,
		Simulated: s.o.Simulated,
	}
	eda, light, trigger := box, box, box
	eda.Kind, eda.Rate, eda.Shift = stream.EDA, float64(s.o.rate()), averaging()
	// One range, and it never repeats a value: the optional channels are left out.
	eda.Channels = device.EDAChannels("Oversampled reading of the converter; 65535 is the supply voltage.")[:2]
	light.Kind, light.Channels, light.Shift = stream.Light, device.LightChannels(), holding()
	trigger.Kind, trigger.Channels = stream.Trigger, device.TriggerChannels()

	all := []stream.Info{eda}
	if s.o.Light {
		all = append(all, light)
	}
	if s.o.Trigger {
		all = append(all, trigger)
	}
	for i, id := range s.o.streams() {
		all[i].ID = id
	}
	return all
}

// Run delivers the box's samples and clock probes to out until ctx ends.
func (s *Source) Run(ctx context.Context, out chan<- stream.Chunk) error {
	if err := s.o.Check(); err != nil {
		return fmt.Errorf("emobox: %w", err)
	}
	correction, err := s.o.correction()
	if err != nil {
		return fmt.Errorf("emobox: %w", err)
	}
	return connection.Keeper{
		Streams: s.o.streams(),
		Open:    s.o.Dial(serialport.DefaultBaud, silence),
		Clock:   s.o.Clock,
		Begin: func(log *connection.Log) connection.Dialogue {
			return newDialogue(s.o, correction, log, &s.pings)
		},
	}.Run(ctx, out)
}
