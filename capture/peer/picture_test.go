//go:build !nocv

package peer

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// gates is a Gate that a test moves.
type gates struct {
	since atomic.Int64
	blind atomic.Bool
}

func (g *gates) gate() Gate {
	return Gate{Since: func() instant.Instant { return instant.Instant(g.since.Load()) }, Blind: g.blind.Load}
}

func newTestPicture(t *testing.T, g *gates) *Picture {
	t.Helper()
	p, err := NewPicture(g.gate(), instant.Monotonic{}, ThisMachine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func always() bool { return true }

// see connects a browser that watches a look.
func see(t *testing.T, p *Picture, look Look, still func() bool) (browser, <-chan decoded) {
	t.Helper()
	b := newBrowser(t)
	pictures := b.watch()
	err := b.call(func(offer string) (string, error) { return p.Answer(within(t), offer, string(look), still) })
	if err != nil {
		t.Fatal(err)
	}
	return b, pictures
}

// film shows frames 30 times a second until the test ends.
func film(t *testing.T, p *Picture, next func() (frame.Frame, face.Result)) {
	t.Helper()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / 30)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				p.Show(next())
			}
		}
	}()
	t.Cleanup(func() { close(end); <-ended })
}

// until waits for a picture of which want is true, and has look at all before it.
func until(t *testing.T, what string, pictures <-chan decoded, want func(decoded) bool, look func(decoded)) decoded {
	t.Helper()
	late := time.After(deadline)
	for {
		select {
		case d := <-pictures:
			if want(d) {
				return d
			}
			if look != nil {
				look(d)
			}
		case <-late:
			t.Fatalf("no picture came that is %s", what)
		}
	}
}

const light = 200 // grey of the person of these tests

func isCard(d decoded) bool   { return abs(d.grey(30, 30)-paper) < 12 }
func isPerson(d decoded) bool { return abs(d.grey(30, 30)-light) < 12 }

// Nothing is sent before the recording began, nor after it ended; then a card is.
func TestNothingIsShownThatIsNotRecorded(t *testing.T) {
	var g gates
	p := newTestPicture(t, &g)
	film(t, p, func() (frame.Frame, face.Result) { return plain(320, 240, light), face.Result{} })
	_, pictures := see(t, p, Clear, always)
	until(t, "a card", pictures, isCard, func(d decoded) { t.Errorf("a picture of grey %d before the recording", d.grey(30, 30)) })

	// Frames that were taken before, or only came since, are not of the recording.
	future := instant.Monotonic{}.Now().Add(time.Hour)
	g.since.Store(int64(future))
	for range 3 {
		until(t, "a card", pictures, isCard, func(d decoded) { t.Errorf("grey %d: a picture of before the recording", d.grey(30, 30)) })
	}
	g.since.Store(int64(instant.Monotonic{}.Now()))
	until(t, "of the person", pictures, isPerson, nil)
	g.since.Store(0)
	until(t, "a card again", pictures, isCard, nil)
	for range 3 {
		until(t, "a card", pictures, isCard, func(d decoded) { t.Errorf("grey %d: a picture of after the recording", d.grey(30, 30)) })
	}
}

// A card is calm, and says something.
func TestCard(t *testing.T) {
	c := card(maxWidth, maxHeight, hiddenWords)
	words := 0
	for _, v := range c.pix {
		if v == ink {
			words++
		}
	}
	if words < 1000 || words > len(c.pix)/20 {
		t.Errorf("%d bytes of %d are of words", words, len(c.pix))
	}
	for _, line := range []string{hiddenWords, absentWords} {
		if w := wordWidth(line); w > maxWidth-2*wordEdge {
			t.Errorf("%q is %d px wide", line, w)
		}
	}
}

// One encoding serves all who watch a look, and those who come and go leave nothing.
func TestManyWatch(t *testing.T) {
	var g gates
	g.since.Store(1)
	p := newTestPicture(t, &g)
	film(t, p, func() (frame.Frame, face.Result) { return plain(1280, 720, light), face.Result{} })
	var last browser
	for i := range 3 {
		b, pictures := see(t, p, []Look{Clear, Clear, Box}[i], always)
		d := until(t, "of the person", pictures, isPerson, nil)
		if d.Width != 640 || d.Height != 360 {
			t.Errorf("1280x720 is shown as %dx%d", d.Width, d.Height)
		}
		last = b
	}
	if n := p.outputs[Clear].viewers.Load(); n != 2 {
		t.Errorf("%d watch the clear look, want 2", n)
	}
	last.close()
	waitFor(t, "the one who left is forgotten", func() bool { return p.watched.Load() == 2 })

	// Who comes later sees something at once.
	_, pictures := see(t, p, Clear, always)
	until(t, "of the person", pictures, isPerson, nil)

	// Who may look no more is sent away.
	var may atomic.Bool
	may.Store(true)
	see(t, p, Blurred, may.Load)
	waitFor(t, "a fourth watches", func() bool { return p.watched.Load() == 4 })
	may.Store(false)
	waitFor(t, "it is sent away", func() bool { return p.watched.Load() == 3 })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.NewTimer(deadline)
	defer late.Stop()
	for tick := time.NewTicker(10 * time.Millisecond); !ok(); {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// A blind console sees all blurred, whatever it asked for.
func TestBlind(t *testing.T) {
	var g gates
	g.since.Store(1)
	g.blind.Store(true)
	p := newTestPicture(t, &g)
	stripes := plain(640, 480, 0)
	for i := range stripes.Pix {
		if i/3%640/16%2 == 0 {
			stripes.Pix[i] = 255
		}
	}
	film(t, p, func() (frame.Frame, face.Result) {
		stripes.At = instant.Monotonic{}.Now()
		stripes.Arrival = stripes.At
		return stripes, face.Result{}
	})
	contrast := func(d decoded) int { return abs(d.grey(309, 230) - d.grey(325, 230)) }
	_, pictures := see(t, p, Clear, always)
	for range 5 {
		until(t, "blurred", pictures, func(d decoded) bool { return contrast(d) < 60 }, func(d decoded) {
			t.Errorf("a blind console saw stripes of a contrast of %d", contrast(d))
		})
	}
	g.blind.Store(false)
	until(t, "clear again", pictures, func(d decoded) bool { return contrast(d) > 200 }, nil)
}

func TestWhatCannotBeAnswered(t *testing.T) {
	var g gates
	p := newTestPicture(t, &g)
	if _, err := p.Answer(within(t), "v=0", "naked", always); err == nil || !strings.Contains(err.Error(), "naked") {
		t.Errorf("a look that there is not: %v", err)
	}
	if _, err := p.Answer(within(t), "this is no offer", string(Clear), always); !errors.Is(err, ErrOffer) {
		t.Errorf("no offer: %v", err)
	}
	if n := p.watched.Load(); n != 0 {
		t.Errorf("%d watch who could not be answered", n)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Answer(within(t), "v=0", string(Clear), always); err == nil {
		t.Error("answered after the end")
	}
	p.Show(plain(64, 48, 1), face.Result{}) // does no harm
}
