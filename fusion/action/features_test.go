package action

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/headpose"
	"emolab/fusion/landmark"
)

// plain is the average head seen from the front, eye distance 1.
func plain() landmark.Face {
	head := headpose.Generic()
	var f landmark.Face
	for i, p := range head {
		f[i] = landmark.Point{X: p.X, Y: p.Y}
	}
	d := f.EyeDistance()
	for i := range f {
		f[i].X /= d
		f[i].Y /= d
	}
	return f
}

// drawFace is the plain face with every landmark moved a little.
func drawFace(t *rapid.T) landmark.Face {
	f := plain()
	shift := rapid.Float64Range(-.03, .03)
	for i := range f {
		f[i].X += shift.Draw(t, "x")
		f[i].Y += shift.Draw(t, "y")
	}
	return f
}

// TestMeasure checks every measure on a face whose landmarks are round numbers:
// eyes at x -1 and 1 (distance 2, so that all measures are half of what stands
// here).
func TestMeasure(t *testing.T) {
	var f landmark.Face
	set := func(x, y float64, points ...int) {
		for _, i := range points {
			f[i] = landmark.Point{X: x, Y: y}
		}
	}
	set(-1.4, 0, 36)
	set(-.6, 0, 39)
	set(.6, 0, 42)
	set(1.4, 0, 45)
	set(0, -.2, 37, 38, 43, 44) // upper lids
	set(0, .1, 40, 41, 46, 47)
	set(-1.5, -.6, 17, 18)
	set(-1, -.8, 19)
	set(-.5, -.7, 20, 21)
	set(.5, -.7, 22, 23)
	set(1, -.8, 24)
	set(1.5, -.6, 25, 26)
	set(-.3, 1.4, 31)
	set(0, 1.5, 32, 33, 34)
	set(.3, 1.4, 35)
	set(-.8, 2.1, 48)
	set(.7, 2.2, 54)
	set(0, 1.9, 50, 51, 52)
	set(0, 2.1, 61, 62, 63)
	set(0, 2.2, 65, 66, 67)
	set(0, 2.5, 56, 57, 58)
	set(0, 3.5, 7, 8, 9)
	want := Features{
		browInner: .35, browMiddle: .4, browOuter: .3, browGap: .5,
		lidUpper: .1, lidLower: .05, eyeAspect: .6 / 1.6,
		noseWing: .7, noseBase: .75, upperLip: .2,
		cornerRight: .3, cornerLeft: .35,
		cornerSag:  (2.15 - (1.9+2.5+2.1+2.2)/4) / 2,
		mouthWidth: .75, lipUpperThick: .1, lipLowerThick: .15, lipGap: .05,
		chinHeight: .5, chinDepth: 1,
	}
	got := Measure(&f)
	for i, name := range FeatureNames() {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Errorf("%s is %g, want %g", name, got[i], want[i])
		}
	}
}

func TestMeasureKnowsNoPlaceSizeOrTilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFace(t)
		size := rapid.Float64Range(.01, 1000).Draw(t, "size")
		tilt := rapid.Float64Range(-math.Pi, math.Pi).Draw(t, "tilt")
		dx := rapid.Float64Range(-1000, 1000).Draw(t, "dx")
		dy := rapid.Float64Range(-1000, 1000).Draw(t, "dy")
		moved := f
		for i, p := range f {
			moved[i].X = size*(p.X*math.Cos(tilt)-p.Y*math.Sin(tilt)) + dx
			moved[i].Y = size*(p.X*math.Sin(tilt)+p.Y*math.Cos(tilt)) + dy
		}
		a, b := Measure(&f), Measure(&moved)
		for i, name := range FeatureNames() {
			// 1000 px off, a coordinate of .01 px keeps 11 digits.
			if !(math.Abs(a[i]-b[i]) < 1e-8) {
				t.Fatalf("%s: %g became %g", name, a[i], b[i])
			}
		}
	})
}

func TestMeasureMirrored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFace(t)
		m := f.Mirrored()
		a, b := Measure(&f), Measure(&m)
		b[cornerRight], b[cornerLeft] = b[cornerLeft], b[cornerRight]
		for i, name := range FeatureNames() {
			if !(math.Abs(a[i]-b[i]) < 1e-12) {
				t.Fatalf("%s: %g became %g", name, a[i], b[i])
			}
		}
	})
}

func TestMeasureOfNoFaceIsUnknown(t *testing.T) {
	broken := plain()
	broken[30].Y = math.NaN()
	endless := plain()
	endless[8].Y = math.Inf(1)
	squint := plain() // the corners of both eyes fall together
	for _, i := range []int{36, 39, 42, 45} {
		squint[i] = landmark.Point{}
	}
	slit := plain() // eyes on top of each other have no width
	for _, i := range []int{36, 39} {
		slit[i] = landmark.Point{X: -.5}
	}
	for _, i := range []int{42, 45} {
		slit[i] = landmark.Point{X: .5}
	}
	for name, f := range map[string]landmark.Face{
		"a landmark is NaN": broken, "a landmark is infinite": endless,
		"no eye distance": squint, "no eye width": slit, "nothing": {},
	} {
		got := Measure(&f)
		for i, v := range got {
			if !math.IsNaN(v) {
				t.Errorf("%s: %s is %g", name, FeatureNames()[i], v)
			}
		}
	}
}

func TestFeatureTables(t *testing.T) {
	seen := map[string]bool{}
	floor := Floor()
	for i, name := range FeatureNames() {
		if name == "" || seen[name] {
			t.Errorf("measure %d is called %q", i, name)
		}
		seen[name] = true
		if !(floor[i] > 0 && floor[i] < .02) {
			t.Errorf("%s: floor %g", name, floor[i])
		}
	}
}

func TestFeaturesAsJSON(t *testing.T) {
	f := plain()
	want := Measure(&f)
	want[chinDepth] = math.NaN()
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Features
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	same(t, got, want)

	// Another version's: one measure more, all but one fewer.
	if err := json.Unmarshal([]byte(`{"brow_gap":0.5,"ear_wiggle":1}`), &got); err != nil {
		t.Fatal(err)
	}
	want = unknown()
	want[browGap] = .5
	same(t, got, want)

	for _, bad := range []string{`[1,2]`, `{"brow_gap":"wide"}`, `7`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func same(t *testing.T, got, want Features) {
	t.Helper()
	for i, name := range FeatureNames() {
		if got[i] != want[i] && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Errorf("%s is %g, want %g", name, got[i], want[i])
		}
	}
}

// FuzzFeaturesJSON checks that whatever is accepted is written back the same.
func FuzzFeaturesJSON(f *testing.F) {
	f.Add([]byte(`{"brow_gap":0.5,"chin_depth":null}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"brow_gap":1e999}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second Features
		if json.Unmarshal(data, &first) != nil {
			return
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &second); err != nil {
			t.Fatal(err)
		}
		same(t, second, first)
	})
}

func BenchmarkMeasure(b *testing.B) {
	f := plain()
	for b.Loop() {
		Measure(&f)
	}
}
