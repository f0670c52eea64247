package access

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestGuessingIsSlowedDown(t *testing.T) {
	var g Guesses
	thief, neighbour := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	token, other := DigestOf("right"), DigestOf("also right")
	g.Right(thief, token, noon) // somebody behind the same address is in
	now := noon
	for i := range guesses {
		if wait := g.Wrong(thief, now); wait != 0 || g.Wait(thief, DigestOf("next"), now) != 0 {
			t.Fatalf("guess %d has to wait", i+1)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if wait := g.Wrong(thief, now); wait != want*time.Second {
			t.Fatalf("wait %v, want %d s", wait, want)
		}
		if got := g.Wait(thief, other, now); got != want*time.Second {
			t.Fatalf("a token that was not shown there before waits %v, want %d s", got, want)
		}
		if got := g.Wait(thief, token, now); got != 0 {
			t.Fatalf("who is in is put out for %v", got)
		}
		if got := g.Wait(neighbour, other, now); got != 0 {
			t.Fatalf("another address waits %v", got)
		}
	}
	if got := g.Wait(thief, other, now.Add(longestWait)); got != 0 {
		t.Errorf("after the wait it is not listened to: %v", got)
	}
	now = now.Add(guesses*forgiven + longestWait)
	for i := range guesses {
		if wait := g.Wrong(thief, now); wait != 0 {
			t.Fatalf("guess %d after a quiet time has to wait", i+1)
		}
	}
	if wait := g.Wrong(thief, now); wait != firstWait {
		t.Errorf("after a quiet time the first wait is %v", wait)
	}
}

// An hour of guessing as fast as it is allowed is no more than some guesses a minute.
func TestAnHourOfGuesses(t *testing.T) {
	var g Guesses
	from, tried := netip.MustParseAddr("::1"), 0
	for now := noon; now.Before(noon.Add(time.Hour)); now = now.Add(100 * time.Millisecond) {
		if g.Wait(from, DigestOf(fmt.Sprint(tried)), now) == 0 {
			g.Wrong(from, now)
			tried++
		}
	}
	if tried > 8*60 {
		t.Errorf("%d guesses in an hour", tried)
	}
}

func TestTheCountIsBounded(t *testing.T) {
	var g Guesses
	in := netip.MustParseAddr("192.0.2.1")
	g.Right(in, DigestOf("right"), noon)
	for i := range remembered + 100 {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		g.Wrong(a, noon.Add(time.Duration(i)*time.Millisecond))
	}
	if len(g.all) > remembered {
		t.Errorf("%d addresses are remembered", len(g.all))
	}
	if g.all[network(in)] == nil {
		t.Error("who is in is forgotten first")
	}
	// All of a /64 is one computer, and so is an address in either of its forms.
	if network(netip.MustParseAddr("2001:db8::1")) != network(netip.MustParseAddr("2001:db8::ffff:1:2:3")) ||
		network(netip.MustParseAddr("::ffff:192.0.2.1")) != network(in) || network(netip.MustParseAddr("2001:db8:0:1::1")) == network(netip.MustParseAddr("2001:db8::1")) {
		t.Error("addresses are not told apart as they should be")
	}
}
