package virtual

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Alarm rings after a time, as the timers of the devices that are played here
// do: to some tens of microseconds. A time.Timer would ring up to a millisecond
// late, because a process that has nothing else to do waits for its timers in
// whole milliseconds; the recording would show that as a delay of the sensors.
//
// All methods are for one goroutine. close must be called, once.
type Alarm struct {
	file *os.File // a timerfd, read through the runtime's poller
	ring chan struct{}
	done chan struct{} // the reader has ended
}

func newAlarm() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("virtual: make a timer: %w", err)
	}
	a := &Alarm{
		file: os.NewFile(uintptr(fd), "timerfd"),
		ring: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	go a.read()
	return a, nil
}

func (a *Alarm) read() {
	defer close(a.done)
	var expirations [8]byte
	for {
		if _, err := a.file.Read(expirations[:]); err != nil {
			return // closed
		}
		select {
		case a.ring <- struct{}{}:
		default: // nobody heard the last one yet
		}
	}
}

// C yields each ringing. One that was on its way when the alarm was set anew may
// still come: whoever hears it looks at the clock.
func (a *Alarm) C() <-chan struct{} { return a.ring }

// After sets the alarm to ring once, in t; at once when t is 0 or less.
func (a *Alarm) After(t time.Duration) { a.set(t, 0) }

// Every sets the alarm to ring again and again, from one period on.
func (a *Alarm) Every(period time.Duration) { a.set(period, period) }

// set fails only for times that are out of range, so a failure is a mistake in
// this package and panics.
func (a *Alarm) set(first, period time.Duration) {
	spec := unix.ItimerSpec{
		Value:    unix.NsecToTimespec(max(1, first.Nanoseconds())), // 0 would mean never
		Interval: unix.NsecToTimespec(period.Nanoseconds()),
	}
	conn, err := a.file.SyscallConn()
	if err == nil {
		var inner error
		if err = conn.Control(func(fd uintptr) { inner = unix.TimerfdSettime(int(fd), 0, &spec, nil) }); err == nil {
			err = inner
		}
	}
	if err != nil {
		panic(fmt.Sprintf("virtual: a timer cannot be set to %v, %v: %v", first, period, err))
	}
}

// close ends the alarm and waits for its goroutine.
func (a *Alarm) close() error {
	err := a.file.Close()
	<-a.done
	return err
}

// newAlarms makes n alarms, or none.
func newAlarms(n int) ([]*Alarm, error) {
	var made []*Alarm
	for range n {
		a, err := newAlarm()
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
