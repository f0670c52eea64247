package eyetribe

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/device"
	"emolab/sensors/virtual"
)

const (
	// gazeNoise is one standard deviation of the point of gaze, in screens: about
	// half a degree on a 24-inch screen at 60 cm, as the maker states at best.
	gazeNoise = 0.005
	// pupilPerMM is what the virtual tracker says for a millimetre of pupil. What a
	// real one measures in is not known.
	pupilPerMM = 7.5
	// pupilNoise is one standard deviation of that.
	pupilNoise = 0.15
	// shut is the closure from which the tracker loses the eye.
	shut = 0.5
	// smoothing is the share of a new point in the smoothed one.
	smoothing = 0.3

	// clockStart is the tracker's time at power-on, ms.
	clockStart = 604571264
	// beatInterval is how often the virtual server wants to hear from its host.
	beatInterval = time.Second
	// dormantAfter is how long it goes on without: more than the interval, because
	// on a busy machine host and server are late both.
	dormantAfter = 2500 * time.Millisecond
)

// twinScreen is the virtual tracker's screen where the settings name none, px.
func twinScreen() device.Span { return device.Span{Right: 1920, Bottom: 1080} }

// twin is the virtual tracker with its server.
type twin struct {
	o      virtual.TwinOptions
	id     string // of the stream
	rate   int    // frames per second
	screen device.Span
}

// Twin makes a virtual tracker that plays the gaze, pupils and blinks of a truth.
func (o *Options) Twin(t virtual.TwinOptions) virtual.Device {
	e := &twin{o: t, id: o.ID, rate: o.nominal(), screen: o.Screen}
	if e.screen == (device.Span{}) {
		e.screen = twinScreen()
	}
	return e
}

// Run is one life of the tracker.
func (e *twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	now := e.o.Clock.Now()
	s := &server{twin: e, send: send, random: rand.New(rand.NewPCG(e.o.Seed, 3))}
	clock := virtual.SwitchOn(e.o, now, virtual.Power{Tick0: clockStart, TickHz: tickHz}, e.id)
	s.sampler = virtual.NewSampler(clock, now, tickHz, float64(e.rate))
	for {
		due.After(s.sampler.Until(e.o.Clock.Now()))
		select {
		case got := <-in:
			s.receive(got)
		case <-due.C():
			for s.sampler.Until(e.o.Clock.Now()) == 0 {
				s.frame()
			}
		case <-ctx.Done():
			return
		}
	}
}

// server is one life of the tracker.
type server struct {
	*twin
	send     func([]byte)
	random   *rand.Rand
	splitter Splitter
	sampler  virtual.Sampler
	push     bool
	heard    instant.Instant // the latest from the host
	x, y     float64         // smoothed point of gaze
	seen     bool            // there is one
}

// receive answers the host's requests.
func (s *server) receive(got virtual.Arrived) {
	for p := got.Bytes; len(p) > 0; {
		object, rest, ok := s.splitter.Next(p)
		p = rest
		if !ok {
			return
		}
		s.heard = got.At
		s.answer(object)
	}
}

func (s *server) answer(object []byte) {
	var m message
	err := json.Unmarshal(object, &m)
	switch {
	case err != nil:
		s.send([]byte(`{"category":"tracker","statuscode":400,"values":{"statusmessage":"no JSON"}}` + "\n"))
	case m.Category == "heartbeat":
		s.send([]byte(`{"category":"heartbeat","statuscode":200}` + "\n"))
	case m.Category == "tracker" && m.Request == "set":
		s.set(m.Values)
	case m.Category == "tracker" && m.Request == "get":
		s.get(m.Values)
	default:
		s.send([]byte(`{"category":"tracker","statuscode":400,"values":{"statusmessage":"no such request"}}` + "\n"))
	}
}

func (s *server) set(given json.RawMessage) {
	var v struct {
		Push *bool `json:"push"`
	}
	if err := json.Unmarshal(given, &v); err != nil {
		s.send([]byte(`{"category":"tracker","request":"set","statuscode":400,"values":{"statusmessage":"values of another kind are needed"}}` + "\n"))
		return
	}
	if v.Push != nil {
		s.push = *v.Push
	}
	s.send([]byte(`{"category":"tracker","request":"set","statuscode":200}` + "\n"))
}

func (s *server) get(given json.RawMessage) {
	var names []string
	has := map[string]any{
		"push": s.push, "heartbeatinterval": beatInterval.Milliseconds(), "version": 1, "trackerstate": 0,
		"framerate": s.rate, "iscalibrated": true, "iscalibrating": false,
		"screenresw": s.screen.Right - s.screen.Left, "screenresh": s.screen.Bottom - s.screen.Top,
	}
	values := map[string]any{}
	err := json.Unmarshal(given, &names)
	for _, n := range names {
		if v, ok := has[n]; ok {
			values[n] = v
		} else {
			err = fmt.Errorf("%s, no such value exists", n)
		}
	}
	status := statusOK
	if err != nil {
		status, values = 400, map[string]any{"statusmessage": err.Error()}
	}
	b, err := json.Marshal(map[string]any{"category": "tracker", "request": "get", "statuscode": status, "values": values})
	if err != nil {
		return // numbers, texts and truths can be written
	}
	s.send(append(b, '\n'))
}

// frame makes the frame of the camera picture that is due. The server is dormant
// while its host sends no heartbeats.
func (s *server) frame() {
	_, tick, at := s.sampler.Next()
	s.sampler.Done()
	if !s.push || at.Sub(s.heard) > dormantAfter {
		return
	}
	elapsed := s.o.Truth.Elapsed(at)
	state, x, y, left, right := 8, 0., 0., 0., 0. // nothing of the participant is seen
	s.seen = s.seen && s.o.Truth.Script().Closure(elapsed) <= shut
	if s.o.Truth.Script().Closure(elapsed) <= shut {
		state = 1 | 2 | 4
		x, y = s.screen.Units(s.o.Truth.Tracked(at, gazeNoise, s.random))
		mm := s.o.Truth.Script().PupilMM(elapsed)
		left, right = pupilPerMM*mm+s.noise(pupilNoise), pupilPerMM*mm+s.noise(pupilNoise)
		if !s.seen {
			s.x, s.y, s.seen = x, y, true
		}
		s.x, s.y = s.x+smoothing*(x-s.x), s.y+smoothing*(y-s.y)
	} else {
		s.x, s.y = 0, 0
	}
	raw, avg := fmt.Sprintf(`{"x":%.4f,"y":%.4f}`, x, y), fmt.Sprintf(`{"x":%.4f,"y":%.4f}`, s.x, s.y)
	eye := func(pupil float64) string {
		return fmt.Sprintf(`{"avg":%s,"pcenter":{"x":0.5,"y":0.5},"psize":%.4f,"raw":%s}`, avg, pupil, raw)
	}
	s.send(fmt.Appendf(nil, `{"category":"tracker","request":"get","statuscode":200,"values":{"frame":{"avg":%s,"fix":false,"lefteye":%s,"raw":%s,"righteye":%s,"state":%d,"time":%d,"timestamp":"%s"}}}`+"\n",
		avg, eye(left), raw, eye(right), state, tick, time.UnixMilli(tick).UTC().Format("2006-01-02 15:04:05.000")))
}

func (s *server) noise(deviation float64) float64 { return deviation * s.random.NormFloat64() }
