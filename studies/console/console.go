// Package console is the experimenter's screen: one page that shows what the
// lab is doing and starts and stops sessions, the HTTP API behind it, and the
// WebSocket that carries live data to any number of viewers (PROTOCOL.md).
//
// Nothing of what the devices measure leaves the server but while it is recorded.
// Data moves one way: bus -> hub (thinned to what a screen can show, batched at
// 25 Hz) -> one bounded queue per viewer -> WebSocket. A viewer that is too slow
// skips to the latest; it slows neither the others nor the recorder. The server
// is the truth: a page that is reloaded gets the state and the last seconds of
// data again.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/session"
)

// Operator is what the console may do to the lab. The ctx of a method bounds
// the call only: a session that was started outlives it.
type Operator interface {
	Status() session.Status
	// RecordingSince returns the instant from which on samples are being recorded; 0 =
	// none are. Only what was taken and arrived since may be shown. It is asked at every batch.
	RecordingSince() instant.Instant
	Start(ctx context.Context, r session.Request) (sessionID string, err error)
	Stop(ctx context.Context, reason string) error // "" = none was given
	Continue(ctx context.Context, sessionID string) error
	Seal(ctx context.Context, sessionID string) error // a recovered session, as it is
	// Decide answers the question about a calibration that was refused.
	Decide(choice session.Choice, reason string) error
	Sessions(ctx context.Context) ([]session.Summary, error)
	// Begin begins the recording of the participant who waits for it.
	Begin(session.Beginning) error
	// ShowAgain has the clip of a presentation shown again at the end of its block.
	ShowAgain(presentation int) error
	// Mark keeps a mark with the recording.
	Mark(session.Mark) error
	// Acknowledge notes that an alarm was seen; Shelve puts it aside for so long.
	Acknowledge(alarm string) error
	Shelve(alarm string, how time.Duration) error
	// Blind hides brands and what is measured of emotion, or shows them again for a reason.
	Blind(on bool, reason string) error
	// Blinded tells whether they are hidden now. It is asked at every batch.
	Blinded() bool
	// Withdraw takes back everything of the participant of a session.
	Withdraw(ctx context.Context, sessionID string) (session.Erasure, error)
	// WithdrawByCode takes back everything of whoever holds a receipt with that code.
	WithdrawByCode(ctx context.Context, typed string) (session.Erasure, error)
	// Move gives a session to another participant.
	Move(ctx context.Context, sessionID, participant, reason string) error
	// Judge says by a person's word whether a session is usable.
	Judge(ctx context.Context, sessionID string, usable bool, reason string) error
	Cohort(ctx context.Context) (session.Cohort, error)
	// Holder tells whose a withdrawal code is.
	Holder(ctx context.Context, typed string) (session.Holder, error)
	// GiveCode makes another withdrawal code for a session that is over.
	GiveCode(ctx context.Context, sessionID string) (session.Slip, error)
	// Overdue lists what is kept beyond its date, while no session runs.
	Overdue(ctx context.Context) ([]session.Overdue, error)
	// PurgeOverdue erases it, if it is still so many items.
	PurgeOverdue(ctx context.Context, items int) (session.Purge, error)
}

// Feed is where live chunks come from. fusion/bus implements it.
type Feed interface {
	Lossy(name string, depth int) *bus.Subscription
}

// Options are what a Console works with.
type Options struct {
	Operator Operator
	Feed     Feed
	// Streams are the streams that may appear on Feed. Those without a channel
	// that the page shows are not sent.
	Streams []stream.Info
	Clock   instant.Clock
	// Hidden are names by which the study's clips, their brands and what is asked about
	// them go. A blind console is told none of them.
	Hidden []string
	// Token is the lab's own secret, that of its administrator; see access.NewToken. One
	// that is too short to be a secret opens nothing. StageToken makes of it the one that
	// opens the participant's screen alone.
	Token string
	// Book has the tokens of the others; nil: there are none.
	Book *access.Book
	// Names are what the server is called, beside localhost and the address at which a
	// request arrives: host names and addresses.
	Names []string
	Log   *slog.Logger // of what was refused, and of what could not be noted; nil: nobody reads it
	// Audit keeps a line of the log of what is done; nil: nobody keeps one. Audited lists
	// the latest n, the newest first.
	Audit   func(context.Context, Entry) error
	Audited func(ctx context.Context, n int) ([]Entry, error)
	// Stage answers /stage, /stage/... and /ws/stage behind the stage's token, and
	// /stage/stimuli/... behind either. It sets its own headers. It may be nil.
	Stage http.Handler
	// Picture shows the participant live; nil: it cannot be shown.
	Picture Picture
	// Camera is the place for a browser's camera, whose page opens with CameraToken; nil:
	// the lab's camera is no browser's.
	Camera Camera
	// Bundles is the folder whose files are offered for download.
	Bundles string
	// Receipts is the folder with the receipts of withdrawals and the reports of purges.
	Receipts string
	// GivenOut is told the name of a file of Bundles before it is handed out: who
	// withdraws is told that there is a copy. With an error it is not handed out. nil:
	// nobody keeps count.
	GivenOut func(ctx context.Context, name string) error
	// Replay shows sessions that are over; nil: none are shown.
	Replay Replay
}

// Console is the experimenter's screen and its server side.
type Console struct {
	operator Operator
	feed     Feed
	stage    http.Handler
	picture  Picture
	camera   Camera
	bundles  string
	receipts string
	givenOut func(ctx context.Context, name string) error
	replay   Replay
	hidden   []string
	audit    func(context.Context, Entry) error
	audited  func(ctx context.Context, n int) ([]Entry, error)
	doors    *doors
	gate     gate   // of the console
	screen   gate   // of the participant's screen
	lens     gate   // of the camera's page
	visits   visits // of what was noted of late
	hub      *hub
	figures  http.Handler // of the lab, for Prometheus
}

// New makes a console. Times on the wire count from this moment.
func New(o Options) *Console {
	c := &Console{
		operator: o.Operator,
		feed:     o.Feed,
		stage:    o.Stage,
		picture:  o.Picture,
		camera:   o.Camera,
		bundles:  o.Bundles,
		receipts: o.Receipts,
		givenOut: o.GivenOut,
		replay:   o.Replay,
		hidden:   o.Hidden,
		audit:    o.Audit,
		audited:  o.Audited,
		doors:    newDoors(o.Names, o.Log),
		gate:     newGate(o.Token, o.Book),
		screen:   newStageGate(o.Token),
		lens:     newCameraGate(o.Token),
		hub:      newHub(o.Operator, o.Clock, o.Streams, o.Hidden),
	}
	c.figures = newMetrics(o.Operator, c.hub)
	return c
}

// Run feeds the viewers until ctx ends. It then disconnects them, and returns
// nil when all of its goroutines, those of the viewers included, have ended.
func (c *Console) Run(ctx context.Context) error {
	sub := c.feed.Lossy("console", feedDepth)
	defer sub.Close()
	var refusals sync.WaitGroup
	refusals.Go(func() { c.doors.report(ctx) })
	c.hub.run(ctx, sub)
	refusals.Wait()
	return nil
}

// Watched tells whether somebody has the page open.
func (c *Console) Watched() bool {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	return len(c.hub.viewers) > 0
}
