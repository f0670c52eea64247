package virtual

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Alarm rings after a time, as the timers of the devices that are played here do.
//
// All methods are for one goroutine. close must be called, once.
type Alarm struct {
	timer timer
	ring  chan struct{}
}

// timer is what makes an alarm ring.
type timer interface {
	// set has it ring once, in t > 0, and not for an earlier setting any more.
	set(t time.Duration)
	// close ends it and waits for its goroutine.
	close() error
}

// alarmMaker makes the alarms of one kind of line.
type alarmMaker func() (*Alarm, error)

func newRing() *Alarm { return &Alarm{ring: make(chan struct{}, 1)} }

// sound rings.
func (a *Alarm) sound() {
	select {
	case a.ring <- struct{}{}:
	default: // nobody heard the last one yet
	}
}

// C yields each ringing. One that was on its way when the alarm was set anew may
// still come: whoever hears it looks at the clock.
func (a *Alarm) C() <-chan struct{} { return a.ring }

// After sets the alarm to ring once, in t; at once when t is 0 or less.
func (a *Alarm) After(t time.Duration) { a.timer.set(max(1, t)) }

func (a *Alarm) close() error { return a.timer.close() }

// kernelTimer rings to some tens of microseconds. One of the time package would
// ring up to a millisecond late, because a process that has nothing else to do waits
// for those in whole milliseconds; the recording would show that as a delay of the
// sensors.
type kernelTimer struct {
	file *os.File      // a timerfd, read through the runtime's poller
	done chan struct{} // the reader has ended
}

// kernelAlarm makes an alarm for lines that go through the kernel.
func kernelAlarm() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("virtual: make a timer: %w", err)
	}
	a := newRing()
	k := &kernelTimer{file: os.NewFile(uintptr(fd), "timerfd"), done: make(chan struct{})}
	a.timer = k
	go k.read(a)
	return a, nil
}

func (k *kernelTimer) read(a *Alarm) {
	defer close(k.done)
	var expirations [8]byte
	for {
		if _, err := k.file.Read(expirations[:]); err != nil {
			return // closed
		}
		a.sound()
	}
}

// set fails only for times that are out of range, so a failure is a mistake in
// this package and panics.
func (k *kernelTimer) set(t time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(t.Nanoseconds())}
	conn, err := k.file.SyscallConn()
	if err == nil {
		var inner error
		if err = conn.Control(func(fd uintptr) { inner = unix.TimerfdSettime(int(fd), 0, &spec, nil) }); err == nil {
			err = inner
		}
	}
	if err != nil {
		panic(fmt.Sprintf("virtual: a timer cannot be set to %v: %v", t, err))
	}
}

func (k *kernelTimer) close() error {
	err := k.file.Close()
	<-k.done
	return err
}

// programTimer is one of the time package.
type programTimer struct{ *time.Timer }

// programAlarm makes an alarm for lines within this process.
func programAlarm() (*Alarm, error) {
	a := newRing()
	p := programTimer{time.AfterFunc(time.Hour, a.sound)}
	p.Stop()
	a.timer = p
	return a, nil
}

func (p programTimer) set(t time.Duration) { p.Reset(t) }

// close does not wait: what still runs rings, and ends.
func (p programTimer) close() error {
	p.Stop()
	return nil
}

// newAlarms makes n alarms, or none.
func newAlarms(n int, newOne alarmMaker) ([]*Alarm, error) {
	var made []*Alarm
	for range n {
		a, err := newOne()
		if err != nil {
			return nil, errors.Join(err, closeAlarms(made))
		}
		made = append(made, a)
	}
	return made, nil
}

func closeAlarms(alarms []*Alarm) error {
	var err error
	for _, a := range alarms {
		err = errors.Join(err, a.close())
	}
	return err
}
