// Package protocol is what the server and the participant's page say to each
// other: JSON messages over one WebSocket, described for other implementers in
// PROTOCOL.md. The server (studies/stage) and the built-in client
// (studies/stage/client) share these types; the page has them as JSDoc types in
// web/protocol.js.
package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"emolab/studies/study"
)

// Version is the version of the protocol. A page of another version is refused
// and told to reload.
const Version = 4

const (
	// TickHz is the rate of a page's clock: performance.now() in whole microseconds.
	TickHz = 1e6
	// MaxMessage bounds one message of a page. A batch of FrameBatch at 240 frames
	// a second has 1.5 kB.
	MaxMessage = 64 << 10 // bytes
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
	// maxMedia bounds a place in a clip, µs.
	maxMedia = int64(24 * time.Hour / time.Microsecond)
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
		Run     int  `json:"run"`
		Step    int  `json:"step"`
		Tick    Tick `json:"tick"`
		Dropped int  `json:"dropped"`
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
	// Answer is the answer to the question of a step, which it ends. Nothing but a
	// choice of the participant's is one.
	Answer struct {
		Run        int    `json:"run"`
		Step       int    `json:"step"`
		Scope      string `json:"scope"`
		Granted    bool   `json:"granted"`
		TextSHA256 string `json:"text_sha256"` // of the Text that was shown
		Language   string `json:"language"`
		Simulated  bool   `json:"simulated"` // nobody was there: the page, or the client, answers for a simulated participant
		Tick       Tick   `json:"tick"`
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

// The messages of the server.
type (
	// Ping asks for the page's clock.
	Ping struct {
		ID int64 `json:"id"`
	}
	// Library names the clips of the study, so that they can be loaded before a
	// session begins.
	Library struct {
		Clips  []Clip `json:"clips"`
		Corner string `json:"corner"` // where clips are shown small, for a light sensor; "" = large, in the middle
	}
	// Plan is what is to be shown, from step From on.
	Plan struct {
		Run   int    `json:"run"` // numbers the plans sent; messages about a plan name it
		From  int    `json:"from"`
		Steps []Step `json:"steps"`
		Clips []Clip `json:"clips"`
		// Corner is that of Library.
		Corner string `json:"corner"`
	}
	// Begin starts the plan.
	Begin struct {
		Run int `json:"run"`
	}
	// Stop ends the plan at once; the page blanks and answers with Stopped.
	Stop struct {
		Run int `json:"run"`
	}
	// Target moves the target of a step that the server leads to a place.
	Target struct {
		Run  int   `json:"run"`
		Step int   `json:"step"`
		ID   int64 `json:"id"` // names the request: Shown has it too
		Place
	}
	// Cue asks something of the participant, in the page's own words for Key.
	Cue struct {
		Run  int    `json:"run"`
		Step int    `json:"step"`
		ID   int64  `json:"id"`
		Key  string `json:"key"`
	}
	// Finish ends a step that the server leads; the page answers with StepEnded.
	Finish struct {
		Run  int `json:"run"`
		Step int `json:"step"`
	}
	// Over says that the plan has been shown to its end.
	Over struct {
		Run int `json:"run"`
	}
	// Refused ends a connection. Busy means that another page holds the stage,
	// and that a Hello with take_over would get it.
	Refused struct {
		Busy   bool   `json:"busy"`
		Reason string `json:"reason"`
	}
)

// Place is a point of the screen, in fractions of its width and height.
type Place struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Clip is one stimulus for a page.
type Clip struct {
	ID         string  `json:"id"`
	URL        string  `json:"url"`
	SHA256     string  `json:"sha256"`
	Width      int     `json:"width"`  // px
	Height     int     `json:"height"` // px
	DurationMs float64 `json:"duration_ms"`
}

// Step is one step of a plan for a page.
type Step struct {
	Index        int          `json:"index"`
	Action       study.Action `json:"action"`
	DurationMs   float64      `json:"duration_ms"`
	Stimulus     string       `json:"stimulus"`
	Presentation int          `json:"presentation"`
	Scope        string       `json:"scope"` // of a question, else ""
	Texts        []Text       `json:"texts"` // a question in each language, the first for any other; else none
}

// The values of the key "type".
func (*Hello) Type() string     { return "hello" }
func (*Pong) Type() string      { return "pong" }
func (*Ready) Type() string     { return "ready" }
func (*Waiting) Type() string   { return "waiting" }
func (*StepBegan) Type() string { return "step-began" }
func (*StepEnded) Type() string { return "step-ended" }
func (*Shown) Type() string     { return "shown" }
func (*Answer) Type() string    { return "answer" }
func (*Frames) Type() string    { return "frames" }
func (*Blank) Type() string     { return "blank" }
func (*Unknown) Type() string   { return "unknown" }
func (*Remark) Type() string    { return "remark" }
func (*Stopped) Type() string   { return "stopped" }
func (*Fault) Type() string     { return "fault" }
func (*Ping) Type() string      { return "ping" }
func (*Library) Type() string   { return "library" }
func (*Plan) Type() string      { return "plan" }
func (*Begin) Type() string     { return "begin" }
func (*Stop) Type() string      { return "stop" }
func (*Target) Type() string    { return "target" }
func (*Cue) Type() string       { return "cue" }
func (*Finish) Type() string    { return "finish" }
func (*Over) Type() string      { return "over" }
func (*Refused) Type() string   { return "refused" }

// Encode writes a message with its type first.
func Encode(m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("protocol: encode %s: %w", m.Type(), err)
	}
	head := `{"type":"` + m.Type() + `"`
	if len(body) > len(`{}`) {
		head += ","
	}
	return append([]byte(head), body[1:]...), nil
}

// DecodePage reads a message of a page and checks it.
func DecodePage(b []byte) (Message, error) {
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("a message of %d bytes, more than %d", len(b), MaxMessage)
	}
	m, err := decode(b, &Hello{}, &Pong{}, &Ready{}, &Waiting{}, &StepBegan{}, &StepEnded{}, &Shown{}, &Answer{}, &Frames{}, &Blank{}, &Unknown{}, &Remark{}, &Stopped{}, &Fault{})
	if err != nil {
		return nil, err
	}
	if err := check(m); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Type(), err)
	}
	return m, nil
}

// DecodeServer reads a message of the server, of whatever length: a plan of many
// trials is long.
func DecodeServer(b []byte) (Message, error) {
	return decode(b, &Ping{}, &Library{}, &Plan{}, &Begin{}, &Stop{}, &Target{}, &Cue{}, &Finish{}, &Over{}, &Refused{})
}

// decode reads b into the one of known that has its type. Keys that are not
// known are left alone: later versions may add some.
func decode(b []byte, known ...Message) (Message, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("not a message: %w", err)
	}
	for _, m := range known {
		if m.Type() != head.Type {
			continue
		}
		if err := json.Unmarshal(b, m); err != nil {
			return nil, fmt.Errorf("%s: %w", head.Type, err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("unknown message %.40q", head.Type)
}

// check turns away what no page sends, so that a broken one cannot write
// nonsense into a recording.
func check(m Message) error {
	switch m := m.(type) {
	case *Hello:
		if m.Epoch == "" || len(m.Epoch) > 100 || len(m.Agent) > maxText {
			return errors.New("epoch or agent is empty or too long")
		}
		if m.ScreenW < 0 || m.ScreenH < 0 || !(m.RefreshHz >= 0 && m.RefreshHz < 10_000) {
			return errors.New("a screen that cannot be")
		}
	case *Pong:
		if m.Tx < m.Rx {
			return errors.New("answered before it was read")
		}
		return ticks(m.Rx, m.Tx)
	case *StepBegan:
		return errors.Join(m.Place.check(), ticks(m.Tick))
	case *Shown:
		return errors.Join(m.Place.check(), ticks(m.Tick))
	case *StepEnded:
		return ticks(m.Tick)
	case *Blank:
		return ticks(m.Tick)
	case *Unknown:
		return ticks(m.Tick)
	case *Remark:
		if _, known := happenings[m.What]; !known {
			return fmt.Errorf("unknown happening %.40q", m.What)
		}
		if m.Presentation < 0 || m.Media < 0 || m.Media > maxMedia {
			return fmt.Errorf("presentation %d at %d µs of its clip", m.Presentation, m.Media)
		}
		return ticks(m.Tick)
	case *Answer:
		if m.Scope == "" || len(m.TextSHA256) != hex.EncodedLen(sha256.Size) || m.Language == "" {
			return errors.New("without its question")
		}
		return ticks(m.Tick)
	case *Fault:
		if len(m.Text) > maxText {
			return fmt.Errorf("text of %d bytes, more than %d", len(m.Text), maxText)
		}
	case *Frames:
		return m.check()
	}
	return nil
}

// check accepts no place, and one that can be.
func (p *Place) check() error {
	if p != nil && !(math.Abs(p.X) <= maxAway && math.Abs(p.Y) <= maxAway) {
		return fmt.Errorf("a place at %v, %v of the screen", p.X, p.Y)
	}
	return nil
}

func (m *Frames) check() error {
	if m.Presentation < 1 || len(m.Frames) == 0 || len(m.Frames) > maxFrames {
		return fmt.Errorf("presentation %d with %d frames", m.Presentation, len(m.Frames))
	}
	for _, v := range m.Rect {
		if math.Abs(v) > maxAway {
			return fmt.Errorf("picture at %v of the screen", m.Rect)
		}
	}
	for _, f := range m.Frames {
		if f.Media < 0 || f.Media > maxMedia || f.Presented < 1 {
			return fmt.Errorf("frame %d at %d µs of its clip", f.Presented, f.Media)
		}
		if err := ticks(f.Expected, f.Submitted, f.Callback); err != nil {
			return err
		}
	}
	return nil
}

func ticks(v ...Tick) error {
	for _, t := range v {
		if t < 0 || t > maxTick {
			return fmt.Errorf("tick %d is out of range", t)
		}
	}
	return nil
}
