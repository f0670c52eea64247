package aligntest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"emolab/fusion/stream"
)

// Promise is what is asked of the alignment of a kind of device.
type Promise int

// The promises.
const (
	// Asked: the device answers pings. Its error counts in full.
	Asked Promise = iota
	// Told: it stamps or numbers its samples, or the driver stamps them. The
	// constant part of the error, which no method can see, is taken out.
	Told
	// Silent: there is nothing but arrivals.
	Silent
)

// Scenario is a device in circumstances, of which the truth is known. Its name
// says them all, and its seed follows from its name: the same data in every run.
type Scenario struct {
	Name    string
	Kind    string // "box", "tracker", ...: the first word of the name
	Promise Promise
	// Unseen tells that a constant part of the error cannot be seen.
	Unseen bool
	Resets bool
	record func(length time.Duration) Recording
}

// Record makes what the device delivered in the given time.
func (s Scenario) Record(length time.Duration) Recording { return s.record(length) }

// What a loaded workstation does to everything that passes through a process:
// the scheduler takes a millisecond or two more, one wake-up in twenty waits for
// some time slices of others, and twice a minute nothing runs for a fifth of a
// second.
const (
	loadedSigma      = 2 * time.Millisecond
	loadedStallShare = .05
	loadedStall      = 20 * time.Millisecond
	loadedHalt       = 200 * time.Millisecond
	loadedHaltEvery  = 29 * time.Second // in step with no ping and no batch
)

// loaded is the delay of the same way on a loaded workstation: its least is the same.
func (d Delay) loaded() Delay {
	return Delay{d.Floor, d.Sigma + loadedSigma, loadedStallShare, loadedStall}
}

// halts are the times in which a loaded host runs nothing of ours.
func halts(length time.Duration) []Span {
	var spans []Span
	for at := loadedHaltEvery; at < length; at += loadedHaltEvery {
		spans = append(spans, Span{at, at + loadedHalt})
	}
	return spans
}

// The levels of the factors.
var (
	drifts  = [...]float64{0, 20, 2000, 5000} // ppm
	batches = [...]time.Duration{0, time.Millisecond, 16 * time.Millisecond}
	losses  = [...]float64{0, .02}
)

// unplugged is how long a device that starts anew is gone.
const unplugged = 2 * time.Second

// kind is a kind of device on a cable.
type kind struct {
	name    string
	promise Promise
	make    func(seed uint64) Device
}

// Tracker is an eye tracker that stamps its samples and cannot be asked: 60 Hz,
// records of 46 bytes at 115,200 baud.
func Tracker(seed uint64) Device {
	d := EyeTracker(seed)
	d.Line = 4 * time.Millisecond
	return d
}

// Numbered is a device without a clock that numbers its samples, as a scene
// camera's video frames: 120 Hz, records of 30 bytes at 57,600 baud.
func Numbered(seed uint64) Device {
	d := Tracker(seed)
	d.Info.Clock, d.Info.Rate, d.Info.TickHz = stream.CountedClock, 120, 120
	d.Line = 5200 * time.Microsecond
	return d
}

// Counted is a device that does not even number: what is lost shows in nothing but
// arrivals.
func Counted(seed uint64, rate float64) Device {
	d := Numbered(seed)
	d.Info.Rate, d.Info.TickHz = rate, rate
	d.Line = 2 * time.Millisecond
	d.Uncounted = true
	return d
}

func kinds() []kind {
	return []kind{
		{"box", Asked, EDABox},
		{"tracker", Told, Tracker},
		{"numbered", Told, Numbered},
		{"counted 60 Hz", Silent, func(seed uint64) Device { return Counted(seed, 60) }},
		{"counted 120 Hz", Silent, func(seed uint64) Device { return Counted(seed, 120) }},
	}
}

// Scenarios are all of them: for the kinds on a cable every combination of drift,
// batching, loss, resets and load; for the browser and the cameras what has a
// meaning there; and mishaps, one at a time.
func Scenarios() []Scenario {
	var all []Scenario
	for _, k := range kinds() {
		all = append(all, k.circumstances()...)
		all = append(all, k.mishaps()...)
	}
	all = append(all, browsers()...)
	return append(all, cameras()...)
}

// Matching returns the scenarios whose names contain text; where none does, those
// whose names contain all words of it.
func Matching(text string) []Scenario {
	all := Scenarios()
	if !slices.ContainsFunc(all, func(s Scenario) bool { return strings.Contains(s.Name, text) }) {
		return slices.DeleteFunc(all, func(s Scenario) bool {
			return slices.ContainsFunc(strings.Fields(text), func(word string) bool { return !strings.Contains(s.Name, word) })
		})
	}
	return slices.DeleteFunc(all, func(s Scenario) bool { return !strings.Contains(s.Name, text) })
}

func (k kind) circumstances() []Scenario {
	var all []Scenario
	for _, drift := range drifts {
		for _, batch := range batches {
			for _, loss := range losses {
				for _, resets := range []bool{false, true} {
					for _, load := range []bool{false, true} {
						parts := []string{fmt.Sprintf("%g ppm", drift)}
						if batch > 0 {
							parts = append(parts, fmt.Sprintf("%d ms", batch.Milliseconds()))
						}
						if loss > 0 {
							parts = append(parts, fmt.Sprintf("%g %% loss", 100*loss))
						}
						if resets {
							parts = append(parts, "resets")
						}
						if load {
							parts = append(parts, "loaded")
						}
						s := k.scenario(parts, func(d *Device, length time.Duration) {
							d.DriftPPM, d.Batch, d.Loss = drift, batch, loss
							if resets {
								d.reset(length)
							}
							if load {
								d.load(length)
							}
						})
						s.Resets = resets
						all = append(all, s)
					}
				}
			}
		}
	}
	return all
}

// scenario is the kind of device, changed. Parts say how.
func (k kind) scenario(parts []string, change func(d *Device, length time.Duration)) Scenario {
	name := k.name + " " + strings.Join(parts, ", ")
	return Scenario{
		Name: name, Kind: k.name, Promise: k.promise, Unseen: k.promise != Asked,
		record: func(length time.Duration) Recording {
			d := k.make(seedOf(name))
			change(&d, length)
			return d.Record(length)
		},
	}
}

func seedOf(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return h.Sum64()
}

func (d *Device) reset(length time.Duration) {
	d.Resets, d.Unplug = []time.Duration{length * 3 / 10, length * 7 / 10}, unplugged
}

func (d *Device) load(length time.Duration) {
	d.ToDevice, d.ToHost = d.ToDevice.loaded(), d.ToHost.loaded()
	d.Stalls = append(d.Stalls, halts(length)...)
}

// mishaps are changes to the hardest calm case: 2,000 ppm, 16 ms, 2 % loss.
func (k kind) mishaps() []Scenario {
	thirds := func(length, each time.Duration) []Span {
		return []Span{{length / 3, length/3 + each}, {length * 2 / 3, length*2/3 + each}}
	}
	all := []Scenario{
		k.scenario([]string{"host stalls"}, func(d *Device, length time.Duration) { d.Stalls = thirds(length, 3*time.Second) }),
		k.scenario([]string{"pauses"}, func(d *Device, length time.Duration) { d.Pauses = thirds(length, length/20) }),
		k.scenario([]string{"warming up"}, func(d *Device, length time.Duration) { d.WarmingPPM, d.WarmingFor = 10, length }),
	}
	if k.promise == Silent {
		return all // what comes twice is counted twice, and nobody can tell
	}
	return append(all,
		k.scenario([]string{"duplicates"}, func(d *Device, _ time.Duration) { d.Duplicates = .02 }),
		k.scenario([]string{"reordered"}, func(d *Device, _ time.Duration) { d.Reordered = .1 }),
	)
}
