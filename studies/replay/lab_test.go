package replay

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// origin is the instant at which the first segment of a test's session begins.
const origin = instant.Instant(5_000_000_000_000)

var morning = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func channels(names ...string) []stream.Channel {
	out := make([]stream.Channel, len(names))
	for i, n := range names {
		out[i] = stream.Channel{Name: n, Unit: "1", Note: "Test channel " + n + "."}
	}
	return out
}

// devices are the streams of a test's lab.
func devices() []stream.Info {
	face := strings.Fields("face_found face_confidence box_x_px box_y_px box_w_px box_h_px p_neutral p_happy p_sad p_angry p_fearful p_disgusted p_surprised valence arousal face_tracked faces frame_w_px frame_h_px luma_face luma_around face_clipped face_sharpness mouth_cover")
	for i := range 68 {
		face = append(face, fmt.Sprintf("lm%02d_x_px", i), fmt.Sprintf("lm%02d_y_px", i))
	}
	info := func(id string, kind stream.Kind, rate float64, names ...string) stream.Info {
		return stream.Info{ID: id, Kind: kind, Device: "test " + id, Clock: stream.HostClock, TickHz: 1e9, Rate: rate, Channels: channels(names...)}
	}
	return []stream.Info{
		info("eda", stream.EDA, 100, "raw", "eda_us"),
		info("gaze", stream.Gaze, 60, "gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm"),
		info("face", stream.Face, 30, face...),
		info("stimulus", stream.Stimulus, 30, "presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h"),
		trace.Info(),
		{ID: session.MarksID, Kind: stream.Mark, Clock: stream.HostClock, TickHz: 1e9, Channels: []stream.Channel{}},
	}
}

// visit is a session that a test records.
type visit struct {
	id, participant string
	seconds         int
	cutOff          bool                                          // after its seconds, and continued a minute later for as long
	spot            [2]float64                                    // of the picture, where the eyes rest from 5.2 s on; before in its middle
	told            []stream.Event                                // what is said while it runs
	video           bool                                          // a yes to video, and a file of it
	bad             func(kind stream.Kind, at time.Duration) bool // what was not measured
}

// archive is the path of a study's file with those visits.
func archive(t testing.TB, visits ...visit) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.db")
	for _, v := range visits {
		record(t, path, v)
	}
	return path
}

// open opens a study's file.
func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// clips is the study of the tests: of two portrait videos, the second one shown first.
func clips() *study.Study {
	return &study.Study{ID: "pilot", Title: "Pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"), Rules: study.Rules{FaceConf: .5},
		Stimuli: []study.Stimulus{
			{ID: "a", File: "stimuli/a.mp4", Brand: "Maison", SHA256: "aa", Width: 360, Height: 640, Duration: 4 * time.Second},
			{ID: "b", File: "stimuli/b.mp4", SHA256: "bb", Width: 360, Height: 640, Duration: 4 * time.Second},
		}}
}

// frame is where tests show the picture on the screen.
var frame = eyemovement.Frame{X: .375, Y: 0, Width: .25, Height: 1}

// record keeps a session and seals it.
func record(t testing.TB, path string, v visit) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(ctx, path)
	must(err)
	defer func() { must(s.Close()) }()
	screen := eyemovement.Screen{WidthMM: 500, HeightMM: 280, DistanceMM: 600}
	r, err := s.Begin(ctx, session.Header{ID: v.id, Study: clips(), Participant: v.participant, Software: "emolab test", Streams: devices(),
		Plan: study.Plan{Steps: []study.Step{
			{Index: 0, Action: study.Play, Stimulus: "b", Presentation: 1, Duration: 4 * time.Second},
			{Index: 1, Action: study.Play, Stimulus: "a", Presentation: 2, Duration: 4 * time.Second},
		}},
		Segment: session.Segment{Boot: "one", Start: origin, Wall: morning, Screen: screen}})
	must(err)
	if v.video {
		must(r.Consent(ctx, session.Consent{Scope: session.FaceVideo, Granted: true, At: origin, How: "test"}))
	}
	must(r.Append(ctx, v.chunks(origin, 0)))
	must(r.Reached(ctx, 0, origin+1e9))
	if v.video {
		must(r.Video(ctx, session.Video{File: "video/" + v.id + "/segment-00-00000.mkv", From: origin, Until: origin + 1e9, Frames: 30}))
	}
	if v.cutOff {
		// The process has ended: who opens the file next finds it recovered.
		must(s.Close())
		s, err = store.Open(ctx, path)
		must(err)
		const later = instant.Instant(77_000_000_000) // the machine was started anew
		r, _, err = s.Resume(ctx, v.id, "c0ffee", session.Segment{Boot: "two", Start: later, Wall: morning.Add(time.Minute), Screen: screen}, devices())
		must(err)
		must(r.Append(ctx, v.chunks(later, 1)))
	}
	must(r.Seal(ctx, nil))
}

// chunks are what the devices deliver from start on. The first clip is on the screen from
// 1 s, the second from 5 s on.
func (v visit) chunks(start instant.Instant, segment int) []stream.Chunk {
	var out []stream.Chunk
	for _, info := range devices()[:4] {
		c := stream.Chunk{Stream: info.ID}
		for seq := range int64(float64(v.seconds) * info.Rate) {
			since := time.Duration(float64(seq) * 1e9 / info.Rate)
			at := start.Add(since)
			values := make([]float64, len(info.Channels))
			for k := range values {
				values[k] = float64(seq) + float64(k)/8
			}
			bad := v.bad != nil && v.bad(info.Kind, since)
			switch info.Kind {
			case stream.EDA:
				values[1] = 5 + .1*math.Sin(since.Seconds())
				if bad {
					values[1] = math.NaN()
				}
			case stream.Gaze:
				x, y := v.spot[0], v.spot[1]
				if since < 5200*time.Millisecond { // until the second clip has come
					x, y = .5, .5
				}
				values[0], values[1], values[2] = frame.X+frame.Width*x, frame.Y+frame.Height*y, 1
				if bad {
					values[0], values[1], values[2], values[3] = math.NaN(), math.NaN(), 0, math.NaN()
				}
			case stream.Face:
				for k := range values {
					values[k] = 0
				}
				values[0], values[1], values[6] = 1, .9, 1
				if bad {
					values[0] = 0
				}
			case stream.Stimulus:
				shown, media := 0., time.Duration(0)
				if ms := since.Milliseconds(); ms >= 1000 && ms < 9000 {
					shown, media = float64(1+(ms-1000)/4000), since-time.Second-4*time.Second*time.Duration((ms-1000)/4000)
				}
				copy(values, []float64{shown, math.Floor(media.Seconds() * 30), float64(media), float64(seq), frame.X, frame.Y, frame.Width, frame.Height})
			}
			c.Samples = append(c.Samples, stream.Sample{Seq: seq, Tick: int64(at), Arrival: at + 1e6, At: at, Values: values})
		}
		out = append(out, c)
	}
	if segment == 0 && len(v.told) > 0 {
		out = append(out, stream.Chunk{Stream: session.MarksID, Events: v.told})
	}
	return out
}

// why is of which kind a refusal is; -1: it is none.
func why(err error) Why {
	var r *Refusal
	if !errors.As(err, &r) {
		return -1
	}
	return r.Why
}

// exampleWith copies the example study, with a file of areas on one of its clips, and
// returns the path of its study.yaml.
func exampleWith(t *testing.T, areas []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../study/example")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "study.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(text), "file: velvet.mp4,", "file: velvet.mp4, aois: velvet.aoi.json,", 1)
	if with == string(text) {
		t.Fatal("the example study lists its clips in another way")
	}
	if err := errors.Join(os.WriteFile(file, []byte(with), 0o600), os.WriteFile(filepath.Join(dir, "velvet.aoi.json"), areas, 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}
