package inspect

import (
	"context"
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
)

// Health is how a device with a known driver is doing.
type Health string

// The healths of a device.
const (
	Well    Health = "well"    // samples at its rate
	Slow    Health = "slow"    // samples, but far fewer than its rate
	Flood   Health = "flood"   // far more samples than its rate
	Mute    Health = "mute"    // nothing of use comes, or it cannot be opened: Said tells which
	Foreign Health = "foreign" // bytes come, and its driver does not understand them
)

const (
	// slowShare and floodShare of the nominal rate are beyond what clocks, resonators
	// and a second's counting explain.
	slowShare  = .5
	floodShare = 2
	// tryEach is how long each other speed is tried on a device whose bytes are not
	// understood.
	tryEach = 2500 * time.Millisecond
)

// Report is how a device did while it was watched.
type Report struct {
	Stream  string    `json:"stream"`
	Device  string    `json:"device"`
	Health  Health    `json:"health"`
	Samples int       `json:"samples"`
	RateHz  float64   `json:"rate_hz"`    // measured, by arrivals; 0 = too few samples
	Nominal float64   `json:"nominal_hz"` // 0 = irregular
	Latest  []Reading `json:"latest"`     // of the last sample, what was measured of it
	Lost    int64     `json:"lost"`       // samples missing by their numbers
	Faults  int64     `json:"faults"`     // things that could not be understood
	Said    string    `json:"said"`       // in words, with what to do
	// Deaf: its port could be opened, but nothing was understood. FindBaud may help.
	Deaf bool `json:"-"`
}

// Reading is one value with its unit.
type Reading struct {
	Channel string  `json:"channel"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
}

// settle is how long a stream is measured, from its first sample on: long enough
// to tell a rate that is ten times too high from a first burst.
const settle = time.Second

// Watch lets a device's own driver talk to it until it has delivered for a second
// or the time is over, and says how it is doing. It fails only for settings that
// cannot work.
func Watch(ctx context.Context, s device.Settings, limit time.Duration) (Report, error) {
	source, err := s.Open()
	if err != nil {
		return Report{}, err
	}
	info := source.Info()[0]
	ctx, cancel := context.WithTimeout(ctx, limit+settle)
	defer cancel()
	chunks := make(chan stream.Chunk)
	ended := make(chan error, 1)
	go func() {
		ended <- source.Run(ctx, chunks)
		close(chunks)
	}()
	w := watched{info: info}
	late := time.NewTimer(limit)
	defer late.Stop()
	for running := true; running; {
		select {
		case c, more := <-chunks:
			running = more
			if more && c.Stream == info.ID {
				w.add(c)
			}
			if w.samples > 1 && w.last.Sub(w.first) >= settle {
				cancel()
			}
		case <-late.C:
			if w.samples == 0 {
				cancel()
			}
		}
	}
	w.until = s.At().Clock.Now()
	if err := <-ended; err != nil {
		return Report{}, err
	}
	return w.report(s.At()), nil
}

// watched is what came of a stream.
type watched struct {
	info         stream.Info
	samples      int
	first, last  instant.Instant // arrivals
	until        instant.Instant // when the watch ended
	latest       []float64
	connected    bool
	lost, faults int64
	trouble      string // the last reason for not being connected
	fault        string // the last fault in words
}

func (w *watched) add(c stream.Chunk) {
	for _, s := range c.Samples {
		if w.samples == 0 {
			w.first = s.Arrival
		}
		w.samples, w.last, w.latest = w.samples+1, s.Arrival, s.Values
	}
	for _, e := range c.Events {
		switch e.Kind {
		case stream.Connected:
			w.connected = true
		case stream.Disconnected:
			w.trouble = e.Detail
		case stream.Lost:
			w.lost += e.Count
		case stream.Fault:
			w.faults += e.Count
			w.fault = e.Detail
		}
	}
}

func (w *watched) report(place *device.Place) Report {
	r := Report{
		Stream: w.info.ID, Device: w.info.Device, Samples: w.samples, Nominal: w.info.Rate,
		Lost: w.lost, Faults: w.faults, Latest: []Reading{},
	}
	for i, v := range w.latest {
		if !math.IsNaN(v) {
			r.Latest = append(r.Latest, Reading{w.info.Channels[i].Name, v, w.info.Channels[i].Unit})
		}
	}
	if w.samples > 1 {
		// A few samples that came at once, and then none, have no high rate.
		took := w.last.Sub(w.first)
		if took < settle {
			took = w.until.Sub(w.first)
		}
		r.RateHz = float64(w.samples-1) / took.Seconds()
	}
	switch {
	case w.samples == 0 && w.faults > 0:
		r.Health, r.Deaf = Foreign, true
		r.Said = "bytes come, but they are not this device's (" + w.fault + "): wrong port, wrong driver or wrong speed"
	case w.samples == 0 && w.info.Rate == 0 && w.connected:
		r.Health, r.Said = Well, "it answers"
	case w.samples == 0:
		r.Health = Mute
		r.Said = "no data: is it switched on, and is this its port (" + place.Where() + place.Serial + ")?"
		if w.trouble != "" {
			r.Said = "no data: " + plain(w.trouble)
		}
		r.Deaf = opens(place)
	case w.info.Rate > 0 && r.RateHz > floodShare*w.info.Rate:
		r.Health = Flood
		r.Said = fmt.Sprintf("%.0f samples a second where %.0f are expected: state its rate, or check what is on this port", r.RateHz, w.info.Rate)
	case w.info.Rate > 0 && r.RateHz < slowShare*w.info.Rate:
		r.Health = Slow
		r.Said = fmt.Sprintf("%.1f samples a second where %.0f are expected: state its rate, or check the cable (%d lost, %d faults)", r.RateHz, w.info.Rate, w.lost, w.faults)
	default:
		r.Health = Well
		r.Said = fmt.Sprintf("%s of %s samples a second", hertz(r.RateHz), hertz(w.info.Rate))
	}
	return r
}

// hertz prints a rate; a slow one, which may have to be set by hand, with decimals.
func hertz(rate float64) string {
	if rate < 30 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}

// opens tells whether the line can be opened at all.
func opens(place *device.Place) bool {
	line, err := place.Dial(0, 0)()
	if err != nil {
		return false
	}
	_ = line.Close() // nothing was said on it
	return true
}

// Speeds lists those that lab devices are set to, the usual ones first.
func Speeds() []int { return []int{115200, 57600, 9600, 38400, 19200, 230400, 460800} }

// FindBaud tries a device that is not understood at other speeds, for each some
// seconds, and returns the one at which it is; 0 when there is none. It is for
// devices on serial ports only.
func FindBaud(ctx context.Context, s device.Settings, speeds []int) int {
	place := s.At()
	if place.Address != "" {
		return 0
	}
	own := place.Baud
	defer func() { place.Baud = own }()
	for _, baud := range speeds {
		if ctx.Err() != nil {
			break
		}
		place.Baud = baud
		if r, err := Watch(ctx, s, tryEach); err == nil && r.Health == Well {
			return baud
		}
	}
	return 0
}
