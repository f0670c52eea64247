package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// asking is twoSteps after the question about the face video. It is recorded from its
// first step, because nothing in it says otherwise.
var asking = &study.Study{
	ID: "s", Stimuli: twoSteps.Stimuli, Flow: append([]study.Part{{Sheets: []string{"consent"}}}, twoSteps.Flow...),
	Sheets: []study.Sheet{{ID: "consent", Kind: study.ConsentSheet, Fields: []study.Field{{ID: FaceVideo, Type: study.ScopeField}}}},
}

func asks(o *Options) { o.Study = asking }

// yes is the answer of a participant who has read the text.
var (
	yes = Answer{Values: study.Answers{FaceVideo: study.Yes}, TextSHA256: "ab", Language: "en", At: 5, How: OnScreen}
	no  = Answer{Values: study.Answers{FaceVideo: study.No}, TextSHA256: "ab", Language: "en", At: 5, How: OnScreen}
)

// said is an answer as it is kept.
func said(a Answer) Consent {
	return Consent{Scope: FaceVideo, Granted: a.Values[FaceVideo] == study.Yes, TextSHA256: a.TextSHA256, Language: a.Language, At: a.At, How: a.How}
}

func TestNothingIsFilmedBeforeTheAnswerIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); s.Video || len(b.reel.begun) != 0 {
		t.Errorf("filming before the answer: %+v", b.reel)
	}
	b.screen.answers <- yes
	b.screen.next <- struct{}{} // the next step is there, so the answer has been dealt with
	if s := b.Status(); !s.Video {
		t.Error("status does not say that the video is kept")
	}
	if !slices.Equal(b.reel.begun, []string{id + "/0"}) || b.reel.kept != 1 || b.reel.since != yes.At {
		t.Errorf("film %+v", b.reel)
	}
	b.screen.next <- struct{}{}
	if out := waitFor(t, b); out.State != Sealed || out.Error != "" {
		t.Errorf("outcome %+v", out)
	}
	tape := b.archive.find(id)
	if !slices.Equal(tape.consents, []Consent{said(yes)}) {
		t.Errorf("consents %+v", tape.consents)
	}
	if len(tape.videos) != 2 || tape.videos[0].File != "a.mkv" || b.reel.running {
		t.Errorf("videos %+v, film %+v", tape.videos, b.reel)
	}
	if tape.state != Sealed {
		t.Errorf("state %s", tape.state)
	}
}

func TestNoIsKeptAndNothingElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.screen.answers <- no
	b.screen.next <- struct{}{}
	if s := b.Status(); s.Video || len(s.Alarms) > 0 && s.Alarms[0].ID == "video/failed" {
		t.Errorf("after a no: video %t, alarms %+v", s.Video, s.Alarms)
	}
	b.screen.next <- struct{}{}
	if out := waitFor(t, b); out.State != Sealed {
		t.Errorf("outcome %+v", out)
	}
	if tape := b.archive.find(id); !slices.Equal(tape.consents, []Consent{said(no)}) || len(tape.videos) != 0 || len(b.reel.begun) != 0 {
		t.Errorf("recorded %+v, film %+v", tape, b.reel)
	}
}

func TestAStudyThatDoesNotAskIsNotFilmed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.screen.next <- struct{}{}
	b.screen.next <- struct{}{}
	waitFor(t, b)
	if tape := b.archive.find(id); len(tape.consents)+len(tape.videos)+len(b.reel.begun) != 0 {
		t.Errorf("recorded %+v, film %+v", tape, b.reel)
	}
}

// An answer that the disk did not take allows nothing.
func TestAnAnswerThatIsNotKeptAllowsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks)
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	b.archive.mu.Lock()
	b.archive.refuse = errors.New("no space left on device")
	b.archive.mu.Unlock()
	b.screen.answers <- yes
	if out := waitFor(t, b); out.State != Failed || !strings.Contains(out.Error, "keep the answer about face_video: no space left") {
		t.Errorf("outcome %+v", out)
	}
	if len(b.reel.begun) != 0 {
		t.Errorf("film %+v", b.reel)
	}
}

// The session is worth more than its video.
func TestAFilmThatFailsIsAnAlarm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reel   func(*reel)
		videos int
	}{
		"cannot begin": {func(r *reel) { r.refuse = errors.New("no codec") }, 0},
		"breaks later": {func(r *reel) { r.broken = errors.New("no codec") }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, asks)
			c.reel(b.reel)
			id, err := b.Start(t.Context(), Request{Participant: "P1"})
			if err != nil {
				t.Fatal(err)
			}
			b.screen.answers <- yes
			b.screen.next <- struct{}{}
			s := b.Status()
			if s.Video || len(s.Alarms) == 0 || s.Alarms[0].ID != "video/failed" || s.Alarms[0].Severity != Major ||
				!strings.Contains(s.Alarms[0].Text, "no codec") {
				t.Errorf("video %t, alarms %+v", s.Video, s.Alarms)
			}
			b.screen.next <- struct{}{}
			if out := waitFor(t, b); out.State != Sealed || out.Error != "" {
				t.Errorf("outcome %+v", out)
			}
			if tape := b.archive.find(id); len(tape.consents) != 1 || len(tape.videos) != c.videos {
				t.Errorf("recorded %+v", tape)
			}
		})
	}
}

func TestALabWithoutAFilmSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks, func(o *Options) { o.Film = nil })
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	b.screen.answers <- yes
	b.screen.next <- struct{}{}
	if s := b.Status(); s.Video || len(s.Alarms) == 0 || !strings.Contains(s.Alarms[0].Text, "keeps no video") {
		t.Errorf("video %t, alarms %+v", s.Video, s.Alarms)
	}
	b.screen.next <- struct{}{}
	if out := waitFor(t, b); out.State != Sealed {
		t.Errorf("outcome %+v", out)
	}
}

// A killed process must leave no file of video that the archive does not know of.
func TestFilesAreNotedAsTheyClose(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.screen.answers <- yes
	b.archive.mu.Lock()
	b.reel.closed = []Video{{File: "0.mkv", Frames: 60}, {File: "1.mkv", Frames: 60}}
	b.archive.mu.Unlock()
	late := time.After(deadline)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for noted := 0; noted < 2; {
		select {
		case <-look.C:
			b.archive.mu.Lock()
			noted = len(b.archive.find(id).videos)
			b.archive.mu.Unlock()
		case <-late:
			t.Fatal("closed files are not noted while the session records")
		}
	}
	b.screen.next <- struct{}{}
	b.screen.next <- struct{}{}
	waitFor(t, b)
	var files []string
	for _, v := range b.archive.find(id).videos {
		files = append(files, v.File)
	}
	if !slices.Equal(files, []string{"0.mkv", "1.mkv", "a.mkv", "b.mkv"}) {
		t.Errorf("videos %q", files)
	}
}

// A session that is stopped, or whose disk refuses, must not go on being filmed.
func TestTheFilmEndsWithTheSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*bench){
		"stopped": func(b *bench) { _ = b.Stop(context.Background(), "") },
		"failed": func(b *bench) {
			b.archive.mu.Lock()
			b.archive.refuse = errors.New("no space left on device")
			b.archive.mu.Unlock()
			b.pulse.beat <- struct{}{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, asks)
			id, err := b.Start(t.Context(), Request{Participant: "P1"})
			if err != nil {
				t.Fatal(err)
			}
			b.screen.answers <- yes
			b.screen.next <- struct{}{}
			end(b)
			waitFor(t, b)
			if tape := b.archive.find(id); b.reel.running || len(tape.videos) != 2 {
				t.Errorf("film %+v, videos %+v", b.reel, tape.videos)
			}
		})
	}
}

func TestAContinuedSessionDoesNotAskAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		consents []Consent
		from     int // first step shown
		filmed   bool
	}{
		"yes":           {[]Consent{said(yes)}, 1, true},
		"no":            {[]Consent{said(no)}, 1, false},
		"no after yes":  {[]Consent{said(yes), said(no)}, 1, false},
		"not answered":  {nil, 0, false},
		"another scope": {[]Consent{{Scope: "other", Granted: true}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, asks)
			b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered, steps: []int{0},
				samples: map[string]int{}, plan: asking, consents: c.consents}}
			if err := b.Continue(t.Context(), "cut"); err != nil {
				t.Fatal(err)
			}
			if c.from == 0 {
				b.screen.answers <- no
			}
			b.screen.next <- struct{}{}
			if s := b.Status(); s.Video != c.filmed {
				t.Errorf("video %t", s.Video)
			}
			b.screen.next <- struct{}{}
			waitFor(t, b)
			if tape := b.archive.find("cut"); tape.steps[1] != c.from {
				t.Errorf("went on from step %d, want %d", tape.steps[1], c.from)
			}
			if c.filmed != slices.Equal(b.reel.begun, []string{"cut/1"}) {
				t.Errorf("film %+v", b.reel)
			}
		})
	}
}

// Who sits there when a session goes on may be somebody else: nobody is recorded or filmed
// before they say that the code is theirs.
func TestNobodyIsRecordedUnderTheCodeOfAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, asks)
	b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered, steps: []int{0},
		samples: map[string]int{}, plan: asking, consents: []Consent{said(yes)}}}
	asked, looked := make(chan struct{}), make(chan struct{})
	b.screen.reply = func(q Question) Reply {
		if q.Tries == 0 {
			return Reply{Value: study.No}
		}
		close(asked)
		<-looked
		return Reply{Value: study.Yes}
	}
	if err := b.Continue(t.Context(), "cut"); err != nil {
		t.Fatal(err)
	}
	<-asked
	b.beats(t, 2)
	if s := b.Status(); s.Live || b.RecordingSince() != 0 || !slices.ContainsFunc(s.Alarms, func(a Alarm) bool { return a.ID == "stage/code" }) {
		t.Errorf("while the code is another's: live %t, alarms %+v", s.Live, s.Alarms)
	}
	if n := len(b.Status().Readiness); n == 0 || b.Status().Readiness[n-1].ID != "code" || b.Status().Readiness[n-1].Level != ReadyMissing {
		t.Errorf("what the recording waits for is told as %+v", b.Status().Readiness)
	}
	b.archive.mu.Lock()
	if len(b.reel.begun) > 0 {
		t.Errorf("film %+v", b.reel.begun)
	}
	b.archive.mu.Unlock()
	close(looked)
	b.screen.next <- struct{}{}
	if s := b.Status(); !s.Video || !s.Live || len(s.Readiness) > 0 {
		t.Error("whose code it is, and who has allowed it, is not recorded and filmed")
	}
	b.beats(t, 1)
	b.screen.next <- struct{}{}
	waitFor(t, b)
	if n := b.archive.find("cut").samples["eda"]; n != 1 {
		t.Errorf("%d samples are kept of the one that came after they had confirmed the code", n)
	}
}

// filmedBy puts a lab with nothing but a camera into the options.
func filmedBy(t *testing.T, simulated bool) func(*Options) {
	return func(o *Options) {
		lab, err := NewLab(instant.Monotonic{}, camera{simulated})
		if err != nil {
			t.Fatal(err)
		}
		o.Lab = lab
	}
}

// The built-in client agrees for a simulated participant. Nobody has agreed when
// the camera beside it is a real one.
func TestTheClientsYesIsVoidBeforeARealCamera(t *testing.T) {
	t.Parallel()
	for name, simulated := range map[string]bool{"drawn face": true, "real camera": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, asks, filmedBy(t, simulated))
			id, err := b.Start(t.Context(), Request{Participant: "P1"})
			if err != nil {
				t.Fatal(err)
			}
			byClient := yes
			byClient.How = Simulated
			b.screen.answers <- byClient
			b.screen.next <- struct{}{}
			b.screen.next <- struct{}{}
			waitFor(t, b)
			got := b.archive.find(id).consents
			if len(got) != 1 || got[0].Granted != simulated || (len(b.reel.begun) == 1) != simulated {
				t.Errorf("consents %+v, film %+v", got, b.reel)
			}
			if !strings.HasPrefix(got[0].How, Simulated) || strings.Contains(got[0].How, "void") == simulated {
				t.Errorf("how: %s", got[0].How)
			}
		})
	}
}

// A recording of the virtual lab that is continued in a real one: whoever sits
// before the real camera has not been asked.
func TestTheClientsYesDoesNotOutliveTheVirtualLab(t *testing.T) {
	t.Parallel()
	for name, simulated := range map[string]bool{"drawn face": true, "real camera": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, asks, filmedBy(t, simulated))
			byClient := yes
			byClient.How = Simulated
			b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered, steps: []int{0},
				samples: map[string]int{}, plan: asking, consents: []Consent{said(byClient)}}}
			if err := b.Continue(t.Context(), "cut"); err != nil {
				t.Fatal(err)
			}
			if !simulated { // the question is there again
				b.screen.answers <- no
			}
			b.screen.next <- struct{}{}
			b.screen.next <- struct{}{}
			waitFor(t, b)
			if tape := b.archive.find("cut"); (len(b.reel.begun) == 1) != simulated || (tape.steps[1] == 1) != simulated {
				t.Errorf("film %+v, steps %v", b.reel, tape.steps)
			}
		})
	}
}

// camera is a face stream that delivers nothing.
type camera struct{ simulated bool }

func (c camera) Info() []stream.Info {
	return []stream.Info{{ID: "face", Kind: stream.Face, Clock: stream.HostClock, TickHz: 1e9, Simulated: c.simulated}}
}

func (camera) Run(ctx context.Context, _ chan<- stream.Chunk) error {
	<-ctx.Done()
	return nil
}

// Nobody is filmed while they pause; what else is measured goes on.
func TestNobodyIsFilmedInAPause(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.filmed(t)
	held := func() instant.Instant {
		g.archive.mu.Lock()
		defer g.archive.mu.Unlock()
		return g.reel.paused
	}
	// The status says that they pause, or go on, before the film is told.
	began := g.o.Clock.Now()
	g.screen.pauses <- began
	s := g.until(t, "the pause", func(s Status) bool { return s.Paused && !s.Video && held() != 0 })
	if held() != began || !s.Live {
		t.Errorf("in the pause: held since %v, want %v, live %t", held(), began, s.Live)
	}
	g.beats(t, 2)
	ended := g.o.Clock.Now()
	g.screen.pauses <- ended
	g.until(t, "the film to go on", func(s Status) bool { return !s.Paused && s.Video && held() == 0 })
	if g.reel.since != ended {
		t.Errorf("after the pause: goes on from %v, want %v", g.reel.since, ended)
	}
	// A page whose clock runs ahead does not film for longer.
	g.screen.pauses <- g.o.Clock.Now().Add(time.Hour)
	g.until(t, "the pause", func(s Status) bool { return s.Paused && held() != 0 })
	if now := g.o.Clock.Now(); held() > now {
		t.Errorf("held from %v on, which is not before %v", held(), now)
	}
	g.screen.pauses <- g.o.Clock.Now()
	g.Close()
	if n := g.tape.samples["eda"]; n != 2 {
		t.Errorf("%d samples are kept, 2 came in the pause", n)
	}
}
