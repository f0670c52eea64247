// Package session is the life of one recording: the lab's running devices
// (Lab), the person who operates them (Manager), and what a recording asks of
// its storage (Archive, Recorder), its screen (Stage) and its export (Bundler).
//
// States go one way:
//
//	prepared  -> recording                 the participant agreed, and the operator began
//	prepared  -> declined                  no consent, not in the sample, or gone: nothing was recorded
//	recording -> sealed                    the plan ended, or the operator stopped
//	recording -> failed                    the recorder could not keep up, or the disk refused
//	recording -> recovered                 the process died; found at the next start
//	recovered -> recording | sealed        continued as a new segment, or sealed as it is
package session

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// State is where a session stands.
type State string

// The states of a session.
const (
	Prepared  State = "prepared" // the participant reads and answers; nothing is recorded
	Declined  State = "declined" // it ended there
	Recording State = "recording"
	Sealed    State = "sealed"
	Recovered State = "recovered"
	Failed    State = "failed"
)

// Segment is one uninterrupted run of a session on one boot of one machine.
// Instants of different segments are not comparable.
type Segment struct {
	Number int             `json:"number"` // from 0
	Boot   string          `json:"boot"`   // the kernel's boot id
	Start  instant.Instant `json:"start_ns"`
	Wall   time.Time       `json:"wall"` // wall time at Start; never used for measurement
	// Screen is the participant's, which turns places into degrees. ScreenAssumed
	// says that nobody has measured it: it is AssumedScreen.
	Screen        eyemovement.Screen `json:"screen"`
	ScreenAssumed bool               `json:"screen_assumed"`
}

// Header is all that is known when a session begins.
type Header struct {
	ID          string // as NewID makes it, unique in the study's file
	Study       *study.Study
	Plan        study.Plan
	Participant string // pseudonymous code
	// Segment is that of a session that records at once. Of one whose plan has a Begin
	// step only Wall counts, as the time at which it began: Record brings the rest.
	Segment  Segment
	Streams  []stream.Info // what the lab delivers, the trace included
	Software string        // version of this program
}

// Recorder keeps one running session. Only one goroutine uses it at a time.
//
// A session whose plan has a Begin step starts as prepared: Override, Reached, Consent,
// Answer and Withdrawable may be called, and then Record or Decline. All else comes after
// Record.
type Recorder interface {
	// Override keeps that a gate was passed although something was missing.
	Override(ctx context.Context, o Override) error
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
	// Stopped notes why the session ended before its plan was shown.
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

// The scopes of consent that the program itself knows.
const (
	// Notice is no consent: that the participant has read what a program estimates.
	Notice = "notice"
	// Traces allows recording numbers about expression, gaze and skin conductance.
	Traces = "traces"
	// FaceVideo allows keeping the video of the face.
	FaceVideo = study.FaceVideoScope
)

// Who gave a consent, and where.
const (
	// OnScreen: the participant, on the participant's own screen. The console
	// has no way to give it.
	OnScreen = "participant's screen"
	// Simulated: the built-in client, for a simulated participant, who has no
	// face to protect. It counts only beside a simulated camera.
	Simulated = "built-in client (simulated participant)"
)

// Consent is one answer of the participant to one question. The latest of a
// scope holds.
type Consent struct {
	Scope      string          `json:"scope"` // what was asked: FaceVideo
	Granted    bool            `json:"granted"`
	TextSHA256 string          `json:"text_sha256"` // of the text that was read, hex
	Language   string          `json:"language"`    // of that text: "en"
	At         instant.Instant `json:"at_ns"`
	How        string          `json:"how"` // OnScreen or Simulated
	// Text is what was read; its hash is TextSHA256. It is kept once.
	Text string `json:"-"`
}

// Answer is what the participant answered on one sheet, as it may be kept.
type Answer struct {
	Step         int             `json:"step"`
	Sheet        string          `json:"sheet"` // id
	Kind         study.SheetKind `json:"kind"`
	Stimulus     string          `json:"stimulus"`     // that it is about; "" = none
	Presentation int             `json:"presentation"` // of it; 0 = none
	Values       study.Answers   `json:"values"`
	// ResponseMs is, by the key of the answer, how long after the sheet came up its
	// last change was made.
	ResponseMs map[string]float64 `json:"response_ms"`
	Declined   bool               `json:"declined"` // of a consent: by its other button
	TextSHA256 string             `json:"text_sha256"`
	Language   string             `json:"language"`
	Text       string             `json:"-"`     // what was read; kept once
	At         instant.Instant    `json:"at_ns"` // 0 = before the recording
	Wall       time.Time          `json:"wall"`
	How        string             `json:"how"` // OnScreen or Simulated
}

// Ruling is what follows from an answer, or from leaving: the steps that are passed
// over from now on. It stands in place of the ruling before.
type Ruling struct {
	Skip []int
}

// Conduct is what a simulated participant does in a step, After so long. The zero
// value waits until the step is over.
type Conduct struct {
	After  time.Duration
	Fill   study.Answers // on a sheet: fills it in, and goes on
	No     bool          // on a consent: declines
	Leave  bool          // stops the session
	Swipe  bool          // of a stimulus that may be swiped away
	Pause  time.Duration // pauses for so long
	Answer bool          // Fill or No is meant, even if Fill is empty
	// Language is what the page is to be read in from here on; "" leaves it as it is.
	Language string
}

// Eraser takes back everything of the participant of a session.
type Eraser interface {
	// Withdraw erases all sessions of the session's participant: rows, files and what
	// was derived from them. Nothing may record meanwhile.
	Withdraw(ctx context.Context, sessionID string, progress Progress) (Erasure, error)
	// Session finds the session that a code was given out for, as people type it.
	Session(ctx context.Context, typed string) (sessionID string, err error)
}

// Erasure says what a withdrawal erased.
type Erasure struct {
	At         time.Time `json:"at"`
	Sessions   int       `json:"sessions"`
	Rows       int64     `json:"rows"`
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"`
	Recipients []string  `json:"recipients"` // who holds bundles that were given out, to be told
	Tombstone  string    `json:"tombstone"`  // the keyed hash that stays
	Searched   []string  `json:"searched"`   // folders that were looked through for copies
	// Beside are files that somebody has put beside copies of bundles, or that hold other
	// people's bundles too: they stay.
	Beside  []string `json:"beside"`
	Receipt string   `json:"receipt"` // path of the receipt
}

// Cohort is how far a study has come.
type Cohort struct {
	Rows   []RowCount `json:"rows"`
	Cells  []CellNow  `json:"cells"`
	Usable int        `json:"usable"` // people with a usable session, as a quota counts
	Wanted int        `json:"wanted"` // of them; 0 = no quota
	People []Person   `json:"people"` // by code
	// Videos and Brands count the people of sealed sessions, by what they were shown.
	Videos []Tally `json:"videos"`
	Brands []Tally `json:"brands"`
	// Withdrawn counts people; Declined, Dropped and Unusable count sessions.
	Withdrawn int `json:"withdrawn"`
	Declined  int `json:"declined"`
	Dropped   int `json:"dropped"` // stopped by the participant
	Unusable  int `json:"unusable"`
}

// Tally counts people by one thing that they were shown.
type Tally struct {
	Name   string `json:"name"`
	Usable int    `json:"usable"` // of whom enough was measured during it, in a session that counts
	Shown  int    `json:"shown"`
}

// RowCount is how often an order has been used.
type RowCount struct {
	Row    int `json:"row"`
	Usable int `json:"usable"`
	Open   int `json:"open"` // may still become usable: prepared, recording, recovered
	Other  int `json:"other"`
}

// CellNow is a cell of the quota and how far it is filled.
type CellNow struct {
	study.Cell
	Have int `json:"have"` // people with a usable session or one that may become so
	Open int `json:"open"` // of those, who has only the latter
}

// Person is one participant in the registry.
type Person struct {
	Code     string        `json:"code"`
	Bands    study.Answers `json:"bands"` // of the screening, as kept
	Sessions []Standing    `json:"sessions"`
}

// Standing is what one session counts for.
type Standing struct {
	Session string    `json:"session"`
	State   State     `json:"state"`
	Row     int       `json:"row"`
	Run     int       `json:"run"` // of the participant, from 1
	Started time.Time `json:"started"`
	Usable  *bool     `json:"usable"` // nil = not judged
	Why     string    `json:"why"`    // it is not usable, or was declined
}

// Video is one finished file of kept face video.
type Video struct {
	File   string          `json:"file"`     // relative to the folder of the database, with slashes
	From   instant.Instant `json:"from_ns"`  // capture of its first frame
	Until  instant.Instant `json:"until_ns"` // and of its last
	Frames int64           `json:"frames"`
	Bytes  int64           `json:"bytes"`
	SHA256 string          `json:"sha256"` // of the file, hex
}

// Film keeps the video of the face. It is asked only under consent; without a
// Begin nothing of any picture is written.
type Film interface {
	// Begin keeps the frames that were taken from since on, for that segment of a
	// session. Those on their way from the camera may be older.
	Begin(sessionID string, segment int, since instant.Instant) error
	// Pause keeps no frame that was taken from that instant on, as far as they have not
	// come yet; Resume keeps those again that were taken from that instant on.
	Pause(at instant.Instant)
	Resume(at instant.Instant)
	// Closed names, in their order, the files that are whole and have not been
	// named yet; none when nothing is kept.
	Closed() []Video
	// End stops keeping, waits until the files are closed, and names those that
	// Closed has not. Files that are whole are named even with an error.
	End() ([]Video, error)
	// Err tells why frames are no longer kept although End was not called; nil
	// while all is well.
	Err() error
}

// Progress is told how far long work has come: done of total, and what it is
// doing in words.
type Progress func(done, total int, doing string)

// Archive keeps the sessions of one study.
type Archive interface {
	Begin(ctx context.Context, h Header) (Recorder, error)
	// Resume opens a recovered session of the study whose hash is given for a further segment (its Number is
	// chosen by the archive), and tells where in its plan it stopped.
	Resume(ctx context.Context, id, studyHash string, seg Segment, streams []stream.Info) (Recorder, Resumption, error)
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

// Stage is the participant's screen.
type Stage interface {
	// Present shows the plan and returns nil when its last step has ended. When
	// ctx ends it blanks the screen and returns ctx's error. A page that is
	// closed or reloaded in the middle is waited for.
	Present(ctx context.Context, p Presentation) error
	// Connected tells whether a page (or the built-in client) is there.
	Connected() bool
	// Waiting tells in words what the page waits for before it begins: "a key".
	// It is "" when the page waits for nothing, or no page is there.
	Waiting() string
}

// Presentation is a plan to be shown.
type Presentation struct {
	Session string
	Study   *study.Study
	Plan    study.Plan
	From    int // first step to show
	Skip    []int
	// Admit is led before the first step: nothing is shown until it has returned nil. It
	// begins anew when the page has gone meanwhile; nil = there is nothing to be asked.
	Admit func(ctx context.Context, on Surface) error
	Began func(step int, at instant.Instant) // called as each step begins on the screen, in order
	// Answered is called with the answer to a Fill step, before the next step begins;
	// the ruling says which steps are passed over from then on. Values are as they were
	// given, checked against the sheet.
	Answered func(ctx context.Context, a Answer) (Ruling, error)
	// Conduct is asked, if it is there, what a simulated participant does in a step, as
	// the step begins.
	Conduct func(step study.Step) Conduct
	// Receipt is asked as a receipt comes up.
	Receipt func() Receipt
	// Left is called when the participant holds the key that stops the session.
	Left func(at instant.Instant) Ruling
	// Ended is closed when the operator has ended the session, and Out is called then: it
	// leads to the last pages, unless the participant is on them. Both may be nil.
	Ended <-chan struct{}
	Out   func() Ruling
	// Paused is called when the participant pauses, and again when they go on.
	Paused func(on bool, at instant.Instant)
	// Procedure leads the Calibrate, Validate and Breath steps. Without one they are
	// passed over.
	Procedure Procedure
	// Ruled is asked at the end of a step that is led which steps are passed over from
	// then on. nil: those of before.
	Ruled func() Ruling
	// Cross is called with each fixation cross as it lights up (Until is 0), and
	// again when it has gone. It may be nil.
	Cross func(Target)
}

// Bundler exports a sealed session and returns the path of the bundle.
type Bundler interface {
	Export(ctx context.Context, sessionID string, progress Progress) (path string, err error)
}

// Status is the whole state of the lab, for a console.
type Status struct {
	State       State      `json:"state"` // Prepared or Recording; "" when no session runs
	Busy        string     `json:"busy"`  // "sealing: aligning eda" while a session is being closed; "" otherwise
	SessionID   string     `json:"session_id"`
	Participant string     `json:"participant"`
	Segment     int        `json:"segment"`
	Plan        study.Plan `json:"plan"`
	Ready       bool       `json:"ready"`  // the participant waits for the recording to begin
	Paused      bool       `json:"paused"` // by the participant
	// Over says that nothing is recorded any more: the participant is on the last pages,
	// or the session is being closed.
	Over bool `json:"recording_over"`
	// Stopped says that the operator has stopped the session, and the participant is being
	// led through the last pages: another Stop closes them.
	Stopped bool `json:"stopped"`
	// Live says that samples are being recorded. Until then, and after it, nothing of
	// what the devices measure is in a Status: only whether they work.
	Live      bool     `json:"live"`
	Step      int      `json:"step"`       // index in Plan.Steps; -1 before the first
	ElapsedMs float64  `json:"elapsed_ms"` // since the segment's start, until the recording was over
	Streams   []Health `json:"streams"`
	Alarms    []Alarm  `json:"alarms"`
	Stage     bool     `json:"stage_connected"`
	Waiting   string   `json:"stage_waiting"` // what the participant's screen waits for: "a key"; "" for nothing
	DiskFree  int64    `json:"disk_free_bytes"`
	Backlog   int      `json:"recorder_backlog"` // chunks that wait to be written
	Video     bool     `json:"face_video"`       // the video of the face is being kept, with the participant's consent
	DiskHours float64  `json:"disk_hours"`       // of recording, as RecordingHours counts them for the study
	// Check is the calibration, validation or breath that runs, or the latest of the
	// session; nil when there was none. Asked says that it waits for Decide.
	Check *Check `json:"check"`
	Asked bool   `json:"asked"`
	// Corrected says that a calibration of ours is in force: the trace and the results
	// are corrected by it, the tracker's own stream stays as it is delivered.
	Corrected bool `json:"gaze_corrected"`
	// Drift is what the fixation crosses since the calibration say so far; nil before the
	// first.
	Drift         *gaze.Drift         `json:"drift"`
	Eyes          *Eyes               `json:"eyes"`   // null without an eye tracker, and unless Live
	Screen        *eyemovement.Screen `json:"screen"` // the participant's; nil when no session runs
	ScreenAssumed bool                `json:"screen_assumed"`
	Recovered     []Summary           `json:"recovered"` // sessions waiting to be continued or sealed
	LastOutcome   *Outcome            `json:"last_outcome"`
	StudyID       string              `json:"study_id"`
	StudyTitle    string              `json:"study_title"`

	// Readiness is what was checked for the gate that comes next, and what will be for
	// the one after it.
	Readiness []Readiness `json:"readiness"`
	// Confirmed says who has confirmed the participant's code.
	Confirmed Confirmed `json:"confirmed"`
	// Usable says for how much of each presentation the participant was measured so far;
	// null unless Live or Over.
	Usable []UsableNow `json:"usable"`
	// Marks are the latest of the recording, the last one last.
	Marks []Mark `json:"marks"`
	// Blind says that brands and what is measured of emotion are hidden from whoever
	// operates; BlindByStudy, that the study asks for it.
	Blind        bool `json:"blind"`
	BlindByStudy bool `json:"blind_by_study"`
}

// Confirmed says who has confirmed the participant's code.
type Confirmed struct {
	Participant bool `json:"participant"` // on their screen
	Operator    bool `json:"operator"`    // by its last two characters
}

// Outcome is how the latest session ended.
type Outcome struct {
	SessionID string   `json:"session_id"`
	State     State    `json:"state"` // sealed, declined, withdrawn, failed, or recovered: it could not be sealed
	Bundle    string   `json:"bundle"`
	Reason    string   `json:"reason"`  // why it ended before its plan did; "" when it did not
	Error     string   `json:"error"`   // why it failed, could not be sealed or has no bundle
	Erasure   *Erasure `json:"erasure"` // of a withdrawn one: what is gone
}

// participantCode is what a pseudonymous code may look like; it becomes part of
// file names.
var participantCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// CheckParticipant refuses what is no pseudonymous code.
func CheckParticipant(code string) error {
	if !participantCode.MatchString(code) {
		return fmt.Errorf("participant code %q: use 1 to 32 letters, digits, - or _, and no name", code)
	}
	return nil
}

// Request is what the operator gives to start a session.
type Request struct {
	Participant string `json:"participant"` // pseudonymous code
	// Again says what to do about a code that was used before: New or ContinueIt. ""
	// refuses with a KnownError.
	Again string `json:"again,omitempty"`
	// Override is why the session starts although something is missing; "" refuses with a
	// NotReadyError.
	Override string `json:"override,omitempty"`
}

// The values of Request.Again.
const (
	NewRun     = "new"      // another session of that participant
	ContinueIt = "continue" // the session that was cut off goes on
)
