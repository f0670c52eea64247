package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

const testToken = "a-token-for-the-tests-only"

// fakeOperator is a lab that does what it is told at once. Its status is set by
// the test.
type fakeOperator struct {
	mu       sync.Mutex
	status   session.Status
	sessions []session.Summary
	cohort   session.Cohort
	overdue  []session.Overdue
	unread   error // why what is overdue cannot be told
	calls    []string
	refuse   error         // what every command returns
	changed  chan struct{} // is told of each command; nil: nobody waits for them
	compares bool          // a session goes on, and its participant compares the code first
}

func newFakeOperator() *fakeOperator {
	return &fakeOperator{changed: make(chan struct{}, 16), status: session.Status{Step: -1}}
}

func (f *fakeOperator) Status() session.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	s.Live = s.State == session.Recording && !s.Over && s.Busy == "" && !f.compares
	return s
}

// RecordingSince is the beginning of all time while a session is recorded.
func (f *fakeOperator) RecordingSince() instant.Instant {
	if f.Status().Live {
		return 1
	}
	return 0
}

// change edits the status.
func (f *fakeOperator) change(edit func(*session.Status)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit(&f.status)
}

// compare sets whether a session that goes on waits for its participant.
func (f *fakeOperator) compare(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.compares = on
}

// changeTo sets the status.
func (f *fakeOperator) changeTo(status session.Status) {
	f.change(func(s *session.Status) { *s = status })
}

// unheeded has commands told to nobody: no test waits for them.
func (f *fakeOperator) unheeded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = nil
}

// refuses has every command refused from now on; nil: none.
func (f *fakeOperator) refuses(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = err
}

func (f *fakeOperator) call(what string, then func(*session.Status)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, what)
	if f.changed != nil {
		f.changed <- struct{}{}
	}
	if f.refuse != nil {
		return f.refuse
	}
	then(&f.status)
	return nil
}

func (f *fakeOperator) Start(_ context.Context, r session.Request) (string, error) {
	err := f.call(strings.TrimSpace(strings.TrimSpace("start "+r.Participant+" "+r.Again)+" "+r.Override), func(s *session.Status) {
		s.State, s.Participant, s.SessionID = session.Recording, r.Participant, "20261122-091503-"+r.Participant
		s.LastOutcome, s.ElapsedMs = nil, 0
	})
	return "20261122-091503-" + r.Participant, err
}

func (f *fakeOperator) Stop(_ context.Context, reason string) error {
	return f.call("stop "+reason, func(s *session.Status) {
		s.LastOutcome = &session.Outcome{SessionID: s.SessionID, State: session.Sealed, Reason: "stopped by the operator", Bundle: "/data/bundles/" + s.SessionID + ".zip"}
		s.State, s.SessionID, s.Participant, s.Step = "", "", "", -1
	})
}

func (f *fakeOperator) Continue(_ context.Context, id string) error {
	return f.call("continue "+id, func(s *session.Status) { s.Recovered, s.State = nil, session.Recording })
}

func (f *fakeOperator) Seal(_ context.Context, id string) error {
	return f.call("seal "+id, func(s *session.Status) { s.Recovered = nil })
}

func (f *fakeOperator) Decide(choice session.Choice, reason string) error {
	return f.call("decide "+string(choice)+" "+reason, func(s *session.Status) { s.Asked = false })
}

func (f *fakeOperator) Begin(b session.Beginning) error {
	return f.call(strings.TrimSpace("begin "+b.Confirm+" "+b.Override), func(s *session.Status) { s.State, s.Ready = session.Recording, false })
}

func (f *fakeOperator) ShowAgain(presentation int) error {
	return f.call(fmt.Sprintf("again %d", presentation), func(*session.Status) {})
}

func (f *fakeOperator) Mark(m session.Mark) error {
	return f.call(strings.TrimSpace(fmt.Sprintf("mark %s %s", m.Kind, m.Text)), func(s *session.Status) { s.Marks = append(s.Marks, m) })
}

func (f *fakeOperator) Acknowledge(alarm string) error {
	return f.call("acknowledge "+alarm, func(*session.Status) {})
}

func (f *fakeOperator) Shelve(alarm string, how time.Duration) error {
	return f.call(fmt.Sprintf("shelve %s %s", alarm, how), func(*session.Status) {})
}

func (f *fakeOperator) Blind(on bool, reason string) error {
	return f.call(strings.TrimSpace(fmt.Sprintf("blind %t %s", on, reason)), func(s *session.Status) { s.Blind = on })
}

func (f *fakeOperator) Blinded() bool { return f.Status().Blind }

func (f *fakeOperator) Withdraw(_ context.Context, id string) (session.Erasure, error) {
	return session.Erasure{Sessions: 1, Rows: 7}, f.call("withdraw "+id, func(s *session.Status) { s.State, s.SessionID = "", "" })
}

func (f *fakeOperator) WithdrawByCode(_ context.Context, typed string) (session.Erasure, error) {
	return session.Erasure{Sessions: 2, Rows: 9, Receipt: "/data/receipts/withdrawal-1.txt"}, f.call("withdraw by "+typed, func(*session.Status) {})
}

func (f *fakeOperator) Holder(_ context.Context, typed string) (session.Holder, error) {
	return session.Holder{SessionID: "s1", Participant: "P-1", Sessions: 2, Bundles: 1, Recipients: []string{"Ann"}}, f.call("whose is "+typed, func(*session.Status) {})
}

func (f *fakeOperator) GiveCode(_ context.Context, id string) (session.Slip, error) {
	return session.Slip{Code: "7Q2M-X4KD-9WP", Text: "YOUR RECEIPT\n7Q2M-X4KD-9WP"}, f.call("receipt "+id, func(*session.Status) {})
}

func (f *fakeOperator) Overdue(context.Context) ([]session.Overdue, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status.State != "" {
		return nil, session.ErrBusy
	}
	return f.overdue, f.unread
}

func (f *fakeOperator) PurgeOverdue(_ context.Context, items int) (session.Purge, error) {
	err := f.call(fmt.Sprintf("purge %d", items), func(*session.Status) { f.overdue = nil })
	return session.Purge{Items: items, Files: 12, Recipients: []string{}, Report: "/data/receipts/purge-1.txt"}, err
}

func (f *fakeOperator) Move(_ context.Context, id, participant, reason string) error {
	return f.call("move "+id+" "+participant+" "+reason, func(*session.Status) {})
}

func (f *fakeOperator) Judge(_ context.Context, id string, usable bool, reason string) error {
	return f.call(fmt.Sprintf("judge %s %t %s", id, usable, reason), func(*session.Status) {})
}

func (f *fakeOperator) Cohort(context.Context) (session.Cohort, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cohort, nil
}

func (f *fakeOperator) Sessions(context.Context) ([]session.Summary, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions, nil
}

// said returns the commands so far.
func (f *fakeOperator) said() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

// lab is a running console with its bus and its server.
type lab struct {
	*Console
	bus      *bus.Bus
	operator *fakeOperator
	server   *httptest.Server
	stop     func() // ends Run and waits for it
}

func channels(names ...string) []stream.Channel {
	var list []stream.Channel
	for _, n := range names {
		list = append(list, stream.Channel{Name: n, Unit: "1"})
	}
	return list
}

func edaInfo() stream.Info {
	return stream.Info{ID: "eda", Kind: stream.EDA, Device: "Emolab EDA", Port: "/dev/pts/3", Clock: stream.PingedClock,
		TickHz: 1e6, Rate: 100, Simulated: true, Channels: []stream.Channel{{Name: "raw", Unit: "1"}, {Name: "eda_us", Unit: "µS"}}}
}

func gazeInfo() stream.Info {
	return stream.Info{ID: "gaze", Kind: stream.Gaze, Device: "Gazepoint GP3", Port: "/dev/pts/4", Clock: stream.TickedClock,
		TickHz: 1e7, Rate: 60, Simulated: true, Channels: channels("gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm")}
}

// heard is a bus that tells when the console listens to it.
type heard struct {
	*bus.Bus
	listens chan struct{}
}

func (h heard) Lossy(name string, depth int) *bus.Subscription {
	defer close(h.listens)
	return h.Bus.Lossy(name, depth)
}

// startLab runs a console over a real bus and a real HTTP server. Nobody is recorded.
func startLab(t *testing.T, o Options) *lab {
	t.Helper()
	return startLabIn(t, session.Status{Step: -1}, o)
}

// startLabIn is startLab in a state, of which the first page is told already. What is
// published from now on is sent.
func startLabIn(t *testing.T, status session.Status, o Options) *lab {
	t.Helper()
	l := &lab{bus: bus.New(), operator: newFakeOperator()}
	l.operator.changeTo(status)
	feed := heard{l.bus, make(chan struct{})}
	o.Operator, o.Feed, o.Token = l.operator, feed, testToken
	if o.Clock == nil {
		o.Clock = instant.Monotonic{}
	}
	if o.Streams == nil {
		o.Streams = []stream.Info{edaInfo(), gazeInfo()}
	}
	l.Console = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	l.server = httptest.NewServer(l.Handler())
	var once sync.Once
	l.stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("Run: %v", err)
				}
			case <-time.After(patience):
				t.Errorf("Run did not return within %v of its context's end", patience)
			}
			l.server.Close()
			l.bus.Close()
		})
	}
	t.Cleanup(l.stop)
	select {
	case <-feed.listens:
	case <-time.After(patience):
		t.Fatalf("the console does not listen to its feed within %v", patience)
	}
	return l
}

// startRecording is startLab with a session that is being recorded.
func startRecording(t *testing.T, o Options) *lab {
	t.Helper()
	return startLabIn(t, session.Status{Step: -1, State: session.Recording}, o)
}

// request sends one request with the lab's own token.
func (l *lab) request(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	return l.requestAs(t, testToken, r)
}

// requestAs sends one request with a token as bearer.
func (l *lab) requestAs(t *testing.T, token string, r *http.Request) *http.Response {
	t.Helper()
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := l.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

var errRefused = errors.New("the disk is nearly full")
