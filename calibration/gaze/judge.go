package gaze

import (
	"fmt"
	"math"
)

// Limits of Judge. Zero values are the defaults, which are those of a laboratory;
// webcams reach 3 to 5°.
type Limits struct {
	AcceptDeg float64 // mean error that is still accepted; 0 = 1
	WarnDeg   float64 // mean error from which a warning is given; 0 = .7 of AcceptDeg
	MaxDeg    float64 // error of the worst point; 0 = twice AcceptDeg
	MaxLoss   float64 // share of missing samples; 0 = .4
	WarnLoss  float64 // 0 = half of MaxLoss
	MaxSDDeg  float64 // spread at a point; 0 = AcceptDeg, and a warning from there
}

func (l Limits) filled() Limits {
	fill := func(x *float64, v float64) {
		if !(*x > 0) {
			*x = v
		}
	}
	fill(&l.AcceptDeg, 1)
	fill(&l.WarnDeg, .7*l.AcceptDeg)
	fill(&l.MaxDeg, 2*l.AcceptDeg)
	fill(&l.MaxLoss, .4)
	fill(&l.WarnLoss, l.MaxLoss/2)
	fill(&l.MaxSDDeg, l.AcceptDeg)
	return l
}

// Level of a Verdict.
type Level string

const (
	Good    Level = "good"
	Fair    Level = "fair"    // usable, with what to keep in mind
	Refused Level = "refused" // not to be used unless the operator says why
)

// Verdict is what a validation means, in words that help.
type Verdict struct {
	Level   Level    `json:"level"`
	Reasons []string `json:"reasons,omitempty"` // what is wrong and what to do, the worst first
}

// variedShare is how far, in parts of the mean error, the points may differ from
// it on average and the whole still counts as shifted.
const variedShare = .5

// Judge says whether a validation is good enough.
func (v Validation) Judge(limits Limits) Verdict {
	l := limits.filled()
	if len(v.Points) == 0 {
		return Verdict{Refused, []string{"No point was looked at long enough: is the tracker on, does it see both eyes, is it at the right distance?"}}
	}
	j := judgement{level: Good}
	shown := len(v.Points) + len(v.Missed)
	if n := len(v.Missed); n > 0 {
		at := j.fair
		if 4*n > shown { // less than three quarters of the screen are known
			at = j.refuse
		}
		at(fmt.Sprintf("%d of %d points without enough gaze (%s): were they looked at? Lids or lashes may cover the pupil: raise the chin, or the tracker.", n, shown, places(v.Missed)))
	}
	v.accuracy(l, &j)
	switch {
	case v.Loss > l.MaxLoss:
		j.refuse(fmt.Sprintf("%.0f %% of the samples are missing: reflections in glasses, half-closed lids, make-up, or the head is out of range: see what the tracker sees.", 100*v.Loss))
	case v.Loss > l.WarnLoss:
		j.fair(fmt.Sprintf("%.0f %% of the samples are missing: watch for reflections in glasses and half-closed lids.", 100*v.Loss))
	}
	if v.SDDeg > l.MaxSDDeg {
		j.fair(fmt.Sprintf("The gaze is unsteady (spread %.1f°): sunlight, glasses, or the participant is too far from the tracker. Fixations can still be told, small areas of interest cannot.", v.SDDeg))
	}
	return Verdict{j.level, j.reasons}
}

type judgement struct {
	level   Level
	reasons []string
}

// refuse puts its reason before those that only warn.
func (j *judgement) refuse(reason string) {
	at := len(j.reasons)
	if j.level != Refused {
		at = 0
	}
	j.reasons = append(j.reasons[:at:at], append([]string{reason}, j.reasons[at:]...)...)
	j.level = Refused
}

func (j *judgement) fair(reason string) {
	j.reasons = append(j.reasons, reason)
	if j.level == Good {
		j.level = Fair
	}
}

// accuracy judges the errors and says what they look like: a shift of the whole,
// one side, one point, or all over the place.
func (v Validation) accuracy(l Limits, j *judgement) {
	worst := v.Points[0]
	for _, p := range v.Points {
		if p.ErrorDeg > worst.ErrorDeg {
			worst = p
		}
	}
	bad := v.MeanDeg > l.AcceptDeg
	if !bad && v.MaxDeg <= l.MaxDeg && v.MeanDeg <= l.WarnDeg {
		return
	}
	refused := bad || v.MaxDeg > l.MaxDeg
	// say gives what mends it only where it must be mended.
	say := func(what, mend string) {
		if refused {
			j.refuse(what + mend)
			return
		}
		j.fair(what + ". It can be used: what lies closer together than that cannot be told apart.")
	}
	edge, edgeDeg, restDeg := v.edge()
	single, others := v.single(worst)
	switch shift := math.Hypot(v.RightDeg, v.DownDeg); {
	case v.MeanDeg > l.WarnDeg && v.varied() < variedShare*shift:
		say(fmt.Sprintf("The gaze is %.1f° too far %s everywhere", shift, direction(v.RightDeg, v.DownDeg)),
			": the head or the tracker has moved since. Sit as before and calibrate again.")
	case single:
		say(fmt.Sprintf("The point %s is off by %.1f°, the others by %.1f°", place(worst.Target), worst.ErrorDeg, others),
			": probably not looked at. Validate again, and ask to look at each point until it goes.")
	case edge != "" && edgeDeg > l.WarnDeg:
		say(fmt.Sprintf("The %s side is off by %.1f°, the rest by %.1f°", edge, edgeDeg, restDeg),
			fmt.Sprintf(": move the tracker towards the %s, or the participant away from it, and calibrate again.", edge))
	case v.MeanDeg > l.WarnDeg:
		say(fmt.Sprintf("The gaze is off by %.1f° on average (accepted: %.1f°), differently at each point", v.MeanDeg, l.AcceptDeg),
			": were the points looked at? Check the distance and reflections in glasses, and calibrate again.")
	default:
		say(fmt.Sprintf("The point %s is off by %.1f° (accepted: %.1f°)", place(worst.Target), worst.ErrorDeg, l.MaxDeg),
			": validate again, and ask to look at each point until it goes.")
	}
}

// varied is the mean distance in degrees of the points' errors from the mean
// error.
func (v Validation) varied() float64 {
	sum := 0.0
	for _, p := range v.Points {
		sum += math.Hypot(p.RightDeg-v.RightDeg, p.DownDeg-v.DownDeg)
	}
	return sum / float64(len(v.Points))
}

// singleTimes is how many times worse than the others one point must be to have
// been missed.
const singleTimes = 3

func (v Validation) single(worst ValidationPoint) (alone bool, othersDeg float64) {
	n := float64(len(v.Points) - 1)
	if n < 2 {
		return false, 0
	}
	others := (v.MeanDeg*(n+1) - worst.ErrorDeg) / n
	second := 0.0
	for _, p := range v.Points {
		if p.Target != worst.Target {
			second = max(second, p.ErrorDeg)
		}
	}
	return worst.ErrorDeg > singleTimes*others && second < worst.ErrorDeg/2, others
}

// edge is the side of the screen that is off most, when it is twice as far off
// as the rest.
func (v Validation) edge() (name string, sideDeg, restDeg float64) {
	sides := []struct {
		name string
		on   func(Point) bool
	}{
		{"left", func(p Point) bool { return p.X < .4 }},
		{"right", func(p Point) bool { return p.X > .6 }},
		{"upper", func(p Point) bool { return p.Y < .4 }},
		{"lower", func(p Point) bool { return p.Y > .6 }},
	}
	for _, side := range sides {
		var on, off, n, m float64
		for _, p := range v.Points {
			if side.on(p.Target) {
				on, n = on+p.ErrorDeg, n+1
			} else {
				off, m = off+p.ErrorDeg, m+1
			}
		}
		if n < 2 || m < 2 {
			continue
		}
		if on, off = on/n, off/m; on > 2*off && on > sideDeg {
			name, sideDeg, restDeg = side.name, on, off
		}
	}
	return name, sideDeg, restDeg
}

// direction says where to, in words.
func direction(right, down float64) string {
	x, y := "right", "down"
	if right < 0 {
		x = "left"
	}
	if down < 0 {
		y = "up"
	}
	switch a, b := math.Abs(right), math.Abs(down); {
	case a > 2*b:
		return "to the " + x
	case b > 2*a:
		return y
	}
	return y + " and to the " + x
}

// place says where on the screen a point is.
func place(p Point) string {
	third := func(x float64, low, high string) string {
		switch {
		case x < .4:
			return low
		case x > .6:
			return high
		}
		return ""
	}
	x, y := third(p.X, "left", "right"), third(p.Y, "top", "bottom")
	switch {
	case x == "" && y == "":
		return "in the middle"
	case y == "":
		return "at the " + x
	case x == "":
		return "at the " + y
	}
	return "at the " + y + " " + x
}

func places(all []Unused) string {
	words := ""
	for i, u := range all {
		if i > 0 {
			words += "; "
		}
		words += place(u.Target) + ": " + u.Reason
	}
	return words
}
