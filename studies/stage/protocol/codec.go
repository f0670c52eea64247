package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// The values of the key "type".
func (*Hello) Type() string     { return "hello" }
func (*Pong) Type() string      { return "pong" }
func (*Ready) Type() string     { return "ready" }
func (*Waiting) Type() string   { return "waiting" }
func (*StepBegan) Type() string { return "step-began" }
func (*StepEnded) Type() string { return "step-ended" }
func (*Shown) Type() string     { return "shown" }
func (*Reply) Type() string     { return "reply" }
func (*Answer) Type() string    { return "answer" }
func (*Paused) Type() string    { return "paused" }
func (*Resumed) Type() string   { return "resumed" }
func (*Leave) Type() string     { return "leave" }
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
func (*Ask) Type() string       { return "ask" }
func (*Finish) Type() string    { return "finish" }
func (*Go) Type() string        { return "go" }
func (*Again) Type() string     { return "again" }
func (*Left) Type() string      { return "leave" } // the answer to it
func (*Conduct) Type() string   { return "conduct" }
func (*Receipt) Type() string   { return "receipt" }
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
	m, err := decode(b, &Hello{}, &Pong{}, &Ready{}, &Waiting{}, &StepBegan{}, &StepEnded{}, &Shown{}, &Reply{}, &Answer{}, &Paused{}, &Resumed{}, &Leave{}, &Frames{}, &Blank{}, &Unknown{}, &Remark{}, &Stopped{}, &Fault{})
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
	return decode(b, &Ping{}, &Library{}, &Plan{}, &Begin{}, &Stop{}, &Target{}, &Cue{}, &Ask{}, &Finish{}, &Go{}, &Again{}, &Left{}, &Conduct{}, &Receipt{}, &Over{}, &Refused{})
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
		if m.Media < 0 || m.Media > maxMedia || m.Dropped < 0 {
			return fmt.Errorf("a clip left at %d µs of its time, %d frames dropped", m.Media, m.Dropped)
		}
		return ticks(m.Tick)
	case *Paused:
		return ticks(m.Tick)
	case *Resumed:
		return ticks(m.Tick)
	case *Leave:
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
	case *Reply:
		if m.Value == "" || len(m.Value) > maxReply || len(m.Audio) > maxReply {
			return errors.New("a reply that is empty or too long")
		}
		return ticks(m.Tick)
	case *Answer:
		return m.check()
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

// check bounds what an answer may hold. Its errors go into the recording and so quote
// nothing of it: who has answered what is personal.
func (m *Answer) check() error {
	if m.Sheet == "" || len(m.Sheet) > maxKey || m.Language == "" || len(m.Language) > maxLanguage || len(m.TextSHA256) != hex.EncodedLen(sha256.Size) {
		return errors.New("without its sheet")
	}
	if len(m.Values) > maxValues || len(m.ResponseMs) > maxValues {
		return fmt.Errorf("%d answers with %d times, more than %d", len(m.Values), len(m.ResponseMs), maxValues)
	}
	for key, value := range m.Values {
		if key == "" || len(key) > maxKey || len(value) > maxValue {
			return fmt.Errorf("an answer of %d bytes under a name of %d", len(value), len(key))
		}
	}
	for key, ms := range m.ResponseMs {
		if len(key) > maxKey || !(ms >= 0 && ms <= maxResponse) {
			return fmt.Errorf("an answer after %g ms", ms)
		}
	}
	return ticks(m.Tick)
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
