package stage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/study"
	"emolab/studies/study/order"
)

// deadline bounds every wait of these tests, for a machine that is very busy.
const deadline = 60 * time.Second

// block is a trial with each stimulus, in the order of the study.
func block(trial ...study.TrialPart) study.Part {
	return study.Part{Block: &study.BlockPart{Name: "main", Method: order.Fixed, Trial: trial}}
}

// shortStudy has clips of a fraction of a second. Their files are not films:
// the built-in client only compares their hashes.
func shortStudy(t *testing.T, frames ...int) *study.Study {
	t.Helper()
	st := &study.Study{ID: "short", Dir: t.TempDir(), Flow: []study.Part{block(
		study.TrialPart{Action: study.Fixation, Duration: 100 * time.Millisecond}, study.TrialPart{Action: study.Play},
		study.TrialPart{Action: study.Rest, Duration: 100 * time.Millisecond},
	)}}
	for i, n := range frames {
		m := study.Stimulus{ID: string(rune('a' + i)), Width: 9, Height: 16}
		m.File = m.ID + ".mp4"
		text := []byte("clip " + m.ID)
		sum := sha256.Sum256(text)
		m.SHA256 = hex.EncodeToString(sum[:])
		if err := os.WriteFile(filepath.Join(st.Dir, m.File), text, 0o644); err != nil {
			t.Fatal(err)
		}
		for k := range n {
			m.FrameTimes = append(m.FrameTimes, time.Duration(k)*time.Second/30)
		}
		m.Duration = time.Duration(n) * time.Second / 30
		st.Stimuli = append(st.Stimuli, m)
	}
	return st
}

// lab is a running stage whose stream is collected.
type lab struct {
	t      *testing.T
	server *stage.Server
	http   *httptest.Server
	line   *line
	out    chan stream.Chunk
	shows  sync.WaitGroup // presentations under way

	mu     sync.Mutex
	chunks []stream.Chunk
	news   chan struct{} // one is in it when chunks have come
}

func newLab(t *testing.T, o stage.Options) *lab {
	t.Helper()
	o.Clock = instant.Monotonic{}
	out := make(chan stream.Chunk)
	l := &lab{t: t, server: stage.New(o), out: out, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.server.Run(ctx, out); err != nil {
			t.Errorf("Run: %v", err)
		}
		l.shows.Wait() // a presentation that has been cancelled may still have news
		close(out)
	})
	wg.Go(func() {
		for c := range out {
			if c.Stream == "" {
				continue // from all
			}
			l.mu.Lock()
			l.chunks = append(l.chunks, c)
			l.mu.Unlock()
			select {
			case l.news <- struct{}{}:
			default:
			}
		}
	})
	l.http = httptest.NewUnstartedServer(l.server.Handler())
	l.line = &line{Listener: l.http.Listener}
	l.http.Listener = l.line
	l.http.Start()
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		l.http.Close()
	})
	// A socket is accepted only while Run runs.
	l.until("the stage runs", func() bool {
		resp, err := http.Get(l.http.URL + "/ws/stage")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode != http.StatusServiceUnavailable
	})
	return l
}

// line is a listener whose connections can be cut.
type line struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *line) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.conns = append(l.conns, c)
		l.mu.Unlock()
	}
	return c, err
}

// cut ends every connection without a word.
func (l *line) cut() { l.down(func() {}) }

// down is cut, and nobody connects again while it does something.
func (l *line) down(meanwhile func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer meanwhile()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

// until waits until something holds, looking whenever the stream has news, and
// every few milliseconds for what the stream does not tell.
func (l *lab) until(what string, holds func() bool) {
	l.t.Helper()
	late := time.After(deadline)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-l.news:
		case <-look.C:
		case <-late:
			l.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// all returns every chunk delivered so far. The empty chunk is taken only after
// those before it have been kept.
func (l *lab) all() []stream.Chunk {
	l.out <- stream.Chunk{}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.chunks)
}

// samples returns all samples, with the number of the epoch of each.
func (l *lab) samples() (s []stream.Sample, epochs []int) {
	for _, c := range l.all() {
		for _, v := range c.Samples {
			s, epochs = append(s, v), append(epochs, c.Epoch)
		}
	}
	return s, epochs
}

func (l *lab) probes() (p []stream.Probe) {
	for _, c := range l.all() {
		p = append(p, c.Probes...)
	}
	return p
}

func (l *lab) events(kind stream.EventKind) (e []stream.Event) {
	for _, c := range l.all() {
		for _, v := range c.Events {
			if v.Kind == kind {
				e = append(e, v)
			}
		}
	}
	return e
}

// said tells whether an event of the kind has the words in its detail.
func (l *lab) said(kind stream.EventKind, words string) bool { return l.count(kind, words) > 0 }

// count returns how many events of a kind have these words.
func (l *lab) count(kind stream.EventKind, words string) (n int) {
	for _, e := range l.events(kind) {
		if strings.Contains(e.Detail, words) {
			n++
		}
	}
	return n
}

// play starts a built-in client; it ends with the test, or by the function
// returned.
func (l *lab) play(o client.Options) (stop func()) {
	o.URL, o.Clock = l.http.URL, instant.Monotonic{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := client.New(o).Run(ctx); err != nil {
			l.t.Errorf("client: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	l.t.Cleanup(stop)
	return stop
}

// showing is a Present under way.
type showing struct {
	l      *lab
	cancel context.CancelFunc
	result chan error

	mu      sync.Mutex
	began   []int
	answers []session.Answer
	crosses []session.Target
	pauses  []bool
	left    int
}

func (l *lab) present(st *study.Study, from int) *showing { return l.presentLed(st, from, nil) }

// presentLed presents a plan whose calibrations, validations and breaths lead does.
func (l *lab) presentLed(st *study.Study, from int, lead session.Procedure) *showing {
	return l.show(session.Presentation{Session: "test", Study: st, Plan: st.Plan(0), From: from, Procedure: lead})
}

// show presents a plan and notes what comes of it, in p.Answered and p.Left too.
func (l *lab) show(p session.Presentation) *showing {
	ctx, cancel := context.WithCancel(context.Background())
	s := &showing{l: l, cancel: cancel, result: make(chan error, 1)}
	answered, left := p.Answered, p.Left
	p.Began = func(step int, _ instant.Instant) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.began = append(s.began, step)
	}
	p.Answered = func(ctx context.Context, a session.Answer) (session.Ruling, error) {
		s.mu.Lock()
		s.answers = append(s.answers, a)
		s.mu.Unlock()
		if answered == nil {
			return session.Ruling{}, nil
		}
		return answered(ctx, a)
	}
	p.Cross = func(t session.Target) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.crosses = append(s.crosses, t)
	}
	p.Paused = func(on bool, _ instant.Instant) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pauses = append(s.pauses, on)
	}
	if left != nil {
		p.Left = func(at instant.Instant) session.Ruling {
			s.mu.Lock()
			s.left++
			s.mu.Unlock()
			return left(at)
		}
	}
	l.shows.Go(func() { s.result <- l.server.Present(ctx, p) })
	l.t.Cleanup(cancel)
	return s
}

func (s *showing) steps() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.began)
}

func (s *showing) given() []session.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

// reached waits until a step has begun.
func (s *showing) reached(step int) {
	s.l.t.Helper()
	s.l.until("the step begins", func() bool { return slices.Contains(s.steps(), step) })
}

// stopped cancels the presentation and waits for Present to return. All is reported then,
// unless the page was too busy for Present, which does not wait for it for long.
func (s *showing) stopped() error {
	s.l.t.Helper()
	asked := time.Now()
	s.cancel()
	err := s.end()
	if time.Since(asked) >= stage.StopPatience {
		s.l.until("the screen is blank at last", func() bool {
			rows, _ := s.l.samples()
			return rows[len(rows)-1].Values[presentation] == 0
		})
	}
	return err
}

// end waits for Present to return.
func (s *showing) end() error {
	s.l.t.Helper()
	select {
	case err := <-s.result:
		return err
	case <-time.After(deadline):
		s.l.t.Fatal("Present does not return")
		return nil
	}
}
