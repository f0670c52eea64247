package withdrawal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/studies/bundle"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const aDay = 24 * time.Hour

// Each class goes at its date and takes nothing of the other; the report names nobody.
func TestPurge(t *testing.T) {
	t.Parallel()
	b := &bench{dir: filepath.Join(t.TempDir(), "data")}
	var err error
	if b.key, err = OpenKey(b.dir); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	now := time.Now() // sealing ends a session now
	p := came(t, b.store, b.dir, b.key, began, "P7K2", study.Retain{FaceVideo: 30 * aDay, Traces: 700 * aDay})
	ever := came(t, b.store, b.dir, b.key, began.Add(time.Hour), "P9QX") // the same study: the same promise
	e := b.eraser()

	video, truth := filepath.Join(b.dir, "video", p.id), filepath.Join(b.dir, "truth", p.id+".json")
	zip := filepath.Join(b.dir, "bundles", p.id+".zip")
	there := func(path string) bool {
		_, err := os.Lstat(path)
		return err == nil
	}
	purge := func(after time.Duration, want ...string) Purged {
		t.Helper()
		due, err := e.Due(t.Context(), now.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		due = slices.DeleteFunc(due, func(d Due) bool { return d.Session == ever.id })
		var got []string
		for _, d := range due {
			if d.Files == 0 || d.Bytes == 0 {
				t.Errorf("%s has %d files of %d bytes", d.Class, d.Files, d.Bytes)
			}
			got = append(got, string(d.Class))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("after %v due is %v, want %v", after, got, want)
		}
		done, err := e.Purge(t.Context(), due, nil)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if done := purge(29 * aDay); len(done.Classes) != 0 || !there(video) {
		t.Errorf("%+v", done)
	}
	done := purge(31*aDay, FaceVideoClass)
	if there(video) || !there(truth) || !there(zip) {
		t.Error("the video is there, or something else is gone")
	}
	if len(done.Classes) != 1 || done.Classes[0].Files != 1 || done.Classes[0].Rows != 1 {
		t.Errorf("%+v", done)
	}
	// What is made of it from now on says that the video is gone, and why.
	if _, err := bundle.NewExporter(b.store, filepath.Dir(zip)).Export(t.Context(), p.id, nil); err != nil {
		t.Fatal(err)
	}
	d, err := b.store.Session(t.Context(), p.id)
	if err != nil || d.VideoErased.IsZero() || !d.TracesErased.IsZero() {
		t.Errorf("%+v, %v", d.Summary, err)
	}
	made := t.TempDir()
	unzip(t, zip, made)
	for name, says := range map[string]string{"README.txt": "and erased on " + d.VideoErased.UTC().Format(time.DateOnly), "manifest.json": `"face_video_erased_utc"`} {
		if text, err := os.ReadFile(filepath.Join(made, name)); err != nil || !strings.Contains(string(text), says) {
			t.Errorf("%s does not say %q: %s, %v", name, says, text, err)
		}
	}
	done = purge(701*aDay, TracesClass)
	if _, err := bundle.NewExporter(b.store, filepath.Dir(zip)).Export(t.Context(), p.id, nil); err == nil || !strings.Contains(err.Error(), "nothing left to export") {
		t.Errorf("export of what was erased: %v", err)
	}
	if d, err := b.store.Session(t.Context(), p.id); err != nil || d.TracesErased.IsZero() {
		t.Errorf("%+v, %v", d.Summary, err)
	}
	if there(truth) || there(zip) || done.Classes[0].Files != 2 || done.Classes[0].Rows < 300 {
		t.Errorf("what was recorded is there still: %+v", done)
	}
	left := p.seen(t, b.dir)
	for what := range p.marks {
		agreed := strings.HasPrefix(what, "how ") || what == "the participant's code" // the registry stays
		if left[what] != "" && !agreed {
			t.Errorf("%s is still in %s", what, left[what])
		}
	}
	for _, path := range []string{filepath.Join(b.dir, "video", ever.id), filepath.Join(b.dir, "truth", ever.id+".json"), filepath.Join(b.dir, "bundles", ever.id+".zip")} {
		if !there(path) {
			t.Errorf("%s is gone", path)
		}
	}
	path, err := e.KeepReport(done)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), p.code) || !strings.Contains(string(text), Words(TracesClass)) {
		t.Errorf("the report: %s, %v", text, err)
	}
	if !done.Scrubbed || !strings.Contains(string(text), "Rows and files were overwritten.") {
		t.Errorf("overwritten: %v, the report: %s", done.Scrubbed, text)
	}
	stones, err := b.store.Tombstones(t.Context())
	if err != nil || len(stones) != 2 || stones[0].Class != store.FaceVideos || stones[0].Scrubbed.IsZero() || stones[1].Scrubbed.IsZero() {
		t.Errorf("%+v, %v", stones, err)
	}
}

// A purge that is cut off reports what is gone, and what it could not do yet.
func TestAPurgeThatIsCutOffIsReported(t *testing.T) {
	t.Parallel()
	b := &bench{dir: filepath.Join(t.TempDir(), "data")}
	b.open(t)
	came(t, b.store, b.dir, b.key, began, "P7K2", study.Retain{FaceVideo: aDay, Traces: aDay})
	e := b.eraser()
	due, err := e.Due(t.Context(), time.Now().Add(2*aDay))
	if err != nil || len(due) != 2 {
		t.Fatal(due, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done, err := e.Purge(ctx, due, func(n, _ int, _ string) {
		if n == 1 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || len(done.Classes) != 1 || done.Scrubbed {
		t.Fatalf("%+v, %v", done, err)
	}
	path, err := e.KeepReport(done)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "at the\nnext start") || strings.Contains(string(text), Words(TracesClass)) {
		t.Errorf("the report: %s, %v", text, err)
	}
	if due, err = e.Due(t.Context(), time.Now().Add(2*aDay)); err != nil || len(due) != 1 || due[0].Class != store.Traces {
		t.Errorf("still due: %+v, %v", due, err)
	}
}

// However many sessions are due, the data folder is walked through once to show them and
// once to erase them.
func TestAPurgeWalksThroughTheFolderOnce(t *testing.T) {
	t.Parallel()
	const people = 200
	b := &bench{dir: filepath.Join(t.TempDir(), "data")}
	b.open(t)
	st := &study.Study{ID: "pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"), Retain: study.Retain{FaceVideo: aDay, Traces: aDay}}
	plan := study.Plan{Steps: []study.Step{{Action: study.Fill, Sheet: "screening"}, {Index: 1, Action: study.Begin}}}
	for i := range people {
		id := fmt.Sprintf("20261122-%06d-P%d", 90000+i, i)
		r, err := b.store.Begin(t.Context(), session.Header{ID: id, Study: st, Plan: plan, Participant: fmt.Sprintf("P%d", i), Segment: session.Segment{Wall: began}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Reached(t.Context(), 0, 0), r.Decline(t.Context(), "left")); err != nil {
			t.Fatal(err)
		}
		video, truth := filepath.Join(b.dir, "video", id, "000-0000.mkv"), filepath.Join(b.dir, "truth", id+".json")
		for _, path := range []string{video, truth} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("of "+id), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, walks := b.eraser(), 0
	e.look = func(ctx context.Context, dir string, sessions []string) ([]thing, error) {
		walks++
		return look(ctx, dir, sessions)
	}
	due, err := e.Due(t.Context(), time.Now().Add(2*aDay))
	if err != nil || len(due) != people || walks != 1 {
		t.Fatalf("%d are due, %v; the folder was walked through %d times", len(due), err, walks)
	}
	done, err := e.Purge(t.Context(), due, nil)
	if err != nil || walks != 2 || len(done.Classes) != 1 || done.Classes[0].Sessions != people {
		t.Errorf("%+v, %v; the folder was walked through %d times", done, err, walks)
	}
	for folder, want := range map[string]int{"truth": 0, "video": people} { // nobody agreed to video: none of it is due
		if left, err := os.ReadDir(filepath.Join(b.dir, folder)); err != nil || len(left) != want {
			t.Errorf("in %s are %d files, want %d, %v", folder, len(left), want, err)
		}
	}
}
