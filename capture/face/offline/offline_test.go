//go:build !nocv

package offline

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"emolab/calibration/neutral"
	"emolab/capture/face"
	"emolab/capture/face/modelpack"
	"emolab/capture/portrait"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/trace"
	"emolab/fusion/visibility"
)

func newAnalyzer(t *testing.T) *face.Analyzer {
	t.Helper()
	an, err := face.NewAnalyzer(face.Options{})
	if errors.Is(err, modelpack.ErrMissing) {
		t.Skip("no model pack in capture/face/models: run `make models`")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := an.Close(); err != nil {
			t.Error(err)
		}
	})
	return an
}

// footage returns a file of the test footage, or skips.
func footage(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = "../../../../shared"
	}
	path := filepath.Join(root, "data", "face", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the test footage is not there (set EMOLAB_SHARED): %v", err)
	}
	return path
}

func analyze(t *testing.T, name string, o Options) Result {
	t.Helper()
	var last int64
	r, err := Analyze(t.Context(), name, newAnalyzer(t), o, func(done, total int64) {
		if done != last+1 || total < done {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != int64(len(r.Rows)) {
		t.Errorf("progress ended at %d of %d frames", last, len(r.Rows))
	}
	return r
}

// drawn is a still of the drawn face.
func drawn(t *testing.T, l portrait.Look) string {
	t.Helper()
	const w, h = 640, 480
	pix := portrait.NewPainter(w, h, 1).Paint(l)
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = pix[3*i+2], pix[3*i+1], pix[3*i], 255
	}
	name := filepath.Join(t.TempDir(), "drawn.png")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNeutralThenHappy(t *testing.T) {
	r := analyze(t, footage(t, "single_face.mp4"), Options{Thumbnails: 6})
	course := Course(&r)
	if len(course) != 2 || course[0].Name != "neutral" || course[1].Name != "happy" {
		t.Fatalf("course %v, want neutral, then happy", course)
	}
	if at := course[0].Until; at < .4 || at > .9 {
		t.Errorf("the smile begins at %.2f s, in the pictures it does at .6", at)
	}
	if len(r.Thumbnails) != 6 || r.Thumbnails[5].Row < 48 {
		t.Errorf("%d thumbnails, the last of frame %d", len(r.Thumbnails), r.Thumbnails[len(r.Thumbnails)-1].Row)
	}
	sheet := filepath.Join(t.TempDir(), "sheet.png")
	if err := WriteSheet(sheet, &r); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || c.Width < 6*300 {
		t.Errorf("a contact sheet of %+v, %v", c, err)
	}
}

// Smoothing changes the table and nothing else.
func TestSmooth(t *testing.T) {
	name := footage(t, "single_face.mp4")
	raw, smooth := analyze(t, name, Options{}), analyze(t, name, Options{Smooth: 9})
	happy := raw.named("p_happy")
	var before, after float64 // sums of the changes from frame to frame
	for i := 1; i < len(raw.Rows); i++ {
		before += math.Abs(happy(&raw, i) - happy(&raw, i-1))
		after += math.Abs(happy(&smooth, i) - happy(&smooth, i-1))
		if a, b := raw.Samples[i].Values, smooth.Samples[i].Values; !slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }) {
			t.Fatalf("sample %d was smoothed", i)
		}
	}
	if !(after < before) || after < .9 {
		t.Errorf("changes add up to %.2f raw, %.2f smoothed; the smile alone is 1", before, after)
	}
	if len(raw.Facial.Events) != len(smooth.Facial.Events) {
		t.Errorf("%d events, smoothed %d", len(raw.Facial.Events), len(smooth.Facial.Events))
	}
}

// The half second before the smile is too short to be found, but not to be named.
func TestNeutralStretchIsTaken(t *testing.T) {
	r := analyze(t, footage(t, "single_face.mp4"), Options{Neutral: neutral.Options{
		From: Start, Until: Start.Add(570 * time.Millisecond)}})
	if r.Neutral == nil {
		t.Fatal("no neutral face")
	}
	if q := r.named("quality")(&r, 5); q != 0 {
		t.Errorf("a film has the faults %v", trace.Quality(q).Words())
	}
	smile := r.named("au12")
	if before, after := smile(&r, 5), smile(&r, 50); !(before < .2 && after > .6) {
		t.Errorf("AU 12 is %.2f before the smile and %.2f in it", before, after)
	}
	none := Options{Neutral: neutral.Options{From: Start.Add(time.Minute), Until: Start.Add(time.Minute + time.Second)}}
	if _, err := Analyze(t.Context(), r.File, newAnalyzer(t), none, func(int64, int64) {}); err == nil || !strings.Contains(err.Error(), "single_face.mp4") {
		t.Errorf("a stretch after the film's end: %v", err)
	}
}

func TestNobody(t *testing.T) {
	r := analyze(t, footage(t, "no_face.mp4"), Options{})
	for i, row := range r.Facial.Rows {
		if row.Found {
			t.Errorf("a face in frame %d", i)
		}
	}
	if c := Course(&r); len(c) != 1 || c[0].Name != "no face" {
		t.Errorf("course %v", c)
	}
}

// In this film a hand lies over mouth or face from frame 70 to 225; from 240 on
// the woman laughs.
func TestHandsAndLaughter(t *testing.T) {
	r := analyze(t, footage(t, "WolfgangLanger_Pexels.mp4"), Options{})
	const hides = visibility.MouthCovered | visibility.OutOfFrame
	flagged, laughing := 0, 0
	for i, row := range r.Facial.Rows {
		if i >= 70 && i < 225 && (!row.Found || row.View&hides != 0) {
			flagged++
		}
	}
	for _, e := range r.Facial.Events {
		if e.Kind == facial.Bout && e.Label == "happy" {
			laughing += int(e.Offset.Sub(e.Onset).Seconds() * r.FPS)
		}
	}
	if share := float64(flagged) / 155; share < .8 {
		t.Errorf("%.0f %% of the frames with a hand before the face are flagged", 100*share)
	}
	if laughing < 200 {
		t.Errorf("%d frames of laughter, want 230 or so", laughing)
	}
}

func TestAPicture(t *testing.T) {
	r := analyze(t, drawn(t, portrait.Look{Expression: "happy", Intensity: 1}), Options{Thumbnails: 1})
	if len(r.Rows) != 1 || !r.Facial.Rows[0].Found || r.Neutral != nil {
		t.Fatalf("%d rows, neutral face %v", len(r.Rows), r.Neutral)
	}
	if p := r.named("p_happy")(&r, 0); p < .5 {
		t.Errorf("happy %.2f", p)
	}
	if au := r.named("au12")(&r, 0); !math.IsNaN(au) {
		t.Errorf("AU 12 is %.2f without a neutral face", au)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(drawn(t, portrait.Look{}))
	if err != nil {
		t.Fatal(err)
	}
	an := newAnalyzer(t)
	for _, name := range []string{
		file("empty.mp4", nil), file("empty.png", nil), file("noise.mp4", []byte("no film at all")),
		file("cut.png", whole[:len(whole)/2]), file("text.jpg", []byte("hello")),
		filepath.Join(dir, "absent.mp4"), filepath.Join(dir, "absent.png"), dir,
	} {
		_, err := Analyze(t.Context(), name, an, Options{}, func(int64, int64) {})
		if err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}

// A film that breaks off keeps what it has.
func TestADamagedFilm(t *testing.T) {
	whole := analyze(t, footage(t, "single_face.mp4"), Options{})
	text, err := os.ReadFile(whole.File)
	if err != nil {
		t.Fatal(err)
	}
	// Zeros in the middle: the index, at the end, still promises all frames.
	clear(text[len(text)/3 : len(text)/3*2])
	name := filepath.Join(t.TempDir(), "damaged.mp4")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Analyze(t.Context(), name, newAnalyzer(t), Options{}, func(int64, int64) {})
	if err != nil {
		t.Logf("refused: %v", err)
		if !strings.Contains(err.Error(), "damaged.mp4") {
			t.Errorf("the error does not name the file: %v", err)
		}
		return
	}
	if len(r.Rows) == 0 || len(r.Rows)+int(r.Missing) < len(whole.Rows) {
		t.Errorf("%d frames read, %d missing, of %d", len(r.Rows), r.Missing, len(whole.Rows))
	}
}

func TestTables(t *testing.T) {
	r := analyze(t, drawn(t, portrait.Look{Yaw: 8, Expression: "neutral", Intensity: 1}), Options{})
	read := func(n Names, landmarks bool) map[string]string {
		var b bytes.Buffer
		if err := WriteCSV(&b, &r, Columns(&r, n, landmarks)); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(lines) != 2 {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		cells := map[string]string{}
		for i, name := range lines[0] {
			if _, twice := cells[name]; twice {
				t.Errorf("%s: column %s stands twice", n, name)
			}
			cells[name] = lines[1][i]
		}
		return cells
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	ours, theirs, im := read(Emolab, true), read(OpenFace, false), read(IMotions, false)
	if yaw := number(ours["yaw_deg"]); math.Abs(yaw-8) > 5 || math.Abs(number(theirs["pose_Ry"])+yaw*math.Pi/180) > 1e-5 {
		t.Errorf("yaw %s, pose_Ry %s", ours["yaw_deg"], theirs["pose_Ry"])
	}
	if p := number(ours["p_neutral"]); math.Abs(100*p-number(im["Neutral"])) > 1e-3 {
		t.Errorf("p_neutral %s, Neutral %s", ours["p_neutral"], im["Neutral"])
	}
	for i := range 68 {
		mark := strconv.Itoa(i)
		if theirs["x_"+mark] == "" || theirs["x_"+mark] != ours["lm"+strings.Repeat("0", 2-len(mark))+mark+"_x_px"] {
			t.Errorf("landmark %d: %s and %s", i, theirs["x_"+mark], ours["lm"+mark+"_x_px"])
		}
	}
	if theirs["success"] != "1" || theirs["frame"] != "1" || ours["frame"] != "0" {
		t.Errorf("success %s, frame %s and %s", theirs["success"], theirs["frame"], ours["frame"])
	}
	// Without a neutral face no action unit can be told: empty, not 0.
	if theirs["AU12_r"] != "" || im["Smile"] != "" || ours["au12"] != "" {
		t.Errorf("AU 12: %q, %q, %q", theirs["AU12_r"], im["Smile"], ours["au12"])
	}
	if slices.ContainsFunc(Columns(&r, Emolab, false), func(c Column) bool { return strings.HasPrefix(c.Name, "lm") || c.Note == "" }) {
		t.Error("landmarks that were not asked for, or a column without a note")
	}

	var b bytes.Buffer
	if err := WriteJSON(&b, &r, Columns(&r, Emolab, false)); err != nil {
		t.Fatal(err)
	}
	var table struct {
		File, Model string
		Columns     []struct{ Name string }
		Rows        [][]*float64
	}
	if err := json.Unmarshal(b.Bytes(), &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 1 || len(table.Rows[0]) != len(table.Columns) || table.Model == "" || table.File != "drawn.png" {
		t.Errorf("%d rows, %d columns, %q by %q", len(table.Rows), len(table.Columns), table.File, table.Model)
	}
	if err := WriteJSON(full{}, &r, Columns(&r, Emolab, false)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestEvents(t *testing.T) {
	at := func(s float64) instant.Instant { return Start.Add(time.Duration(s * float64(time.Second))) }
	r := Result{Facial: facial.Derived{Events: []facial.Event{
		{Kind: facial.Blink, Onset: at(1), Offset: at(1.125), Peak: .9, Mean: .5},
		{Kind: facial.Bout, Label: "happy", Onset: at(2), Offset: at(3.5), Peak: 1, Mean: .75},
	}}}
	var b bytes.Buffer
	if err := WriteEvents(&b, &r); err != nil {
		t.Fatal(err)
	}
	want := "kind,label,onset_s,offset_s,duration_s,peak,mean\nblink,,1,1.125,0.125,0.9,0.5\nbout,happy,2,3.5,1.5,1,0.75\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
