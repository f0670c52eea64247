package console

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/replay"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// A recorded session for the tests of the page: three clips, all known beforehand.

const (
	filmedSession = "20261122-091503-3f9a1c"
	framesASecond = 30.0
	clipEvery     = 14_000.0 // ms from one clip's first frame to the next one's
	firstClip     = 6_000.0
	filmLasts     = 52_000.0
)

var filmedClips = []struct {
	id, brand string
	lasts     float64 // ms
}{{"silk", "Maison A", 6000}, {"pleats", "Maison B", 7000}, {"veil", "Maison A", 8000}}

// film is a Replay of that session.
type film struct {
	Replay
	mu     sync.Mutex
	notes  []replay.Annotation
	gone   int // annotations that were removed
	noFace bool

	failing error  // of everything that is asked about what was recorded
	clip    string // where all clips are played from; "" = each from its own place

	versions [][]json.RawMessage // of the areas of the first clip
	history  []replay.AreaVersion
}

func (f *film) Session(_ context.Context, id string) (replay.Session, error) {
	if id != filmedSession {
		return replay.Session{}, &replay.Refusal{Why: replay.Absent, Words: "there is no session " + id + " here, or no longer"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return replay.Session{}, f.failing
	}
	s := replay.Session{
		Session: id, Participant: "P-7K2", State: session.Sealed, Study: "Fashion week, short videos", DurationMs: filmLasts, Simulated: true,
		Segments: []replay.Segment{{Number: 1, FromMs: 0, UntilMs: filmLasts}},
		Streams: []replay.Stream{
			{ID: "trace", Kind: stream.Trace, Rate: framesASecond, Columns: traceColumns()},
			{ID: "face", Kind: stream.Face, Rate: framesASecond, Simulated: true, BoundMs: 4.2},
			{ID: "gaze", Kind: stream.Gaze, Rate: 60, Simulated: true, BoundMs: 8.6, Columns: []replay.Column{{Name: "pupil_mm", Unit: "mm"}}},
			{ID: "eda", Kind: stream.EDA, Rate: 100, Simulated: true, BoundMs: 1.1, Columns: []replay.Column{{Name: "eda_us", Unit: "µS"}}},
			{ID: "stimulus", Kind: stream.Stimulus, BoundMs: 9.4},
		},
		Gaps: []replay.Gap{{Stream: "eda", FromMs: 41_000, UntilMs: 42_500, Why: "disconnected"}, {Stream: "face", FromMs: 28_500, UntilMs: 30_500, Why: "58 samples are missing"}},
		Bands: []replay.Band{
			{Kind: store.Modality("face"), FromMs: 9_000, UntilMs: 9_600, Why: "no face found"},
			{Kind: store.Modality("gaze"), FromMs: 23_000, UntilMs: 24_200, Why: "eyes not found"},
		},
		Markers: []replay.Marker{
			{AtMs: 15_300, Kind: "distraction", Text: "door", Source: "operator"},
			{AtMs: 16_000, Kind: "device", Text: `{"browser": "a long line"}`, Source: "stimulus"},
			{AtMs: 17_000, Kind: "alarm", Text: "cleared: the computer is busy", Source: "emolab"},
			{AtMs: 30_100, Kind: "technical", Text: "", Source: "operator"},
		},
		Annotations: append([]replay.Annotation{}, f.notes...), Usable: []store.Usable{},
		Derivation: "final-1: eda cda 2, fixations i-vt 3, expressions face-expression-net 1.7", Calibration: "Gaze validated to 0.62° on average, 1.1° at worst.",
	}
	if !f.noFace {
		s.Face = &replay.Film{Frames: int64(filmLasts / 1000 * framesASecond), FromMs: 0, UntilMs: filmLasts}
	}
	s.Steps = append(s.Steps, replay.Step{Action: study.Fixation})
	for i, c := range filmedClips {
		from := firstClip + clipEvery*float64(i)
		s.Presentations = append(s.Presentations, replay.Presentation{
			Presentation: i + 1, Stimulus: c.id, Brand: c.brand, Title: c.id + ".mp4", FromMs: from, UntilMs: from + c.lasts,
			Width: 360, Height: 640, DurationMs: c.lasts, FPS: framesASecond, Clip: "/stage/stimuli/" + c.id,
		})
		s.Steps = append(s.Steps, replay.Step{Step: 2*i + 1, Action: study.Play, FromMs: from - 40}, replay.Step{Step: 2*i + 2, Action: study.Rest, FromMs: from + c.lasts})
		for m, share := range map[store.Modality]float64{"face": 0.97 - 0.06*float64(i%2), "gaze": 0.91 - 0.2*float64(i%2), "eda": 1} {
			s.Usable = append(s.Usable, store.Usable{Presentation: i + 1, Modality: m, Seconds: c.lasts / 1000, UsableS: share * c.lasts / 1000, Share: share})
		}
	}
	for i := range s.Presentations {
		s.Presentations[i].Clip = cmp.Or(f.clip, s.Presentations[i].Clip)
	}
	return s, nil
}

func traceColumns() []replay.Column {
	var out []replay.Column
	for _, n := range []string{"neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"} {
		out = append(out, replay.Column{Name: "p_" + n, Unit: "1"})
	}
	for _, n := range []string{"valence", "arousal", "au01", "au04", "au06", "au12", "au25", "au26", "gaze_x", "gaze_y"} {
		out = append(out, replay.Column{Name: n, Unit: "1"})
	}
	return append(out, replay.Column{Name: "pupil_mm", Unit: "mm"}, replay.Column{Name: "pupil_clean_mm", Unit: "mm"},
		replay.Column{Name: "eda_us", Unit: "µS"}, replay.Column{Name: "scl_us", Unit: "µS"})
}

// traced is the value of a column at a time.
func traced(name string, ms float64) float64 {
	t := ms / 1000
	bump := func(at, width float64) float64 { return math.Exp(-math.Pow((t-at)/width, 2)) }
	happy := 0.72*bump(9.2, 1.1) + 0.55*bump(24.6, 1.5) + 0.8*bump(38.5, 1.3)
	surprised := 0.42*bump(7.3, .5) + 0.5*bump(21.6, .6)
	sad := 0.3 * bump(31, 1.6)
	rest := 0.02 + 0.012*math.Sin(t*2.1)
	noise := math.Sin(t*37) * math.Sin(t*23.3)
	switch name {
	case "p_happy":
		return happy + rest
	case "p_surprised":
		return surprised + rest
	case "p_sad":
		return sad + rest
	case "p_neutral":
		return max(0, 0.93-happy-surprised-sad+0.02*noise)
	case "p_angry", "p_fearful", "p_disgusted":
		return rest + 0.01*noise
	case "arousal":
		return 0.4*happy + 0.4*surprised + 0.3*sad + 0.02*noise
	case "valence":
		return 0.8*happy - 0.6*sad + 0.02*noise
	case "gaze_x":
		return 0.5 + 0.22*math.Round(2*math.Sin(t*1.7))/2 + 0.012*noise
	case "gaze_y":
		return 0.45 + 0.25*math.Round(3*math.Sin(t*1.1+1))/3 + 0.012*math.Sin(t*41)
	case "pupil_mm":
		return 3.6 - 0.35*math.Sin(t/7) + 0.08*noise
	case "pupil_clean_mm":
		return 3.6 - 0.35*math.Sin(t/7)
	case "scl_us":
		return 4.1 + 0.012*t
	case "eda_us":
		return 4.1 + 0.012*t + 0.42*bump(11.5, 1.4) + 0.6*bump(26.9, 1.6) + 0.35*bump(40.2, .8) + 0.006*noise
	default: // action units
		return max(0, happy*(0.6+0.1*float64(len(name))/4)+0.05+0.03*noise)
	}
}

func (f *film) Columns(_ context.Context, _, of string, c replay.Cut) (replay.Rows, error) {
	f.mu.Lock()
	failing := f.failing
	f.mu.Unlock()
	if failing != nil {
		return replay.Rows{}, failing
	}
	out := replay.Rows{Columns: make([][]float32, len(c.Columns))}
	step := 1000 / map[string]float64{"trace": framesASecond, "gaze": 60, "eda": 100}[of]
	if n := (c.UntilMs - c.FromMs) / step; n > float64(c.Points) {
		out.Thinned = true
		step *= n / float64(c.Points)
	}
	for k := math.Ceil(max(0, c.FromMs) / step); k*step <= min(c.UntilMs, filmLasts); k++ {
		ms := k * step
		if of == "trace" && ms > 28_500 && ms < 30_500 { // the camera lost its frames
			continue
		}
		out.Times = append(out.Times, ms)
		for i, name := range c.Columns {
			v := traced(name, ms)
			eyes := strings.HasPrefix(name, "gaze") || strings.HasPrefix(name, "pupil")
			if eyes && ms > 23_000 && ms < 24_200 || strings.HasSuffix(name, "_us") && ms > 41_000 && ms < 42_500 ||
				(strings.HasPrefix(name, "p_") || name == "valence" || strings.HasPrefix(name, "au")) && ms > 9_000 && ms < 9_600 {
				v = math.NaN()
			}
			out.Columns[i] = append(out.Columns[i], float32(v))
		}
	}
	return out, nil
}

func (f *film) Shown(_ context.Context, _ string, presentation int) ([]replay.Shown, error) {
	from := firstClip + clipEvery*float64(presentation-1)
	var out []replay.Shown
	for n := range int(filmedClips[presentation-1].lasts / 1000 * framesASecond) {
		out = append(out, replay.Shown{AtMs: from + float64(n)*1000/framesASecond, Frame: int64(n), MediaMs: float64(n) * 1000 / framesASecond})
	}
	return out, nil
}

func (f *film) Events(context.Context, string) (replay.Events, error) {
	e := replay.Events{Responses: []replay.Response{{AtMs: 10_300, PeakMs: 11_500, AmplitudeUS: 0.42}, {AtMs: 25_600, PeakMs: 26_900, AmplitudeUS: 0.6}, {AtMs: 39_500, PeakMs: 40_200, AmplitudeUS: 0.35}}}
	for i, c := range filmedClips {
		from := firstClip + clipEvery*float64(i)
		for ms := from + 200; ms < from+c.lasts-400; ms += 420 {
			e.Fixations = append(e.Fixations, replay.Fixation{FromMs: ms, UntilMs: ms + 340, X: traced("gaze_x", ms+170), Y: traced("gaze_y", ms+170), Presentation: i + 1})
		}
	}
	return e, nil
}

func (f *film) Annotate(_ context.Context, _ string, r replay.Remark, by string) (replay.Annotation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := replay.Annotation{ID: len(f.notes) + f.gone + 1, FromMs: r.FromMs, UntilMs: r.UntilMs, Label: r.Label, Text: r.Text, By: by, MadeUTC: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)}
	f.notes = append(f.notes, a)
	sort.Slice(f.notes, func(i, j int) bool { return f.notes[i].FromMs < f.notes[j].FromMs })
	return a, nil
}

func (f *film) RemoveAnnotation(_ context.Context, _ string, id int, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range f.notes {
		if a.ID == id {
			f.notes = append(f.notes[:i], f.notes[i+1:]...)
			f.gone++
			return nil
		}
	}
	return &replay.Refusal{Why: replay.Absent, Words: fmt.Sprintf("session %s has no annotation %d", filmedSession, id)}
}

func (f *film) FaceTimes(context.Context, string) ([]float64, error) {
	var times []float64
	for n := range int(filmLasts / 1000 * framesASecond) {
		times = append(times, float64(n)*1000/framesASecond)
	}
	return times, nil
}

func (f *film) FacePicture(_ context.Context, _ string, n int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return nil, f.failing
	}
	return drawnFace(float64(n) / framesASecond), nil
}

// Areas has those of one clip only; the others have none.
func (f *film) Areas(_ context.Context, stimulus string) (replay.AreaSet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stimulus != filmedClips[0].id {
		return replay.AreaSet{Stimulus: stimulus, Areas: []json.RawMessage{}, History: []replay.AreaVersion{}}, nil
	}
	return f.set(), nil
}

func (f *film) set() replay.AreaSet {
	out := replay.AreaSet{Stimulus: filmedClips[0].id, Version: len(f.versions), Areas: []json.RawMessage{}, History: append([]replay.AreaVersion{}, f.history...)}
	if n := len(f.versions); n > 0 {
		out.Areas = f.versions[n-1]
	}
	return out
}

func (f *film) SetAreas(_ context.Context, _ string, c replay.AreaChange, by string) (replay.AreaSet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Base != len(f.versions) {
		return replay.AreaSet{}, &replay.Refusal{Why: replay.Conflict, Words: fmt.Sprintf("version %d was saved meanwhile", len(f.versions))}
	}
	f.save(by, c.Note, c.Areas...)
	return f.set(), nil
}

func (f *film) save(by, note string, areas ...json.RawMessage) {
	f.versions = append(f.versions, areas)
	f.history = append(f.history, replay.AreaVersion{Version: len(f.versions), By: by, MadeUTC: time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC), Note: note})
}

func (f *film) Heat(context.Context, string, int, float64, float64) (replay.Heat, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return replay.Heat{}, f.failing
	}
	return replay.Heat{PNG: drawnHeat(), Fixations: 14, People: 1, SigmaDeg: 1.2}, nil
}

func (f *film) HeatOfAll(context.Context, string, float64, float64) (replay.Heat, error) {
	return replay.Heat{}, &replay.Refusal{Why: replay.Conflict, Words: "2 people have usable gaze on this clip: a map of everybody needs at least 3"}
}

// drawnFace is an oval with a mouth that moves.
func drawnFace(t float64) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	smile := traced("p_happy", t*1000)
	for y := range 240 {
		for x := range 320 {
			dx, dy := (float64(x)-160)/70, (float64(y)-120)/95
			c := color.RGBA{120, 126, 130, 255}
			if dx*dx+dy*dy < 1 {
				c = color.RGBA{214, 186, 164, 255}
			}
			if ex := math.Abs(float64(x)-160) - 28; ex*ex+math.Pow(float64(y)-96, 2) < 40 {
				c = color.RGBA{50, 44, 40, 255}
			}
			if mx := float64(x) - 160; math.Abs(mx) < 32 && math.Abs(float64(y)-(168+smile*14-smile*mx*mx/60)) < 3 {
				c = color.RGBA{150, 70, 66, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil) // into memory
	return b.Bytes()
}

// drawnHeat is one warm place.
func drawnHeat() []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 90, 160))
	for y := range 160 {
		for x := range 90 {
			v := math.Exp(-(math.Pow(float64(x)-48, 2) + math.Pow(float64(y)-62, 2)) / 420)
			img.SetNRGBA(x, y, color.NRGBA{230, uint8(220 * (1 - v)), 40, uint8(200 * v)})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return b.Bytes()
}

// filmed is a console with that session.
type filmed struct {
	*lab
	film *film
}

func startFilm(t *testing.T) *filmed {
	t.Helper()
	f := &filmed{film: &film{}}
	f.lab = startLab(t, Options{Stage: clips(t), Replay: f.film})
	yes := true
	f.operator.sessions = []session.Summary{
		{ID: filmedSession, Participant: "P-7K2", State: session.Sealed, Started: time.Date(2026, 11, 22, 9, 15, 3, 0, time.UTC), Duration: filmLasts * time.Millisecond, Simulated: true, Usable: &yes},
		{ID: "s9", Participant: "P-9", State: session.Recovered, Started: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Duration: time.Minute},
	}
	return f
}
