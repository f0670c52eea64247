package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/firmware"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/virtual"
)

// firmwareBoxOptions say what box without hardware to start.
type firmwareBoxOptions struct {
	Port     string // path of its port
	Truth    *script.Truth
	Clock    instant.Clock
	Streams  []string // ids under which its clock is entered in the truth
	DriftPPM float64
	Batch    time.Duration
	Seed     uint64
	Log      io.Writer // what the simulator complains of; may be nil
}

// settings are those of a driver that delivers the streams.
func (o firmwareBoxOptions) settings() emobox.Options {
	var s emobox.Options
	if len(o.Streams) > 0 {
		s.ID = o.Streams[0]
	}
	s.Light = slices.Contains(o.Streams, s.ID+"_light")
	s.Trigger = slices.Contains(o.Streams, s.ID+"_trigger")
	return s
}

// firmwareBox is a box without hardware: the real firmware under simavr or, where
// that cannot be had, the model of it in Go.
type firmwareBox struct {
	Instead error // why the model runs instead of the firmware; nil = the firmware runs

	path  string
	image firmware.Image
	board *emulator.Emulator // nil where the model runs
	model *virtual.Link      // nil where the firmware runs
	dir   removal
	ended chan struct{} // of the model; closed by Close
	close sync.Once
}

// startFirmwareBox starts the firmware; what its inputs see is the truth's script.
// Close must be called.
func startFirmwareBox(ctx context.Context, o firmwareBoxOptions) (*firmwareBox, error) {
	host, err := emulator.Find()
	if err != nil {
		return startModel(o, err)
	}
	return startFirmware(ctx, o, host)
}

// startFirmware runs the real firmware under the host program.
func startFirmware(ctx context.Context, o firmwareBoxOptions, host string) (*firmwareBox, error) {
	dir, err := os.MkdirTemp("", "emolab-firmware-*")
	if err != nil {
		return nil, err
	}
	image, err := firmware.Build(ctx, firmware.Options{Dir: dir, Serial: uint32(o.Seed)})
	if err != nil {
		err = errors.Join(err, os.RemoveAll(dir))
		if errors.Is(err, firmware.ErrNoCompiler) {
			return startModel(o, err)
		}
		return nil, err
	}
	settings := o.settings()
	board, err := emulator.Start(ctx, emulator.Options{
		Host: host, ELF: image.ELF, Link: o.Port, World: boxWorld{o.Truth}, Clock: o.Clock,
		DriftPPM: o.DriftPPM, Batch: o.Batch, Noise: converterNoise, Seed: o.Seed, Log: o.Log,
		PoweredOn: func(c script.Clock) { settings.PowerOn(o.Truth, c) },
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &firmwareBox{path: board.Path(), image: image, board: board, dir: removal(dir)}, nil
}

// startModel runs the model of the firmware, for a reason.
func startModel(o firmwareBoxOptions, why error) (*firmwareBox, error) {
	settings := o.settings()
	twin := settings.Twin(virtual.TwinOptions{Truth: o.Truth, Clock: o.Clock, DriftPPM: o.DriftPPM, Seed: o.Seed})
	link, err := virtual.NewLink(o.Port, twin, virtual.Disturbance{Batch: o.Batch}, o.Seed, o.Clock)
	if err != nil {
		return nil, err
	}
	return &firmwareBox{Instead: why, path: link.Path(), model: link, ended: make(chan struct{})}, nil
}

// Path returns where the port is found.
func (b *firmwareBox) Path() string { return b.path }

// About says what runs.
func (b *firmwareBox) About() string {
	if b.board == nil {
		return fmt.Sprintf("a model of the box on %s, not its firmware, because: %v", b.path, b.Instead)
	}
	return fmt.Sprintf("the box's firmware %s under simavr on %s", b.image.Version, b.path)
}

// Ended is closed when the box has ended: by Close, or by a failure, which Close
// then returns.
func (b *firmwareBox) Ended() <-chan struct{} {
	if b.board != nil {
		return b.board.Ended()
	}
	return b.ended
}

// Unplug pulls the cable.
func (b *firmwareBox) Unplug() error {
	if b.board != nil {
		return b.board.Unplug()
	}
	return b.model.Unplug()
}

// Plug puts it back: the box starts anew.
func (b *firmwareBox) Plug() error {
	if b.board != nil {
		return b.board.Plug()
	}
	return b.model.Plug()
}

// Close ends the box and waits for it. That its context ended is no failure.
func (b *firmwareBox) Close() error {
	if b.board == nil {
		b.close.Do(func() { close(b.ended) })
		return b.model.Close()
	}
	err := b.board.Close()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, b.dir.Close())
}

// converterNoise is the noise of an amplifier and a converter, in mV: half a step
// of the converter, as the model of the box has it. It is what lets a mean be finer
// than a step.
const converterNoise = .5 * emulator.Supply / 1024

// boxWorld is what the virtual participant shows the box's inputs: skin by the
// nominal values of the amplifier's parts, and the patch and the trigger line of the
// model.
type boxWorld struct{ truth *script.Truth }

// Skin is the amplifier's output in mV.
func (w boxWorld) Skin(at instant.Instant) float64 {
	c := conductance.Emobox()
	us := w.truth.Conductance(at)
	return min(c.VrefMV*(1+us*c.RfKohm/1000), c.VccMV)
}

// Light is the photodiode's output in mV.
func (w boxWorld) Light(at instant.Instant) float64 { return emobox.PatchMV(w.truth.Elapsed(at)) }

// Trigger is the level of the trigger line.
func (w boxWorld) Trigger(at instant.Instant) bool {
	return emobox.TriggerLevel(w.truth.Elapsed(at)) != 0
}

// jumpStep is shorter than any pulse of the model's patch and trigger line.
const jumpStep = time.Millisecond

// Jumps finds where light and trigger change: it looks every millisecond, and
// then closer.
func (w boxWorld) Jumps(from, until instant.Instant) []instant.Instant {
	var jumps []instant.Instant
	// What changes at from itself differs from just before.
	for a := from - 1; a < until-1; a = a.Add(jumpStep) {
		b := min(a.Add(jumpStep), until-1)
		if w.same(a, b) {
			continue
		}
		n := sort.Search(int(b-a), func(i int) bool { return !w.same(a, a+instant.Instant(i)) })
		jumps = append(jumps, a+instant.Instant(n))
	}
	return jumps
}

func (w boxWorld) same(a, b instant.Instant) bool {
	return w.Light(a) == w.Light(b) && w.Trigger(a) == w.Trigger(b)
}
