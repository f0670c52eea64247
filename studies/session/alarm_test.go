package session

import (
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
)

func TestAlarms(t *testing.T) {
	gaze := stream.Info{ID: "gaze", Kind: stream.Gaze, Rate: 60, Port: "/dev/ttyUSB1"}
	fine := Health{Info: gaze, Connected: true, Rate: 60, AgeMs: 20, UsableAgeMs: 20}
	with := func(change func(*Health)) Health {
		h := fine
		change(&h)
		return h
	}
	const room = 100 << 30
	for _, c := range []struct {
		name   string
		health Health
		free   int64
		want   string // id of the only alarm, "" = none
	}{
		{"all fine", fine, room, ""},
		{"pulled", with(func(h *Health) { h.Connected = false }), room, "gaze/disconnected"},
		{"silent", with(func(h *Health) { h.AgeMs = 3000; h.Rate = 0 }), room, "gaze/silent"},
		{"slow", with(func(h *Health) { h.Rate = 40 }), room, "gaze/slow"},
		{"eyes lost", with(func(h *Health) { h.UsableAgeMs = 4000 }), room, "gaze/useless"},
		{"a blink", with(func(h *Health) { h.UsableAgeMs = 300 }), room, ""},
		{"bad clock", with(func(h *Health) { h.Clock.BoundMs = 40 }), room, "gaze/clock"},
		{"mute since it was plugged in", with(func(h *Health) { h.AgeMs = 3000; h.UsableAgeMs = 3000; h.Rate = 0 }), room, "gaze/silent"},
		{"a camera against the light", seeingCamera(30, "Lamp behind the participant: turn it or close the blind"), room, "face/view"},
		{"a camera that sees nobody", seeingCamera(4000, "No face in the picture: ask the participant to sit back"), room, "face/view"},
		{"a camera that sees nobody, nor knows why", seeingCamera(4000, ""), room, "face/useless"},
		{"a screen between two clips", Health{Info: stream.Info{ID: "stimulus", Kind: stream.Stimulus}, Connected: true, AgeMs: 9000, UsableAgeMs: 9000}, room, ""},
		{"a photodiode in the dark", Health{Info: stream.Info{ID: "light", Kind: stream.Light, Clock: stream.PingedClock}, Connected: true, AgeMs: 60_000, UsableAgeMs: 60_000}, room, ""},
		{"triggers between two clips", Health{Info: stream.Info{ID: "codes", Kind: stream.Trigger, Clock: stream.HostClock}, Connected: true, AgeMs: 60_000, UsableAgeMs: 60_000}, room, ""},
		{"a trigger line that is gone", Health{Info: stream.Info{ID: "codes", Kind: stream.Trigger}}, room, "codes/disconnected"},
		{"frames that nobody counts", with(func(h *Health) { h.Info.Clock = stream.CountedClock; h.Clock.BoundMs = 43 }), room, ""},
		{"frames that come at any time", with(func(h *Health) { h.Info.Clock = stream.CountedClock; h.Clock.BoundMs = 90 }), room, "gaze/clock"},
		{"a display that nobody measured", Health{Info: stream.Info{ID: "stimulus", Kind: stream.Stimulus, Clock: stream.PingedClock}, Connected: true, Clock: align.Statement{BoundMs: 52}, UnseenMs: 50}, room, ""},
		{"a page that answers late", Health{Info: stream.Info{ID: "stimulus", Kind: stream.Stimulus, Clock: stream.PingedClock}, Connected: true, Clock: align.Statement{BoundMs: 90}, UnseenMs: 50}, room, "stimulus/clock"},
		{"a camera without stamps", Health{Info: stream.Info{ID: "face", Kind: stream.Face, Clock: stream.ArrivalClock}, Connected: true, Clock: align.Statement{BoundMs: 183}}, room, ""},
		{"disk low", fine, 2 << 30, "disk/low"},
		{"disk full", fine, 1 << 29, "disk/full"},
	} {
		got := alarms([]Health{c.health}, c.free, false, "")
		switch {
		case c.want == "" && len(got) != 0:
			t.Errorf("%s: alarms %+v", c.name, got)
		case c.want != "" && (len(got) != 1 || got[0].ID != c.want || got[0].Text == "" || got[0].Advice == ""):
			t.Errorf("%s: alarms %+v, want %s", c.name, got, c.want)
		}
	}
}

// What a clock cannot tell is said of the screen and of the camera, measured or not.
func TestLatencyInWords(t *testing.T) {
	screen := stream.Info{Kind: stream.Stimulus, Clock: stream.PingedClock, TickHz: 1e6}
	client, measured := screen, screen
	client.Simulated = true
	measured.Shift = &stream.Shift{By: 12_700 * time.Microsecond, Within: 3100 * time.Microsecond}
	camera := stream.Info{Kind: stream.Face, Clock: stream.ArrivalClock, TickHz: 1e9, Rate: 30}
	exposed := camera
	exposed.Shift = &stream.Shift{By: -45 * time.Millisecond, Within: 8 * time.Millisecond}
	for _, c := range []struct {
		name   string
		info   stream.Info
		words  string
		unseen float64 // ms
	}{
		{"a display", screen, "display not measured: ±50 ms; run emolab calibrate display", 50},
		{"a display that was measured", measured, "display measured: +12.7 ms, within ±3.1 ms", 0},
		{"the built-in client", client, "", 0},
		{"a camera without stamps", camera, "camera not measured: ±150 ms; run emolab calibrate camera", 150},
		{"a camera that was measured", exposed, "camera measured: -45.0 ms, within ±8.0 ms", 0},
		{"a camera with stamps", stream.Info{Kind: stream.Face, Clock: stream.HostClock, TickHz: 1e9, Rate: 30}, "", 0},
		{"a sensor", stream.Info{Kind: stream.EDA, Clock: stream.PingedClock, TickHz: 1e6}, "", 0},
	} {
		h := newMeter(c.info).read(0)
		if h.Latency != c.words || h.UnseenMs != c.unseen {
			t.Errorf("%s: %q, %g ms", c.name, h.Latency, h.UnseenMs)
		}
	}
}

// seeingCamera is the health of a camera that has not seen a face for so long.
func seeingCamera(usableAgeMs float64, advice string) Health {
	info := stream.Info{ID: "face", Kind: stream.Face, Rate: 30}
	return Health{Info: info, Connected: true, Rate: 30, AgeMs: 30, UsableAgeMs: usableAgeMs, Advice: advice}
}

func TestViewAlarm(t *testing.T) {
	for _, c := range []struct {
		health Health
		want   Alarm
	}{
		{seeingCamera(30, "Lamp behind the participant: turn it or close the blind"),
			Alarm{"face/view", Minor, "Lamp behind the participant", "Turn it or close the blind."}},
		{seeingCamera(9000, "Too dark to find a face: add light from the front"),
			Alarm{"face/view", Major, "Too dark to find a face", "Add light from the front."}},
	} {
		if got := alarms([]Health{c.health}, 100<<30, false, ""); !slices.Equal(got, []Alarm{c.want}) {
			t.Errorf("%q: %+v, want %+v", c.health.Advice, got, c.want)
		}
	}
}

// A camera's meter says what hinders it, and nothing once it is silent.
func TestMeterAdvice(t *testing.T) {
	m := newMeter(stream.Info{ID: "face", Kind: stream.Face, Rate: 25, Channels: []stream.Channel{{Name: "face_found"}}})
	now := instant.Instant(50e9)
	for range 75 {
		m.add(stream.Chunk{Samples: []stream.Sample{{Arrival: now, Values: []float64{1}}}})
		m.see([]facial.Measured{{At: now, Found: true, View: visibility.BackLit}})
		now = now.Add(40 * time.Millisecond)
	}
	if got := m.read(now).Advice; !strings.HasPrefix(got, "Lamp behind") {
		t.Errorf("against the light: %q", got)
	}
	if got := m.read(now.Add(2 * time.Second)).Advice; got != "" {
		t.Errorf("2 s after the last frame: %q", got)
	}
	m.add(stream.Chunk{Events: []stream.Event{{Kind: stream.Disconnected, At: now}}})
	if got := m.read(now).Advice; got != "" {
		t.Errorf("of a camera that is gone: %q", got)
	}
}

func TestMeterRate(t *testing.T) {
	m := newMeter(stream.Info{ID: "eda", Kind: stream.EDA, Rate: 100, Channels: []stream.Channel{{Name: "eda_us"}}})
	now := instant.Instant(50e9)
	for end := now.Add(5 * time.Second); now < end; now = now.Add(10 * time.Millisecond) {
		m.add(stream.Chunk{Samples: []stream.Sample{{Arrival: now, Values: []float64{4}}}})
	}
	if got := m.read(now).Rate; got < 99 || got > 101 {
		t.Errorf("100 Hz measured as %.1f", got)
	}
	if got := m.read(now.Add(3 * time.Second)); got.Rate != 0 || got.AgeMs < 2900 {
		t.Errorf("3 s of silence measured as %.1f Hz, age %.0f ms", got.Rate, got.AgeMs)
	}
}

// A sensor that has never delivered anything of use is in trouble as soon as one
// that has stopped: its electrodes were never attached.
func TestMeterCountsFromTheConnection(t *testing.T) {
	m := newMeter(stream.Info{ID: "eda", Kind: stream.EDA, Rate: 100, Channels: []stream.Channel{{Name: "eda_us"}}})
	begin := instant.Instant(50e9)
	if got := m.read(begin); got.AgeMs != -1 || got.UsableAgeMs != -1 {
		t.Errorf("before the device was there: %+v", got)
	}
	m.add(stream.Chunk{Events: []stream.Event{{Kind: stream.Connected, At: begin}}})
	if got := m.read(begin.Add(2 * time.Second)); got.AgeMs != 2000 || got.UsableAgeMs != 2000 {
		t.Errorf("2 s after it was plugged in, without a sample: %+v", got)
	}
	m.add(stream.Chunk{Samples: []stream.Sample{{Arrival: begin.Add(3 * time.Second), Values: []float64{0}}}})
	if got := m.read(begin.Add(4 * time.Second)); got.AgeMs != 1000 || got.UsableAgeMs != 4000 {
		t.Errorf("with samples of an open circuit: %+v", got)
	}
}
