package neutral

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/visibility"
)

// act is what the face of a recording does for a while.
type act struct {
	lasts    time.Duration
	change   map[string]float64 // of the measures, from rest
	restless float64            // how much the mouth moves, in parts of the distance between the eyes
	neutral  float64            // what the net says
	happy    float64
	yaw      float64
	view     visibility.Mask
	lost     bool // no face is found
	shut     bool // the eyes are closed
}

// rest is a relaxed face that the net takes for what it is.
func rest(lasts time.Duration) act { return act{lasts: lasts, neutral: .9} }

// smile is one that is held.
func smile(lasts time.Duration) act {
	return act{lasts: lasts, neutral: .03, change: map[string]float64{
		"mouth_width": .2, "corner_sag": -.1, "lip_gap": .14, "nose_wing": -.05, "upper_lip": -.04, "corner_right": -.07, "corner_left": -.08,
	}}
}

// talk moves the mouth all the time.
func talk(lasts time.Duration) act { return act{lasts: lasts, neutral: .5, restless: .06} }

// face is the features of the recorded person at rest.
func face() action.Features {
	var f action.Features
	for i := range f {
		f[i] = .1 + .04*float64(i)
	}
	return f
}

// place returns the position of a measure.
func place(name string) int {
	names := action.FeatureNames()
	return slices.Index(names[:], name)
}

const (
	start     = instant.Instant(5e12)
	openEye   = .33
	blinkEach = 3100 * time.Millisecond
	blinkTime = 150 * time.Millisecond
)

// film plays acts at a frame rate. All measures wobble by as much as those of
// an unmoved face, and the person blinks every three seconds.
func film(seed uint64, rate float64, acts ...act) []facial.Measured {
	r := rand.New(rand.NewPCG(seed, 1))
	var frames []facial.Measured
	floor, rested := action.Floor(), face()
	mouth := []int{place("lip_gap"), place("chin_height"), place("chin_depth"), place("corner_right"), place("corner_left"), place("mouth_width"), place("lip_lower_thick")}
	from := time.Duration(0)
	for n := 0; ; n++ {
		at := time.Duration(float64(n) / rate * float64(time.Second))
		for len(acts) > 0 && at >= from+acts[0].lasts {
			from += acts[0].lasts
			acts = acts[1:]
		}
		if len(acts) == 0 {
			return frames
		}
		a := acts[0]
		m := facial.Measured{At: start.Add(at), Found: !a.lost, Posed: !a.lost, View: a.view}
		if a.lost {
			frames = append(frames, m)
			continue
		}
		m.Features = rested
		for i := range m.Features {
			m.Features[i] += floor[i] * r.NormFloat64()
		}
		for name, d := range a.change {
			m.Features[place(name)] += d
		}
		for _, i := range mouth {
			m.Features[i] += a.restless * math.Sin(float64(n)/rate*2*math.Pi*3+float64(i))
		}
		m.EARRight = openEye + .005*r.NormFloat64()
		m.EARLeft = openEye + .005*r.NormFloat64()
		if a.shut || at%blinkEach < blinkTime {
			m.EARRight, m.EARLeft = .26, .26
			m.Features[place("eye_aspect")] -= .07
		}
		m.Pose = headpose.Pose{YawDeg: 3 + a.yaw + .3*r.NormFloat64(), PitchDeg: -2 + .3*r.NormFloat64(), RollDeg: 1, Z: 600, Residual: .03}
		m.HeightPX = 200
		m.Expression[expression.Neutral] = a.neutral
		m.Expression[expression.Happy] = a.happy
		m.Expression[expression.Sad] = 1 - a.neutral - a.happy
		frames = append(frames, m)
	}
}

// near fails where the face found is not that of the person at rest.
func near(t *testing.T, f *Face) {
	t.Helper()
	floor, want := action.Floor(), face()
	for i, name := range action.FeatureNames() {
		if d := math.Abs(f.Features[i] - want[i]); !(d < floor[i]) {
			t.Errorf("%s is %.4f, at rest it is %.4f", name, f.Features[i], want[i])
		}
		if !(f.Scale[i] >= floor[i] && f.Scale[i] < 1.6*floor[i]) {
			t.Errorf("%s: spread %.4f, wobbles by %.4f", name, f.Scale[i], floor[i])
		}
	}
}

// span returns how long the stretch is.
func (f *Face) span() time.Duration { return f.Until.Sub(f.From) }
