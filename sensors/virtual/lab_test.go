package virtual_test

import (
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// lateness is how late a sample or an answer may come: the machine may be busy.
const lateness = 10 * time.Second

// lab is a virtual box and a virtual tracker, with both drivers recording them.
type lab struct {
	box, tracker *virtual.Link
	truth        *script.Truth
	eda, gaze    *serialtest.Recording
}

func openLab(t *testing.T, what virtual.Disturbance) *lab {
	t.Helper()
	clock := instant.Monotonic{}
	truth := script.NewTruth(script.New(7), clock.Now())
	plug := func(name string, device virtual.Device, seed uint64) *virtual.Link {
		link, err := virtual.NewLink(filepath.Join(t.TempDir(), name), device, what, seed, clock)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := link.Close(); err != nil {
				t.Error(err)
			}
		})
		return link
	}
	eda := emobox.Options{Place: device.Place{ID: "eda", Clock: clock, Simulated: true}}
	gaze := gazepoint.Options{Place: device.Place{ID: "gaze", Clock: clock, Simulated: true}}
	l := &lab{truth: truth}
	l.box = plug("ttyBOX", eda.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, DriftPPM: 2000, Seed: 1}), 3)
	l.tracker = plug("ttyEYE", gaze.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, DriftPPM: -1500, Seed: 2}), 4)
	eda.Port, gaze.Port = l.box.Path(), l.tracker.Path()
	l.eda, l.gaze = serialtest.Record(t, emobox.New(eda)), serialtest.Record(t, gazepoint.New(gaze))
	return l
}

// checkOrder demands what every consumer relies on: sequence numbers and epochs
// that never go back, ticks that rise within an epoch, and Lost events that
// account for every hole in the numbers.
func checkOrder(t *testing.T, r *serialtest.Recording, info stream.Info) {
	t.Helper()
	next, epoch, tick := int64(0), -1, int64(math.MinInt64)
	var holes int64
	for _, c := range r.Chunks() {
		if c.Stream != info.ID {
			t.Errorf("chunk of stream %q, want %q", c.Stream, info.ID)
		}
		if c.Epoch < epoch {
			t.Errorf("epoch %d after %d", c.Epoch, epoch)
		}
		if c.Epoch > epoch {
			epoch, tick = c.Epoch, math.MinInt64
		}
		for _, s := range c.Samples {
			if s.Seq < next || s.Tick <= tick {
				t.Fatalf("sample %d at tick %d, want number %d or later and a tick after %d", s.Seq, s.Tick, next, tick)
			}
			holes += s.Seq - next
			next, tick = s.Seq+1, s.Tick
			if len(s.Values) != len(info.Channels) {
				t.Fatalf("%d values for %d channels", len(s.Values), len(info.Channels))
			}
		}
	}
	if lost := r.Total(stream.Lost); lost != holes {
		t.Errorf("Lost events count %d, the numbers have holes of %d", lost, holes)
	}
}

func (l *lab) infos() (eda, gaze stream.Info) {
	return emobox.New(emobox.Options{Place: device.Place{ID: "eda"}}).Info()[0], gazepoint.New(gazepoint.Options{Place: device.Place{ID: "gaze"}}).Info()[0]
}

// checkEDA compares each sample with the script at the true instant of its tick.
func (l *lab) checkEDA(t *testing.T) {
	t.Helper()
	for _, s := range l.eda.Samples() {
		clock, ok := l.truth.Clock("eda", s.Arrival)
		if !ok {
			t.Fatal("no clock of the box in the truth")
		}
		at := clock.Near(s.Tick, s.Arrival)
		if late := s.Arrival.Sub(at); late < 0 || late > lateness {
			t.Fatalf("sample %d arrived %v after it was taken", s.Seq, late)
		}
		want := l.truth.Script().Conductance(l.truth.Elapsed(at))
		if math.Abs(s.Values[1]-want) > .03 {
			t.Fatalf("sample %d: %v µS, the script has %v", s.Seq, s.Values[1], want)
		}
	}
}

// checkGaze does the same for the tracker, and returns how many records were
// without gaze.
func (l *lab) checkGaze(t *testing.T) (invalid int) {
	t.Helper()
	for _, s := range l.gaze.Samples() {
		clock, _ := l.truth.Clock("gaze", s.Arrival)
		at := clock.At(s.Tick)
		if late := s.Arrival.Sub(at); late < 0 || late > lateness {
			t.Fatalf("record %d arrived %v after it was made", s.Seq, late)
		}
		elapsed := l.truth.Elapsed(at)
		if s.Values[2] == 0 {
			invalid++
			if !math.IsNaN(s.Values[0]) || !math.IsNaN(s.Values[3]) || l.truth.Script().Closure(elapsed) < .4 {
				t.Fatalf("record %d is not valid: %v, closure %v", s.Seq, s.Values, l.truth.Script().Closure(elapsed))
			}
			continue
		}
		x, y := l.truth.Script().Gaze(elapsed)
		mm := l.truth.Script().PupilMM(elapsed)
		// The tick is cut to a microsecond: at the edge of a saccade the eye moves
		// 1 % of the screen in that many.
		if math.Hypot(s.Values[0]-x, s.Values[1]-y) > .03 || math.Abs(s.Values[3]-mm) > .15 || math.Abs(s.Values[4]-mm) > .15 {
			t.Fatalf("record %d: %v, the script has %v %v, pupil %v", s.Seq, s.Values, x, y, mm)
		}
	}
	return invalid
}

func TestCleanLine(t *testing.T) {
	t.Parallel()
	l := openLab(t, virtual.Disturbance{})
	l.eda.AwaitSamples(250)
	l.gaze.AwaitSamples(150)
	l.awaitProbes(t, 8) // the burst
	l.eda.Stop()
	l.gaze.Stop()
	edaInfo, gazeInfo := l.infos()
	checkOrder(t, l.eda, edaInfo)
	checkOrder(t, l.gaze, gazeInfo)
	l.checkEDA(t)
	l.checkGaze(t)
	for name, r := range map[string]*serialtest.Recording{"eda": l.eda, "gaze": l.gaze} {
		if n := r.Total(stream.Lost) + r.Total(stream.Fault); n != 0 {
			t.Errorf("%s: %d losses and faults on a perfect line: %v", name, n, r.Events(stream.Fault))
		}
		if n := len(r.Events(stream.Connected)); n != 1 {
			t.Errorf("%s: connected %d times", name, n)
		}
	}
	l.checkProbes(t)
}

// awaitProbes waits for so many clock probes of the box.
func (l *lab) awaitProbes(t *testing.T, least int) {
	t.Helper()
	serialtest.Eventually(t, "enough clock probes", func() bool {
		n := 0
		for _, c := range l.eda.Chunks() {
			n += len(c.Probes)
		}
		return n >= least
	})
}

// checkProbes demands that the true offset of the box's clock lies within what
// each probe allows.
func (l *lab) checkProbes(t *testing.T) {
	t.Helper()
	for _, c := range l.eda.Chunks() {
		for _, p := range c.Probes {
			clock, _ := l.truth.Clock("eda", p.T3)
			clock.Tick0 -= wire.DelayTicks // the truth of a sample's tick is when the sample was taken
			rx, tx := clock.Near(p.Rx, p.T3), clock.Near(p.Tx, p.T3)
			const rounding = 2 * time.Microsecond // ticks are whole
			if rx.Add(rounding) < p.T0 || tx < rx || tx > p.T3 {
				t.Errorf("probe out of order: sent %d, received %d, answered %d, heard %d", p.T0, rx, tx, p.T3)
			}
			if rtt := p.RTT(clock.NsPerTick); rtt < 0 || rtt > lateness {
				t.Errorf("round trip %v", rtt)
			}
		}
	}
}

func TestDisturbedLine(t *testing.T) {
	t.Parallel()
	l := openLab(t, virtual.Disturbance{Batch: 16 * time.Millisecond, Jitter: 3 * time.Millisecond, LossPercent: 2, CorruptPercent: 3})
	l.eda.AwaitSamples(400)
	l.gaze.AwaitSamples(240)
	l.awaitProbes(t, 4) // the burst, less what the line may lose
	l.eda.Stop()
	l.gaze.Stop()
	edaInfo, gazeInfo := l.infos()
	checkOrder(t, l.eda, edaInfo)
	checkOrder(t, l.gaze, gazeInfo)
	l.checkEDA(t)
	l.checkProbes(t)
	for name, r := range map[string]*serialtest.Recording{"eda": l.eda, "gaze": l.gaze} {
		lost, all := r.Total(stream.Lost), int64(len(r.Samples()))
		if share := float64(lost) / float64(lost+all); share < .005 || share > .12 {
			t.Errorf("%s: %d of %d lost on a line that loses 2 %% and damages 3 %%", name, lost, lost+all)
		}
		if r.Total(stream.Fault) == 0 {
			t.Errorf("%s: no fault counted on a line that damages 3 %%", name)
		}
		if n := len(r.Events(stream.Connected)); n != 1 {
			t.Errorf("%s: connected %d times: %v", name, n, r.Events(stream.Disconnected))
		}
	}
	// A damaged digit of a coordinate cannot be known: no checksum. Most must be
	// right, and all numbers and times.
	wrong := 0
	for _, s := range l.gaze.Samples() {
		clock, _ := l.truth.Clock("gaze", s.Arrival)
		at := clock.At(s.Tick)
		if late := s.Arrival.Sub(at); late < -200*time.Millisecond || late > lateness {
			t.Errorf("record %d arrived %v after it was made", s.Seq, late)
		}
		x, y := l.truth.Script().Gaze(l.truth.Elapsed(at))
		if s.Values[2] == 1 && math.Hypot(s.Values[0]-x, s.Values[1]-y) > .03 {
			wrong++
		}
	}
	if all := len(l.gaze.Samples()); wrong > all/20 {
		t.Errorf("%d of %d points of gaze are wrong", wrong, all)
	}
}

func TestUnplugAndReplug(t *testing.T) {
	t.Parallel()
	l := openLab(t, virtual.FTDI(2))
	l.eda.AwaitSamples(100)
	l.gaze.AwaitSamples(60)
	for _, link := range []*virtual.Link{l.box, l.tracker} {
		if err := link.Unplug(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []*serialtest.Recording{l.eda, l.gaze} {
		r.AwaitEvents(stream.Disconnected, 1)
	}
	for _, link := range []*virtual.Link{l.box, l.tracker} {
		if err := link.Plug(); err != nil {
			t.Fatal(err)
		}
	}
	edaInfo, gazeInfo := l.infos()
	for _, c := range []struct {
		r    *serialtest.Recording
		info stream.Info
	}{{l.eda, edaInfo}, {l.gaze, gazeInfo}} {
		c.r.AwaitEvents(stream.Connected, 2)
		before := len(c.r.Samples())
		c.r.AwaitSamples(before + 100)
		c.r.Stop()
		checkOrder(t, c.r, c.info)
		var epochs []int
		var kinds []stream.EventKind
		for _, chunk := range c.r.Chunks() {
			epochs = append(epochs, chunk.Epoch)
			for _, e := range chunk.Events {
				if e.Kind == stream.Connected || e.Kind == stream.Disconnected {
					kinds = append(kinds, e.Kind)
				}
			}
		}
		slices.Sort(epochs)
		if got := slices.Compact(epochs); !slices.Equal(got, []int{0, 1}) {
			t.Errorf("%s: epochs %v, want 0 and 1", c.info.ID, got)
		}
		// Between the two the port is missing, which is another reason to be
		// disconnected and may be reported as well.
		kinds = slices.Compact(kinds)
		if want := []stream.EventKind{stream.Connected, stream.Disconnected, stream.Connected}; !slices.Equal(kinds, want) {
			t.Errorf("%s: %v, want %v", c.info.ID, kinds, want)
		}
	}
	l.checkEDA(t)
	l.checkGaze(t)
}
