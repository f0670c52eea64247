package emulator_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
)

// pixel is a file of which one byte is written through a mapping, as an X server
// does with its framebuffer.
type pixel struct {
	path   string
	offset int64
	mapped []byte
}

func newPixel(t *testing.T, size, offset int64) *pixel {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	mapped, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(mapped); err != nil {
			t.Error(err)
		}
	})
	return &pixel{f.Name(), offset, mapped}
}

// written is one change of the byte, which came between two instants.
type written struct {
	from, until instant.Instant
	bright      bool
}

func (p *pixel) set(clock instant.Clock, bright bool) written {
	w := written{from: clock.Now(), bright: bright}
	p.mapped[p.offset] = 0
	if bright {
		p.mapped[p.offset] = 255
	}
	w.until = clock.Now()
	return w
}

// crossing is one change of the light in the readings, halfway between two.
type crossing struct {
	at     instant.Instant
	bright bool
}

// crossings finds them in the readings of a board that runs.
func (b *board) crossings(all []wire.Light, middle uint16) []crossing {
	var found []crossing
	for i, l := range all {
		for k, r := range l.Raw {
			var before uint16
			switch {
			case k > 0:
				before = l.Raw[k-1]
			case i > 0 && l.Tick-all[i-1].Tick < wire.LightReadings*wire.LightTicks+100:
				before = all[i-1].Raw[wire.LightReadings-1]
			default:
				continue // what came just before was not sent
			}
			if bright := r > middle; bright != (before > middle) {
				at := b.at(float64(l.Tick) + (float64(k)-.5)*wire.LightTicks - wire.LightDelayTicks)
				found = append(found, crossing{at, bright})
			}
		}
	}
	return found
}

// What is written to the file is what the firmware sees, when it is written: also
// where there is little contrast, and the box finds the threshold.
func TestLightFromFile(t *testing.T) {
	t.Parallel()
	host, image := realFirmware(t)
	for name, c := range map[string]struct {
		darkMV, brightMV float64
		threshold        uint16
	}{
		"strong": {200, 4800, 1 << 15},
		"weak":   {1640, 1800, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The byte lies in the middle of a page somewhere in a file of many.
			screen := newPixel(t, 4<<20, 3<<20+1234)
			seen := &emulator.LightFrom{File: screen.path, Offset: screen.offset, DarkMV: c.darkMV, BrightMV: c.brightMV}
			b := start(t, host, image.ELF, emulator.Options{DriftPPM: -1500, World: still{light: 4000}, Noise: converterNoise, LightFrom: seen})
			flash(t, b, screen, seen, c.threshold)
		})
	}
}

// converterNoise is half a step of the converter.
const converterNoise = .5 * emulator.Supply / 1024

// flash lets the byte change at random and finds the changes in the readings.
func flash(t *testing.T, b *board, screen *pixel, seen *emulator.LightFrom, threshold uint16) {
	b.open()
	b.begun()
	var h heard
	b.command([]byte{0}, wire.AppendStop(nil), wire.AppendRate(nil, 100),
		wire.AppendLightSet(nil, wire.LightSetting{On: true, Threshold: threshold}), wire.AppendStart(nil))
	for len(h.light) == 0 {
		b.hear(&h)
	}
	if mv := float64(h.light[0].Raw[0]) * emulator.Supply / 65536; math.Abs(mv-seen.DarkMV) > 15 {
		t.Fatalf("the dark pixel gives %.1f mV, want %.0f", mv, seen.DarkMV)
	}
	middle := uint16((seen.DarkMV + seen.BrightMV) / 2 / emulator.Supply * 65536)

	// Each change stays until it was seen: who looks at the file may be held up for longer
	// than a change lasts.
	const flashes = 60
	var clock instant.Monotonic
	var all []written
	random := rand.New(rand.NewPCG(1, 2))
	var found []crossing
	for i := range flashes {
		<-time.After(time.Duration(30+random.IntN(30)) * time.Millisecond)
		w := screen.set(clock, i%2 == 0)
		all = append(all, w)
		for len(found) <= i {
			if waited := clock.Now().Sub(w.until); waited > patience {
				t.Fatalf("change %d is not in the readings after %v", i, waited)
			}
			b.hear(&h)
			found = b.crossings(h.light, middle)
		}
	}
	if len(found) != flashes {
		t.Fatalf("%d crossings, want %d", len(found), flashes)
	}
	var misses []time.Duration
	for i, w := range all {
		f := found[i]
		if f.bright != w.bright {
			t.Fatalf("crossing %d: bright %v, want %v", i, f.bright, w.bright)
		}
		// 0 where it lies between the two looks at the clock.
		misses = append(misses, max(w.from.Sub(f.at), f.at.Sub(w.until), 0))
	}
	slices.Sort(misses)
	s := b.Stats()
	p95 := misses[len(misses)*95/100]
	// Half a millisecond is from one reading to the next.
	const most = 2 * time.Millisecond
	if s.LightLate > flashes/20 {
		t.Logf("this machine was busy: %d of %d changes were seen late, so the %v are not asked for", s.LightLate, flashes, most)
	} else if p95 > most {
		t.Errorf("95 %% of the edges within %v, want %v", p95, most)
	}
	if s.Late > 0 || s.Starved > 0 || s.Lost > 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%d edges: half within %v, 95 %% within %v, all within %v of the writing; %d seen late, farthest behind %v",
		flashes, misses[flashes/2], p95, misses[flashes-1], s.LightLate, s.MaxLag)
}

// A screen that starts anew makes a new file of the same name.
func TestLightFromReplacedFile(t *testing.T) {
	t.Parallel()
	host, elf := tools(t)
	path := filepath.Join(t.TempDir(), "screen")
	put := func(value byte) {
		fresh := path + ".new"
		if err := os.WriteFile(fresh, []byte{0, value}, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(fresh, path); err != nil {
			t.Fatal(err)
		}
	}
	put(255)
	b := start(t, host, elf, emulator.Options{
		LightFrom: &emulator.LightFrom{File: path, Offset: 1, DarkMV: 1000, BrightMV: 4000}})
	b.open()
	b.settle()
	reading := func() float64 {
		b.write("1")
		p := b.read(3)
		return float64(int(p[1])|int(p[2])<<8) * emulator.Supply / 1024
	}
	if mv := reading(); mv < 3990 || mv > 4000 {
		t.Errorf("%.0f mV, want 4000", mv)
	}
	put(51) // a fifth
	b.await("the new file", func() bool { mv := reading(); return mv > 1590 && mv <= 1600 })
}

// A file that is of no use is refused before the board runs; one that becomes so
// ends it.
func TestLightFromBadFile(t *testing.T) {
	t.Parallel()
	host, elf := tools(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "screen")
	if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	options := func(file string, offset int64) emulator.Options {
		return emulator.Options{Host: host, ELF: elf, Link: filepath.Join(dir, "port"), World: still{}, Clock: instant.Monotonic{},
			LightFrom: &emulator.LightFrom{File: file, Offset: offset, BrightMV: 3000}}
	}
	for _, c := range []struct {
		file   string
		offset int64
		says   string
	}{
		{filepath.Join(dir, "absent"), 0, "No such file"},
		{path, 100, "ends before"},
		{path, -1, "ends before"},
		{dir, 0, "not a file"},
	} {
		e, err := emulator.Start(t.Context(), options(c.file, c.offset))
		if err == nil {
			t.Errorf("byte %d of %s is taken", c.offset, c.file)
			_ = e.Close()
		} else if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("byte %d of %s: %v, want %q", c.offset, c.file, err, c.says)
		}
	}

	e, err := emulator.Start(t.Context(), options(path, 99))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 50); err != nil {
		t.Fatal(err)
	}
	port, err := os.OpenFile(e.Path(), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if _, err := port.WriteString("1"); err != nil { // the probe converts when asked
		t.Fatal(err)
	}
	<-e.Ended()
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), "too short") {
		t.Errorf("%v, want that the file is too short", err)
	}
}
