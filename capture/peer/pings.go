package peer

import (
	"fmt"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// clockLabel is the name of the channel over which the page is asked for its clock.
	clockLabel = "clock"
	// pingBurst pings, pingSpacing apart, open a connection, so that its clock is known
	// within a second; then one each pingPeriod.
	pingBurst   = 16
	pingSpacing = 64 * time.Millisecond
	pingPeriod  = time.Second
	// maxPending bounds the pings without an answer that are remembered.
	maxPending = 32
	// maxSaid bounds what a page may say at once, in bytes.
	maxSaid = 256
)

// said is what a page says over its clock channel; times are ticks of its clock.
type said struct {
	Type string `json:"type"` // "pong", "captured"
	// A pong answers the ping ID, which came at Rx and was answered at Tx.
	ID int64 `json:"id"`
	Rx int64 `json:"rx"`
	Tx int64 `json:"tx"`
	// Captured: a frame was taken at At.
	At int64 `json:"at"`
}

// pings asks a page for its clock.
type pings struct {
	id      int64
	pending map[int64]instant.Instant // when those without an answer were asked
}

// ask makes a ping, which is sent at now, and tells how long to wait after it.
func (p *pings) ask(now instant.Instant) (text string, pause time.Duration) {
	p.id++
	if p.pending == nil || len(p.pending) >= maxPending {
		p.pending = make(map[int64]instant.Instant) // so many were lost
	}
	p.pending[p.id] = now
	if pause = pingPeriod; p.id < pingBurst {
		pause = pingSpacing
	}
	return fmt.Sprintf(`{"type":"ping","id":%d}`, p.id), pause
}

// answered is the probe that an answer completes, which was read at t3; false for an
// answer that nobody waits for.
func (p *pings) answered(m said, t3 instant.Instant) (probe stream.Probe, ok bool) {
	t0, ok := p.pending[m.ID]
	delete(p.pending, m.ID)
	return stream.Probe{T0: t0, Rx: m.Rx, Tx: m.Tx, T3: t3}, ok
}
