package landmark

import "testing"

func TestMirror(t *testing.T) {
	m := Mirror()
	for i, j := range m {
		if m[j] != i {
			t.Errorf("the partner of %d is %d, whose partner is %d", i, j, m[j])
		}
	}
	for _, tc := range [][2]int{
		{0, 16}, {7, 9}, {Chin, Chin}, {17, 26}, {21, 22}, {27, 27}, {NoseTip, NoseTip}, {31, 35}, {33, 33},
		{EyeRightOuter, EyeLeftOuter}, {37, 44}, {38, 43}, {EyeRightInner, EyeLeftInner}, {40, 47}, {41, 46},
		{MouthRightCorner, MouthLeftCorner}, {50, 52}, {51, 51}, {55, 59}, {57, 57}, {60, 64}, {62, 62}, {65, 67}, {66, 66},
	} {
		if m[tc[0]] != tc[1] {
			t.Errorf("the partner of %d is %d, want %d", tc[0], m[tc[0]], tc[1])
		}
	}
}

func TestMirroredTwiceIsTheFace(t *testing.T) {
	var f Face
	for i := range f {
		f[i] = Point{float64(i * i), float64(3 * i)}
	}
	once := f.Mirrored()
	if got := once.Mirrored(); got != f {
		t.Error("mirrored twice, the face has changed")
	}
	if once[EyeRightOuter] != (Point{-f[EyeLeftOuter].X, f[EyeLeftOuter].Y}) {
		t.Errorf("the outer corner of the right eye is mirrored to %v", once[EyeRightOuter])
	}
}
