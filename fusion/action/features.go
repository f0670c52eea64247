package action

import (
	"encoding/json"
	"fmt"
	"math"

	"emolab/fusion/landmark"
)

// Places in Features. Heights are towards the forehead, depths towards the
// chin; both run at right angles to the line through the corners of the eyes.
const (
	browInner     = iota // height of the brows' inner ends above the eyes
	browMiddle           // height of the brows' middle
	browOuter            // height of the brows' outer ends
	browGap              // between the brows' inner ends
	lidUpper             // height of the upper lids above the line through each eye's corners
	lidLower             // depth of the lower lids below it
	eyeAspect            // height of the eyes over their width, a ratio
	noseWing             // depth of the nose's wings below the eyes
	noseBase             // depth of the nose's base below the eyes
	upperLip             // depth of the upper lip's upper edge below the nose's base
	cornerRight          // depth of the mouth's right corner below the nose's base
	cornerLeft           // depth of its left corner
	cornerSag            // depth of both below the middle of the lips
	mouthWidth           // between the corners
	lipUpperThick        // thickness of the upper lip
	lipLowerThick        // thickness of the lower lip
	lipGap               // between the lips
	chinHeight           // from the lower lip's lower edge to the chin
	chinDepth            // depth of the chin below the nose's base
	featureCount
)

// FeatureCount is the number of measures of a face.
const FeatureCount = featureCount

// FeatureNames returns the names of the measures in the order of Features.
func FeatureNames() [FeatureCount]string {
	return [FeatureCount]string{
		browInner: "brow_inner", browMiddle: "brow_middle", browOuter: "brow_outer", browGap: "brow_gap",
		lidUpper: "lid_upper", lidLower: "lid_lower", eyeAspect: "eye_aspect",
		noseWing: "nose_wing", noseBase: "nose_base", upperLip: "upper_lip",
		cornerRight: "corner_right", cornerLeft: "corner_left", cornerSag: "corner_sag", mouthWidth: "mouth_width",
		lipUpperThick: "lip_upper_thick", lipLowerThick: "lip_lower_thick", lipGap: "lip_gap",
		chinHeight: "chin_height", chinDepth: "chin_depth",
	}
}

// Floor returns the least spread at rest that is believed of each measure: a
// calmer face is luck, as the landmarks themselves wander by this much between
// pictures of an unmoved face (1.4826 MAD of a man's and of a drawn face).
func Floor() Features {
	return Features{
		browInner: .005, browMiddle: .005, browOuter: .004, browGap: .005,
		lidUpper: .001, lidLower: .001, eyeAspect: .003,
		noseWing: .006, noseBase: .006, upperLip: .003,
		cornerRight: .005, cornerLeft: .005, cornerSag: .003, mouthWidth: .007,
		lipUpperThick: .0015, lipLowerThick: .0015, lipGap: .004,
		chinHeight: .008, chinDepth: .009,
	}
}

// Features are a face's measures, in the order of FeatureNames, in parts of the
// distance between the eyes (eye_aspect: a ratio). NaN = not known.
type Features [FeatureCount]float64

// MarshalJSON writes the measures as an object by name, so that a stored face
// stays readable when measures are added or reordered. NaN is null.
func (f Features) MarshalJSON() ([]byte, error) {
	named := make(map[string]*float64, FeatureCount)
	for i, name := range FeatureNames() {
		if v := f[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			named[name] = &v
		} else {
			named[name] = nil
		}
	}
	return json.Marshal(named)
}

// UnmarshalJSON reads what MarshalJSON wrote. Measures that are not there are
// NaN; names that are no measure of this version are passed over.
func (f *Features) UnmarshalJSON(data []byte) error {
	var named map[string]*float64
	if err := json.Unmarshal(data, &named); err != nil {
		return fmt.Errorf("measures of a face: %w", err)
	}
	for i, name := range FeatureNames() {
		if v := named[name]; v != nil {
			f[i] = *v
		} else {
			f[i] = math.NaN()
		}
	}
	return nil
}

// Known tells whether all measures are numbers.
func (f *Features) Known() bool {
	for _, v := range f {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// unknown returns Features that say nothing.
func unknown() Features {
	var f Features
	for i := range f {
		f[i] = math.NaN()
	}
	return f
}

// Measure takes the measures of a face seen from the front
// (headpose.Frontal). Place, size and tilt of the face do not matter: the
// corners of the eyes, which no action unit of Units moves by much, give the
// origin, the unit and the upright. All measures are NaN when a landmark is no
// number or the corners of both eyes fall together.
//
// The choice of measures follows the FACS manual's description of each unit
// (Ekman, Friesen & Hager 2002); the eye aspect ratio is that of Soukupová &
// Čech 2016, taken of both eyes together.
func Measure(front *landmark.Face) Features {
	p, ok := upright(front)
	if !ok {
		return unknown()
	}
	mid := func(points ...int) landmark.Point {
		var sum landmark.Point
		for _, i := range points {
			sum.X += p[i].X
			sum.Y += p[i].Y
		}
		n := float64(len(points))
		return landmark.Point{X: sum.X / n, Y: sum.Y / n}
	}
	gap := func(a, b int) float64 { return p[b].Y - p[a].Y }
	nose := mid(32, 33, 34)
	// Each eye has its own line: the corners of a slanted eye differ in height.
	corners := mid(landmark.EyeRightOuter, landmark.EyeRightInner, landmark.EyeLeftInner, landmark.EyeLeftOuter)
	width := p[landmark.EyeRightInner].X - p[landmark.EyeRightOuter].X + p[landmark.EyeLeftOuter].X - p[landmark.EyeLeftInner].X
	opening := (gap(37, 41) + gap(38, 40) + gap(43, 47) + gap(44, 46)) / 2
	right, left := p[landmark.MouthRightCorner], p[landmark.MouthLeftCorner]

	var f Features
	f[browInner] = -mid(20, 21, 22, 23).Y
	f[browMiddle] = -mid(19, 24).Y
	f[browOuter] = -mid(17, 18, 25, 26).Y
	f[browGap] = p[22].X - p[21].X
	f[lidUpper] = corners.Y - mid(37, 38, 43, 44).Y
	f[lidLower] = mid(40, 41, 46, 47).Y - corners.Y
	f[eyeAspect] = opening / width
	f[noseWing] = mid(31, 35).Y
	f[noseBase] = nose.Y
	f[upperLip] = mid(50, 51, 52).Y - nose.Y
	f[cornerRight] = right.Y - nose.Y
	f[cornerLeft] = left.Y - nose.Y
	f[cornerSag] = (right.Y+left.Y)/2 - mid(51, 57, 62, 66).Y
	f[mouthWidth] = left.X - right.X
	f[lipUpperThick] = (gap(50, 61) + gap(51, 62) + gap(52, 63)) / 3
	f[lipLowerThick] = (gap(67, 58) + gap(66, 57) + gap(65, 56)) / 3
	f[lipGap] = (gap(61, 67) + gap(62, 66) + gap(63, 65)) / 3
	f[chinHeight] = mid(7, 8, 9).Y - mid(56, 57, 58).Y
	f[chinDepth] = mid(7, 8, 9).Y - nose.Y
	if !f.Known() {
		return unknown()
	}
	return f
}

// upright returns the face in parts of the distance between the eyes, origin
// midway between them, the line through them level; false when there is no
// such line.
func upright(f *landmark.Face) (landmark.Face, bool) {
	between := func(a, b landmark.Point) landmark.Point {
		return landmark.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
	}
	right := between(f[landmark.EyeRightOuter], f[landmark.EyeRightInner])
	left := between(f[landmark.EyeLeftInner], f[landmark.EyeLeftOuter])
	d := landmark.Distance(right, left)
	if !f.Known() || !(d > 0) {
		return landmark.Face{}, false
	}
	origin := between(right, left)
	cos, sin := (left.X-right.X)/(d*d), (left.Y-right.Y)/(d*d)
	var out landmark.Face
	for i, p := range f {
		x, y := p.X-origin.X, p.Y-origin.Y
		out[i] = landmark.Point{X: cos*x + sin*y, Y: cos*y - sin*x}
	}
	return out, true
}
