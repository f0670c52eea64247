package store

import (
	"cmp"
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
	"emolab/studies/session"
	"emolab/studies/study"
)

// repeating is the header of a session in which each clip can be shown again.
func repeating(t testing.TB, id string) session.Header {
	h := header(t, id)
	h.Plan.Steps = append(h.Plan.Steps,
		study.Step{Index: 3, Action: study.Reshow},
		study.Step{Index: 4, Action: study.Play, Duration: 6 * time.Second, Stimulus: "b", Presentation: 3, Again: true, Repeats: 1},
		study.Step{Index: 5, Action: study.Play, Duration: 6 * time.Second, Stimulus: "a", Presentation: 4, Again: true, Repeats: 2})
	return h
}

// What is asked for has a row, and what is not has none: nobody looks for what was never to
// be shown. A session that goes on after the program was killed knows what was asked for.
func TestWhatIsShownAgainIsKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "study.db")
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Begin(ctx, repeating(t, "s1"))
	if err != nil {
		t.Fatal(err)
	}
	if got := detail(t, s, "s1").Presentations; len(got) != 2 || got[0].Again != 0 || got[1].Again != 0 {
		t.Errorf("before anything is asked for there are the presentations %+v", got)
	}
	if err := r.Again(ctx, 2, "gaze was measured for 12 % of its time"); err != nil {
		t.Fatal(err)
	}
	if err := r.Again(ctx, 2, "once more"); err == nil {
		t.Error("a presentation can be shown again twice")
	}
	if err := r.Again(ctx, 3, "a repeat"); err == nil {
		t.Error("a repeat can be shown again")
	}
	if err := s.Close(); err != nil { // the process ends without sealing
		t.Fatal(err)
	}

	s = openAt(t, path)
	d := detail(t, s, "s1")
	seg := session.Segment{Boot: "boot-1", Start: origin / 2, Wall: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	_, back, err := s.Resume(ctx, "s1", d.Study.Hash, seg, lab(t))
	if err != nil || !slices.Equal(back.Again, []int{2}) {
		t.Errorf("to be shown again are %v, %v", back.Again, err)
	}
	want := Presentation{Number: 4, Step: 5, Stimulus: "a", Again: 2}
	if len(d.Presentations) != 3 || d.Presentations[2] != want {
		t.Errorf("presentations %+v, want the last as %+v", d.Presentations, want)
	}
	said, err := texts(ctx, s.read, "SELECT detail FROM audit WHERE action = 'again'")
	if err != nil || len(said) != 1 || !strings.HasSuffix(said[0], "as 4: gaze was measured for 12 % of its time") {
		t.Errorf("the audit says %q, %v", said, err)
	}
}

// interruptedChunks are judgedChunks of somebody whose eyes are shut for a while, and whose
// electrodes are off.
func interruptedChunks(t *testing.T) []stream.Chunk {
	t.Helper()
	chunks := judgedChunks(t)
	for _, c := range chunks {
		for i, v := range c.Samples {
			switch at := v.At.Sub(origin); {
			case c.Stream == "gaze" && at > 3*time.Second && at < 10*time.Second:
				c.Samples[i].Values[2] = 0
			case c.Stream == "eda" && at > 4*time.Second && at < 5*time.Second:
				c.Samples[i].Values[1] = 0
			}
		}
	}
	return chunks
}

// What is said of a recording while it runs, and what the sealed session says of it, go by
// the same rules. They differ by what alignment from both sides knows better: at most by
// the error that it states live, at either end of what was missing and of the presentation.
func TestLiveAgreesWithSealed(t *testing.T) {
	t.Parallel()
	s := open(t)
	rules := study.Rules{FaceConf: .8, NeedsFace: true}
	chunks := interruptedChunks(t)
	h := header(t, "s1")
	h.Study.Rules = rules
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, chunks...)
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Usability(t.Context(), "s1")
	if err != nil || len(sealed) != 6 {
		t.Fatalf("%+v, %v", sealed, err)
	}

	live := usable.NewLive(lab(t), rules.FaceConf)
	aligners := map[string]*align.Live{}
	for _, info := range lab(t) {
		aligners[info.ID] = align.NewLive(info)
	}
	bound := map[string]time.Duration{}
	for _, c := range inPieces(chunks) {
		c = aligners[c.Stream].Align(c)
		for _, v := range c.Samples {
			bound[c.Stream] = max(bound[c.Stream], v.Err)
		}
		live.Add(c)
	}
	told := live.Read()
	if len(told) != 2 || !told[0].Over || told[1].Over {
		t.Fatalf("live there are %+v, want the first clip over and the second on the screen", told)
	}
	const steady = 50 * time.Millisecond  // by which nothing of a presentation that is over may differ here
	const unread = 600 * time.Millisecond // how long before the end live looked last, at the most
	for _, want := range sealed {
		got := told[want.Presentation-1]
		stream := map[Modality]string{Face: "face", Gaze: "gaze", EDA: "eda"}[want.Modality]
		apart := 2 * (bound[stream] + bound["stimulus"])
		if got.Over {
			apart = min(apart, steady) // the bounds are those of the first second
		} else {
			apart += unread
		}
		if d := math.Abs(got.Lasted.Seconds() - want.Seconds); d > apart.Seconds() {
			t.Errorf("presentation %d lasted %v live, and %.3f s sealed: they may be %v apart", want.Presentation, got.Lasted, want.Seconds, apart)
		}
		if d := math.Abs(got.Usable[want.Modality].Seconds() - want.UsableS); d > apart.Seconds() {
			t.Errorf("%s of presentation %d: %v are usable live, and %.3f s sealed: they may be %v apart", want.Modality, want.Presentation, got.Usable[want.Modality], want.UsableS, apart)
		}
	}
	if n := told[0].Usable; n[Gaze] > 9*time.Second || n[EDA] > 9*time.Second || n[Face] > 13*time.Second {
		t.Errorf("what was cut out of the first clip is not missing: %v", n)
	}
}

// What a session that was cut off says of its earlier segments is what is said when it is
// sealed, but for what alignment from both sides knows better.
func TestMeasuredBeforeAgreesWithSealed(t *testing.T) {
	t.Parallel()
	s := open(t)
	h := header(t, "s1")
	h.Study.Rules = study.Rules{FaceConf: .8, NeedsFace: true}
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	chunks := interruptedChunks(t)
	for _, c := range chunks {
		for i, v := range c.Samples {
			if c.Stream == "face" && v.At.Sub(origin) < time.Second/10 {
				c.Samples[i].At = 0 // nobody knew yet when that was
			}
		}
	}
	appendAll(t, r, chunks...)
	if err := s.recover(t.Context()); err != nil { // the process has ended, and another one goes on
		t.Fatal(err)
	}
	r, back, err := s.Resume(t.Context(), "s1", h.Study.Hash, session.Segment{Boot: "boot-1", Start: origin, Wall: h.Segment.Wall.Add(time.Hour)}, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if none, err := s.Measured(t.Context(), "s1", 0); err != nil || len(none) != 0 {
		t.Errorf("before the first segment there is %+v, %v", none, err)
	}
	told, err := s.Measured(t.Context(), "s1", back.Segment)
	if err != nil || len(told) != 2 || told[0].Presentation != 1 || !told[0].Over {
		t.Fatalf("told is %+v, %v", told, err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Usability(t.Context(), "s1")
	if err != nil || len(sealed) != 6 {
		t.Fatalf("%+v, %v", sealed, err)
	}
	const steady = .15 // seconds
	for _, want := range sealed {
		got := told[want.Presentation-1]
		if d := math.Abs(got.Lasted.Seconds() - want.Seconds); d > steady {
			t.Errorf("presentation %d lasted %v, and %.3f s sealed", want.Presentation, got.Lasted, want.Seconds)
		}
		if d := math.Abs(got.Usable[want.Modality].Seconds() - want.UsableS); d > steady {
			t.Errorf("%s of presentation %d: %v were usable, and %.3f s sealed", want.Modality, want.Presentation, got.Usable[want.Modality], want.UsableS)
		}
	}
	if n := told[0].Usable; n[Gaze] > 9*time.Second || n[EDA] > 9*time.Second {
		t.Errorf("what was cut out of the first clip is not missing: %v", n)
	}
}

// inPieces cuts chunks into what comes at a time, in the order in which it came.
func inPieces(chunks []stream.Chunk) []stream.Chunk {
	var pieces []stream.Chunk
	for _, c := range chunks {
		for _, p := range c.Probes {
			pieces = append(pieces, stream.Chunk{Stream: c.Stream, Probes: []stream.Probe{p}})
		}
		for part := range slices.Chunk(c.Samples, 3) {
			for i := range part { // as the device delivers it
				part[i].At, part[i].Err = 0, 0
			}
			pieces = append(pieces, stream.Chunk{Stream: c.Stream, Samples: part})
		}
	}
	came := func(c stream.Chunk) int64 {
		if len(c.Probes) > 0 {
			return int64(c.Probes[0].T3)
		}
		return int64(c.Samples[len(c.Samples)-1].Arrival)
	}
	slices.SortStableFunc(pieces, func(a, b stream.Chunk) int { return cmp.Compare(came(a), came(b)) })
	return pieces
}
