package session

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// wholeLab is a lab in which all is well, for a study that needs all of it.
func wholeLab() ready {
	device := func(id string, kind stream.Kind, hz float64) Health {
		return Health{
			Info:      stream.Info{ID: id, Kind: kind, Rate: hz, Clock: stream.CountedClock},
			Connected: true, Rate: hz, AgeMs: 10, UsableAgeMs: -1, Clock: align.Statement{BoundMs: 4, Samples: 1e6},
		}
	}
	return ready{
		study: &study.Study{
			Rules:   study.Rules{NeedsFace: true, NeedsGaze: true, NeedsEDA: true, MaxSyncMs: 50},
			Devices: study.Devices{CameraMinFPS: 25, GazeMinHz: 60, EDAMinHz: 10},
		},
		gate: AtStart, stage: true, calibrates: true, disk: 100 << 30, lasts: 30 * time.Minute,
		streams: []Health{device("face", stream.Face, 30), device("gaze", stream.Gaze, 60), device("eda", stream.EDA, 100)},
	}
}

// levels are the checks in their order: "stage ok", "device/eda missing".
func levels(checks []Readiness) []string {
	var all []string
	for _, c := range checks {
		all = append(all, c.ID+" "+string(c.Level))
	}
	return all
}

func TestWhatTheLabLacks(t *testing.T) {
	t.Parallel()
	well := []string{"stage ok", "device/face ok", "device/gaze ok", "device/eda ok", "clock ok", "calibration ok", "disk ok"}
	if got := levels(wholeLab().lab()); !slices.Equal(got, well) {
		t.Fatalf("of a lab in which all is well: %q", got)
	}
	const face, gaze, eda = 0, 1, 2
	for name, c := range map[string]struct {
		change func(*ready)
		want   string // the one check that differs
		says   string
	}{
		"no page":           {func(r *ready) { r.stage = false }, "stage missing", "Open the participant's address"},
		"a page that waits": {func(r *ready) { r.waiting = "a key" }, "stage attention", "waits for a key"},
		"no such device":    {func(r *ready) { r.streams = r.streams[:eda] }, "device/eda missing", "lab.yaml"},
		"not connected":     {func(r *ready) { r.streams[eda].Connected = false }, "device/eda missing", "is not connected"},
		"silent":            {func(r *ready) { r.streams[gaze].AgeMs = 2000 }, "device/gaze missing", "delivers nothing"},
		"built too slow":    {func(r *ready) { r.study.Devices.GazeMinHz = 120 }, "device/gaze missing", "the study needs 120"},
		"slow just now":     {func(r *ready) { r.streams[face].Rate = 20 }, "device/face attention", "20 of 30"},
		"dark":              {func(r *ready) { r.streams[face].Advice = "Too dark: turn a lamp to the face" }, "device/face attention", "Turn a lamp to the face."},
		"nothing is needed of it": {func(r *ready) { r.study.Rules.NeedsEDA = false; r.streams[eda].Connected = false },
			"device/eda attention", "does without it"},
		"a clock nobody knows": {func(r *ready) { r.streams[eda].Clock.BoundMs = 90 }, "clock missing", "±90 ms only"},
		"a clock that settles": {func(r *ready) { r.streams[eda].Clock = align.Statement{BoundMs: 90, Samples: 200} }, "clock attention", "wait a moment"},
		"a camera elsewhere": {func(r *ready) {
			r.streams[face].Info.Clock, r.streams[face].UnseenMs, r.streams[face].Clock.BoundMs = stream.PingedClock, 53, 57
		},
			"clock attention", "±57 ms; sessions of this study count within ±50 ms Use a camera on this computer"},
		"a camera that nobody stamps": {func(r *ready) {
			r.streams[face].Info.Clock, r.streams[face].UnseenMs, r.streams[face].Clock.BoundMs = stream.ArrivalClock, 150, 150
		},
			"clock attention", "emolab calibrate camera"},
		"a sensor that only counts":     {func(r *ready) { r.streams[eda].Clock.BoundMs = 60 }, "clock attention", "count within ±50 ms"},
		"a gaze that nobody calibrates": {func(r *ready) { r.calibrates = false }, "calibration attention", "put a calibration into the study"},
		"a gaze that nobody needs":      {func(r *ready) { r.calibrates, r.study.Rules.NeedsGaze, r.study.Devices.GazeMinHz = false, false, 0 }, "", ""},
		"any time will do":              {func(r *ready) { r.study.Rules.MaxSyncMs = 0 }, "", ""},
		"room for an hour":              {func(r *ready) { r.disk = DiskStop + TypicalBytesPerHour + 1<<20; r.lasts = time.Minute }, "disk attention", "1.0 hours"},
		"little room":                   {func(r *ready) { r.disk = DiskWarn - 1 }, "disk attention", "hours of recording"},
		"too little room":               {func(r *ready) { r.lasts = 200 * time.Hour }, "disk missing", "Move old bundles away."},
		"room for no more":              {func(r *ready) { r.disk = DiskStop }, "disk missing", "0.0 hours"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := wholeLab()
			c.change(&r)
			found := r.lab()
			var off []Readiness
			for _, check := range found {
				if check.Level != ReadyOK {
					off = append(off, check)
				}
				if check.Gate != AtStart || check.Text == "" || check.Label == "" || check.Level != ReadyOK && check.Advice == "" {
					t.Errorf("check %+v", check)
				}
			}
			if c.want == "" {
				if len(off) > 0 {
					t.Errorf("found %+v", off)
				}
				return
			}
			if len(off) != 1 || levels(off)[0] != c.want || !strings.Contains(off[0].Text+" "+off[0].Advice, c.says) {
				t.Errorf("found %+v, want %s that says %q", off, c.want, c.says)
			}
		})
	}
}

// What will be done about the error of the gaze is said before anybody sits down.
func TestWhatIsSaidOfTheCalibration(t *testing.T) {
	t.Parallel()
	r := wholeLab()
	for _, c := range []struct {
		own, assumed bool
		want         string
	}{
		{false, false, "The gaze is calibrated once the recording has begun: 9 targets, checked on 4 others"},
		{true, false, "The eye tracker calibrates itself once the recording has begun"},
		{true, true, "The eye tracker calibrates itself once the recording has begun; degrees are those of an assumed screen"},
	} {
		r.own, r.assumed = c.own, c.assumed
		if got := r.calibration(); got.Text != c.want || got.Level != ReadyOK {
			t.Errorf("%+v, want %q", got, c.want)
		}
	}
	r.streams = r.streams[:1]
	if got := r.calibration(); got.ID != "" {
		t.Errorf("without an eye tracker: %+v", got)
	}
}

// A gate is held up by what is to come as by what is missing, and names all of it.
func TestWhatIsToComeHoldsUp(t *testing.T) {
	t.Parallel()
	checks := []Readiness{{Level: ReadyOK, Text: "a"}, {Level: ReadyWaiting, Text: "b"}, {Level: ReadyAttention, Text: "c"}, {Level: ReadyMissing, Text: "d"}}
	var held *NotReadyError
	if _, err := pass(AtBegin, checks, "", 0); !errors.As(err, &held) || len(held.Checks) != 2 || held.Error() != "b; d" {
		t.Errorf("held up by %v", err)
	}
	if o, err := pass(AtBegin, checks, "no time", 0); err != nil || len(o.Missing) != 2 {
		t.Errorf("overridden: %+v, %v", o, err)
	}
}

// All that is said of the room on the disk is said by one count: what is left until a
// session would be closed, with the video where participants may allow it.
func TestHoursOfRecording(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		free   int64
		filmed bool
		want   float64
	}{
		{DiskStop - 1, false, 0},
		{DiskStop + 3*TypicalBytesPerHour, false, 3},
		{DiskStop + 3*(TypicalBytesPerHour+TypicalVideoBytesPerHour), true, 3},
	} {
		if got := RecordingHours(c.free, c.filmed); got != c.want {
			t.Errorf("%d bytes, filmed %t: %g hours, want %g", c.free, c.filmed, got, c.want)
		}
	}
}

func TestTheBetterOfTwoDevicesCounts(t *testing.T) {
	t.Parallel()
	r := wholeLab()
	second := r.streams[2]
	second.Info.ID, second.Connected = "eda-2", false
	for _, streams := range [][]Health{append(slices.Clone(r.streams), second), append([]Health{second}, r.streams...)} {
		r.streams = streams
		if c := r.device(stream.EDA, true, 0); c.Level != ReadyAttention || !strings.Contains(c.Text, "not connected") {
			t.Errorf("one of two is off: %+v", c)
		}
	}
}

func TestWhatIsNotKnownOfTheParticipant(t *testing.T) {
	t.Parallel()
	st := *invited
	st.Stimuli = []study.Stimulus{{ID: "a", Duration: time.Second, Sound: "AAC"}}
	r := ready{study: &st, plan: st.Plan(0)}
	all := reached{
		told:  told{granted: []string{Traces}, refused: []string{FaceVideo}, textSHA256: "0123456789", language: "fr", screened: true},
		sound: soundHeard{heard: true}, confirmed: Confirmed{Participant: true}, waits: true,
	}
	if got, want := levels(r.person(all)), []string{"code ok", "consent ok", "screening ok", "sound ok"}; !slices.Equal(got, want) {
		t.Errorf("of who has come to the gate: %q, want %q", got, want)
	}
	if c := all.consent(); c.Text != "Agreed to traces, not to face_video (text 01234567, fr)" {
		t.Errorf("consent: %q", c.Text)
	}
	if got, want := levels(r.person(reached{})), []string{"code waiting", "consent waiting", "screening waiting", "sound waiting"}; !slices.Equal(got, want) {
		t.Errorf("of who has just come: %q, want %q", got, want)
	}
	if c := (reached{told: told{refused: []string{Traces}}}).consent(); c.Level != ReadyMissing {
		t.Errorf("of who has refused: %+v", c)
	}
	passed := all
	passed.told = told{} // by a condition of the study
	if got, want := levels(r.person(passed)), []string{"code ok", "sound ok"}; !slices.Equal(got, want) {
		t.Errorf("of who has passed the sheets over: %q, want %q", got, want)
	}
	deaf := all
	deaf.sound = soundHeard{tries: soundTries, audio: "suspended"}
	if c := deaf.heard(); c.Level != ReadyMissing || !strings.Contains(c.Advice, "browser") {
		t.Errorf("sound: %+v", c)
	}
	for fault, level := range map[string]ReadyLevel{"": ReadyOK, "Too dark: turn a lamp to the face": ReadyAttention} {
		if c := (reached{seated: seatFound{over: true, fault: fault}}).camera(); c.Level != level {
			t.Errorf("seat with %q: %+v", fault, c)
		}
	}
}

func TestThreeCharactersAreReadAsOne(t *testing.T) {
	t.Parallel()
	for typed, right := range map[string]bool{"k2": true, " K2 ": true, "K3": false, "": false, "2": false, "7K2": false} {
		if confirms(typed, "P-7K2") != right {
			t.Errorf("%q confirms P-7K2: %v", typed, !right)
		}
	}
	if !confirms("o1", "P-0L") || !confirms("a", "A") {
		t.Error("what is read as one another is not taken for it")
	}
}

// needy is a study that needs skin conductance, which the bench's pulse does not deliver
// yet.
func needy(o *Options) {
	st := *invited
	st.Rules.NeedsEDA = true
	o.Study, o.Codes = &st, mint{}
}

func TestNothingStartsWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, needy)
	var held *NotReadyError
	if _, err := b.Start(t.Context(), Request{Participant: "P1", Override: "  "}); !errors.As(err, &held) || held.Gate != AtStart || !slices.Equal(levels(held.Checks), []string{"device/eda missing"}) {
		t.Fatalf("started without: %v", err)
	}
	if all, _ := b.Sessions(t.Context()); len(all) != 0 {
		t.Fatalf("what was not started is kept: %+v", all)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P1", Override: strings.Repeat("x", maxReason+1)}); err == nil || errors.As(err, &held) {
		t.Errorf("a reason without end: %v", err)
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1", Override: " only the sheets today "})
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{bench: b, id: id}
	g.archive.mu.Lock()
	g.tape = g.archive.find(id)
	g.archive.mu.Unlock()
	g.admitted(study.No)
	g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
	// What was overridden at the start is so at the beginning.
	for _, c := range g.Status().Readiness {
		if c.Level == ReadyMissing || c.ID == "device/eda" && !strings.Contains(c.Text, "overridden: only the sheets today") {
			t.Errorf("check %+v", c)
		}
	}
	g.begins(t)
	g.archive.mu.Lock()
	defer g.archive.mu.Unlock()
	if o := g.tape.overrides; len(o) != 1 || o[0].Gate != AtStart || o[0].Reason != "only the sheets today" || len(o[0].Missing) != 1 {
		t.Errorf("kept %+v", o)
	}
}

func TestNothingBeginsWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, needy)
	b.beats(t, 1) // the sensor is there
	g := &guest{bench: b}
	g.arrive(t, "P-7K2")
	if err := g.Begin(Beginning{Confirm: "K2", Override: "in a hurry"}); !errors.Is(err, ErrNotReady) || !strings.Contains(err.Error(), "still to come: ") || !strings.Contains(err.Error(), "consent") {
		t.Errorf("begun before anything was asked: %v", err)
	}
	g.admitted(study.No)
	waiting := g.until(t, "the participant to wait", func(s Status) bool { return s.Ready && s.Confirmed == Confirmed{Participant: true} })
	for _, wrong := range []string{"", "K3", "7K"} {
		if err := g.Begin(Beginning{Confirm: wrong}); !errors.Is(err, ErrNotConfirmed) || strings.Contains(err.Error(), "K2") {
			t.Errorf("begun with %q: %v", wrong, err)
		}
	}
	if err := g.Begin(Beginning{Confirm: "k2"}); err != nil {
		t.Fatal(err)
	}
	s := g.until(t, "the recording", func(s Status) bool { return s.State == Recording })
	if s.Confirmed != (Confirmed{Participant: true, Operator: true}) || s.Readiness == nil || len(s.Readiness) > 0 {
		t.Errorf("status %+v", s)
	}
	if s.Screen == nil || s.Screen == waiting.Screen {
		t.Error("the recording changes what a console may still be reading of the status before")
	}
}

// loud is invited with a clip that is to be heard.
func loud(o *Options) {
	st := *invited
	st.Stimuli = []study.Stimulus{{ID: "a", Duration: time.Second, Sound: "AAC"}}
	o.Study, o.Codes = &st, mint{}
}

// Who does not hear the tones holds the gate up, until they hear them, or for a reason.
func TestTheSoundHasToBeHeard(t *testing.T) {
	t.Parallel()
	for name, mended := range map[string]bool{"it is mended": true, "it is overridden": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guest{bench: newBench(t, loud)}
			mend := make(chan struct{})
			g.screen.reply = func(q Question) Reply {
				switch {
				case q.Kind == AskCode:
					return Reply{Value: study.Yes}
				case q.Tries >= soundTries:
					<-mend
					return Reply{Value: strconv.Itoa(q.Tones), Audio: "running"}
				}
				return Reply{Value: "0", Audio: "suspended"}
			}
			g.arrive(t, "P1")
			g.admitted(study.No)
			g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
			var held *NotReadyError
			if err := g.Begin(Beginning{Confirm: "P1"}); !errors.As(err, &held) || held.Gate != AtBegin || !slices.Equal(levels(held.Checks), []string{"sound missing"}) {
				t.Errorf("begun without sound: %v", err)
			}
			if mended {
				close(mend)
				g.until(t, "the sound to be heard", func(s Status) bool {
					return s.Ready && slices.Contains(levels(s.Readiness), "sound ok")
				})
				g.begins(t)
				return
			}
			if err := g.Begin(Beginning{Override: "a deaf participant"}); !errors.Is(err, ErrNotConfirmed) {
				t.Errorf("an override that confirms nothing: %v", err)
			}
			if err := g.Begin(Beginning{Confirm: "P1", Override: "a deaf participant"}); err != nil {
				t.Fatal(err)
			}
			close(mend) // the fake answers only then; a page is asked no more
			g.until(t, "the recording", func(s Status) bool { return s.State == Recording })
			g.beats(t, 1)
			g.until(t, "what was overridden to stand in the recording", func(Status) bool {
				g.archive.mu.Lock()
				defer g.archive.mu.Unlock()
				return slices.ContainsFunc(g.tape.events, func(e string) bool {
					return strings.HasPrefix(e, MarksID+" "+string(stream.Marker)) && strings.Contains(e, "because: a deaf participant")
				})
			})
			g.archive.mu.Lock()
			defer g.archive.mu.Unlock()
			if o := g.tape.overrides; len(o) != 1 || o[0].Gate != AtBegin || o[0].String() != "at the beginning of the recording, although: The participant does not hear the sound; because: a deaf participant" {
				t.Errorf("kept %+v", o)
			}
		})
	}
}

// A code that is another's is said at once, and the session goes on when it is theirs.
func TestTheCodeOfAnother(t *testing.T) {
	t.Parallel()
	g := &guest{bench: newBench(t, loud)}
	looked := make(chan struct{})
	g.screen.reply = func(q Question) Reply {
		switch {
		case q.Kind == AskSound:
			return Reply{Value: strconv.Itoa(q.Tones)}
		case q.Code != "P-7K2":
			t.Errorf("asked %+v", q)
		case q.Tries == 0:
			return Reply{Value: study.No}
		}
		<-looked
		return Reply{Value: study.Yes}
	}
	g.arrive(t, "P-7K2")
	called := func(s Status) bool {
		return slices.ContainsFunc(s.Alarms, func(a Alarm) bool { return a.ID == "stage/code" && a.State != "cleared" }) &&
			slices.ContainsFunc(s.Readiness, func(c Readiness) bool { return c.ID == "code" && strings.Contains(c.Text, "not theirs") })
	}
	if s := g.until(t, "the experimenter to be called", called); s.Confirmed.Participant || s.Step >= 0 {
		t.Errorf("status %+v", s)
	}
	close(looked)
	g.until(t, "the code to be confirmed", func(s Status) bool { return s.Confirmed.Participant && !called(s) })
	g.admitted(study.No)
	g.begins(t)
}

// A key that is pressed twice starts one session, and is told so twice.
func TestPressedTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.clock.stands() // or two seconds go by between the keys
	type answer struct {
		id  string
		err error
	}
	said := make(chan answer)
	const keys = 4
	for range keys {
		go func() {
			id, err := b.Start(t.Context(), Request{Participant: "P1"})
			said <- answer{id, err}
		}()
	}
	first := <-said
	for range keys - 1 {
		if a := <-said; a != first || a.err != nil {
			t.Errorf("told %+v after %+v", a, first)
		}
	}
	if id, err := b.Start(t.Context(), Request{Participant: "p1"}); id != first.id || err != nil {
		t.Errorf("and once more: %q, %v", id, err)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P2"}); !errors.Is(err, ErrBusy) {
		t.Errorf("another participant's start: %v", err)
	}
	b.mu.Lock()
	b.current.since -= instant.Instant(twice)
	b.mu.Unlock()
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); !errors.Is(err, ErrBusy) {
		t.Errorf("two seconds later: %v", err)
	}
	if all, _ := b.Sessions(t.Context()); len(all) != 1 {
		t.Errorf("sessions %+v", all)
	}
}

// No reason replaces the participant's screen.
func TestNothingStartsWithoutAScreen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.screen.gone.Store(true)
	var held *NotReadyError
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); !errors.As(err, &held) || held.Checks[0].ID != "stage" {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P1", Override: "a try"}); !errors.Is(err, errNoStage) || len(b.archive.sessions) > 0 {
		t.Errorf("with one: %v", err)
	}
}
