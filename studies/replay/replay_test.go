package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/png"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// All of a session lies on one axis, also of one that was cut off and continued.
func TestSessionOnOneAxis(t *testing.T) {
	t.Parallel()
	path := archive(t, visit{id: "s1", participant: "P01", seconds: 10, cutOff: true, spot: [2]float64{.5, .5},
		told: []stream.Event{
			{Kind: stream.Marker, At: origin + 3e9, Detail: session.Mark{Kind: session.Distraction, Source: "console", Text: "a phone: rang"}.Label()},
			{Kind: stream.Marker, At: origin + 2e9, Detail: "in other words"},
			{Kind: stream.Marker, At: origin, Detail: "overridden at begin: no sound check (they are deaf)"},
		},
		bad: func(kind stream.Kind, at time.Duration) bool {
			switch kind {
			case stream.Face: // half a second, and one frame
				return at >= 4*time.Second && at < 4500*time.Millisecond || at >= 7*time.Second && at < 7020*time.Millisecond
			case stream.EDA:
				return at < 0
			}
			return at >= 8*time.Second && at < 8200*time.Millisecond
		}})
	p := New(open(t, path), clips(), nil)
	got, err := p.Session(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	if got.Participant != "P01" || got.Study != "Pilot" || got.State != session.Sealed || !near(got.DurationMs, 70_000, 50) || got.Face != nil {
		t.Errorf("%+v", got)
	}
	if len(got.Segments) != 2 || got.Segments[0].FromMs != 0 || got.Segments[1].FromMs != 60_000 || !near(got.Segments[0].UntilMs, 10_000, 50) {
		t.Errorf("segments %+v", got.Segments)
	}
	hole := slices.IndexFunc(got.Gaps, func(g Gap) bool { return g.Stream == "" })
	if hole < 0 || got.Gaps[hole].FromMs != got.Segments[0].UntilMs || got.Gaps[hole].UntilMs != 60_000 {
		t.Errorf("gaps %+v", got.Gaps)
	}
	// What was cut off and shown again counts where it was shown last.
	if len(got.Presentations) != 2 {
		t.Fatalf("presentations %+v", got.Presentations)
	}
	one := got.Presentations[0]
	if one.Stimulus != "b" || one.Clip != "/stage/stimuli/b" || one.Width != 360 || one.DurationMs != 4000 || !near(one.FromMs, 61_000, 40) || !near(one.UntilMs, 65_000, 40) {
		t.Errorf("presentation %+v", one)
	}
	var bands []Band
	for _, b := range got.Bands {
		if b.FromMs < 60_000 {
			bands = append(bands, b)
		}
	}
	if len(bands) != 2 || bands[0].Kind != store.Face || bands[0].Why != "no face" || !near(bands[0].FromMs, 4000, 34) || !near(bands[0].UntilMs, 4500, 34) ||
		bands[1].Kind != store.Gaze || !near(bands[1].UntilMs-bands[1].FromMs, 200, 34) {
		t.Errorf("bands %+v", bands)
	}
	if len(got.Markers) != 3 || got.Markers[0].Kind != "override" || got.Markers[1] != (Marker{2000, "device", "in other words", "marks"}) || got.Markers[2] != (Marker{3000, "distraction", "a phone: rang", "console"}) {
		t.Errorf("markers %+v", got.Markers)
	}
	shown, err := p.Shown(t.Context(), "s1", 1)
	if err != nil || len(shown) < 100 || !near(shown[0].AtMs, one.FromMs, 1e-6) || shown[0].Frame != 0 || shown[60].Frame != 60 || !near(shown[60].MediaMs, 2000, 1) {
		t.Errorf("%d frames were shown, %v", len(shown), err)
	}
	if _, err := p.Shown(t.Context(), "s1", 9); why(err) != Absent {
		t.Error(err)
	}
	if e, err := p.Events(t.Context(), "s1"); err != nil || len(e.Fixations) == 0 || !near(e.Fixations[0].X, .5, .01) || e.Fixations[0].Presentation == 0 {
		t.Errorf("events %+v, %v", e, err)
	}
	if b, err := json.Marshal(got); err != nil || bytes.Contains(b, []byte("null")) && !bytes.Contains(b, []byte(`"face":null`)) {
		t.Errorf("as JSON: %v", err)
	}
}

// Rows come as they are while they fit, else smallest and largest stand for the rest.
func TestColumns(t *testing.T) {
	t.Parallel()
	p := New(open(t, archive(t, visit{id: "s1", participant: "P01", seconds: 10, cutOff: true})), nil, nil)
	nan := math.NaN()
	all, err := p.Columns(t.Context(), "s1", "eda", Cut{Columns: []string{"raw", "eda_us"}, FromMs: nan, UntilMs: nan, Points: 5000})
	if err != nil || all.Thinned || len(all.Times) != 2000 || len(all.Columns) != 2 || len(all.Columns[1]) != 2000 {
		t.Fatalf("%d rows, thinned %t, %v", len(all.Times), all.Thinned, err)
	}
	if all.Columns[0][7] != 7 || all.Times[1000] != 60_000 || !slices.IsSorted(all.Times) {
		t.Errorf("row 7 is %g, the second segment begins at %g", all.Columns[0][7], all.Times[1000])
	}
	part, err := p.Columns(t.Context(), "s1", "eda", Cut{Columns: []string{"raw"}, FromMs: 1000, UntilMs: 1990})
	if err != nil || len(part.Times) != 100 || part.Times[0] != 1000 || part.Columns[0][0] != 100 {
		t.Errorf("from 1000 to 1990: %d rows, %v", len(part.Times), err)
	}
	thin, err := p.Columns(t.Context(), "s1", "eda", Cut{Columns: []string{"eda_us", "raw"}, FromMs: nan, UntilMs: nan, Points: 200})
	if err != nil || !thin.Thinned || len(thin.Times) > 200 || !slices.IsSorted(thin.Times) {
		t.Fatalf("%d rows, thinned %t, %v", len(thin.Times), thin.Thinned, err)
	}
	if slices.Max(thin.Columns[0]) != slices.Max(all.Columns[1]) || slices.Min(thin.Columns[0]) != slices.Min(all.Columns[1]) {
		t.Error("thinning has lost an extreme value")
	}
	if got, err := p.Columns(t.Context(), "s1", "trace", Cut{FromMs: nan, UntilMs: nan}); err != nil || len(got.Columns) < 60 || len(got.Times) != 600 {
		t.Errorf("the trace has %d columns and %d rows, %v", len(got.Columns), len(got.Times), err)
	}
	for _, c := range []struct {
		name, session, stream string
		cut                   Cut
		why                   Why
		words                 string
	}{
		{"no such session", "s9", "eda", Cut{}, Absent, "s9"},
		{"no such stream", "s1", "eeg", Cut{}, Absent, "it has eda, gaze, face, trace"},
		{"nothing to draw", "s1", "stimulus", Cut{}, Absent, "it has eda"},
		{"no such column", "s1", "eda", Cut{Columns: []string{"scl"}}, Absent, "it has raw, eda_us"},
		{"a column twice", "s1", "eda", Cut{Columns: []string{"raw", "raw"}}, Unfit, "twice"},
		{"landmarks", "s1", "face", Cut{Columns: []string{"lm00_x_px"}}, Absent, "face_found"},
		{"too many points", "s1", "eda", Cut{Points: 1e6}, Unfit, "20000"},
		{"one point", "s1", "eda", Cut{Points: 1}, Unfit, "2 to"},
		{"backwards", "s1", "eda", Cut{FromMs: 5, UntilMs: 4}, Unfit, "before"},
		{"SQL", "s1", "eda", Cut{Columns: []string{"raw FROM eda_sample; --"}}, Absent, "no column"},
	} {
		if _, err := p.Columns(t.Context(), c.session, c.stream, c.cut); why(err) != c.why || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The pupil of a gaze stream is the mean of the eyes that were measured, at the eye tracker's
// own instants: also where the camera saw nothing.
func TestPupilOfBothEyes(t *testing.T) {
	t.Parallel()
	p := New(open(t, archive(t, visit{id: "s1", participant: "P01", seconds: 10,
		bad: func(_ stream.Kind, at time.Duration) bool { return at >= 8*time.Second && at < 8200*time.Millisecond }})), nil, nil)
	nan := math.NaN()
	s, err := p.Session(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	gaze := s.Streams[slices.IndexFunc(s.Streams, func(s Stream) bool { return s.ID == "gaze" })]
	if !slices.Contains(gaze.Columns, Column{"pupil_mm", "mm"}) {
		t.Errorf("the eye tracker has %v", gaze.Columns)
	}
	for _, names := range [][]string{{"pupil_mm"}, {"pupil_right_mm", "pupil_mm", "gaze_x"}, {"gaze_y", "pupil_left_mm", "pupil_mm"}} {
		p := New(p.store, nil, nil) // has nothing in memory
		got, err := p.Columns(t.Context(), "s1", "gaze", Cut{Columns: names, FromMs: nan, UntilMs: nan, Points: 5000})
		if err != nil || len(got.Times) != 600 || len(got.Columns) != len(names) {
			t.Fatalf("%v: %d rows of %d columns, %v", names, len(got.Times), len(got.Columns), err)
		}
		// Row n has n + 3/8 for the left eye and n + 4/8 for the right one; of row 485 the left one was not measured.
		for row, want := range map[int]float32{60: 60 + 3.5/8, 485: 485.5} {
			if v := got.Columns[slices.Index(names, "pupil_mm")][row]; v != want {
				t.Errorf("%v: row %d is %g, want %g", names, row, v, want)
			}
		}
		if k := slices.Index(names, "pupil_right_mm"); k >= 0 && got.Columns[k][60] != 60.5 {
			t.Errorf("the right eye of row 60 is %g", got.Columns[k][60])
		}
	}
}

func TestWallClocksThatGoBack(t *testing.T) {
	t.Parallel()
	a := axisOf([]store.Segment{
		{Segment: session.Segment{Number: 0, Start: 100, Wall: morning}, Until: 100 + 9e9},
		{Segment: session.Segment{Number: 1, Start: 50, Wall: morning.Add(-time.Hour)}, Until: 50 + 1e9},
	})
	if a.ms(1, 50) != 9000 || a.duration() != 10_000 {
		t.Errorf("the second segment lies from %g to %g ms", a.ms(1, 50), a.duration())
	}
	if segment, at, ok := a.at(9500); !ok || segment != 1 || at != instant.Instant(50+5e8) {
		t.Errorf("9500 ms is %d %d %t", segment, at, ok)
	}
	if _, _, ok := a.at(10_001); ok {
		t.Error("there is something behind the end")
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := New(open(t, archive(t, visit{id: "s1", participant: "P01", seconds: 10, cutOff: true})), nil, nil)
	until := func(ms float64) *float64 { return &ms }
	first, err := p.Annotate(ctx, "s1", Remark{FromMs: 61_000, UntilMs: until(62_500), Label: " laughs ", Text: "with the operator"}, "Anna")
	if err != nil || first.ID != 1 || first.FromMs != 61_000 || *first.UntilMs != 62_500 || first.Label != "laughs" || first.By != "Anna" || first.MadeUTC.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := p.Annotate(ctx, "s1", Remark{FromMs: 10, Text: "an instant"}, "Ben"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		remark Remark
		words  string
	}{
		{"empty", Remark{FromMs: 1, Label: " "}, "say something"},
		{"in the hole", Remark{FromMs: 30_000, Label: "x"}, "nothing was recorded at 30000 ms: the session was cut off there"},
		{"over the hole", Remark{FromMs: 9000, UntilMs: until(61_000), Label: "x"}, "before the hole"},
		{"behind the end", Remark{FromMs: 1e9, Label: "x"}, "lasts to"},
		{"nowhere", Remark{FromMs: math.NaN(), Label: "x"}, "nothing was recorded"},
		{"backwards", Remark{FromMs: 2000, UntilMs: until(1000), Label: "x"}, "before from_ms"},
		{"a long label", Remark{FromMs: 1, Label: strings.Repeat("é", maxLabel+1)}, "61 characters"},
		{"a long text", Remark{FromMs: 1, Text: strings.Repeat("é", maxText+1)}, "1001 characters"},
		{"two lines", Remark{FromMs: 1, Label: "a\nb"}, "one line"},
		{"no words", Remark{FromMs: 1, Text: "\xff"}, "UTF-8"},
	} {
		if _, err := p.Annotate(ctx, "s1", c.remark, "Eve"); why(err) != Unfit || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := p.RemoveAnnotation(ctx, "s1", 1, "Ben"); err != nil {
		t.Fatal(err)
	}
	if err := p.RemoveAnnotation(ctx, "s1", 1, "Ben"); why(err) != Conflict {
		t.Error(err)
	}
	if err := p.RemoveAnnotation(ctx, "s1", 7, "Ben"); why(err) != Absent {
		t.Error(err)
	}
	all, err := p.Annotations(ctx, "s1")
	if err != nil || len(all) != 2 || all[0].RemovedBy != "Ben" || all[0].RemovedUTC.IsZero() || all[1].UntilMs != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if s, err := p.Session(ctx, "s1"); err != nil || len(s.Annotations) != 1 || s.Annotations[0].ID != 2 {
		t.Errorf("the page is shown %+v, %v", s.Annotations, err)
	}
}

func TestAreasAreVersions(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	file := exampleWith(t, []byte(`{"format": "emolab-aoi/1", "areas": [{"name": "cloth", "shape": "rect", "box": [0, 0, 1, 1]}]}`))
	own, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	p := New(open(t, archive(t)), own, nil)
	set, err := p.Areas(ctx, "velvet")
	if err != nil || set.Version != 0 || len(set.Areas) != 1 || !strings.Contains(string(set.Areas[0]), "cloth") || len(set.History) != 0 {
		t.Fatalf("the study's own areas are %+v, %v", set, err)
	}
	if set, err := p.Areas(ctx, "silk"); err != nil || set.Version != 0 || set.Areas == nil || len(set.Areas) != 0 {
		t.Errorf("of a clip without areas there are %+v, %v", set, err)
	}
	moving := json.RawMessage(`{"name":"hat","shape":"ellipse","keyframes":[{"t_s":0,"box":[0.1,0.1,0.2,0.2]},{"t_s":1.5,"hidden":true}]}`)
	set, err = p.SetAreas(ctx, "velvet", AreaChange{Base: 0, Areas: append(set.Areas, moving), Note: "the hat too"}, "Anna")
	if err != nil || set.Version != 1 || len(set.Areas) != 2 || len(set.History) != 1 || set.History[0].By != "Anna" || set.History[0].Note != "the hat too" {
		t.Fatalf("%+v, %v", set, err)
	}
	if _, err := p.SetAreas(ctx, "velvet", AreaChange{Base: 0, Areas: nil}, "Ben"); why(err) != Conflict {
		t.Errorf("saved on top of an old version: %v", err)
	}
	for name, c := range map[string]AreaChange{
		"no shape":          {Base: 1, Areas: []json.RawMessage{json.RawMessage(`{"name":"x"}`)}},
		"an unknown key":    {Base: 1, Areas: []json.RawMessage{json.RawMessage(`{"name":"x","shape":"rect","box":[0,0,1,1],"tga":"y"}`)}},
		"a name twice":      {Base: 1, Areas: []json.RawMessage{set.Areas[0], set.Areas[0]}},
		"a long note":       {Base: 1, Note: strings.Repeat("x", maxNote+1)},
		"no version at all": {Base: -1},
	} {
		if _, err := p.SetAreas(ctx, "velvet", c, "Eve"); why(err) != Unfit {
			t.Errorf("%s: %v", name, err)
		}
	}
	own.Stimuli[slices.IndexFunc(own.Stimuli, func(m study.Stimulus) bool { return m.ID == "silk" })].AOIs = "moved.aoi.json"
	if _, err := p.Areas(ctx, "silk"); why(err) != Absent || !strings.Contains(err.Error(), "moved since") {
		t.Errorf("of a file that is gone: %v", err)
	}
	if _, err := p.Areas(ctx, "../study"); why(err) != Absent {
		t.Error(err)
	}
	if _, _, err := p.AreasFile(ctx, "velvet", 2); why(err) != Absent {
		t.Error(err)
	}
	for _, c := range []struct {
		version, number int
		names           string
	}{{0, 0, "cloth"}, {1, 1, "cloth hat"}, {-1, 1, "cloth hat"}} {
		text, number, err := p.AreasFile(ctx, "velvet", c.version)
		if err != nil || number != c.number {
			t.Fatalf("version %d is %d, %v", c.version, number, err)
		}
		// A study takes what was downloaded.
		again, err := study.Load(exampleWith(t, text))
		if err != nil {
			t.Fatal(err)
		}
		set, err := New(open(t, archive(t)), again, nil).Areas(ctx, "velvet")
		var got []string
		for _, a := range set.Areas {
			var area struct{ Name string }
			if err := json.Unmarshal(a, &area); err != nil {
				t.Fatal(err)
			}
			got = append(got, area.Name)
		}
		if err != nil || strings.Join(got, " ") != c.names {
			t.Errorf("version %d has the areas %v, want %s: %v", c.version, got, c.names, err)
		}
	}
}

// A map lies where the eyes were, and one of several people is not made of fewer than three.
func TestHeat(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	spot := [2]float64{.25, .8}
	visits := []visit{{id: "s1", participant: "P01", seconds: 10, spot: spot}, {id: "s1-again", participant: "P01", seconds: 10, spot: [2]float64{.9, .1}},
		{id: "s2", participant: "P02", seconds: 10, spot: spot}, {id: "s3", participant: "P03", seconds: 10, spot: spot},
		{id: "blind", participant: "P04", seconds: 10, bad: func(kind stream.Kind, _ time.Duration) bool { return kind == stream.Gaze }}}
	p := New(open(t, archive(t, visits...)), clips(), nil)
	inf := math.Inf(1)
	one, err := p.Heat(ctx, "s1", 2, -inf, inf)
	if err != nil || one.Fixations == 0 || one.People != 1 || one.SigmaDeg != 1 {
		t.Fatalf("%d fixations of %d people, sigma %g, %v", one.Fixations, one.People, one.SigmaDeg, err)
	}
	hottest(t, one, .25, .8)
	if before, err := p.Heat(ctx, "s1", 2, 0, 10); err != nil || before.Fixations != 0 {
		t.Errorf("before it was shown there are %d fixations, %v", before.Fixations, err)
	}
	if _, err := p.Heat(ctx, "s1", 9, -inf, inf); why(err) != Absent {
		t.Error(err)
	}
	if _, err := p.Heat(ctx, "blind", 2, -inf, inf); why(err) != Absent || !strings.Contains(err.Error(), "no fixation was found") {
		t.Errorf("of who never looked: %v", err)
	}
	if err := p.store.Judge(ctx, "s3", false, "a test"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.HeatOfAll(ctx, "a", -inf, inf); why(err) != Conflict || !strings.Contains(err.Error(), "there are 2") {
		t.Errorf("of two people: %v", err)
	}
	if _, err := p.HeatOfAll(ctx, "c", -inf, inf); why(err) != Absent {
		t.Error(err)
	}
	if err := p.store.Judge(ctx, "s3", true, "a test"); err != nil {
		t.Fatal(err)
	}
	all, err := p.HeatOfAll(ctx, "a", -inf, inf)
	if err != nil || all.People != 3 || all.Fixations < 3 {
		t.Fatalf("%d people, %d fixations, %v", all.People, all.Fixations, err)
	}
	hottest(t, all, .25, .8)
	if _, err := p.HeatOfAll(ctx, "a", 100, 200); why(err) != Conflict {
		t.Errorf("of a time that the clip has not got: %v", err)
	}
	// Whoever withdraws is in no map any more.
	if _, err := p.store.Erase(ctx, "s2", store.Tombstone{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.HeatOfAll(ctx, "a", -inf, inf); why(err) != Conflict {
		t.Errorf("after a withdrawal: %v", err)
	}
}

// hottest looks where a map is most opaque.
func hottest(t *testing.T, h Heat, x, y float64) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(h.PNG))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	if b.Dx() != 90 || b.Dy() != 160 {
		t.Errorf("the map has %d by %d cells, the clip 360 by 640 px", b.Dx(), b.Dy())
	}
	var top uint32
	var at [2]float64
	for row := range b.Dy() {
		for column := range b.Dx() {
			if _, _, _, a := img.At(column, row).RGBA(); a > top {
				top, at = a, [2]float64{(float64(column) + .5) / 90, (float64(row) + .5) / 160}
			}
		}
	}
	if !near(at[0], x, .02) || !near(at[1], y, .02) || top < 0xd000 {
		t.Errorf("the map is hottest at %.2f, want %.2f %.2f; opaque by %#x", at, x, y, top)
	}
	if _, _, _, a := img.At(89-int(89*x), 159-int(159*y)).RGBA(); a > top/4 {
		t.Errorf("opposite of it it is opaque by %#x", a)
	}
}

// pictures are faces of one file, a byte each.
type pictures struct{ asked int }

func (p *pictures) Frames(string) ([]FaceFrame, error) {
	var out []FaceFrame
	for n := range 40 {
		file := "segment-00-00000.mkv"
		if n >= 30 {
			file = "segment-00-00001.mkv" // which no row speaks of
		}
		out = append(out, FaceFrame{Segment: 0, Seq: int64(n), At: origin + 99, File: file, Place: n % 30})
	}
	return out, nil
}

func (p *pictures) JPEG(_ string, f FaceFrame) ([]byte, error) {
	p.asked++
	if f.Place == 29 {
		return nil, errors.New("the disk has a hole")
	}
	return []byte{byte(f.Place)}, nil
}

// Faces are shown while they are kept with consent, and not longer.
func TestFaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	kept := &pictures{}
	s := open(t, archive(t, visit{id: "s1", participant: "P01", seconds: 10, video: true}, visit{id: "s2", participant: "P02", seconds: 10}))
	p := New(s, clips(), kept)
	times, err := p.FaceTimes(ctx, "s1")
	if err != nil || len(times) != 30 || !near(times[3], 100, 1) {
		t.Fatalf("%v, %v", times, err)
	}
	if b, err := p.FacePicture(ctx, "s1", 7); err != nil || !bytes.Equal(b, []byte{7}) {
		t.Errorf("%v, %v", b, err)
	}
	if _, err := p.FacePicture(ctx, "s1", 30); why(err) != Absent {
		t.Error(err)
	}
	if _, err := p.FacePicture(ctx, "s1", 29); err == nil || why(err) != -1 {
		t.Error(err)
	}
	if got, err := p.Session(ctx, "s1"); err != nil || got.Face == nil || got.Face.Frames != 30 {
		t.Errorf("%+v, %v", got.Face, err)
	}
	if _, err := p.FaceTimes(ctx, "s2"); why(err) != Absent {
		t.Errorf("of who did not agree: %v", err)
	}
	asked := kept.asked
	if _, err := s.ErasePart(ctx, "s1", store.FaceVideos); err != nil {
		t.Fatal(err)
	}
	if _, err := p.FacePicture(ctx, "s1", 7); why(err) != Absent || kept.asked != asked {
		t.Errorf("after its date: %v", err)
	}
	if got, err := p.Session(ctx, "s1"); err != nil || got.Face != nil {
		t.Errorf("after its date: %+v, %v", got.Face, err)
	}
}

// What is erased is not shown any more, although it has been looked at just before.
func TestErasedIsNotShown(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := open(t, archive(t, visit{id: "s1", participant: "P01", seconds: 10}, visit{id: "s2", participant: "P02", seconds: 10}))
	p := New(s, clips(), nil)
	look := func(id string) error {
		_, err := p.Columns(ctx, id, "face", Cut{Columns: []string{"p_happy"}, FromMs: math.NaN(), UntilMs: math.NaN()})
		return err
	}
	for _, id := range []string{"s1", "s2"} {
		if err := look(id); err != nil {
			t.Fatal(err)
		}
	}
	_, one := s.ErasePart(ctx, "s1", store.Traces)
	_, two := s.Erase(ctx, "s2", store.Tombstone{})
	if err := errors.Join(one, two); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"s1", "s2"} {
		if err := look(id); why(err) != Absent {
			t.Errorf("%s: %v", id, err)
		}
	}
	if len(p.open) != 0 {
		t.Errorf("%d sessions are kept in memory", len(p.open))
	}
}

// A session that is not sealed is not shown.
func TestOnlySealedSessionsAreShown(t *testing.T) {
	t.Parallel()
	s := open(t, archive(t))
	r, err := s.Begin(t.Context(), session.Header{ID: "s1", Study: clips(), Participant: "P01", Streams: devices(),
		Plan: study.Plan{Steps: []study.Step{{Action: study.Play, Stimulus: "a", Presentation: 1}}}, Segment: session.Segment{Start: origin, Wall: morning}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, clips(), nil).Session(t.Context(), "s1"); why(err) != Conflict || !strings.Contains(err.Error(), "recording") {
		t.Error(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkColumns asks for 2000 points of an hour of what the page draws first: of columns
// that nobody has asked for, and of those that are in memory.
func BenchmarkColumns(b *testing.B) {
	file := os.Getenv("EMOLAB_REPLAY_BENCH")
	if file == "" {
		b.Skip("EMOLAB_REPLAY_BENCH names no file of a study with a session of an hour, of the id hour")
	}
	s := open(b, file)
	for id, columns := range map[string]string{
		"trace": "p_neutral p_happy p_sad p_angry p_fearful p_disgusted p_surprised valence", "gaze": "pupil_mm", "eda": "eda_us",
	} {
		cut := Cut{Columns: strings.Fields(columns), FromMs: math.NaN(), UntilMs: math.NaN()}
		b.Run(id+"/cold", func(b *testing.B) {
			for b.Loop() {
				if _, err := New(s, nil, nil).Columns(b.Context(), "hour", id, cut); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(id+"/warm", func(b *testing.B) {
			p := New(s, nil, nil)
			for b.Loop() {
				if _, err := p.Columns(b.Context(), "hour", id, cut); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
