package withdrawal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/bundle"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const origin = instant.Instant(5_000_000_000_000)

var began = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// words is random text that nothing else has.
func words() string {
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// person is somebody whose data are full of sentinels: bytes that stand nowhere else.
type person struct {
	code, id string
	withdraw string            // the withdrawal code
	marks    map[string][]byte // what to look for, by what it is
}

// value is a number with random bits, between 1 and 2.
func (p *person) value(what string) float64 {
	var b [8]byte
	rand.Read(b[:])
	bits := binary.BigEndian.Uint64(b[:])&(1<<52-1) | 0x3ff<<52
	p.marks[what+" (as SQLite has it)"] = binary.BigEndian.AppendUint64(nil, bits)
	p.marks[what+" (as this machine has it)"] = binary.LittleEndian.AppendUint64(nil, bits)
	return math.Float64frombits(bits)
}

// text is a sentence with random words in it.
func (p *person) text(what string) string {
	w := words()
	p.marks[what] = []byte(w)
	return "it says " + w
}

// streams is a small lab whose face has landmarks.
func streams() []stream.Info {
	channels := func(names string) []stream.Channel {
		var out []stream.Channel
		for _, n := range strings.Fields(names) {
			out = append(out, stream.Channel{Name: n, Unit: "1", Note: "Test channel."})
		}
		return out
	}
	face := "face_found face_confidence box_x_px box_y_px box_w_px box_h_px p_neutral p_happy p_sad p_angry p_fearful p_disgusted p_surprised valence arousal face_tracked faces frame_w_px frame_h_px luma_face luma_around face_clipped face_sharpness mouth_cover"
	for i := range 68 {
		face += fmt.Sprintf(" lm%02d_x_px lm%02d_y_px", i, i)
	}
	return []stream.Info{
		{ID: "eda", Kind: stream.EDA, Device: "box", Clock: stream.HostClock, TickHz: 1e9, Rate: 100, Channels: channels("raw eda_us")},
		{ID: "face", Kind: stream.Face, Device: "camera", Clock: stream.HostClock, TickHz: 1e9, Rate: 30, Channels: channels(face)},
		trace.Info(),
	}
}

// came lets somebody take part: prepared, recorded, answered, sealed, with video and a
// bundle.
func came(t *testing.T, s *store.Store, dir string, key Key, at time.Time, code string, retain ...study.Retain) *person {
	t.Helper()
	p := &person{code: code, marks: map[string][]byte{"the participant's code": []byte(code)}}
	p.id = at.Format("20060102-150405-") + code
	st := &study.Study{ID: "pilot", Title: "Pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"),
		Stimuli: []study.Stimulus{{ID: "a", File: "a.mp4", Duration: time.Second}}}
	for _, r := range retain {
		st.Retain = r
	}
	plan := study.Plan{Steps: []study.Step{
		{Action: study.Fill, Sheet: "consent"}, {Index: 1, Action: study.Begin},
		{Index: 2, Action: study.Play, Stimulus: "a", Presentation: 1, Duration: time.Second},
		{Index: 3, Action: study.Fill, Sheet: "rate.free", Stimulus: "a", Presentation: 1},
	}}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Begin(ctx, session.Header{ID: p.id, Study: st, Plan: plan, Participant: code, Software: "emolab test", Segment: session.Segment{Wall: at}})
	must(err)
	read := "We keep what you give us."
	sum := sha256.Sum256([]byte(read))
	hash := hex.EncodeToString(sum[:])
	must(r.Reached(ctx, 0, 0))
	for _, scope := range []string{session.Traces, session.FaceVideo} {
		must(r.Consent(ctx, session.Consent{Scope: scope, Granted: true, TextSHA256: hash, Language: "en", Text: read, How: p.text("how " + scope + " was agreed to")}))
	}
	must(r.Answer(ctx, session.Answer{Sheet: "screening", Kind: study.ScreeningSheet, Values: study.Answers{"age": p.text("a band")},
		TextSHA256: hash, Language: "en", Text: read, Wall: at, How: session.OnScreen}))
	must(r.Record(ctx, session.Segment{Boot: "boot", Start: origin, Wall: at}, streams()))
	must(r.Append(ctx, []stream.Chunk{p.conductance(), p.face()}))
	must(r.Reached(ctx, 2, origin+1))
	must(r.Answer(ctx, session.Answer{Step: 3, Sheet: "rate.free", Kind: study.RatingSheet, Stimulus: "a", Presentation: 1,
		Values:     study.Answers{"thought": "I am " + p.text("a name in an answer") + strings.Repeat(" and on", 900)}, // longer than a page of the file
		ResponseMs: map[string]float64{"thought": p.value("a response time")},
		TextSHA256: hash, Language: "en", Text: read, At: origin + 2, Wall: at, How: session.OnScreen}))
	typed, keyed, err := key.New()
	must(err)
	p.withdraw = typed
	must(r.Withdrawable(ctx, keyed))
	plain, err := ParseCode(typed)
	must(err)
	p.marks["the withdrawal code"] = []byte(plain) // which is nowhere even before

	video := filepath.Join(dir, "video", p.id)
	must(os.MkdirAll(video, 0o700))
	must(os.WriteFile(filepath.Join(video, "000-0000.mkv"), []byte("\x1a\x45\xdf\xa3"+p.text("video")), 0o600))
	must(r.Video(ctx, session.Video{File: "video/" + p.id + "/000-0000.mkv", From: origin, Until: origin + 1e9, Frames: 30, Bytes: 44, SHA256: hash}))
	must(os.MkdirAll(filepath.Join(dir, "truth"), 0o700))
	must(os.WriteFile(filepath.Join(dir, "truth", p.id+".json"), []byte(p.text("the truth of a virtual person")), 0o600))
	must(r.Seal(ctx, nil))
	must(os.MkdirAll(filepath.Join(dir, "bundles"), 0o700))
	_, err = bundle.NewExporter(s, filepath.Join(dir, "bundles")).Export(ctx, p.id, nil)
	must(err)
	return p
}

func (p *person) conductance() stream.Chunk {
	c := stream.Chunk{Stream: "eda", Events: []stream.Event{{Kind: stream.Marker, At: origin + 7, Detail: p.text("what was said")}}}
	for seq := range int64(200) {
		at := origin + instant.Instant(seq*1e7)
		c.Samples = append(c.Samples, stream.Sample{Seq: seq, Tick: int64(at), Arrival: at, At: at, Values: []float64{1, 2}})
	}
	c.Samples[100].Values[1] = p.value("a sample")
	return c
}

func (p *person) face() stream.Chunk {
	c := stream.Chunk{Stream: "face"}
	for seq := range int64(60) {
		at := origin + instant.Instant(seq*1e9/30)
		v := make([]float64, len(streams()[1].Channels))
		for k := range v {
			v[k] = float64(k)
		}
		copy(v, []float64{1, 1})
		copy(v[6:13], []float64{.94, .01, .01, .01, .01, .01, .01})
		c.Samples = append(c.Samples, stream.Sample{Seq: seq, Tick: int64(at), Arrival: at, At: at, Values: v})
	}
	c.Samples[30].Values[1] = p.value("how sure a face is")
	// Landmarks are kept as float32: four bytes would be found by chance, two of them not.
	var b [8]byte
	for i := range 2 {
		var bits [4]byte
		rand.Read(bits[:])
		word := binary.BigEndian.Uint32(bits[:])&(1<<23-1) | 0x7f<<23
		binary.LittleEndian.PutUint32(b[4*i:], word)
		c.Samples[30].Values[24+i] = float64(math.Float32frombits(word))
	}
	p.marks["landmarks"] = b[:]
	return c
}

// seen tells which marks are in any file, name or byte of a folder.
func (p *person) seen(t *testing.T, dir string) map[string]string {
	t.Helper()
	at := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		content := []byte(path)
		if !e.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = append(content, b...)
		}
		for what, mark := range p.marks {
			if bytes.Contains(content, mark) {
				at[what] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// bench is a data folder with two people in it, one of whom came twice.
type bench struct {
	dir           string
	store         *store.Store
	key           Key
	once, again   *person // who goes
	other         *person // who stays
	elsewhere     string  // a folder that is not the data folder
	otherBundle   string
	witness, left string // second names of files of who goes
}

func set(t *testing.T) *bench {
	t.Helper()
	b := &bench{dir: filepath.Join(t.TempDir(), "data"), elsewhere: t.TempDir()}
	var err error
	if b.key, err = OpenKey(b.dir); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	who := "S" + words() + "Z" // no column that follows a code in the file begins with Z
	b.once = came(t, b.store, b.dir, b.key, began, who)
	b.other = came(t, b.store, b.dir, b.key, began.Add(time.Hour), who[:len(who)-1]) // whose code begins alike
	b.again = came(t, b.store, b.dir, b.key, began.Add(2*time.Hour), who)
	b.otherBundle = filepath.Join(b.dir, "bundles", b.other.id+".zip")
	b.witness, b.left = filepath.Join(b.elsewhere, "video"), filepath.Join(b.elsewhere, "bundle")
	for second, first := range map[string]string{
		b.witness: filepath.Join(b.dir, "video", b.once.id, "000-0000.mkv"),
		b.left:    filepath.Join(b.dir, "bundles", b.again.id+".zip"),
	} {
		if err := os.Link(first, second); err != nil {
			t.Fatal(err)
		}
	}
	// An export that was killed leaves its working folder behind.
	half := filepath.Join(b.dir, "bundles", ".export-"+b.again.id+".1234")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "session.sqlite"), []byte(b.again.text("half an export")), 0o600); err != nil {
		t.Fatal(err)
	}
	delete(b.other.marks, "the participant's code") // which the other's begins with
	return b
}

func (b *bench) open(t *testing.T) {
	t.Helper()
	var err error
	if b.store, err = store.Open(context.Background(), filepath.Join(b.dir, "pilot.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() }) // once more is fine
}

func (b *bench) eraser() *Eraser { return NewEraser(b.store, b.dir, b.key) }

// gone checks that nothing of who went is left, and all of who stayed.
func (b *bench) gone(t *testing.T) {
	t.Helper()
	for _, p := range []*person{b.once, b.again} {
		for what, path := range p.seen(t, b.dir) {
			t.Errorf("%s is still in %s", what, path)
		}
	}
	still := b.other.seen(t, b.dir)
	for what := range b.other.marks {
		if still[what] == "" && what != "the withdrawal code" && !strings.Contains(what, "this machine") {
			t.Errorf("%s of somebody else is gone", what)
		}
	}
	if _, err := bundle.Verify(b.otherBundle); err != nil {
		t.Error(err)
	}
	if _, err := b.store.Session(t.Context(), b.other.id); err != nil {
		t.Error(err)
	}
	for _, path := range []string{b.witness, b.left} {
		left, err := os.ReadFile(path)
		if err != nil || len(left) == 0 || !bytes.Equal(left, make([]byte, len(left))) {
			t.Errorf("the blocks of a file that was erased still have its contents: %v", err)
		}
	}
	names, err := filepath.Glob(filepath.Join(b.dir, "*.withdrawing"))
	if err != nil || len(names) > 0 {
		t.Errorf("the note that it was to be is still there: %v, %v", names, err)
	}
}

func TestNothingOfWhoWithdrawsIsLeft(t *testing.T) {
	t.Parallel()
	b := set(t)
	for _, p := range []*person{b.once, b.again, b.other} { // or the search below proves nothing
		at := p.seen(t, b.dir)
		for what := range p.marks {
			if (at[what] == "") != (what == "the withdrawal code") && !strings.Contains(what, "this machine") {
				t.Errorf("before: %s is in %q; looked for it in %v", what, at[what], slices.Sorted(maps.Keys(at)))
			}
		}
	}
	done, err := b.eraser().ByCode(t.Context(), strings.ToLower(b.once.withdraw), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.gone(t) // with the file still open, its log beside it
	if done.Sessions != 2 || done.Rows < 600 || done.Files != 7 || done.Bytes < 1000 || len(done.Recipients) != 0 {
		t.Errorf("%+v", done)
	}
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	b.gone(t)

	receipt, err := os.ReadFile(ReceiptFile(b.dir, done))
	if err != nil || !bytes.Contains(receipt, []byte(done.Tombstone)) {
		t.Errorf("the receipt: %s, %v", receipt, err)
	}
	if _, err := b.eraser().ByCode(t.Context(), b.once.withdraw, nil); !errors.Is(err, ErrCodeUnknown) {
		t.Errorf("once more: %v", err)
	}
}

// A program may be killed at any moment; the next one ends what it began.
func TestAWithdrawalThatWasCutOffIsFinished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		cut  func(t *testing.T, b *bench, e *Eraser)
	}{
		{"before the rows", func(t *testing.T, b *bench, e *Eraser) {
			p, err := e.plan(t.Context(), b.again.id)
			if err := errors.Join(err, e.begin(p)); err != nil {
				t.Fatal(err)
			}
		}},
		{"after the rows", func(t *testing.T, b *bench, e *Eraser) {
			p, err := e.plan(t.Context(), b.again.id)
			if err := errors.Join(err, e.begin(p)); err != nil {
				t.Fatal(err)
			}
			if _, err := e.rows(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}},
		{"among the files", func(t *testing.T, b *bench, e *Eraser) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := e.Withdraw(ctx, b.again.id, func(done, _ int, doing string) {
				if doing == "overwriting files" && done == 3 {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("it was not cut off: %v", err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := set(t)
			c.cut(t, b, b.eraser())
			if err := b.store.Close(); err != nil {
				t.Fatal(err)
			}
			b.open(t)
			finished, err := b.eraser().Finish(t.Context(), nil)
			if err != nil || !finished {
				t.Fatalf("%v, %v", finished, err)
			}
			b.gone(t)
			stones, err := b.store.Tombstones(t.Context())
			if err != nil || len(stones) != 1 || stones[0].Sessions != 2 || stones[0].Files != 7 {
				t.Errorf("%+v, %v", stones, err)
			}
			if finished, err := b.eraser().Finish(t.Context(), nil); finished || err != nil {
				t.Errorf("once more: %v, %v", finished, err)
			}
		})
	}
}

// A program may be killed while it notes what it is going to erase. Nothing is erased
// then, and the half note, which names sessions, does not stay.
func TestAHalfNoteDoesNotStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e := NewEraser(s, dir, Key{})
	half := unfinished(e.pendingFile())
	if err := os.WriteFile(half, []byte(`{"session":"20261122-0915`), 0o600); err != nil {
		t.Fatal(err)
	}
	if finished, err := e.Finish(t.Context(), nil); err != nil || finished {
		t.Errorf("%v, %v", finished, err)
	}
	if _, err := os.Lstat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// Whoever was given a bundle is told of; a copy that still lies where it was written is
// erased, and one that was taken away is told of by its folder, whose name says nothing.
func TestBundlesThatWereGivenOut(t *testing.T) {
	t.Parallel()
	b := set(t)
	for _, p := range []*person{b.once, b.again} {
		if _, err := bundle.NewExporter(b.store, b.elsewhere).ExportTo(t.Context(), p.id, "Ann <ann@lab.example>", nil); err != nil {
			t.Fatal(err)
		}
	}
	again := bundle.NewExporter(b.store, t.TempDir()) // whose later bundle takes the place of the earlier one
	for _, who := range []string{"", "Ann <ann@lab.example>"} {
		if _, err := again.ExportTo(t.Context(), b.once.id, who, nil); err != nil {
			t.Fatal(err)
		}
	}
	stick := t.TempDir()
	path, err := bundle.NewExporter(b.store, stick).Export(t.Context(), b.once.id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("something else by now"), 0o600); err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "for "+b.once.code) // a folder whose name does say something
	if err := os.Mkdir(named, 0o700); err != nil {
		t.Fatal(err)
	}
	taken, err := bundle.NewExporter(b.store, named).Export(t.Context(), b.once.id, nil)
	if err := errors.Join(err, os.Remove(taken)); err != nil {
		t.Fatal(err)
	}
	done, err := b.eraser().Withdraw(t.Context(), b.once.id, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.gone(t)
	if len(done.Recipients) != 3 || done.Recipients[0] != "Ann <ann@lab.example>" || !strings.Contains(done.Recipients[1], "outside of the data") || !strings.Contains(done.Recipients[2], stick) {
		t.Errorf("%q", done.Recipients)
	}
	if left, _ := filepath.Glob(filepath.Join(b.elsewhere, "*.zip")); len(left) > 0 {
		t.Errorf("bundles that lie where they were written: %v", left)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "something else by now" {
		t.Errorf("a file that is none of ours: %q, %v", text, err)
	}
}

// Files that cannot be removed are named, and tried again.
func TestAFileThatStaysIsTold(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may remove everything")
	}
	b := set(t)
	locked := filepath.Join(b.dir, "truth")
	if err := os.Chmod(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(locked, 0o700) })
	if _, err := b.eraser().Withdraw(t.Context(), b.once.id, nil); err == nil || !strings.Contains(err.Error(), b.once.id+".json") {
		t.Fatalf("%v", err)
	}
	if err := os.Chmod(locked, 0o700); err != nil {
		t.Fatal(err)
	}
	if finished, err := b.eraser().Finish(t.Context(), nil); err != nil || !finished {
		t.Fatalf("%v, %v", finished, err)
	}
	b.gone(t)
}

// The data folder, and what is large in it, may lie on another disk behind a link. Links
// to elsewhere deeper down, and what they lead to, are nobody's.
func TestFilesBehindLinksGoToo(t *testing.T) {
	t.Parallel()
	b := set(t)
	disk := t.TempDir()
	for _, name := range []string{"video", "bundles"} {
		there := filepath.Join(disk, name)
		if err := errors.Join(os.Rename(filepath.Join(b.dir, name), there), os.Symlink(there, filepath.Join(b.dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	private := filepath.Join(disk, b.once.id+".txt")
	if err := errors.Join(os.WriteFile(private, []byte("not ours"), 0o600), os.Mkdir(filepath.Join(b.dir, "more"), 0o700),
		os.Symlink(disk, filepath.Join(b.dir, "more", "disk")), os.Symlink(b.dir, filepath.Join(b.dir, "self")),
		os.Symlink(filepath.Join(disk, "nothing"), filepath.Join(b.dir, "broken"))); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "data")
	if err := os.Symlink(b.dir, link); err != nil {
		t.Fatal(err)
	}
	done, err := NewEraser(b.store, link, b.key).Withdraw(t.Context(), b.once.id, nil)
	if err != nil || done.Files != 7 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, name := range []string{"self", "broken", "video", "bundles", "more/disk"} { // a search does not follow links
		if err := os.Remove(filepath.Join(b.dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"video", "bundles"} {
		if err := os.Rename(filepath.Join(disk, name), filepath.Join(b.dir, name)); err != nil {
			t.Error(err)
		}
	}
	b.gone(t)
	if text, err := os.ReadFile(private); err != nil || string(text) != "not ours" {
		t.Errorf("a file elsewhere: %q, %v", text, err)
	}
}

// A data folder that is named after a session is not that session's.
func TestTheFolderItselfStays(t *testing.T) {
	t.Parallel()
	const id = "20261122-091503-P7"
	dir := filepath.Join(t.TempDir(), id)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "pilot.db"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if things, err := look(t.Context(), dir, []string{id}); err != nil || len(things) > 0 {
		t.Errorf("%+v, %v", things, err)
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	const id = "20261122-091503-P7"
	for name, want := range map[string]bool{
		id: true, id + ".zip": true, ".export-" + id + ".1": true, "truth of " + id + ".json": true, id + " (copy).zip": true,
		"20261122-091503-P72.zip": false, "20261122-091503-P7-2.zip": false, "20261122-091503-P7_b": false, "1" + id: false, "": false,
		"20261122-091503-P72 and " + id + ".txt": true, "1-" + id: true, "a" + id: true, "20261122-" + id: true,
	} {
		if got := named(name, map[string]bool{id: true, "20261122-091503-P9": true}); slices.Contains(got, id) != want || len(got) > 1 {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func FuzzParsePending(f *testing.F) {
	f.Add([]byte(`{"session":"20261122-091503-P7","sessions":["20261122-091503-P7"],"elsewhere":["/media/x.zip"],"tombstone":{"code_hash":"ab"}}`))
	f.Add([]byte(`{"session":"a","sessions":["a"],"tombstone":{"code_hash":"ab"}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePending(b)
		if err != nil {
			return
		}
		for _, id := range p.Sessions {
			if !aSession.MatchString(id) || len(named("anything", map[string]bool{id: true})) > 0 {
				t.Fatalf("%q would erase %q", b, id)
			}
		}
	})
}
