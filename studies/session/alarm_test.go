package session

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
	"emolab/studies/alarm"
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
		{"a radio link that loses", with(func(h *Health) { h.lostShare = .06 }), room, "gaze/gaps"},
		{"a camera that loses half", with(func(h *Health) { h.Info.Kind, h.Rate, h.lostShare = stream.Face, 14, .49 }), room, "gaze/gaps"},
		{"a radio link that loses one", with(func(h *Health) { h.lostShare = .01 }), room, ""},
		{"beside the screen, and nothing is recorded", with(func(h *Health) { h.outsideMs = 20_000 }), room, ""},
		{"electrodes that float", Health{Info: stream.Info{ID: "eda", Kind: stream.EDA}, Connected: true, outsideMs: 4000}, room, "eda/range"},
		{"electrodes that were touched", Health{Info: stream.Info{ID: "eda", Kind: stream.EDA}, Connected: true, outsideMs: 900}, room, ""},
		{"disk low", fine, 2 << 30, "disk/low"},
		{"disk full", fine, 1 << 29, "disk/full"},
	} {
		got := situation{streams: []Health{c.health}, diskFree: c.free, diskHours: 100}.conditions()
		switch {
		case c.want == "" && len(got) != 0:
			t.Errorf("%s: alarms %+v", c.name, got)
		case c.want != "" && (len(got) != 1 || got[0].ID != c.want || got[0].Text == "" || got[0].Advice == ""):
			t.Errorf("%s: alarms %+v, want %s", c.name, got, c.want)
		}
	}
}

// Several streams that are slow at once are one trouble of the computer, and one alone is
// that stream's.
func TestATooBusyComputer(t *testing.T) {
	stream := func(id string, kind stream.Kind, hz, lost float64) Health {
		return Health{Info: stream.Info{ID: id, Kind: kind, Rate: 60, Simulated: true}, Connected: true, Rate: hz, AgeMs: 20, UsableAgeMs: 20, lostShare: lost}
	}
	const behind = behindAbove + 1
	for name, c := range map[string]struct {
		streams []Health
		behind  int
		want    []string
	}{
		"one is slow":            {[]Health{stream("gaze", "gaze", 40, 0), stream("eda", "eda", 60, 0)}, 0, []string{"gaze/slow minor"}},
		"one is slow, and loses": {[]Health{stream("gaze", "gaze", 40, .2), stream("eda", "eda", 60, 0)}, 0, []string{"gaze/gaps minor"}},
		"two are slow":           {[]Health{stream("gaze", "gaze", 40, 0), stream("eda", "eda", 40, .2)}, 0, []string{"computer/busy minor"}},
		"one is slow, one loses": {[]Health{stream("gaze", "gaze", 40, 0), stream("eda", "eda", 60, .2)}, 0, []string{"computer/busy minor"}},
		"and the disk is behind": {[]Health{stream("gaze", "gaze", 40, 0), stream("eda", "eda", 40, 0)}, behind, []string{"computer/busy major", "recorder/behind major"}},
	} {
		var got []string
		for _, a := range (situation{streams: c.streams, diskFree: 100 << 30, diskHours: 100, behind: c.behind}).conditions() {
			got = append(got, a.ID+" "+string(a.Severity))
			if strings.Contains(a.Advice, "hub") || strings.Contains(a.Advice, "wireless") {
				t.Errorf("%s: of a simulated device: %q", name, a.Advice)
			}
			if a.ID == "computer/busy" && a.Text != "This computer is too busy: eye tracker and skin-conductance sensor are slow" {
				t.Errorf("%s: %q", name, a.Text)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A device that delivers nothing is to be looked for among the streams.
func TestWhereAnAlarmIsSeen(t *testing.T) {
	for kind, panel := range map[stream.Kind]string{stream.Gaze: panelStreams, stream.Face: panelStreams, stream.Stimulus: panelStage} {
		gone := Health{Info: stream.Info{ID: "x", Kind: kind}}
		if got := (situation{streams: []Health{gone}, diskFree: 100 << 30, diskHours: 100}).conditions(); len(got) != 1 || got[0].Panel != panel {
			t.Errorf("%s: %+v", kind, got)
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
		want   alarm.Condition
	}{
		{seeingCamera(30, "Lamp behind the participant: turn it or close the blind"),
			alarm.Condition{ID: "face/view", Severity: Minor, Text: "Lamp behind the participant", Advice: "Turn it or close the blind.", Panel: "picture", Delay: minorDelay}},
		{seeingCamera(9000, "Too dark to find a face: add light from the front"),
			alarm.Condition{ID: "face/view", Severity: Major, Text: "Too dark to find a face", Advice: "Add light from the front.", Panel: "picture"}},
	} {
		if got := (situation{streams: []Health{c.health}, diskFree: 100 << 30, diskHours: 100}).conditions(); !slices.Equal(got, []alarm.Condition{c.want}) {
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

// What was lost counts for ten seconds, whatever came in between.
func TestMeterLosses(t *testing.T) {
	m := newMeter(stream.Info{ID: "eda", Kind: stream.EDA, Rate: 100, Channels: []stream.Channel{{Name: "eda_us"}}})
	now := instant.Instant(50e9)
	for k := range 2000 {
		c := stream.Chunk{Samples: []stream.Sample{{Arrival: now, Values: []float64{4}}}}
		if k%100 == 99 {
			c.Events = []stream.Event{{Kind: stream.Lost, At: now, Count: 25}}
		}
		m.add(c)
		now = now.Add(10 * time.Millisecond)
	}
	if got := m.read(now).lostShare; got < .18 || got > .22 {
		t.Errorf("25 of 125 lost: %.3f", got)
	}
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		m.add(stream.Chunk{Samples: []stream.Sample{{Arrival: now, Values: []float64{4}}}})
	}
	if got := m.read(now).lostShare; got > .03 {
		t.Errorf("10 s later: %.3f", got)
	}
}

func TestMeterOutside(t *testing.T) {
	clock := &napper{}
	lab, err := NewLab(clock, &pulse{clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	lab.Contact(.5, 60)
	skin := lab.meters["eda"]
	eyes := newMeter(stream.Info{ID: "gaze", Kind: stream.Gaze, Channels: []stream.Channel{{Name: "gaze_x"}, {Name: "gaze_y"}, {Name: "gaze_valid"}}})
	for _, c := range []struct {
		name    string
		m       *meter
		values  []float64
		outside float64 // ms
	}{
		{"a good contact", skin, []float64{0, 4}, 0},
		{"beyond what skin has", skin, []float64{0, 80}, 1000},
		{"hardly any contact", skin, []float64{0, .1}, 2000},
		{"no contact, which is said otherwise", skin, []float64{0, 0}, 0},
		{"on the screen", eyes, []float64{.5, .5, 1}, 0},
		{"at its edge", eyes, []float64{-.05, .5, 1}, 0},
		{"beside it", eyes, []float64{.5, 1.4, 1}, 1000},
		{"shut", eyes, []float64{math.NaN(), math.NaN(), 0}, 0},
	} {
		at := instant.Instant(50e9)
		if c.m.last != 0 {
			at = c.m.last.Add(time.Second)
		}
		c.m.add(stream.Chunk{Samples: []stream.Sample{{Arrival: at, Values: c.values}}})
		if got := c.m.read(at).outsideMs; got != c.outside {
			t.Errorf("%s: outside for %.0f ms, want %.0f", c.name, got, c.outside)
		}
	}
}
