// Package client is a participant's screen without a screen: it speaks the
// stage's protocol where no browser is at hand, and plays every clip frame by
// frame on a virtual display with a clock of its own. It says in its hello that
// it is simulated; a stage for real participants refuses it.
package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"emolab/fusion/instant"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// Agent is the client's name in hello.
const Agent = "emolab built-in stage client"

const (
	// retry is the pause before connecting again, as the page does.
	retry = 500 * time.Millisecond
	// patience bounds connecting, and one write.
	patience = 5 * time.Second
	// maxServerMessage bounds a message of the server. A plan of 1,000 trials
	// has about 700 kB.
	maxServerMessage = 8 << 20 // bytes
	// maxKept bounds the reports that wait for the next connection, as in the page.
	maxKept = 2000
)

// Options are the settings of a Client.
type Options struct {
	// URL is the server's address: "http://127.0.0.1:8800". Header goes with
	// every request (the token).
	URL    string
	Header http.Header
	Clock  instant.Clock
	// Study has the frame times of the clips.
	Study *study.Study

	// RefreshHz is the rate of the virtual display; 0 means 60.
	RefreshHz float64
	// Offset is what the client's clock shows when Run begins, and DriftPPM by
	// how many millionths its ticks are longer than they should be.
	Offset   time.Duration
	DriftPPM float64
	// Unreported is the share of displayed frames, 0..1, whose report gets lost
	// as a browser's callbacks do. Seed chooses which.
	Unreported float64
	Seed       uint64
	// Power, if set, is told the true course of the client's clock before it is
	// used: tick = tick0 + (at - at0) / nsPerTick.
	Power func(at0 instant.Instant, tick0 int64, nsPerTick float64)
}

// Client is a participant's screen without a screen.
type Client struct {
	o     Options
	clock clock
	epoch string
	// language is what the participant reads; "" = the study's first.
	language string

	mu   sync.Mutex
	kept []protocol.Message // reports that wait for the next connection
}

// New makes a client.
func New(o Options) *Client {
	if o.RefreshHz == 0 {
		o.RefreshHz = 60
	}
	return &Client{o: o, epoch: rand.Text()}
}

// Run shows what the server says until ctx ends, and then returns nil. It
// connects again when the connection is lost. A refusal for another reason than
// a stage that is in use is an error.
func (c *Client) Run(ctx context.Context) error {
	c.clock = newClock(c.o.Clock.Now(), c.o.Offset, c.o.DriftPPM)
	if c.o.Power != nil {
		c.o.Power(c.clock.at0, c.clock.tick0, c.clock.nsPerTick)
	}
	for {
		err := c.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var no *refusal
		if errors.As(err, &no) {
			return fmt.Errorf("stage client: refused: %w", err)
		}
		if !wait(ctx, retry) {
			return nil
		}
	}
}

// refusal is a reason for which connecting again is of no use.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }

// wait waits d, and tells whether ctx still holds.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// socket writes messages from several goroutines.
type socket struct {
	mu   sync.Mutex
	conn *websocket.Conn
}

func (s *socket) send(m protocol.Message) error {
	b, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, b)
}

// connect keeps one connection until it ends.
func (c *Client) connect(ctx context.Context) error {
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	conn, answer, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.o.URL, "http")+"/ws/stage", c.o.Header)
	if err != nil {
		if answer != nil && answer.StatusCode/100 == 4 {
			return &refusal{fmt.Sprintf("the server answered %s: check the address and the token", answer.Status)}
		}
		return err
	}
	defer conn.Close()
	conn.SetReadLimit(maxServerMessage)
	// A blocked read ends when the socket is closed.
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	out := &socket{conn: conn}
	if err := out.send(&protocol.Hello{
		Version: protocol.Version, Epoch: c.epoch, Agent: Agent, Simulated: true,
		ScreenW: screenW, ScreenH: screenH, PixelRate: 1, RefreshHz: c.o.RefreshHz, Isolated: true,
	}); err != nil {
		return err
	}

	// One plan plays at a time, beside the reading.
	var playing sync.WaitGroup
	stop := func() {}
	defer func() {
		stop()
		playing.Wait()
	}()
	var plan *protocol.Plan
	var now *player // of the latest plan
	for {
		m, rx, err := c.read(conn)
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *protocol.Ping:
			if err := out.send(&protocol.Pong{ID: m.ID, Rx: rx, Tx: c.now()}); err != nil {
				return err
			}
		case *protocol.Library:
			// The server has accepted the client. What it kept comes before all that it is
			// going to show.
			for _, m := range c.takeKept() {
				if err := out.send(m); err != nil {
					return err
				}
			}
		case *protocol.Plan:
			stop() // the operator may have ended the session in the middle of a step
			playing.Wait()
			plan = m
			if err := out.send(&protocol.Blank{Run: m.Run, Tick: c.now()}); err != nil {
				return err
			}
			if err := c.load(ctx, m.Clips); err != nil {
				return out.send(&protocol.Fault{Run: m.Run, Text: err.Error(), Fatal: true})
			}
			if err := out.send(&protocol.Ready{Run: m.Run}); err != nil {
				return err
			}
		case *protocol.Begin:
			if plan == nil || plan.Run != m.Run {
				continue
			}
			stop()
			playing.Wait()
			inner, cancel := context.WithCancel(ctx)
			stop = cancel
			p := newPlayer(c, plan, out)
			now = p
			playing.Go(func() { p.run(inner) })
		case *protocol.Ask:
			if m.Step != protocol.BeforeFirst {
				if now != nil && m.Run == now.plan.Run {
					now.hear(m)
				}
				continue
			}
			if err := out.send(&protocol.Shown{Run: m.Run, Step: m.Step, ID: m.ID, Tick: c.now()}); err != nil {
				return err
			}
			if err := out.send(c.reply(m)); err != nil {
				return err
			}
		case *protocol.Target, *protocol.Cue, *protocol.Finish, *protocol.Go, *protocol.Again, *protocol.Conduct, *protocol.Left:
			if now != nil && protocol.About(m) == now.plan.Run {
				now.hear(m)
			}
		case *protocol.Stop:
			stop()
			playing.Wait()
			if err := out.send(&protocol.Blank{Run: m.Run, Tick: c.now()}); err != nil {
				return err
			}
			if err := out.send(&protocol.Stopped{Run: m.Run}); err != nil {
				return err
			}
		case *protocol.Refused:
			if !m.Busy {
				return &refusal{m.Reason}
			}
		}
	}
}

// keep holds a report back for the next connection.
func (c *Client) keep(m protocol.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) < maxKept {
		c.kept = append(c.kept, m)
	}
}

// takeKept returns what was held back, once.
func (c *Client) takeKept() []protocol.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.kept
	c.kept = nil
	return kept
}

// read returns the server's next message and the client's time when it came.
func (c *Client) read(conn *websocket.Conn) (protocol.Message, protocol.Tick, error) {
	_, b, err := conn.ReadMessage()
	rx := c.now()
	if err != nil {
		return nil, rx, err
	}
	m, err := protocol.DecodeServer(b)
	return m, rx, err
}

// now reads the client's clock.
func (c *Client) now() protocol.Tick { return c.clock.read(c.o.Clock.Now()) }

// load fetches the clips as the page does, and checks that they are those of
// the study.
func (c *Client) load(ctx context.Context, clips []protocol.Clip) error {
	base, err := url.Parse(c.o.URL)
	if err != nil {
		return err
	}
	for _, clip := range clips {
		m, ok := c.o.Study.Stimulus(clip.ID)
		if !ok || m.SHA256 != clip.SHA256 {
			return fmt.Errorf("%s is not in the client's study", clip.ID)
		}
		ref, err := url.Parse(clip.URL)
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.ResolveReference(ref).String(), nil)
		if err != nil {
			return err
		}
		for k, v := range c.o.Header {
			req.Header[k] = v
		}
		if err := check(req, clip); err != nil {
			return fmt.Errorf("%s: %w", clip.ID, err)
		}
	}
	return nil
}

// check fetches a clip and compares its hash.
func check(req *http.Request, clip protocol.Clip) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, resp.Body); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != clip.SHA256 {
		return errors.New("the file has changed since the study was loaded")
	}
	return nil
}
