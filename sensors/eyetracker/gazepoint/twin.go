package gazepoint

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"emolab/sensors/virtual"
)

const (
	// gazeNoise is one standard deviation of the point of gaze, in screens: about
	// 0.15° on a 24-inch screen at 65 cm.
	gazeNoise = 0.003
	// pupilNoise is one standard deviation of the pupil's diameter, mm.
	pupilNoise = 0.02
	// skinNoise is one standard deviation of the skin conductance, µS.
	skinNoise = 0.003
	// shut is the closure from which the tracker loses the eye.
	shut = 0.5

	// trackerStart is the tracker's TIME at power-on: it was started a while ago.
	trackerStart = 1234567890 * time.Microsecond
)

// twin is the virtual tracker. It prints TIME with six decimals, the microsecond
// that its clock counts.
type twin struct {
	o       virtual.TwinOptions
	streams []string
	model   string
	rate    int // records per second
}

// Twin makes a virtual tracker that plays the gaze, pupils and blinks of a truth,
// and its skin conductance with a biometrics kit.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	set := o.withDefaults()
	return &twin{o: t, streams: set.streams(), model: set.Model, rate: set.nominal()}
}

// Run is one life of the tracker.
func (e *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	t := &tracking{twin: e, send: send, enabled: map[string]bool{}, random: rand.New(rand.NewPCG(e.o.Seed, 2))}
	t.calibrator = newCalibrator(t)
	t.startClock(trackerStart.Microseconds())
	for {
		now := e.o.Clock.Now()
		due.After(min(t.sampler.Until(now), t.calibrator.until(now)))
		select {
		case got := <-in:
			t.receive(got.Bytes)
		case <-due.C():
			for t.sampler.Until(e.o.Clock.Now()) == 0 {
				t.record()
			}
			for t.calibrator.until(e.o.Clock.Now()) == 0 {
				t.calibrator.step()
			}
		case <-ctx.Done():
			return
		}
	}
}

// tracking is one life of the tracker.
type tracking struct {
	*twin
	send       func([]byte)
	random     *rand.Rand
	scanner    Scanner
	enabled    map[string]bool
	sampler    virtual.Sampler
	count      int64 // CNT of the next record
	calibrator *calibrator
}

// startClock begins TIME anew, as at power-on and after a calibration.
func (t *tracking) startClock(tick int64) {
	now := t.o.Clock.Now()
	clock := virtual.SwitchOn(t.o, now, virtual.Power{Tick0: tick, TickHz: tickHz}, t.streams...)
	t.sampler = virtual.NewSampler(clock, now, tickHz, float64(t.rate))
}

// receive answers the host's commands.
func (t *tracking) receive(p []byte) {
	for len(p) > 0 {
		m, rest, ok := t.scanner.Next(p)
		p = rest
		if !ok {
			return
		}
		id := string(m.Value("ID"))
		values, ok := t.obey(string(m.Tag), id, m)
		if !ok {
			t.send(fmt.Appendf(nil, "<NACK ID=\"%s\" />\r\n", id))
			continue
		}
		t.send(fmt.Appendf(nil, "<ACK ID=\"%s\"%s />\r\n", id, values))
	}
}

// obey does a command and returns the values of the answer.
func (t *tracking) obey(tag, id string, m Message) (values string, ok bool) {
	state := string(m.Value("STATE"))
	switch {
	case tag == "SET" && t.knows(id) && (state == "0" || state == "1"):
		t.enabled[id] = state == "1"
		return fmt.Sprintf(" STATE=\"%s\"", state), true
	case tag == "GET" && id == productID:
		return fmt.Sprintf(" VALUE=\"%s\" BUS=\"USB3\" RATE=\"%d\"", t.model, t.rate), true
	}
	return t.calibrator.obey(tag, id, m)
}

// knows tells whether the tracker has the switch.
func (t *tracking) knows(id string) bool {
	switch id {
	case enableData, "ENABLE_SEND_COUNTER", "ENABLE_SEND_TIME", "ENABLE_SEND_POG_BEST", "ENABLE_SEND_PUPILMM":
		return true
	case "ENABLE_SEND_GSR":
		return len(t.streams) > 1
	}
	return false
}

// record makes the record of the camera picture that is due.
func (t *tracking) record() {
	_, tick, at := t.sampler.Next()
	t.sampler.Done()
	number := t.count
	t.count++
	elapsed := t.o.Truth.Elapsed(at)
	valid := 1
	if t.o.Truth.Script().Closure(elapsed) > shut {
		valid = 0
	}
	x, y := t.calibrator.see(at, valid == 1)
	if !t.enabled[enableData] {
		return
	}
	b := []byte("<REC")
	if t.enabled["ENABLE_SEND_COUNTER"] {
		b = fmt.Appendf(b, " CNT=\"%d\"", number)
	}
	if t.enabled["ENABLE_SEND_TIME"] {
		b = fmt.Appendf(b, " TIME=\"%d.%06d\"", tick/1e6, tick%1e6)
	}
	if t.enabled["ENABLE_SEND_POG_BEST"] {
		b = fmt.Appendf(b, " BPOGX=\"%.5f\" BPOGY=\"%.5f\" BPOGV=\"%d\"", x, y, valid)
	}
	if t.enabled["ENABLE_SEND_PUPILMM"] {
		mm := t.o.Truth.Script().PupilMM(elapsed)
		b = fmt.Appendf(b, " LPMM=\"%.5f\" LPMMV=\"%d\" RPMM=\"%.5f\" RPMMV=\"%d\"", mm+t.noise(pupilNoise), valid, mm+t.noise(pupilNoise), valid)
	}
	if t.enabled["ENABLE_SEND_GSR"] {
		us := t.o.Truth.Conductance(at) + t.noise(skinNoise)
		b = fmt.Appendf(b, " GSR=\"%.0f\" GSRV=\"1\"", math.Round(microPerUnit/us))
	}
	t.send(append(b, " />\r\n"...))
}

func (t *tracking) noise(deviation float64) float64 { return deviation * t.random.NormFloat64() }

// seconds reads a setting of the host, which has to be at least so long.
func seconds(m Message, least time.Duration) (time.Duration, bool) {
	s, err := strconv.ParseFloat(string(m.Value("VALUE")), 64)
	if err != nil || s > 60 {
		return 0, false
	}
	d := time.Duration(s * float64(time.Second))
	return d, d >= least
}
