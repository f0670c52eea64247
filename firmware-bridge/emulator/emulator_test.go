package emulator_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/fusion/instant"
)

// The program that these tests run is testdata/probe.c; firmware_test.go runs the
// real firmware, and cmd/emolab records it with the real driver.

// tools builds the host program and the probe, or skips where a tool is missing.
func tools(t *testing.T) (host, elf string) {
	t.Helper()
	dir := t.TempDir()
	host, err := emulator.BuildHost(t.Context(), "host", dir)
	if errors.Is(err, emulator.ErrNoSimavr) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("avr-gcc"); err != nil {
		t.Skip("avr-gcc is missing: apt install gcc-avr avr-libc")
	}
	elf = filepath.Join(dir, "probe.elf")
	gcc := exec.CommandContext(t.Context(), "avr-gcc", "-std=c11", "-Os", "-Wall", "-Wextra", "-Werror",
		"-mmcu=atmega328p", "-o", elf, filepath.Join("testdata", "probe.c"))
	if out, err := gcc.CombinedOutput(); err != nil {
		t.Fatalf("avr-gcc: %v\n%s", err, out)
	}
	return host, elf
}

func TestEmulator(t *testing.T) {
	host, elf := tools(t)
	for name, test := range map[string]func(*testing.T, string, string){
		"clock": clock, "batches": batches, "voltages": voltages, "trigger": trigger, "watchdog": watchdog,
		"cable": cable, "reset on open": resetOnOpen, "unread": unread, "unheard": unheard, "end of the context": endOfContext,
		"no firmware": noFirmware, "idle": idle, "occupied": occupied,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, host, elf)
		})
	}
}

// Whatever the drift, the truth that is told lies between question and answer:
// nothing comes before its cause, however late the simulation runs.
func clock(t *testing.T, host, elf string) {
	for _, ppm := range []float64{0, 5000, -5000} {
		b := start(t, host, elf, emulator.Options{DriftPPM: ppm})
		b.open()
		b.settle()
		var trips []time.Duration
		for range 100 {
			t0, us, t3 := b.tick()
			if at := b.at(us); at < t0 || at > t3 {
				t.Errorf("%v ppm: asked at %d, answered at %d, but the truth is %d", ppm, t0, t3, at)
			}
			trips = append(trips, t3.Sub(t0))
		}
		slices.Sort(trips)
		c, _ := b.Clock()
		if want := 1000 / (1 + ppm*1e-6); math.Abs(c.NsPerTick-want) > 1e-9 || c.WrapBits != 32 {
			t.Errorf("%v ppm: %+v, want %v ns per tick", ppm, c, want)
		}
		t.Logf("%v ppm: round trip median %v, longest %v; farthest behind %v", ppm, trips[50], trips[99], b.Stats().MaxLag)
	}
}

// With the adapter's latency timer an answer waits 8 ms on average.
func batches(t *testing.T, host, elf string) {
	b := start(t, host, elf, emulator.Options{Batch: 16 * time.Millisecond})
	b.open()
	b.settle()
	var sum time.Duration
	const n = 40
	for i := range n {
		// Out of step with the timer.
		<-time.After(time.Duration(i*3%16) * time.Millisecond)
		t0, us, t3 := b.tick()
		if at := b.at(us); at < t0 || at > t3 {
			t.Errorf("asked at %d, answered at %d, but the truth is %d", t0, t3, at)
		}
		sum += t3.Sub(t0)
	}
	if mean := sum / n; mean < 5*time.Millisecond {
		t.Errorf("round trips of %v on average, want some 9 ms", mean)
	} else {
		t.Logf("round trips of %v on average", mean)
	}
	// More than a packet does not wait for the timer.
	b.write(string(bytes.Repeat([]byte{'x'}, 50)))
	b.expect(strings.Repeat("x", 50))
}

// The mean of many conversions is finer than one, and right: a converter that
// rounds down is half a step low.
func voltages(t *testing.T, host, elf string) {
	const step = emulator.Supply / 1024.
	w := still{skin: 1234.56, light: 3210.98}
	b := start(t, host, elf, emulator.Options{World: w, Noise: step, Seed: 7})
	b.open()
	b.settle()
	for channel, want := range map[string]float64{"0": w.skin, "1": w.light} {
		const n = 400
		sum, least, most := 0., 1023, 0
		for range n {
			b.write(channel)
			p := b.read(3)
			count := int(binary.LittleEndian.Uint16(p[1:]))
			if p[0] != 'A' || count > 1023 {
				t.Fatalf("read %q", p)
			}
			sum += float64(count)
			least, most = min(least, count), max(most, count)
		}
		// The mean of n has a standard deviation of about 1.04 steps / sqrt(n) = .05.
		if mean := (sum/n + .5) * step; math.Abs(mean-want) > .25*step {
			t.Errorf("channel %s: %.2f mV, want %.2f", channel, mean, want)
		}
		if most-least < 3 || most-least > 10 {
			t.Errorf("channel %s: counts %d to %d: that is not the noise of one step", channel, least, most)
		}
	}
	if s := b.Stats(); s.Starved > 0 {
		t.Errorf("%d conversions of an unknown world", s.Starved)
	}
}

// Edges come at their instants, to the half microsecond of the timer.
func trigger(t *testing.T, host, elf string) {
	var w belated
	b := start(t, host, elf, emulator.Options{World: &w, DriftPPM: 3000})
	b.open()
	b.settle()
	var jumps []instant.Instant
	first := instant.Monotonic{}.Now().Add(6 * time.Second) // the next 3 s are handed over already
	for i := range 20 {
		jumps = append(jumps, first.Add(time.Duration(i)*31_234_567))
	}
	w.set(still{jumps: jumps})
	for i, want := range jumps {
		p := b.read(6)
		if p[0] != 'E' || int(p[5]) != (i+1)%2 {
			t.Fatalf("edge %d: read %q", i, p)
		}
		at := b.at(float64(binary.LittleEndian.Uint32(p[1:])) / 2)
		if miss := at.Sub(want); miss.Abs() > time.Microsecond {
			t.Errorf("edge %d: %v beside its instant", i, miss)
		}
	}
}

// A firmware that hangs is reset, and its clock begins anew.
func watchdog(t *testing.T, host, elf string) {
	b := start(t, host, elf, emulator.Options{})
	b.open()
	b.settle()
	before, _ := b.Clock()
	b.write("w")
	b.expect("R\x08")
	b.begins++
	b.begun()
	b.await("reset by the watchdog", func() bool { return b.Stats().Resets == 1 })
	after, _ := b.Clock()
	if d := after.At0.Sub(before.At0); d < 250*time.Millisecond {
		t.Errorf("reset after %v, before the watchdog's 250 ms have passed", d)
	}
	t0, us, t3 := b.tick()
	if at := b.at(us); at < t0 || at > t3 {
		t.Errorf("asked at %d, answered at %d, but the truth is %d", t0, t3, at)
	}
	if err := b.Reset(); err != nil {
		t.Fatal(err)
	}
	b.expect("R\x02")
	b.begins++
	b.begun()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.clocks) != 3 {
		t.Errorf("%d clocks were told, want those of power-up, watchdog and button", len(b.clocks))
	}
}

// A pulled cable ends reading and takes the path away; the board that comes back
// starts anew.
func cable(t *testing.T, host, elf string) {
	b := start(t, host, elf, emulator.Options{})
	b.open()
	b.settle()
	for i := range 20 {
		if err := errors.Join(b.Unplug(), b.Unplug()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(b.Path()); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("time %d: the path is still there: %v", i, err)
		}
		if _, err := b.port.Read(make([]byte, 100)); err == nil {
			t.Fatalf("time %d: reading does not fail", i)
		}
		if err := errors.Join(b.Plug(), b.Plug()); err != nil {
			t.Fatal(err)
		}
		b.begins++
		b.open()
		b.settle()
	}
	if s := b.Stats(); s.Resets != 0 {
		t.Errorf("%d resets by the watchdog", s.Resets)
	}
}

// Boards with DTR wired to reset start anew when the port is opened, and are deaf
// while their boot loader runs.
func resetOnOpen(t *testing.T, host, elf string) {
	const boot = 300 * time.Millisecond
	b := start(t, host, elf, emulator.Options{ResetOnOpen: true, Boot: boot})
	for range 2 {
		opened := time.Now()
		b.open()
		b.write("xyz")
		b.expect("R\x02")
		passed := time.Since(opened)
		b.settle()
		if err := b.port.Close(); err != nil {
			t.Fatal(err)
		}
		// The port must be seen closed before it is opened again.
		b.await("a report", func() bool { return b.Stats().Deaf >= 1 })
		c := b.Stats().Cycles
		b.await("a second report", func() bool { return b.Stats().Cycles > c })
		// A simulation that is late makes up for it in the boot loader's time.
		if least := boot - b.Stats().MaxLag; passed < least {
			t.Errorf("the firmware began %v after opening, want %v or more", passed, least)
		}
	}
}

// What nobody reads is lost and counted, and the board goes on. The kernel keeps
// 64 KiB first.
func unread(t *testing.T, host, elf string) {
	if testing.Short() {
		t.Skip("the board needs 8 s to say that much")
	}
	b := start(t, host, elf, emulator.Options{})
	b.open()
	b.settle()
	b.await("loss", func() bool {
		b.write(strings.Repeat("n", 40)) // answered by 200 bytes, in the 20 ms that await waits
		return b.Stats().Lost > 0
	})
	// What it says at power-up may come before the port is open.
	if s := b.Stats(); s.Sent < 4096 || s.Unheard > 2 {
		t.Errorf("%+v: the port was open, and the kernel keeps some", s)
	}
}

// What the board says while nobody has the port open is nobody's loss.
func unheard(t *testing.T, host, elf string) {
	var monotonic instant.Monotonic
	first := monotonic.Now().Add(5 * time.Second) // the board runs by then
	b := start(t, host, elf, emulator.Options{World: still{jumps: []instant.Instant{first, first.Add(time.Millisecond)}}})
	b.await("a reset and two edges", func() bool { return b.Stats().Unheard == 2+2*6 })
	b.open()
	b.settle()
	b.await("an answer", func() bool { return b.Stats().Sent == 1 })
}

func endOfContext(t *testing.T, host, elf string) {
	ctx, cancel := context.WithCancel(t.Context())
	link := filepath.Join(t.TempDir(), "port")
	e, err := emulator.Start(ctx, emulator.Options{Host: host, ELF: elf, Link: link, World: still{}, Clock: instant.Monotonic{}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-e.Ended()
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is left behind: %v", err)
	}
	if err := e.Plug(); err == nil {
		t.Error("a board that has ended can be plugged in")
	}
	if err := e.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("close says %v, want that its context ended", err)
	}
}

func noFirmware(t *testing.T, host, elf string) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.elf")
	if err := os.WriteFile(bad, []byte("no ELF file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, filepath.Join(dir, "absent.elf")} {
		_, err := emulator.Start(t.Context(), emulator.Options{
			Host: host, ELF: path, Link: filepath.Join(dir, "port"), World: still{}, Clock: instant.Monotonic{}})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error that names it", path, err)
		}
	}
}

// A file that stands where the port is to be is left alone.
func occupied(t *testing.T, host, elf string) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := emulator.Start(t.Context(), emulator.Options{Host: host, ELF: elf, Link: path, World: still{}, Clock: instant.Monotonic{}})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an error that names %s", err, path)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

// A board whose port nobody opens keeps its time and its world flows past.
func idle(t *testing.T, host, elf string) {
	var monotonic instant.Monotonic
	b := start(t, host, elf, emulator.Options{})
	if err := b.Unplug(); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.begins = len(b.clocks) + 1 // it may have been pulled before the firmware began
	b.mu.Unlock()
	c := b.Stats().Cycles
	b.await("three seconds", func() bool { return b.Stats().Cycles > c+3*16_000_000 })
	if err := b.Plug(); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.settle()
	t0, us, t3 := b.tick()
	if at := b.at(us); at < t0 || at > t3 {
		t.Errorf("asked at %d, answered at %d, but the truth is %d", t0, t3, at)
	}
	if s := b.Stats(); s.Late > 0 {
		t.Errorf("at %d: %d points came late", monotonic.Now(), s.Late)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if path, err := emulator.Find(); !errors.Is(err, emulator.ErrNoHost) {
		t.Errorf("found %q, %v in an empty folder", path, err)
	}
	want := filepath.Join(dir, emulator.HostName)
	if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if path, err := emulator.Find(); err != nil || path != want {
		t.Errorf("found %q, %v, want %q", path, err, want)
	}
}

func TestBuildHostNamesWhatIsMissing(t *testing.T) {
	if _, err := emulator.BuildHost(t.Context(), t.TempDir(), t.TempDir()); err == nil {
		t.Error("an empty folder was compiled")
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := emulator.BuildHost(t.Context(), "host", t.TempDir()); !errors.Is(err, emulator.ErrNoSimavr) {
		t.Errorf("without a compiler: %v", err)
	}
}
