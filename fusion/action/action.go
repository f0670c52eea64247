// Package action estimates facial action units (FACS) from the geometry of a
// face's landmarks, relative to the same person's neutral face.
package action

// Version names the rules of Measure, Intensities and EMFACS. It changes
// whenever the same landmarks and neutral face would give other numbers.
const Version = "action-1"

// Count is the number of action units estimated.
const Count = 18

// Places in Intensities, in the order of Units.
const (
	au01 = iota
	au02
	au04
	au05
	au06
	au07
	au09
	au10
	au12
	au14
	au15
	au17
	au20
	au23
	au24
	au25
	au26
	au43
)

// Grade says how far geometry alone can be trusted for an action unit.
type Grade string

// The grades.
const (
	Good Grade = "A" // the unit moves landmarks by much, and little else does
	Fair Grade = "B" // it moves them, but so do others
	// Weak units show in wrinkles and bulges, or move lids and lips by less than
	// the landmarks follow them. 0 does not mean that they are absent.
	Weak Grade = "C"
)

// Unit describes one action unit.
type Unit struct {
	Number int    // of FACS
	Name   string // of FACS: "Lip corner puller"
	Column string // in tables and exports: "au12"
	Grade  Grade
	Note   string // what it is measured from, and what else moves that; one sentence
}

// Units returns the action units in their order: 1, 2, 4, 5, 6, 7, 9, 10, 12,
// 14, 15, 17, 20, 23, 24, 25, 26, 43. The grades are those of the landmark net
// of the embedded pack (see DECISIONS.md), not of the units as such.
func Units() [Count]Unit {
	return [Count]Unit{
		au01: {1, "Inner brow raiser", "au01", Fair,
			"Height of the inner brows over the eyes; raising the outer brows (2) lifts them too, lowering the brows (4) hides it."},
		au02: {2, "Outer brow raiser", "au02", Fair,
			"Height of the outer brows over the eyes, beyond what the inner brows draw along; a strong 1 still shows in it."},
		au04: {4, "Brow lowerer", "au04", Fair,
			"Lowering and drawing together of the brows; the wrinkles between them are not seen, and beside a raised inner brow (1) it is hidden."},
		au05: {5, "Upper lid raiser", "au05", Weak,
			"Eyes wider open than at rest; the landmarks follow the lids only in part, and a person who rested with drooping lids reads as 5 when awake."},
		au06: {6, "Cheek raiser", "au06", Weak,
			"Lower lids that rise during a smile (12); the cheek itself and the wrinkles beside the eye are not seen, and a smile alone narrows the eyes in the landmarks."},
		au07: {7, "Lid tightener", "au07", Weak,
			"Eyes narrowed but not closed and without a smile; looking down and the beginning and end of a blink do the same."},
		au09: {9, "Nose wrinkler", "au09", Weak,
			"Wings of the nose drawn towards the eyes, beyond what a smile does; the wrinkles are not seen, and a nodding head that was not turned back fully does the same."},
		au10: {10, "Upper lip raiser", "au10", Weak,
			"Upper lip nearer to the nose, beyond what a smile does; the furrow beside the nose is not seen, and speech does the same."},
		au12: {12, "Lip corner puller", "au12", Good,
			"Corners of the mouth drawn apart and up; a hand over the mouth or strongly dropped jaw hides part of it."},
		au14: {14, "Dimpler", "au14", Weak,
			"One corner of the mouth higher than the other, beyond what a lopsided smile explains; a dimple on both sides is not seen."},
		au15: {15, "Lip corner depressor", "au15", Fair,
			"Corners of the mouth below the middle of the lips, and no smile; a raised chin (17) or upper lip (10) bends the mouth the same way."},
		au17: {17, "Chin raiser", "au17", Weak,
			"Chin nearer to the lower lip than an opening mouth explains; its wrinkles are not seen, and the landmarks of the chin wander."},
		au20: {20, "Lip stretcher", "au20", Fair,
			"Mouth wider without raised corners; a smile (12) with open mouth looks alike."},
		au23: {23, "Lip tightener", "au23", Weak,
			"Thinner lips in a narrower mouth; the landmarks hardly follow the thickness of lips, and puckering (18) looks alike."},
		au24: {24, "Lip pressor", "au24", Weak,
			"Thinner lips in a closed mouth that is not stretched; the landmarks hardly follow the thickness of lips, and sucked lips (28) look alike."},
		au25: {25, "Lips part", "au25", Good,
			"Distance between the lips; speech does it all the time."},
		au26: {26, "Jaw drop", "au26", Good,
			"Chin further from the nose; a stretched mouth (27) is the same, only more, and reads as 1."},
		au43: {43, "Eye closure", "au43", Fair,
			"Eyes much less open than at rest; the landmarks follow the lids only in part, a look down does the same, and a blink (45) is this for a moment."},
	}
}

// Intensities are those of Units, 0 absent to 1 as strong as it gets; NaN where
// nothing can be said.
type Intensities [Count]float64
