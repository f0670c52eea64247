package session

import (
	"context"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
	"emolab/studies/study"
)

// Archive keeps the sessions of one study.
type Archive interface {
	Begin(ctx context.Context, h Header) (Recorder, error)
	// Resume opens a recovered session of the study whose hash is given for a further segment (its Number is
	// chosen by the archive), and tells where in its plan it stopped.
	Resume(ctx context.Context, id, studyHash string, seg Segment, streams []stream.Info) (Recorder, Resumption, error)
	// Measured tells for how much of each presentation a session was measured in its
	// segments before one, as far as it is known before it is sealed.
	Measured(ctx context.Context, id string, before int) ([]usable.Now, error)
	// Seal closes a recovered session as it is, without continuing it.
	Seal(ctx context.Context, id string, progress Progress) error
	Sessions(ctx context.Context) ([]Summary, error)
	// NextRow returns the plan's row for the next participant. With rows above 0 it is
	// the one among them with the fewest sessions that are usable or may become so, the
	// first of equals; else how many sessions the study has had.
	NextRow(ctx context.Context, rows int) (int, error)
	// Cohort tells how far the study has come.
	Cohort(ctx context.Context, quota study.Quota) (Cohort, error)
	// Move gives a session to another participant, for that reason.
	Move(ctx context.Context, sessionID, participant, reason string) error
	// Judge says by a person's word whether a session is usable.
	Judge(ctx context.Context, sessionID string, usable bool, reason string) error
}

// Recorder keeps one running session. Only one goroutine uses it at a time.
//
// A session whose plan has a Begin step starts as prepared: Override, Blind, Reached,
// Consent, Answer, Withdrawable and Stopped may be called, and then Record or Decline. All
// else comes after Record.
type Recorder interface {
	// Override keeps that a gate was passed although something was missing.
	Override(ctx context.Context, o Override) error
	// Blind keeps that what the console shows was hidden, or shown again and why: a session
	// that goes on after it was cut off goes on so.
	Blind(ctx context.Context, on bool, why string) error
	// Record begins the recording.
	Record(ctx context.Context, seg Segment, streams []stream.Info) error
	// Decline ends a prepared session: nothing was recorded. why is in a few words:
	// "consent", "screening: age", "quota: age 18-24", "left".
	Decline(ctx context.Context, why string) error
	// Answer keeps what the participant answered on a sheet.
	Answer(ctx context.Context, a Answer) error
	// Withdrawable keeps the keyed hash of a code by which the participant may withdraw.
	// Those of before go on to hold.
	Withdrawable(ctx context.Context, codeHash string) error
	// Append makes a batch durable: when it returns nil, a killed process or
	// machine does not lose it. An error means that nothing of the batch is kept.
	Append(ctx context.Context, batch []stream.Chunk) error
	// Reached notes that step of the plan has begun, at that instant (0: it is not
	// known); a continued session begins there.
	Reached(ctx context.Context, step int, at instant.Instant) error
	// Stopped notes why the session ended before its plan was shown. Twice the same is once.
	Stopped(ctx context.Context, reason string) error
	// Consent keeps an answer of the participant. What it allows may begin when
	// this has returned nil.
	Consent(ctx context.Context, c Consent) error
	// Again keeps that a presentation is to be shown once more at the end of its block,
	// and why: a session that goes on after it was cut off shows it.
	Again(ctx context.Context, presentation int, why string) error
	// Target keeps a mark that the participant's screen showed for the eyes.
	Target(ctx context.Context, t Target) error
	// Decision keeps what was made of the result of a step.
	Decision(ctx context.Context, d Decision) error
	// Video notes a finished file of kept face video, in the order of their times.
	Video(ctx context.Context, v Video) error
	// Seal aligns every stream again, two-sided, writes the derived rows and the
	// statements, and makes the session read-only.
	Seal(ctx context.Context, progress Progress) error
	// Fail closes the session as failed, with the reason, as far as the disk allows.
	Fail(ctx context.Context, reason string) error
}

// Resumption is what a continued session needs to go on.
type Resumption struct {
	Participant string
	Plan        study.Plan
	From        int // the step that was reached and is shown again from its beginning
	Segment     int // number of the new segment; -1: it is still prepared, and Record begins the first
	// Consents are the answers given so far, in their order. Their instants are
	// those of earlier segments, or 0.
	Consents []Consent
	Answers  []Answer // likewise
	Again    []int    // presentations that are to be shown again, or were
	// Judged is the latest calibration of an earlier segment that was accepted; it goes
	// on to hold. nil = none.
	Judged *Judged
	// Stopped is why the operator had stopped the session before it was cut off, as
	// StoppedForGood tells; "" = nobody had.
	Stopped string
	Blind   bool // the console was blind
}

// Summary is one line of the list of sessions.
type Summary struct {
	ID          string        `json:"id"`
	Participant string        `json:"participant"`
	Row         int           `json:"row"`
	State       State         `json:"state"`
	Started     time.Time     `json:"started"` // wall time
	Duration    time.Duration `json:"duration_ns"`
	Segments    int           `json:"segments"`
	Frames      int64         `json:"frames"` // trace rows
	Simulated   bool          `json:"simulated"`
	Bundle      string        `json:"bundle,omitempty"`     // path of the exported bundle
	Reason      string        `json:"reason,omitempty"`     // why it failed or was stopped
	Run         int           `json:"run"`                  // of the participant, from 1
	Usable      *bool         `json:"usable"`               // nil = not judged
	UsableWhy   string        `json:"usable_why,omitempty"` // it is not, and by which repeats stimuli count
	// When the date was past up to which it might be kept, and it was erased: what was
	// recorded and answered, and the video of the face. Zero: it was not.
	TracesErased time.Time `json:"traces_erased,omitzero"`
	VideoErased  time.Time `json:"video_erased,omitzero"`
}
