package gazepoint

import (
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
)

// calibrator is the part of the virtual tracker that is calibrated. It measures
// the eyes while a target stands still, and fits an offset and a scale for each
// axis to what it measured: on a participant who looked elsewhere it fits that. A
// target at which a blink was scripted is missed. Without a calibration it errs
// as the truth has it.
type calibrator struct {
	t       *tracking
	points  []Target
	delay   time.Duration
	timeout time.Duration

	show    bool // the targets, in a window of its own, which the participant looks at
	running bool
	moving  bool // the target moves to the point; else it is looked at
	point   int  // from 0
	next    instant.Instant
	results []PointResult // of the last calibration

	seen []Target // in this look at the present target
	raw  []look   // at the targets of this calibration
	x, y line     // by which the tracker corrects what it sees
}

// look is what was measured at a target: where the uncorrected tracker believes
// that the eyes were.
type look struct {
	target, at Target
	open       bool // else: a blink, nothing was seen
}

// maxSeen bounds what is measured at one target: a minute at 200 records a second.
const maxSeen = 12000

// see returns where the tracker believes at an instant that the eyes look.
func (c *calibrator) see(at instant.Instant, open bool) (x, y float64) {
	x, y = c.t.o.Truth.Tracked(at, gazeNoise, c.t.random)
	if c.running && !c.moving && open && len(c.seen) < maxSeen {
		c.seen = append(c.seen, Target{x, y})
	}
	return c.x.apply(x), c.y.apply(y)
}

// idle is how long a tracker that does not calibrate sleeps.
const idle = time.Hour

// screenWidth and screenHeight are the virtual screen, px, for the mean error.
const screenWidth, screenHeight = 1920, 1080

func newCalibrator(t *tracking) *calibrator {
	return &calibrator{t: t, points: ownPoints(), delay: DefaultDelay, timeout: DefaultTimeout}
}

// ownPoints are the points that the tracker uses by itself.
func ownPoints() []Target {
	return []Target{{.5, .5}, {.85, .15}, {.85, .85}, {.15, .85}, {.15, .15}}
}

// obey does a command of calibration and returns the values of the answer.
func (c *calibrator) obey(tag, id string, m Message) (values string, ok bool) {
	if tag == "GET" {
		if id == "CALIBRATE_RESULT_SUMMARY" {
			return c.summary(), true
		}
		return "", false
	}
	if tag != "SET" {
		return "", false
	}
	state := string(m.Value("STATE"))
	switch id {
	case "CALIBRATE_CLEAR":
		c.points = nil
		return c.count(), true
	case "CALIBRATE_RESET":
		c.points = ownPoints()
		return c.count(), true
	case "CALIBRATE_ADDPOINT":
		p, err := target(m, "X", "Y", 1)
		if err != nil || len(c.points) == MaxPoints {
			return "", false
		}
		c.points = append(c.points, p)
		return c.count() + c.list(), true
	case "CALIBRATE_DELAY":
		if c.delay, ok = seconds(m, 0); !ok {
			return "", false
		}
		return fmt.Sprintf(" VALUE=\"%s\"", m.Value("VALUE")), true
	case "CALIBRATE_TIMEOUT":
		if c.timeout, ok = seconds(m, 1); !ok {
			return "", false
		}
		return fmt.Sprintf(" VALUE=\"%s\"", m.Value("VALUE")), true
	case "CALIBRATE_SHOW":
		c.show = state == "1"
		return fmt.Sprintf(" STATE=\"%s\"", state), true
	case "CALIBRATE_START":
		c.start(state == "1")
		return fmt.Sprintf(" STATE=\"%s\"", state), true
	}
	return "", false
}

func (c *calibrator) count() string { return fmt.Sprintf(" PTS=\"%d\"", len(c.points)) }

func (c *calibrator) list() string {
	s := ""
	for i, p := range c.points {
		s += fmt.Sprintf(" X%d=\"%.5f\" Y%d=\"%.5f\"", i+1, p.X, i+1, p.Y)
	}
	return s
}

func (c *calibrator) start(on bool) {
	c.running = on && len(c.points) > 0
	c.moving, c.point, c.raw = true, -1, nil
	c.next = c.t.o.Clock.Now()
}

// until returns how long it is to the next step.
func (c *calibrator) until(now instant.Instant) time.Duration {
	if !c.running {
		return idle
	}
	return max(0, c.next.Sub(now))
}

// step does what is due: a target begins to move, or its eyes have been measured
// and the next one begins.
func (c *calibrator) step() {
	switch {
	case c.point < 0:
	case c.moving:
		c.moving, c.seen = false, nil
		c.next = c.next.Add(c.timeout)
		return
	default:
		c.measure()
	}
	c.point++
	if c.point == len(c.points) {
		c.running = false
		if last := c.points[c.point-1]; c.show {
			c.t.o.Truth.Look(c.next, last.X, last.Y, false)
		}
		c.fit()
		c.send()
		c.t.startClock(0) // TIME begins anew
		return
	}
	c.moving = true
	c.next = c.next.Add(c.delay)
	if p := c.points[c.point]; c.show {
		c.t.o.Truth.Look(c.next.Add(-c.delay), p.X, p.Y, true)
	}
	c.announce("CALIB_START_PT")
}

func (c *calibrator) announce(id string) {
	p := c.points[c.point]
	// The blank before the name of all points but the first is the tracker's own.
	blank := " "
	if c.point == 0 {
		blank = ""
	}
	c.t.send(fmt.Appendf(nil, "<CAL ID=\"%s%s\" PT=\"%d\" CALX=\"%.4f\" CALY=\"%.4f\" />\r\n", blank, id, c.point+1, p.X, p.Y))
}

// measure ends the look at the present target: the median of what was seen. It is
// missed where the eyes were shut in the middle of it.
func (c *calibrator) measure() {
	middle := c.next.Add(-c.timeout / 2)
	k := look{target: c.points[c.point], open: c.t.o.Truth.Script().Closure(c.t.o.Truth.Elapsed(middle)) <= shut}
	if len(c.seen) == 0 {
		k.at.X, k.at.Y = c.t.o.Truth.Tracked(middle, gazeNoise, c.t.random)
	} else {
		k.at.X = median(c.seen, func(t Target) float64 { return t.X })
		k.at.Y = median(c.seen, func(t Target) float64 { return t.Y })
	}
	c.raw = append(c.raw, k)
	c.announce("CALIB_RESULT_PT")
}

// fit corrects the tracker by what was measured, and makes the result: where the
// corrected tracker believes that each eye looked.
func (c *calibrator) fit() {
	var open []look
	for _, k := range c.raw {
		if k.open {
			open = append(open, k)
		}
	}
	if len(open) > 0 {
		c.x = fitLine(open, func(t Target) float64 { return t.X })
		c.y = fitLine(open, func(t Target) float64 { return t.Y })
	}
	c.results = nil
	for _, k := range c.raw {
		eye := func() EyeResult {
			return EyeResult{c.x.apply(k.at.X) + c.t.noise(eyeNoise), c.y.apply(k.at.Y) + c.t.noise(eyeNoise), k.open}
		}
		c.results = append(c.results, PointResult{k.target, eye(), eye()})
	}
}

// eyeNoise is by how much the two eyes differ in a result, one standard deviation
// in screens.
const eyeNoise = 0.001

// send sends the result, as long as it is.
func (c *calibrator) send() {
	b := []byte("<CAL ID=\"CALIB_RESULT\"")
	for i, r := range c.results {
		n := i + 1
		b = fmt.Appendf(b, " CALX%d=\"%.5f\" CALY%d=\"%.5f\"", n, r.X, n, r.Y)
		b = fmt.Appendf(b, " LX%d=\"%.5f\" LY%d=\"%.5f\" LV%d=\"%d\"", n, r.Left.X, n, r.Left.Y, n, bit(r.Left.Valid))
		b = fmt.Appendf(b, " RX%d=\"%.5f\" RY%d=\"%.5f\" RV%d=\"%d\"", n, r.Right.X, n, r.Right.Y, n, bit(r.Right.Valid))
	}
	c.t.send(append(b, " />\r\n"...))
}

// summary is the mean distance from the targets in px, and how many of them were
// seen.
func (c *calibrator) summary() string {
	sum, eyes, points := 0., 0, 0
	for _, r := range c.results {
		for _, e := range []EyeResult{r.Left, r.Right} {
			if e.Valid {
				sum += math.Hypot((e.X-r.X)*screenWidth, (e.Y-r.Y)*screenHeight)
				eyes++
			}
		}
		if r.Left.Valid || r.Right.Valid {
			points++
		}
	}
	return fmt.Sprintf(" AVE_ERROR=\"%.2f\" VALID_POINTS=\"%d\"", sum/float64(max(1, eyes)), points)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
