package session

import (
	"context"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/study"
)

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
	// Participant is the code that they read to the operator before the recording begins.
	Participant string
	Study       *study.Study
	Plan        study.Plan
	From        int // first step to show
	Skip        []int
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
