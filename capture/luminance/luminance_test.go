package luminance

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"emolab/capture/frame"
	"emolab/capture/strobe"
)

// plain is a picture of one colour.
func plain(width, height int, b, g, r byte) frame.Frame {
	f := frame.Frame{Width: width, Height: height, Pix: make([]byte, 3*width*height)}
	for i := 0; i < len(f.Pix); i += 3 {
		f.Pix[i], f.Pix[i+1], f.Pix[i+2] = b, g, r
	}
	return f
}

func TestColours(t *testing.T) {
	for name, k := range map[string]struct {
		f     frame.Frame
		bt709 bool
		want  float64
	}{
		"black":        {plain(64, 48, 0, 0, 0), false, 0},
		"white":        {plain(64, 48, 255, 255, 255), false, 1},
		"red":          {plain(64, 48, 0, 0, 255), false, .2126},
		"green":        {plain(64, 48, 0, 255, 0), false, .7152},
		"blue":         {plain(64, 48, 255, 0, 0), false, .0722},
		"mid grey":     {plain(1920, 1080, 188, 188, 188), false, .5029}, // ((188/255+.055)/1.055)^2.4
		"grey is grey": {plain(64, 48, 188, 188, 188), true, .5029},
		"no pixel":     {frame.Frame{}, false, 0},
	} {
		if got, _ := NewMeter(k.bt709).Measure(k.f); math.Abs(got-k.want) > 1e-4 {
			t.Errorf("%s: %.5f, want %.5f", name, got, k.want)
		}
	}
}

// Light adds up: a picture is as light as its parts, whatever is looked at of it.
func TestHalves(t *testing.T) {
	c := newCurve()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 600).Draw(t, "width"), rapid.IntRange(1, 600).Draw(t, "height")
		grey := func(label string) byte { return rapid.Byte().Draw(t, label) }
		f := plain(w, h, 0, 0, 0)
		share := rapid.IntRange(0, h).Draw(t, "rows")
		upper, lower := grey("upper"), grey("lower")
		for y := range h {
			v := upper
			if y >= share {
				v = lower
			}
			for i := range 3 * w {
				f.Pix[3*y*w+i] = v
			}
		}
		want := (float64(share)*c[upper] + float64(h-share)*c[lower]) / float64(h)
		// What is looked at of it is every second or third row at most.
		if got, _ := NewMeter(rapid.Bool().Draw(t, "bt709")).Measure(f); math.Abs(got-want) > math.Abs(c[upper]-c[lower])*3/float64(h)+1e-9 {
			t.Fatalf("%.5f, want %.5f", got, want)
		}
	})
}

// A colour that BT.709 coded and BT.601 decoded comes back, as long as nothing was
// cut off on the way.
func TestRecoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := func(label string) float64 { return float64(rapid.IntRange(70, 185).Draw(t, label)) }
		r, g, b := value("r"), value("g"), value("b")
		luma := red*r + green*g + blue*b
		cr, cb := (r-luma)/1.5748, (b-luma)/1.8556
		decoded := func(v float64) byte { return byte(math.Round(max(0, min(v, 255)))) }
		gotB, gotG, gotR := recoded(decoded(luma+1.772*cb), decoded(luma-.344136*cb-.714136*cr), decoded(luma+1.402*cr))
		if off := max(math.Abs(float64(gotB)-b), math.Abs(float64(gotG)-g), math.Abs(float64(gotR)-r)); off > 2 {
			t.Fatalf("%v %v %v came back as %d %d %d", r, g, b, gotR, gotG, gotB)
		}
	})
}

// Each part of a picture has its own colour, and the picture the mean of them.
func TestParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := strobe.Across*rapid.IntRange(1, 60).Draw(t, "width"), strobe.Across*rapid.IntRange(1, 60).Draw(t, "height")
		f := plain(w, h, 0, 0, 0)
		lit := rapid.IntRange(0, strobe.Across*strobe.Across-1).Draw(t, "part")
		for y := range h {
			for x := range w {
				if y*strobe.Across/h*strobe.Across+x*strobe.Across/w == lit {
					f.Pix[3*(y*w+x)+2] = 255
				}
			}
		}
		mean, parts := NewMeter(false).Measure(f)
		for i, c := range parts {
			want := strobe.Colour{}
			if i == lit {
				want.Red = 1
			}
			if c != want {
				t.Fatalf("part %d is %v, want %v", i, c, want)
			}
		}
		// Of large pictures not every pixel is looked at.
		if want := red / float64(len(parts)); math.Abs(mean-want) > want/5 {
			t.Fatalf("mean %v, want %v", mean, want)
		}
	})
}
