package emulator

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// listen takes what the host program reports until it ends.
func (e *Emulator) listen(out io.Reader) {
	defer close(e.ended)
	lines := bufio.NewScanner(out)
	var err error
	for err == nil && lines.Scan() {
		err = e.report(lines.Text())
	}
	if err == nil {
		err = lines.Err()
	}
	if err != nil {
		_ = e.cmd.Process.Kill() // fails only when it has ended
	}
	_, _ = io.Copy(io.Discard, out) // so that Wait finds nothing unread
	if waited := e.cmd.Wait(); err == nil {
		err = waited
	}
	e.err = err
}

// report enters one line.
func (e *Emulator) report(line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	var err error
	switch kind {
	case "ready":
		err = e.begun(rest)
	case "clock":
		err = e.poweredOn(rest)
	case "stats":
		err = e.count(rest)
	case "plugged", "unplugged", "reset":
		select {
		case e.acks <- kind: // one command at a time waits for it
		default:
			err = errors.New("nobody asked for that")
		}
	default:
		err = errors.New("unknown report")
	}
	if err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	return nil
}

// begun reads the instant of cycle 0 and the length of a cycle.
func (e *Emulator) begun(s string) error {
	var epoch int64
	var nsPerCycle float64
	if _, err := fmt.Sscan(s, &epoch, &nsPerCycle); err != nil {
		return err
	}
	e.mu.Lock()
	e.epoch, e.nsPerCycle = instant.Instant(epoch), nsPerCycle
	e.mu.Unlock()
	close(e.ready)
	return nil
}

// poweredOn reads the cycle at which the firmware started its timer.
func (e *Emulator) poweredOn(s string) error {
	cycle, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.running = true
	e.clock = script.Clock{
		At0:       e.epoch.Add(time.Duration(float64(cycle) * e.nsPerCycle)),
		NsPerTick: e.nsPerCycle * cyclesPerTick,
		WrapBits:  tickBits,
	}
	c := e.clock
	e.mu.Unlock()
	if e.o.PoweredOn != nil {
		e.o.PoweredOn(c)
	}
	return nil
}

// count reads the counters.
func (e *Emulator) count(s string) error {
	values := map[string]uint64{}
	for f := range strings.FieldsSeq(s) {
		name, text, _ := strings.Cut(f, "=")
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return err
		}
		values[name] = n
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stats = Stats{
		Cycles: values["cycles"], Sent: values["sent"], Lost: values["lost"], Unheard: values["unheard"],
		Received: values["received"], Deaf: values["deaf"], Late: values["late"], Starved: values["starved"],
		Resets: values["resets"], MaxLag: time.Duration(values["max_lag_ns"]), LightLate: values["light_late"],
	}
	return nil
}

// tailSize is how much of the host program's complaints is kept for the error.
const tailSize = 2048

// tail keeps the end of what is written to it.
type tail struct {
	also io.Writer // gets everything; may be nil

	mu   sync.Mutex
	kept []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(0, len(t.kept)-tailSize):]
	if t.also != nil {
		_, _ = t.also.Write(p) // a log that cannot be written is no reason to stop
	}
	return len(p), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
