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

// Outcome is how the latest session ended.
type Outcome struct {
	SessionID string   `json:"session_id"`
	State     State    `json:"state"` // sealed, declined, withdrawn, failed, or recovered: it could not be sealed
	Bundle    string   `json:"bundle"`
	Reason    string   `json:"reason"`  // why it ended before its plan did; "" when it did not
	Error     string   `json:"error"`   // why it failed, could not be sealed or has no bundle
	Erasure   *Erasure `json:"erasure"` // of a withdrawn one: what is gone
}

// Bundler exports a sealed session and returns the path of the bundle.
type Bundler interface {
	Export(ctx context.Context, sessionID string, progress Progress) (path string, err error)
}

// Progress is told how far long work has come: done of total, and what it is
// doing in words.
type Progress func(done, total int, doing string)

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
