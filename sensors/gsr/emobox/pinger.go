package emobox

import (
	"sync"

	"emolab/fusion/instant"
)

// pinger remembers which pings are out. The speaking half enters them, the
// hearing half takes them out.
type pinger struct {
	mu   sync.Mutex
	next uint16
	out  map[uint16]instant.Instant // when each was sent
}

// maxOut bounds the pings kept: older ones than this many are lost for good.
const maxOut = 64

// send notes that a ping leaves now and returns its id.
func (p *pinger) send(now instant.Instant) uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		p.out = map[uint16]instant.Instant{}
	}
	id := p.next
	p.next++
	p.out[id] = now
	delete(p.out, id-maxOut)
	return id
}

// answered returns when ping id was sent, once.
func (p *pinger) answered(id uint16) (instant.Instant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.out[id]
	delete(p.out, id)
	return at, ok
}

// forget drops all pings that are out: their pongs would carry the ticks of a
// clock that is no more.
func (p *pinger) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.out)
}
