// Package inspect looks at devices from outside: what is on a port of which
// nothing is known (Port), and how a device with a known driver is doing (Watch).
// It is what `emolab devices` and `emolab doctor` report in words.
//
// A port is asked politely. One that another program holds is not opened at all.
// Each device is first listened to, because many speak unasked; then it is asked
// only queries that its driver declares harmless, of Bluetooth devices on
// Bluetooth ports and of the others elsewhere. Opening a port raises its DTR line,
// which resets some boards: they get the time to start.
package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/device"
	"emolab/sensors/serialport"
)

const (
	// listenFor is how long a port is listened to at each speed before anything is
	// asked: the slowest device that speaks unasked prints a line in 60 ms, and the
	// eye trackers a frame in 17.
	listenFor = 600 * time.Millisecond
	// askFor is how long the devices of one speed are asked: a board that was reset
	// by the opening of its port needs two seconds until it hears.
	askFor = 3 * time.Second
	// keep is how much of what a port says is judged: some seconds of any device's
	// stream, and a bound for one that floods.
	keep = 16 << 10
)

// State is how a port stands.
type State string

// The states of a port.
const (
	Known     State = "known"     // a driver recognises what is there
	Unknown   State = "unknown"   // it speaks, but no driver understands it
	Silent    State = "silent"    // it says nothing, asked or not
	Held      State = "held"      // another program has it open
	Forbidden State = "forbidden" // we may not open it
	Gone      State = "gone"      // it is not there, or went
	Broken    State = "broken"    // it cannot be used as a serial port
)

// Finding is what was found on a port.
type Finding struct {
	Path   string `json:"path"`
	State  State  `json:"state"`
	Driver string `json:"driver,omitempty"` // of a known device: its name in lab.yaml
	Model  string `json:"model,omitempty"`  // as the device says it
	Baud   int    `json:"baud,omitempty"`   // the speed at which it was understood
	Said   string `json:"said"`             // in words, with what to do
}

// Port finds out what is on a port. It takes up to half a minute for a silent one,
// and returns early when ctx ends.
func Port(ctx context.Context, path string, clock instant.Clock, drivers []device.Driver) Finding {
	f := Finding{Path: path}
	if held := serialport.Holders(path); len(held) > 0 {
		names := make([]string, len(held))
		for i, h := range held {
			names[i] = h.String()
		}
		f.State, f.Said = Held, "in use by "+strings.Join(names, ", ")
		return f
	}
	drivers = suited(drivers, path)
	speeds := speedsOf(drivers)
	p, err := serialport.Open(serialport.Config{Path: path, Baud: speeds[0], Clock: clock})
	if err != nil {
		f.State, f.Said = stateOf(err), plain(err.Error())
		return f
	}
	ear := listen(p)
	defer ear.close()
	heard := 0
	for i, baud := range speeds {
		if i > 0 {
			if err := p.SetBaud(baud); err != nil {
				break // of a port that has one speed only
			}
			ear.forget()
		}
		d, model := ear.recognise(ctx, atSpeed(drivers, baud))
		heard += len(ear.heard())
		if model != "" {
			f.State, f.Driver, f.Model, f.Baud = Known, d.Name, model, baud
			f.Said = d.About
			ear.say(d.Greeting.Bye)
			return f
		}
		// What a question may have started in a device that did not answer it.
		for _, d := range atSpeed(drivers, baud) {
			ear.say(d.Greeting.Bye)
		}
		if ctx.Err() != nil || ear.failure() != nil {
			break
		}
	}
	switch err := ear.failure(); {
	case err != nil:
		f.State, f.Said = stateOf(err), plain(err.Error())
	case heard > 0:
		f.State, f.Said = Unknown, fmt.Sprintf("it sends bytes (%d), but no driver understands them: another device, or one that must be named in lab.yaml", heard)
	default:
		f.State, f.Said = Silent, "no answer: switch the device on, or name it in lab.yaml if it speaks only when told to"
	}
	return f
}

// plain leaves out which of our packages says so.
func plain(trouble string) string {
	for _, of := range []string{"serialport: ", "network: "} {
		trouble = strings.TrimPrefix(trouble, of)
	}
	return trouble
}

func stateOf(err error) State {
	switch {
	case errors.Is(err, serialport.ErrPermission):
		return Forbidden
	case errors.Is(err, serialport.ErrBusy):
		return Held
	case errors.Is(err, serialport.ErrMissing), errors.Is(err, serialport.ErrUnplugged):
		return Gone
	}
	return Broken
}

// suited returns the drivers that can be recognised on a port of this kind.
func suited(drivers []device.Driver, path string) []device.Driver {
	bluetooth := strings.HasPrefix(filepath.Base(path), "rfcomm")
	return slices.DeleteFunc(slices.Clone(drivers), func(d device.Driver) bool {
		return !d.Greeting.Can() || d.Greeting.Bluetooth != bluetooth
	})
}

// speedsOf lists the drivers' speeds, that of the most drivers first: each change
// of speed costs seconds.
func speedsOf(drivers []device.Driver) []int {
	count := map[int]int{}
	var speeds []int
	for _, d := range drivers {
		if count[d.Greeting.Baud] == 0 {
			speeds = append(speeds, d.Greeting.Baud)
		}
		count[d.Greeting.Baud]++
	}
	if len(speeds) == 0 {
		return []int{serialport.DefaultBaud}
	}
	slices.SortStableFunc(speeds, func(a, b int) int { return count[b] - count[a] })
	return speeds
}

func atSpeed(drivers []device.Driver, baud int) []device.Driver {
	return slices.DeleteFunc(slices.Clone(drivers), func(d device.Driver) bool { return d.Greeting.Baud != baud })
}

// ear hears a port and keeps what it says.
type ear struct {
	port *serialport.Port
	done sync.WaitGroup
	more chan struct{} // something new was heard, or the port failed

	mu  sync.Mutex
	got []byte
	err error
}

func listen(p *serialport.Port) *ear {
	e := &ear{port: p, more: make(chan struct{}, 1)}
	e.done.Go(func() {
		b := make([]byte, 4096)
		for {
			n, _, err := p.Read(b)
			e.mu.Lock()
			e.got = append(e.got, b[:min(n, keep-len(e.got))]...)
			e.err = err
			e.mu.Unlock()
			select {
			case e.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	})
	return e
}

// close closes the port and waits for the listener.
func (e *ear) close() {
	_ = e.port.Close() // what was heard stands, however the port ends
	e.done.Wait()
}

func (e *ear) heard() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Clone(e.got)
}

func (e *ear) failure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = nil
}

// say writes b. A device that takes no bytes does not hold up the inspection:
// closing the port ends the write.
func (e *ear) say(b []byte) {
	if len(b) == 0 {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = e.port.Write(b) // a failure shows as a port that cannot be read either
	}()
	late := time.NewTimer(askFor)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		_ = e.port.Close()
		<-ended
	}
}

// recognise listens, then asks each driver's question, until one recognises the
// answer.
func (e *ear) recognise(ctx context.Context, drivers []device.Driver) (device.Driver, string) {
	if d, model := e.await(ctx, drivers, listenFor); model != "" {
		return d, model
	}
	// What speaks unasked is heard out.
	if longer := listenLonger(drivers); longer > 0 && len(e.heard()) > 0 {
		if d, model := e.await(ctx, drivers, longer); model != "" {
			return d, model
		}
	}
	for begun := time.Now(); time.Since(begun) < askFor; {
		asked := false
		for _, d := range drivers {
			g := d.Greeting
			if len(g.Ask) == 0 {
				continue
			}
			asked = true
			e.forget() // an answer to the question before must not count for this one
			for _, q := range g.Ask {
				e.say(q)
				if d, model := e.await(ctx, []device.Driver{d}, max(g.Pause, answerWithin/time.Duration(len(g.Ask)))); model != "" {
					return d, model
				}
			}
			if ctx.Err() != nil || e.failure() != nil {
				return device.Driver{}, ""
			}
		}
		if !asked {
			return device.Driver{}, ""
		}
	}
	return device.Driver{}, ""
}

// listenLonger is how long the slowest of the devices that speak unasked takes to be
// recognised.
func listenLonger(drivers []device.Driver) time.Duration {
	var t time.Duration
	for _, d := range drivers {
		if len(d.Greeting.Ask) == 0 {
			t = max(t, d.Greeting.Within)
		}
	}
	return min(t, askFor)
}

// answerWithin is how long a device may take to answer one question.
const answerWithin = 400 * time.Millisecond

// await waits until a driver recognises what was heard, at most for t.
func (e *ear) await(ctx context.Context, drivers []device.Driver, t time.Duration) (device.Driver, string) {
	late := time.NewTimer(t)
	defer late.Stop()
	for {
		heard := e.heard()
		for _, d := range drivers {
			if model, ok := d.Greeting.Recognise(heard); ok {
				return d, model
			}
		}
		select {
		case <-e.more:
			if e.failure() != nil {
				return device.Driver{}, ""
			}
		case <-late.C:
			return device.Driver{}, ""
		case <-ctx.Done():
			return device.Driver{}, ""
		}
	}
}
