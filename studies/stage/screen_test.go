package stage_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/stage"
	"emolab/studies/stage/protocol"
)

// accepted tells whether the server's first word is not a refusal.
func (p *page) accepted() bool {
	p.t.Helper()
	for {
		_, b, err := p.conn.ReadMessage()
		if err != nil {
			p.t.Fatal(err)
		}
		m, err := protocol.DecodeServer(b)
		if err != nil {
			p.t.Fatal(err)
		}
		switch m.(type) {
		case *protocol.Refused:
			return false
		case *protocol.Library:
			return true
		}
	}
}

// What was measured on one screen holds for it: a page on another is refused before
// a session, and let in during one, with a fault that says so.
func TestPageOnAnotherScreen(t *testing.T) {
	measured := stage.Screen{Width: 1920, Height: 1080, PixelRate: 1, RefreshHz: 60}
	for _, c := range []struct {
		name    string
		change  func(*protocol.Hello)
		refused bool
	}{
		{"the same", func(*protocol.Hello) {}, false},
		{"its refresh measured a little differently", func(h *protocol.Hello) { h.RefreshHz = 59.2 }, false},
		{"its refresh not known", func(h *protocol.Hello) { h.RefreshHz = 0 }, false},
		{"its pixel rate rounded", func(h *protocol.Hello) { h.PixelRate = 1.0000001 }, false},
		{"a wider one", func(h *protocol.Hello) { h.ScreenW = 2560 }, true},
		{"a lower one", func(h *protocol.Hello) { h.ScreenH = 1050 }, true},
		{"a denser one", func(h *protocol.Hello) { h.PixelRate = 2 }, true},
		{"a faster one", func(h *protocol.Hello) { h.RefreshHz = 75 }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := shortStudy(t, 10)
			l := newLab(t, stage.Options{Study: st, MeasuredOn: &measured})
			if _, there := l.server.Screen(); there {
				t.Error("there is a screen before any page")
			}
			hello := browser("1")
			c.change(hello)
			page := l.open(hello)
			if c.refused {
				r := hear[*protocol.Refused](page)
				if r.Busy || !strings.Contains(r.Reason, "emolab calibrate display") || !strings.Contains(r.Reason, measured.String()) {
					t.Errorf("refused as %+v", r)
				}
				page.closed()
			} else {
				hear[*protocol.Library](page)
			}
			if l.server.Connected() == c.refused {
				t.Errorf("the page holds the stage: %t", !c.refused)
			}

			// A session that waits for its page takes what comes.
			show := l.present(st, 0)
			if c.refused {
				l.until("the page is let in", func() bool { page = l.open(hello); return page.accepted() })
			}
			plan := hear[*protocol.Plan](page)
			if got := l.said(stream.Fault, "on a screen of "+measured.String()); got != c.refused {
				t.Errorf("faults: %v", l.events(stream.Fault))
			}
			want := stage.Screen{Width: hello.ScreenW, Height: hello.ScreenH, PixelRate: hello.PixelRate, RefreshHz: hello.RefreshHz}
			if got, there := l.server.Screen(); !there || got != want {
				t.Errorf("screen %v, want %v", got, want)
			}
			show.cancel()
			hear[*protocol.Stop](page)
			page.say(&protocol.Stopped{Run: plan.Run})
			if c.refused { // it was let in for that plan only
				if r := hear[*protocol.Refused](page); r.Busy || !strings.Contains(r.Reason, measured.String()) {
					t.Errorf("after the plan it is refused as %+v", r)
				}
				page.closed()
			}
		})
	}
}

// A page that leaves its screen while a plan runs is no longer corrected for certain.
func TestPageLeavesItsScreen(t *testing.T) {
	measured := stage.Screen{Width: 1920, Height: 1080, PixelRate: 1, RefreshHz: 60}
	for _, on := range []*stage.Screen{nil, &measured} {
		l := newLab(t, stage.Options{MeasuredOn: on})
		page := l.open(browser("1"))
		page.say(&protocol.Remark{Run: 1, What: protocol.Moved, Tick: 5})
		l.until("the remark is there", func() bool { return l.said(stream.Marker, "the page is on another screen than before") })
		page.say(&protocol.Blank{Run: 1, Tick: 6})
		l.until("the row is there", func() bool { s, _ := l.samples(); return len(s) == 1 })
		if got := l.said(stream.Fault, "times of display may be corrected by what another screen needs"); got != (on != nil) {
			t.Errorf("measured on %v: faults %v", on, l.events(stream.Fault))
		}
	}
}

// Without a plan, a page that comes to another screen says hello from there.
func TestPageSaysWhichScreenItIsOnInChromium(t *testing.T) {
	t.Parallel()
	l := newLab(t, stage.Options{})
	page := window(t)
	goTo := func(width int64) {
		page.Do(chromedp.EmulateViewport(1000, 800, func(m *emulation.SetDeviceMetricsOverrideParams, _ *emulation.SetTouchEmulationEnabledParams) {
			m.ScreenWidth, m.ScreenHeight = width, 900
		}))
	}
	is := func(width int) func() bool {
		return func() bool { s, there := l.server.Screen(); return there && s.Width == width && s.RefreshHz > 0 }
	}
	goTo(1600)
	page.Go(l.http.URL + "/stage")
	l.until("the page says where it is", is(1600))
	goTo(1400)
	l.until("the page says where it has gone", is(1400))
}

// A measured shift stands with the stream, and changes nothing of what is observed.
func TestShiftIsOfTheStream(t *testing.T) {
	shift := &stream.Shift{By: 13 * time.Millisecond, Within: 2 * time.Millisecond}
	l := newLab(t, stage.Options{Shift: shift})
	if got := l.server.Info()[0].Shift; got != shift {
		t.Errorf("the stream has the shift %v", got)
	}
	page := l.open(browser("1"))
	hear[*protocol.Library](page)
	page.say(&protocol.Blank{Run: 1, Tick: 5_000_000})
	page.say(&protocol.Unknown{Run: 1, Tick: 6_000_000})
	page.say(&protocol.Remark{Run: 1, What: "paused", Tick: 6_000_000, Presentation: 2, Media: 1_500_000})
	l.until("the remark is there", func() bool {
		return l.said(stream.Marker, "the clip of presentation 2 was paused, not by this page: its frame stays (at 1.500 s of its time)")
	})
	rows, _ := l.samples()
	if len(rows) != 2 || rows[0].Tick != 5_000_000 || rows[0].Values[presentation] != 0 || !math.IsNaN(rows[1].Values[presentation]) {
		t.Errorf("rows %v", rows)
	}
	page.say(&protocol.Remark{Run: 1, What: "resized", Tick: 1, Presentation: 0})
	l.until("the remark is there", func() bool { return l.said(stream.Marker, "changed its size") })
	page.say(&protocol.Remark{Run: 1, What: "exploded", Tick: 1})
	l.until("an unknown remark is a fault", func() bool { return l.said(stream.Fault, `unknown happening "exploded"`) })
}

// For a light sensor clips are shown small in a corner, whose place is outlined
// while the page waits.
func TestCornerInChromium(t *testing.T) {
	t.Parallel()
	for _, corner := range []string{stage.TopRight, stage.BottomLeft} {
		st := exampleStudy(t)
		st.Stimuli = st.Stimuli[:1]
		l := newLab(t, stage.Options{Study: st, Corner: corner})
		page := open(t, l.http.URL+"/stage#autostart")
		reads(page, "Please wait until the experimenter begins.")
		x, y := 0., 0.
		const side = .24 * 800
		if strings.HasSuffix(corner, "right") {
			x = 1280 - side
		}
		if strings.HasPrefix(corner, "bottom") {
			y = 800 - side
		}
		place := func(of string) string {
			return fmt.Sprint(browsertest.Value[[]float64](page, fmt.Sprintf(`(() => {
				const r = document.querySelector(%q).getBoundingClientRect();
				return [r.x, r.y, r.width, r.height].map(Math.round);
			})()`, of)))
		}
		rounded := fmt.Sprint([]float64{math.Round(x), math.Round(y), math.Round(side), math.Round(side)})
		if got := place("#sensor"); got != rounded {
			t.Errorf("%s: the place for the sensor is %s, want %s", corner, got, rounded)
		}
		if got := browsertest.Value[string](page, `document.getElementById("sensor").innerText`); got != "Put the light sensor here." {
			t.Errorf("%s: it says %q", corner, got)
		}
		page.Screenshot("stage-corner-" + corner + ".png")
		show := l.present(st, 1)
		l.until("the clip plays", func() bool {
			s, _ := l.samples()
			return len(s) > 0 && s[len(s)-1].Values[presentation] == 1
		})
		if got := place("#picture video"); got != rounded {
			t.Errorf("%s: the clip is at %s, want %s", corner, got, rounded)
		}
		if browsertest.Value[bool](page, `getComputedStyle(document.getElementById("sensor")).visibility === "visible"`) {
			t.Errorf("%s: the outline stays while the clip plays", corner)
		}
		show.cancel()
		if err := show.end(); err == nil {
			t.Errorf("%s: the plan ended by itself", corner)
		}
	}
}
