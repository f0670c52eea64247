package eyetribe

import (
	"encoding/json"
	"errors"
	"math"
)

// Frame is what the driver reads of one picture of the tracker's camera.
type Frame struct {
	TimeMS int64 // the tracker's clock, ms
	State  uint32
	// X, Y is the point of gaze as measured, px from the top left; the tracker's
	// smoothed one is left.
	X, Y float64
	// Pupils in the tracker's own unit; NaN where it saw none.
	LeftPupil, RightPupil float64
}

// The bits of Frame.State that the driver looks at.
const stateGaze = 1 // calibrated, and there is a point of gaze

// Gaze tells whether the frame has a point of gaze. Where there is none, the
// tracker says (0, 0).
func (f Frame) Gaze() bool { return f.State&stateGaze != 0 && (f.X != 0 || f.Y != 0) }

const (
	// maxPx, maxPupil and maxTimeMS bound what can be true: JSON has no checksum.
	maxPx     = 100_000
	maxPupil  = 1000
	maxTimeMS = 1 << 52 // whole numbers are exact in a float64, and 100,000 years
)

// message is one object from the server.
type message struct {
	Category   string          `json:"category"`
	Request    string          `json:"request"`
	StatusCode int             `json:"statuscode"`
	Values     json.RawMessage `json:"values"`
}

// Status codes: those of HTTP, and three of the tracker's own, which come
// unasked.
const (
	statusOK                 = 200
	statusCalibrationChanged = 800
	statusDisplayChanged     = 801
	statusTrackerChanged     = 802
)

// values are those of a message that are of use; nil where they are missing.
type values struct {
	Frame *frame `json:"frame"`

	HeartbeatMS  *float64 `json:"heartbeatinterval"`
	TrackerState *float64 `json:"trackerstate"`
	FrameRate    *float64 `json:"framerate"`
	Calibrated   *bool    `json:"iscalibrated"`
	ScreenWidth  *float64 `json:"screenresw"`
	ScreenHeight *float64 `json:"screenresh"`
}

// frame is a Frame as it is sent.
type frame struct {
	Time  *float64 `json:"time"`
	State *float64 `json:"state"`
	Raw   *point   `json:"raw"`
	Left  *eye     `json:"lefteye"`
	Right *eye     `json:"righteye"`
}

type point struct {
	X *float64 `json:"x"`
	Y *float64 `json:"y"`
}

type eye struct {
	Pupil *float64 `json:"psize"`
}

var (
	errMessage = errors.New("eyetribe: message that is no JSON of the expected form")
	errFrame   = errors.New("eyetribe: frame with a value missing or impossible")
)

// decode reads an object. What the server says of a request that failed is
// text where numbers are expected, so values are read of good ones only.
func decode(object []byte) (message, values, error) {
	var m message
	if err := json.Unmarshal(object, &m); err != nil || m.Category == "" {
		return message{}, values{}, errMessage
	}
	var v values
	if m.StatusCode == statusOK && len(m.Values) > 0 {
		if err := json.Unmarshal(m.Values, &v); err != nil {
			return message{}, values{}, errMessage
		}
	}
	return m, v, nil
}

// explanation is what the server says of a request that failed.
func (m message) explanation() string {
	var v struct {
		Message string `json:"statusmessage"`
	}
	if err := json.Unmarshal(m.Values, &v); err != nil || v.Message == "" {
		return "no reason given"
	}
	return v.Message
}

// parse checks the values of a frame.
func (f *frame) parse() (Frame, error) {
	if f.Time == nil || f.State == nil || f.Raw == nil || f.Raw.X == nil || f.Raw.Y == nil {
		return Frame{}, errFrame
	}
	t, s, x, y := *f.Time, *f.State, *f.Raw.X, *f.Raw.Y
	if !whole(t, maxTimeMS) || !whole(s, math.MaxUint32) || math.Abs(x) > maxPx || math.Abs(y) > maxPx {
		return Frame{}, errFrame
	}
	left, errLeft := f.Left.pupil()
	right, errRight := f.Right.pupil()
	if err := errors.Join(errLeft, errRight); err != nil {
		return Frame{}, errFrame
	}
	return Frame{TimeMS: int64(t), State: uint32(s), X: x, Y: y, LeftPupil: left, RightPupil: right}, nil
}

func whole(x, most float64) bool { return x >= 0 && x <= most && x == math.Trunc(x) }

// pupil returns the size of the pupil. Of an eye that it does not see the tracker
// says 0.
func (e *eye) pupil() (float64, error) {
	if e == nil || e.Pupil == nil || *e.Pupil == 0 {
		return math.NaN(), nil
	}
	if p := *e.Pupil; p < 0 || p > maxPupil {
		return 0, errFrame
	}
	return *e.Pupil, nil
}
