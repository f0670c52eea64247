package portrait

// unit is one facial action unit (AU) of Ekman and Friesen's FACS.
type unit int

// The units that the drawing knows. Brows: 1 inner raised, 2 outer raised, 4
// lowered. Lids: 5 upper raised, 6 cheek raised, 7 tightened, 43 closed. Nose
// and upper lip: 9, 10. Mouth: 12 corner pulled up, 15 corner down, 17 chin
// raised, 18 puckered, 20 stretched, 24 pressed, 25 lips apart, 26 jaw dropped.
const (
	au1 unit = iota
	au2
	au4
	au5
	au6
	au7
	au9
	au10
	au12
	au15
	au17
	au18
	au20
	au24
	au25
	au26
	au43
	units // how many there are
)

// actions is how strongly each unit acts: 0 at rest, 1 at full strength, more
// for a caricature. The zero value is the neutral face.
type actions [units]float64

// weights returns the actions of an expression at full intensity, and whether
// the drawing knows that expression.
//
// The weights were fitted so that the expression net of the default model pack
// reads the drawing as intended. They are a test pattern: neither a model of
// how people look nor evidence of how well the net reads people. A negative
// weight moves the feature the other way. Fear and disgust are read less
// reliably than the rest.
func weights(expression string) (actions, bool) {
	switch expression {
	case "neutral":
		return actions{}, true
	case "happy":
		return actions{au6: .6, au12: 1, au25: .9}, true
	case "sad":
		return actions{au1: .9, au4: .6, au15: 1, au17: .6, au43: .12}, true
	case "surprised":
		return actions{au1: 1, au2: 1, au5: 1, au25: 1, au26: .9}, true
	case "angry":
		return actions{au1: -.6, au4: 1.4, au5: .4, au7: 1, au10: 1.5,
			au15: .2, au17: .9, au18: 1, au26: .45}, true
	case "fearful":
		return actions{au1: 1.1, au4: 1.1, au5: 1.15, au7: .4, au12: .2,
			au15: .8, au20: .65, au25: .15, au26: .45}, true
	case "disgusted":
		return actions{au1: -.25, au2: .4, au4: .8, au6: .95, au7: .3, au9: .25, au10: 2.1,
			au15: .35, au17: .85, au24: .5, au25: 1.3, au26: .45, au43: .3}, true
	}
	return actions{}, false
}

// scaled returns the actions at an intensity of 0..1.
func (a actions) scaled(intensity float64) actions {
	for i := range a {
		a[i] *= intensity
	}
	return a
}

// drop is how far the jaw hangs below its place at rest, in head heights.
func (a actions) drop() float64 { return .075 * a[au26] }
