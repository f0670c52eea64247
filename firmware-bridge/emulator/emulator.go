// Package emulator runs the firmware of Emolab's own box, unchanged, behind a
// pseudo-terminal: for tests, for demonstrations, and for a look at what the real
// box would say. The processor is simulated by a program of its own,
// emolab-simavr (host/README.md), which links libsimavr and therefore is under
// the GPL; this package talks to it through pipes only.
//
// The emulated board runs in real time on a crystal whose error can be set. What
// its inputs see is a World, and the true course of its clock is known, so that
// everything which the host makes of its bytes can be compared with the truth.
package emulator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

const (
	// cyclesPerTick: 16 MHz, and the firmware counts microseconds.
	cyclesPerTick = 16
	// tickBits is the width of the firmware's tick counter.
	tickBits = 32

	// lead is how long before the board's first cycle the host program is
	// started, so that it has read the beginning of the world by then, also on a busy
	// machine.
	lead = time.Second
	// startFor is how long the host program may take to say that it is ready.
	startFor = 20 * time.Second
	// endFor is how long it may take to end when it is told to.
	endFor = 10 * time.Second
)

// Options say what to run, and in which world.
type Options struct {
	Host string // path of emolab-simavr: from Find or BuildHost
	ELF  string // path of the firmware, from firmware.Build
	Link string // path under which the port is found; its folder must exist

	World    World
	Clock    instant.Clock // must be the host's own: the board runs in real time
	DriftPPM float64       // how fast the board's crystal runs
	Batch    time.Duration // latency timer of the USB adapter, up to 255 ms; 0 = none

	// Noise is the standard deviation of the voltage at each conversion, in mV.
	// Without any, the mean of many conversions is no finer than one: a step of
	// the converter is 4.9 mV.
	Noise float64
	Seed  uint64 // of the noise

	// ResetOnOpen resets the board when the port is opened, as boards do that
	// have DTR wired to reset. Boot is how long the boot loader then takes, and
	// after each reset but the watchdog's.
	ResetOnOpen bool
	Boot        time.Duration

	// LightFrom, if not nil, is what the photodiode sees instead of World's light.
	LightFrom *LightFrom

	// PoweredOn, if not nil, is told the true course of the firmware's clock each
	// time that it begins, from another goroutine.
	PoweredOn func(script.Clock)
	// Log, if not nil, is where the host program's complaints go.
	Log io.Writer
}

// LightFrom makes one byte of a file the light at the photodiode, as it is at the
// instant of each conversion, also where the simulation is late: a pixel of an X server's framebuffer, which another
// program maps and writes to. The file must be there, and hold the byte, when the
// board is started. A file that later comes under the same name is taken within a
// second or two; one that is cut short ends the board with an error.
type LightFrom struct {
	File   string
	Offset int64 // of the byte
	// DarkMV and BrightMV are the voltages, in mV, when the byte is 0 and 255.
	// Between them the voltage is a straight line.
	DarkMV, BrightMV float64
}

// Stats are counters since the start. They are a second old at most.
type Stats struct {
	Cycles    uint64        // of the processor, passed
	Sent      uint64        // bytes that the reader of the port took or may take
	Lost      uint64        // bytes for which the port was open and not read
	Unheard   uint64        // bytes that were sent while nobody had the port open
	Received  uint64        // bytes of the port's user put on the line
	Deaf      uint64        // of them, those that came during a reset or to the boot loader
	Late      uint64        // points of the world that came after their time
	Starved   uint64        // conversions for which the world was not known yet
	LightLate uint64        // changes of LightFrom's byte whose instant is not known to 0.5 ms
	Resets    uint64        // by the watchdog
	MaxLag    time.Duration // the farthest that the simulation was behind real time
}

// Emulator is one board that runs.
type Emulator struct {
	o     Options
	cmd   *exec.Cmd
	in    io.WriteCloser
	said  *tail
	stop  context.CancelFunc // of the feeder
	ready chan struct{}      // closed when the host program is ready
	ended chan struct{}      // closed when it has ended; err is set then
	err   error
	acks  chan string
	feeds sync.WaitGroup

	command sync.Mutex // one command at a time
	write   sync.Mutex // of in

	mu         sync.Mutex
	epoch      instant.Instant
	nsPerCycle float64
	clock      script.Clock
	running    bool
	stats      Stats
	closed     bool
}

// Start starts a board. It runs until Close, or until ctx ends; Close must be
// called all the same.
func Start(ctx context.Context, o Options) (*Emulator, error) {
	if o.Link == "" || o.Host == "" || o.ELF == "" || o.World == nil || o.Clock == nil {
		return nil, errors.New("emulator: needs a host program, a firmware, a link, a world and a clock")
	}
	link, err := filepath.Abs(o.Link)
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	o.Link = link
	epoch := o.Clock.Now().Add(lead)
	e := &Emulator{
		o: o, said: &tail{also: o.Log},
		ready: make(chan struct{}), ended: make(chan struct{}), acks: make(chan string, 1),
	}
	e.cmd = exec.CommandContext(ctx, o.Host, arguments(o, epoch)...)
	e.cmd.Cancel = func() error { return e.cmd.Process.Signal(syscall.SIGTERM) }
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the first Ctrl-C in the terminal may be a slip: Emolab ends it
	e.cmd.WaitDelay = endFor
	e.cmd.Stderr = e.said
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("emulator: start %s: %w", o.Host, err)
	}
	go e.listen(out)

	feeding, stop := context.WithCancel(ctx)
	e.stop = stop
	f := &feeder{world: o.World}
	if err := errors.Join(e.send(func(w io.Writer) error { return f.begin(w, epoch) }), e.feedOnce(f)); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.feeds.Go(func() { e.feed(feeding, f) })

	timer := time.NewTimer(startFor)
	defer timer.Stop()
	select {
	case <-e.ready:
		return e, nil
	case <-e.ended:
		return nil, errors.Join(errors.New("emulator: the host program did not start"), e.Close())
	case <-timer.C:
		return nil, errors.Join(fmt.Errorf("emulator: the host program was not ready within %v", startFor), e.Close())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), e.Close())
	}
}

func arguments(o Options, epoch instant.Instant) []string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	millis := func(d time.Duration) string { return number(d.Seconds() * 1e3) }
	args := []string{
		"-elf", o.ELF, "-link", o.Link, "-epoch", strconv.FormatInt(int64(epoch), 10),
		"-ppm", number(o.DriftPPM), "-batch", millis(o.Batch), "-boot", millis(o.Boot),
		"-noise", number(o.Noise), "-seed", strconv.FormatUint(o.Seed, 10),
	}
	if o.ResetOnOpen {
		args = append(args, "-reset-on-open")
	}
	if l := o.LightFrom; l != nil {
		args = append(args, "-light-file", l.File, "-light-offset", strconv.FormatInt(l.Offset, 10),
			"-light-dark", number(l.DarkMV), "-light-bright", number(l.BrightMV))
	}
	return args
}

// Path returns where the port is found.
func (e *Emulator) Path() string { return e.o.Link }

// Clock returns the true course of the firmware's clock since it last began: its
// tick 0 is the instant at which the firmware started its timer. ok is false
// until it has.
func (e *Emulator) Clock() (c script.Clock, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.clock, e.running
}

// Stats returns the latest counters; after Close the last ones.
func (e *Emulator) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// Ended is closed when the board has stopped running, for whatever reason. Close
// then tells it.
func (e *Emulator) Ended() <-chan struct{} { return e.ended }

// Unplug pulls the cable: the port is gone, the board without power. Nothing
// happens when it is pulled already.
func (e *Emulator) Unplug() error { return e.obey("U", "unplugged") }

// Plug puts it back: the firmware starts anew.
func (e *Emulator) Plug() error { return e.obey("P", "plugged") }

// Reset presses the board's button.
func (e *Emulator) Reset() error { return e.obey("R", "reset") }

// obey sends a command and waits until it is done.
func (e *Emulator) obey(command, done string) error {
	e.command.Lock()
	defer e.command.Unlock()
	err := e.send(func(w io.Writer) error {
		_, err := fmt.Fprintln(w, command)
		return err
	})
	if err != nil {
		return err
	}
	select {
	case ack := <-e.acks:
		if ack != done {
			return fmt.Errorf("emulator: the host program says %q, not %q", ack, done)
		}
		return nil
	case <-e.ended:
		return e.failure()
	}
}

// Close ends the board and waits until it has ended. It returns why it ended
// where that was not this call.
func (e *Emulator) Close() error {
	e.stop()
	e.feeds.Wait()
	e.mu.Lock()
	first := !e.closed
	e.closed = true
	e.mu.Unlock()
	if first {
		kill := time.AfterFunc(endFor, func() { _ = e.cmd.Process.Kill() }) // fails only when it has ended
		defer kill.Stop()
		_ = e.in.Close() // fails only when the host program has ended
	}
	<-e.ended
	return e.failure()
}

func (e *Emulator) failure() error {
	if e.err == nil {
		return nil
	}
	return fmt.Errorf("emulator: %s: %w: %s", HostName, e.err, strings.TrimSpace(e.said.String()))
}

// send writes to the host program what print prints, at once.
func (e *Emulator) send(print func(io.Writer) error) error {
	e.write.Lock()
	defer e.write.Unlock()
	w := bufio.NewWriter(e.in)
	if err := errors.Join(print(w), w.Flush()); err != nil {
		return fmt.Errorf("emulator: tell the host program: %w", err)
	}
	return nil
}

// feed keeps the host program supplied with the world.
func (e *Emulator) feed(ctx context.Context, f *feeder) {
	every := time.NewTicker(feedEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			if e.feedOnce(f) != nil {
				return // the host program has ended; listen tells why
			}
		case <-ctx.Done():
			return
		case <-e.ended:
			return
		}
	}
}

func (e *Emulator) feedOnce(f *feeder) error {
	return e.send(func(w io.Writer) error { return f.feed(w, e.o.Clock.Now().Add(ahead)) })
}
