package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// guesses is how many wrong tokens an address may show in a row: a person who copies
	// one by hand needs a few.
	guesses = 8
	// forgiven is after how long one of them is forgotten.
	forgiven = 10 * time.Second
	// firstWait is how long an address waits that has shown more; each one after that
	// doubles it, up to longestWait.
	firstWait   = time.Second
	longestWait = time.Minute
	// remembered bounds the addresses that are kept count of.
	remembered = 4096
)

// Guesses keeps count of the wrong tokens that each address has shown. An address that
// has shown too many is not listened to for a while, even if its next token is right:
// else it could go on guessing. A token that was right from there before is exempt, so
// that nobody who is in is put out by a neighbour.
type Guesses struct {
	mu  sync.Mutex
	all map[netip.Prefix]*tally
}

// tally is the count of one address.
type tally struct {
	left  float64 // wrong tokens that it may show yet
	at    time.Time
	wait  time.Duration // of the latest pause
	until time.Time     // when it is listened to again
	right map[Digest]struct{}
}

// Wait tells how long an address has to wait before it may show a token; 0 = not at all.
func (g *Guesses) Wait(from netip.Addr, token Digest, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.all[network(from)]
	if t == nil {
		return 0
	}
	if _, ok := t.right[token]; ok {
		return 0
	}
	return max(0, t.until.Sub(now))
}

// Wrong counts a wrong token, and returns how long its address has to wait now.
func (g *Guesses) Wrong(from netip.Addr, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.of(from, now)
	if t.left--; t.left >= 0 {
		return 0
	}
	t.left = 0
	t.wait = min(max(2*t.wait, firstWait), longestWait)
	t.until = now.Add(t.wait)
	return t.wait
}

// Right remembers that a token is right, from this address. There are no more of those
// than tokens that were given out.
func (g *Guesses) Right(from netip.Addr, token Digest, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.of(from, now)
	if t.right == nil {
		t.right = map[Digest]struct{}{}
	}
	t.right[token] = struct{}{}
}

// of returns the count of an address as it is now; g.mu is held.
func (g *Guesses) of(from netip.Addr, now time.Time) *tally {
	key := network(from)
	t := g.all[key]
	if t == nil {
		if g.all == nil {
			g.all = map[netip.Prefix]*tally{}
		}
		if len(g.all) >= remembered {
			g.forget()
		}
		t = &tally{left: guesses, at: now}
		g.all[key] = t
		return t
	}
	t.left = min(guesses, t.left+now.Sub(t.at).Seconds()/forgiven.Seconds())
	if t.at = now; t.left == guesses {
		t.wait = 0
	}
	return t
}

// forget drops the address that was not heard of for longest, one that is in only if
// there is no other; g.mu is held.
func (g *Guesses) forget() {
	var oldest netip.Prefix
	var of *tally
	for key, t := range g.all {
		if of == nil || t.before(of) {
			oldest, of = key, t
		}
	}
	delete(g.all, oldest)
}

// before tells whether a count is dropped before another.
func (t *tally) before(other *tally) bool {
	if in, otherIn := len(t.right) > 0, len(other.right) > 0; in != otherIn {
		return otherIn
	}
	return t.at.Before(other.at)
}

// network is what counts as one address: of IPv6 a whole /64, because one computer
// chooses among all of it.
func network(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := 64
	if from.Is4() {
		bits = 32
	}
	p, _ := from.Prefix(bits) // of an address that is none: the zero prefix, counted as one
	return p
}
