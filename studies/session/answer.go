package session

import (
	"time"

	"emolab/fusion/instant"
	"emolab/studies/study"
)

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
