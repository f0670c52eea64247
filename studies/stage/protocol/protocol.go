// Package protocol is what the server and the participant's page say to each
// other: JSON messages over one WebSocket, described for other implementers in
// PROTOCOL.md. The server (studies/stage) and the built-in client
// (studies/stage/client) share these types; the page has them as JSDoc types in
// web/protocol.js.
package protocol

import (
	"time"
	"unicode/utf8"

	"emolab/studies/study"
)

// Version is the version of the protocol. A page of another version is refused
// and told to reload.
const Version = 6

const (
	// TickHz is the rate of a page's clock: performance.now() in whole microseconds.
	TickHz = 1e6
	// MaxMessage bounds one message of a page. A batch of FrameBatch at 240 frames
	// a second has 1.5 kB; a sheet of sixty free texts, each as long as it may be and
	// in an alphabet of four bytes a letter, has 480 kB.
	MaxMessage = 512 << 10 // bytes
	// FrameBatch is how long a displayed frame waits in the page before it is
	// reported. With the 50 ms of the recorder's transactions it stays below the
	// 100 ms that a killed server may lose, and a message still carries more than
	// one frame.
	FrameBatch = 40 * time.Millisecond

	// maxFrames bounds one batch; maxText a fault's text, in bytes.
	maxFrames = 500
	maxText   = 500
	// maxTick keeps ticks within what a JavaScript number holds exactly.
	maxTick = 1 << 53
	// maxAway bounds where something is drawn, in screens.
	maxAway = 100
	// maxReply bounds what is said to an Ask, in bytes.
	maxReply = 20
	// maxMedia bounds a place in a clip, µs.
	maxMedia = int64(24 * time.Hour / time.Microsecond)
	// maxValues bounds the answers of one sheet, and maxKey their names, in bytes.
	maxValues = 200
	maxKey    = 200
	// maxValue bounds one answer, in bytes: study.MaxText characters of any alphabet.
	maxValue = study.MaxText * utf8.UTFMax
	// maxLanguage bounds a language tag, in bytes: RFC 5646 (4.4.1) asks for 35.
	maxLanguage = 35
	// maxResponse bounds how long an answer took, ms: a day.
	maxResponse = float64(24 * time.Hour / time.Millisecond)
)

// Message is any message; Type is the value of its key "type".
type Message interface{ Type() string }

// Tick is a reading of the page's clock, in microseconds since the page was loaded.
type Tick int64

// The messages of a page.
type (
	// Hello is the first message of every connection.
	Hello struct {
		Version   int     `json:"version"`
		Epoch     string  `json:"epoch"`      // drawn when the page was loaded; the same clock as long as it is the same
		Agent     string  `json:"agent"`      // user agent of the browser, or name of the client
		Simulated bool    `json:"simulated"`  // no screen: the built-in client
		ScreenW   int     `json:"screen_w"`   // CSS px
		ScreenH   int     `json:"screen_h"`   // CSS px
		PixelRate float64 `json:"dpr"`        // device px per CSS px
		RefreshHz float64 `json:"refresh_hz"` // as measured by the page; 0 = unknown
		Isolated  bool    `json:"isolated"`   // the page's clock is read to 5 µs, otherwise to 100 µs
		TakeOver  bool    `json:"take_over"`  // of the page that holds the stage now
	}
	// Pong answers Ping.
	Pong struct {
		ID int64 `json:"id"`
		Rx Tick  `json:"rx"` // the ping was read
		Tx Tick  `json:"tx"` // this answer was written
	}
	// Ready says that a plan's clips are loaded and the participant may begin.
	Ready struct {
		Run int `json:"run"`
	}
	// Waiting says that a plan's clips are loaded and that the page waits for a
	// key: a browser plays no sound on a page that nobody has touched.
	Waiting struct {
		Run int `json:"run"`
	}
	// StepBegan says when a step became visible. Place is the centre of a
	// fixation's cross; nil for every other step.
	StepBegan struct {
		Run   int    `json:"run"`
		Step  int    `json:"step"`
		Tick  Tick   `json:"tick"`
		Place *Place `json:"place,omitempty"`
	}
	// StepEnded says when a step was over. Dropped counts the frames of a clip
	// that the decoder gave up, by the browser's own count.
	StepEnded struct {
		Run     int   `json:"run"`
		Step    int   `json:"step"`
		Tick    Tick  `json:"tick"`
		Dropped int   `json:"dropped"`
		Swiped  bool  `json:"swiped"` // the participant swiped the clip away
		Media   int64 `json:"media"`  // where in its time, µs; 0 of all others
	}
	// Shown answers Target and Cue: what they asked for is on the screen
	// since Tick. Place is where the target was really drawn; nil for the others.
	Shown struct {
		Run   int    `json:"run"`
		Step  int    `json:"step"`
		ID    int64  `json:"id"`
		Tick  Tick   `json:"tick"`
		Place *Place `json:"place,omitempty"`
	}
	// Reply answers an Ask, after Shown.
	Reply struct {
		Run       int    `json:"run"`
		Step      int    `json:"step"` // BeforeFirst, or that of the Ask
		ID        int64  `json:"id"`
		Value     string `json:"value"` // "yes" or "no" to a code; how many tones were heard, "0" to "4"
		Audio     string `json:"audio"` // of tones: the state of the page's AudioContext; "" = it has none
		Simulated bool   `json:"simulated"`
		Tick      Tick   `json:"tick"`
	}
	// Answer is what the participant answered on the sheet of a step. The page stays
	// there until Go or Again comes.
	Answer struct {
		Run        int                `json:"run"`
		Step       int                `json:"step"`
		Sheet      string             `json:"sheet"`       // id
		Language   string             `json:"language"`    // in which it was read
		TextSHA256 string             `json:"text_sha256"` // of its words in that language, hex
		Values     study.Answers      `json:"values"`      // what was left empty is absent
		ResponseMs map[string]float64 `json:"response_ms"` // by the key of the answer: from when the sheet lit up to its last change
		Declined   bool               `json:"declined"`    // of a consent: by its other button
		Simulated  bool               `json:"simulated"`   // nobody was there: the page, or the client, answers for a simulated participant
		Tick       Tick               `json:"tick"`
	}
	// Paused says that the participant pauses: the step is cut, and begins anew.
	Paused struct {
		Run  int  `json:"run"`
		Step int  `json:"step"`
		Tick Tick `json:"tick"`
	}
	// Resumed says that the participant wants to go on after Paused. The server
	// answers with the plan.
	Resumed struct {
		Run  int  `json:"run"`
		Step int  `json:"step"`
		Tick Tick `json:"tick"`
	}
	// Leave says that the participant wants to stop the session. The step goes on
	// until the server answers with Left.
	Leave struct {
		Run  int  `json:"run"`
		Step int  `json:"step"`
		Tick Tick `json:"tick"`
	}
	// Frames reports displayed frames of one presentation.
	Frames struct {
		Run          int        `json:"run"`
		Presentation int        `json:"presentation"`
		Stimulus     string     `json:"stimulus"`
		Rect         [4]float64 `json:"rect"` // x, y, w, h of the picture in fractions of the screen
		Frames       []Frame    `json:"frames"`
	}
	// Blank says that from Tick on no stimulus is on the screen. It comes before
	// StepBegan of every step that is no clip.
	Blank struct {
		Run  int  `json:"run"`
		Tick Tick `json:"tick"`
	}
	// Unknown says that from Tick on nobody knows what is on the screen, until the
	// next displayed frame or the next Blank: the page is hidden in the middle of a
	// clip.
	Unknown struct {
		Run  int  `json:"run"`
		Tick Tick `json:"tick"`
	}
	// Remark says what happened to the page, or to the clip that it plays, beside
	// its frames.
	Remark struct {
		Run          int    `json:"run"`
		What         string `json:"what"` // what happened, by the table of PROTOCOL.md
		Tick         Tick   `json:"tick"`
		Presentation int    `json:"presentation"` // of the clip; 0 = of the page
		Media        int64  `json:"media"`        // currentTime of the clip, µs
	}
	// Stopped answers Stop, after Blank: all that was displayed has been reported.
	Stopped struct {
		Run int `json:"run"`
	}
	// Fault says in words what went wrong. A fatal one ends the presentation.
	Fault struct {
		Run   int    `json:"run"`
		Text  string `json:"text"`
		Fatal bool   `json:"fatal"`
	}
)

// Frame is one displayed frame, as requestVideoFrameCallback describes it.
type Frame struct {
	Presented int64 `json:"presented"` // presentedFrames: from 1 within a presentation
	Media     int64 `json:"media"`     // mediaTime, µs
	Expected  Tick  `json:"expected"`  // expectedDisplayTime
	Submitted Tick  `json:"submitted"` // presentationTime
	Callback  Tick  `json:"callback"`  // the callback's own time
}
