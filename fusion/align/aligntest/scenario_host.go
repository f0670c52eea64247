package aligntest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/fusion/stream"
)

// The browser's screen: a panel that is driven line by line and answers in some
// milliseconds, so that light is there well after the display that was forecast.
const (
	glass   = 21 * time.Millisecond
	glassSD = 200 * time.Microsecond
	// glassWithin holds 99 % of a Gaussian: 2.58 standard deviations.
	glassWithin = glassSD * 258 / 100
)

// browsers have no adapter and lose nothing on their way; a reload is their reset.
func browsers() []Scenario {
	var all []Scenario
	for _, drift := range []float64{0, 20} {
		for _, measured := range []bool{true, false} {
			for _, reloads := range []bool{false, true} {
				for _, load := range []bool{false, true} {
					parts := []string{fmt.Sprintf("%g ppm", drift)}
					if !measured {
						parts = append(parts, "display not measured")
					}
					if reloads {
						parts = append(parts, "reloads")
					}
					if load {
						parts = append(parts, "loaded")
					}
					name := "browser " + strings.Join(parts, ", ")
					all = append(all, Scenario{
						Name: name, Kind: "browser", Promise: Asked, Unseen: !measured, Resets: reloads,
						record: func(length time.Duration) Recording {
							d := Browser(seedOf(name))
							d.Info.Simulated = false // a screen that is there
							d.DriftPPM, d.Glass, d.GlassSD = drift, glass, glassSD
							if measured {
								d.Info.Shift = &stream.Shift{By: glass, Within: glassWithin}
							}
							if reloads {
								d.reset(length)
							}
							if load {
								d.load(length)
							}
							return d.Record(length)
						},
					})
				}
			}
		}
	}
	return all
}

// Webcam is a camera at 30 Hz whose driver stamps a frame when its first bytes
// reach the host.
func Webcam(seed uint64) Camera {
	return Camera{
		Info:     stream.Info{ID: "face", Kind: stream.Face, Clock: stream.HostClock, TickHz: 1e9, Rate: 30},
		Seed:     seed,
		Exposure: 20 * time.Millisecond,
		Stamp:    Delay{Floor: 4 * time.Millisecond, Sigma: 250 * time.Microsecond},
		Arrival:  Delay{35 * time.Millisecond, 2 * time.Millisecond, .01, 5 * time.Millisecond},
	}
}

// measuredFor is how long the latency of a camera is measured, on the idle machine.
const measuredFor = 2 * time.Minute

// measured is the shift that a calibration finds: the median latency, and what 99 %
// of the deviations stay within.
func (c Camera) measured() *stream.Shift {
	rec := c.Record(measuredFor)
	late := make([]time.Duration, len(rec.Stamps))
	for i, s := range rec.Stamps {
		late[i] = time.Duration(s.Tick - int64(rec.Truth[i]))
	}
	slices.Sort(late)
	median := late[len(late)/2]
	for i := range late {
		late[i] = (late[i] - median).Abs()
	}
	slices.Sort(late)
	return &stream.Shift{By: -median, Within: late[len(late)*99/100]}
}

// cameras stamp on the host's clock, so that drift and batches have no meaning.
func cameras() []Scenario {
	var all []Scenario
	for _, clock := range []stream.ClockKind{stream.HostClock, stream.ArrivalClock} {
		for _, loss := range losses {
			for _, measured := range []bool{false, true} {
				for _, load := range []bool{false, true} {
					parts, promise := []string{"stamped by its driver"}, Told
					if clock == stream.ArrivalClock {
						parts, promise = []string{"with arrivals only"}, Silent
					}
					if loss > 0 {
						parts = append(parts, fmt.Sprintf("%g %% loss", 100*loss))
					}
					if measured {
						parts = append(parts, "latency measured")
					}
					if load {
						parts = append(parts, "loaded")
					}
					name := "camera " + strings.Join(parts, ", ")
					all = append(all, Scenario{
						Name: name, Kind: "camera", Promise: promise, Unseen: !measured,
						record: func(length time.Duration) Recording {
							c := Webcam(seedOf(name))
							c.Info.Clock, c.Loss = clock, loss
							if measured {
								idle := c
								idle.Seed++
								c.Info.Shift = idle.measured()
							}
							if load {
								c.Arrival = c.Arrival.loaded()
								c.Stalls = halts(length)
							}
							return c.Record(length)
						},
					})
				}
			}
		}
	}
	return all
}
