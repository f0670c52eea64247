package stage

import (
	"fmt"
	"math"

	"emolab/studies/stage/protocol"
)

const (
	// pixelRateSlack is by how much two readings of one screen's pixel rate differ:
	// browsers round it.
	pixelRateSlack = .01
	// refreshSlack is by how much two measurements of one screen's refresh differ,
	// as a share of it. 60 and 75 Hz are further apart; a page's own measurement on
	// a busy machine is not.
	refreshSlack = .1
)

// Screen is a participant's screen, as its page sees it. What was measured on
// one screen says nothing about another.
type Screen struct {
	Width     int     `json:"width_px"`   // CSS px
	Height    int     `json:"height_px"`  // CSS px
	PixelRate float64 `json:"pixel_rate"` // device px per CSS px
	RefreshHz float64 `json:"refresh_hz"` // 0 = unknown
}

// String describes the screen as a technician does.
func (s Screen) String() string {
	if s.RefreshHz == 0 {
		return fmt.Sprintf("%d x %d px at %g", s.Width, s.Height, s.PixelRate)
	}
	return fmt.Sprintf("%d x %d px at %g, %.1f Hz", s.Width, s.Height, s.PixelRate, s.RefreshHz)
}

// same tells whether two descriptions may be of one screen. A refresh that one
// of them does not know tells nothing.
func (s Screen) same(o Screen) bool {
	if s.Width != o.Width || s.Height != o.Height || math.Abs(s.PixelRate-o.PixelRate) > pixelRateSlack {
		return false
	}
	return s.RefreshHz == 0 || o.RefreshHz == 0 || math.Abs(s.RefreshHz-o.RefreshHz) <= refreshSlack*max(s.RefreshHz, o.RefreshHz)
}

// screenOf is the screen that a page says it is on.
func screenOf(h *protocol.Hello) Screen {
	return Screen{Width: h.ScreenW, Height: h.ScreenH, PixelRate: h.PixelRate, RefreshHz: h.RefreshHz}
}

// otherScreen says that a page is on another screen than the one on which the
// display's latency was measured; "" when it is not.
func (s *Server) otherScreen(h *protocol.Hello) string {
	if m := s.o.MeasuredOn; m != nil && !m.same(screenOf(h)) {
		return fmt.Sprintf("the display's latency was measured on a screen of %s, and this one has %s: "+
			"open the page there, or run emolab calibrate display here", m, screenOf(h))
	}
	return ""
}

// Screen returns the screen of the page that holds the stage, and whether one does.
func (s *Server) Screen() (Screen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == nil {
		return Screen{}, false
	}
	return screenOf(s.holder.hello), true
}

// presenting tells whether a plan is being shown.
func (s *Server) presenting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show != nil
}

// Agent names the browser of the page that holds the stage, by its user agent; ""
// when no page does.
func (s *Server) Agent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == nil {
		return ""
	}
	return s.holder.hello.Agent
}
