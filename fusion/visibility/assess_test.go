package visibility

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// good is a well seen face in a picture of 1280 x 720.
func good() View {
	return View{
		Found: true, Faces: 1, X: 540, Y: 220, W: 190, H: 200, FrameW: 1280, FrameH: 720,
		LumaFace: 130, LumaAround: 110, Clipped: 0, Sharpness: .22, MouthCover: .1, YawDeg: 3, PitchDeg: -5,
	}
}

func TestAssess(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*View)
		want   Mask
	}{
		{"all well", func(*View) {}, 0},
		{"a lamp switched off", func(v *View) { v.LumaFace, v.LumaAround = 30, 25 }, TooDark},
		{"a window behind", func(v *View) { v.LumaFace, v.LumaAround = 60, 210 }, BackLit},
		{"a window behind at dusk", func(v *View) { v.LumaFace, v.LumaAround = 30, 120 }, BackLit | TooDark},
		{"dark skin before a white wall", func(v *View) { v.LumaFace, v.LumaAround = 75, 170 }, 0},
		{"a bright face before a brighter wall", func(v *View) { v.LumaFace, v.LumaAround = 95, 250 }, 0},
		{"a reflection on the glasses", func(v *View) { v.Clipped = .03 }, Glare},
		{"out of focus", func(v *View) { v.Sharpness = .1 }, Blurred},
		{"far away", func(v *View) { v.W, v.H = 60, 64 }, TooSmall},
		{"to the side", func(v *View) { v.YawDeg = -31 }, TurnedAway},
		{"down to the telephone", func(v *View) { v.PitchDeg = 31 }, TurnedAway},
		{"half out at the left", func(v *View) { v.X = -40 }, OutOfFrame},
		{"the chin at the lower edge", func(v *View) { v.Y = 720 - 200 }, OutOfFrame},
		{"near the edge", func(v *View) { v.X = 10 }, 0},
		{"a hand over the mouth", func(v *View) { v.MouthCover = .9 }, MouthCovered},
		{"a white mask", func(v *View) { v.MouthCover, v.Clipped = .9, .1 }, MouthCovered | Glare},
		{"lips that are too blurred to tell", func(v *View) { v.MouthCover, v.Sharpness = .9, .1 }, Blurred},
		{"lips that the light has bleached", func(v *View) { v.MouthCover, v.Clipped = .9, .5 }, Glare},
		{"somebody behind", func(v *View) { v.Faces = 2 }, Several},
		{"nobody", func(v *View) { v.Found, v.Faces = false, 0 }, 0},
		{"nobody, in the dark", func(v *View) { v.Found, v.Faces, v.LumaAround = false, 0, 6 }, TooDark},
	} {
		v := good()
		c.change(&v)
		if !v.Found {
			v = missingFace(v)
		}
		if got := Assess(&v); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.Words(), c.want.Words())
		}
	}
}

// missingFace is v as it is stored where no face is found.
func missingFace(v View) View {
	nan := math.NaN()
	v.X, v.Y, v.W, v.H, v.LumaFace, v.Clipped, v.Sharpness, v.MouthCover, v.YawDeg, v.PitchDeg = nan, nan, nan, nan, nan, nan, nan, nan, nan, nan
	return v
}

// Nothing that is not known is held against a view, whichever it is.
func TestAssessOfTheUnknown(t *testing.T) {
	nan := math.NaN()
	all := View{true, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan}
	if got := Assess(&all); got != 0 {
		t.Errorf("a face of which nothing is known: %q", got.Words())
	}
	v := good()
	v.YawDeg, v.PitchDeg, v.MouthCover = nan, nan, nan
	if got := Assess(&v); got != 0 {
		t.Errorf("without a pose: %q", got.Words())
	}
}

// More light, a larger and sharper face, a smaller turn never add their fault.
func TestAssessIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := good()
		v.LumaFace = rapid.Float64Range(0, 255).Draw(t, "luma")
		v.H = rapid.Float64Range(10, 400).Draw(t, "height")
		v.Sharpness = rapid.Float64Range(0, 1).Draw(t, "sharpness")
		v.YawDeg = rapid.Float64Range(-90, 90).Draw(t, "yaw")
		v.Clipped = rapid.Float64Range(0, 1).Draw(t, "clipped")
		before := Assess(&v)
		better := v
		better.LumaFace = min(255, v.LumaFace+rapid.Float64Range(0, 100).Draw(t, "more light"))
		better.H += rapid.Float64Range(0, 100).Draw(t, "nearer")
		better.Sharpness += rapid.Float64Range(0, 1).Draw(t, "sharper")
		better.YawDeg *= rapid.Float64Range(0, 1).Draw(t, "turned back")
		better.Clipped *= rapid.Float64Range(0, 1).Draw(t, "less glare")
		const light = TooDark | BackLit | Glare | Blurred | TooSmall | TurnedAway
		if added := Assess(&better) & light &^ before; added != 0 {
			t.Fatalf("bettering the view added %q", added.Words())
		}
	})
}

func TestWords(t *testing.T) {
	if got := Mask(0).Words(); got != nil {
		t.Errorf("of nothing: %q", got)
	}
	if got := (Several | TooDark).Words(); len(got) != 2 || !strings.Contains(got[0], "dark") || !strings.Contains(got[1], "several") {
		t.Errorf("of two: %q", got)
	}
	all := Mask(1<<bits - 1).Words()
	if len(all) != bits || slices.Contains(all, "") {
		t.Errorf("of all: %q", all)
	}
}
