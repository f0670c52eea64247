package face

import (
	"testing"

	"pgregory.net/rapid"
)

// at is a detection of a face of that side with its middle at x, y.
func at(x, y, side float64) detection {
	return detection{Rect{x - side/2, y - side/2, side, side}, .9}
}

func newTrack() *track {
	t := &track{}
	t.begin(640, 480)
	return t
}

func TestTrackPlausible(t *testing.T) {
	tr := newTrack()
	tr.follow(at(320, 240, 100).box)
	for name, tc := range map[string]struct {
		box  Rect
		want bool
	}{
		"the same place":      {at(320, 240, 100).box, true},
		"a small step":        {at(350, 260, 110).box, true},
		"a jump":              {at(390, 240, 100).box, false},
		"suddenly huge":       {at(320, 240, 180).box, false},
		"suddenly tiny":       {at(320, 240, 60).box, false},
		"collapsed to a line": {Rect{300, 240, 100, 0}, false},
	} {
		if got := tr.plausible(tc.box); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTrackPrefersTheFaceThatWasLost(t *testing.T) {
	tr := newTrack()
	mine, larger := at(250, 240, 100), at(420, 240, 200)
	tr.follow(mine.box)
	tr.review([]detection{mine}, mine.box)
	tr.lose()
	// A larger face comes in while the participant's is lost for a frame.
	if d, ok := tr.choose([]detection{larger, at(255, 243, 104)}); !ok || iou(d.box, mine.box) < .8 {
		t.Errorf("chose %v, %v", d.box, ok)
	}
}

func TestTrackWaitsWhileOnlyOthersAreLeft(t *testing.T) {
	tr := newTrack()
	mine := at(250, 240, 150)
	tr.follow(mine.box)
	tr.review([]detection{mine, at(500, 240, 80)}, mine.box)
	if tr.faces != 2 {
		t.Errorf("%d faces, want 2", tr.faces)
	}
	// The other walks while the participant is hidden, and is known all the way.
	for i := range patience {
		tr.lose()
		if d, ok := tr.choose([]detection{at(500+float64(i), 240, 80)}); ok && i < patience-1 {
			t.Fatalf("frame %d: %v is taken", i, d.box)
		}
	}
	// Once patience has ended, who is there is measured.
	if _, ok := tr.choose([]detection{at(560, 240, 80)}); !ok {
		t.Error("nobody is followed after the wait")
	}
}

func TestTrackTakesANewFaceAtOnce(t *testing.T) {
	tr := newTrack()
	mine, other := at(250, 240, 150), at(560, 240, 80)
	tr.follow(mine.box)
	tr.review([]detection{mine, other}, mine.box)
	tr.lose()
	fresh := at(80, 100, 60)
	if d, ok := tr.choose([]detection{other, fresh}); !ok || d.box != fresh.box {
		t.Errorf("chose %v, %v", d.box, ok)
	}
}

func TestTrackReview(t *testing.T) {
	mine := at(250, 240, 100)
	huge := at(400, 240, 260)
	elsewhere := at(80, 100, 300)
	for name, tc := range map[string]struct {
		searches [][]detection
		want     bool // whether the last search changes whom to follow
	}{
		"alone":                          {[][]detection{{mine}, {mine}, {mine}}, false},
		"not seen by the detector":       {[][]detection{nil, nil, nil}, false},
		"a better one, once":             {[][]detection{{mine, huge}}, false},
		"a better one, again and again":  {[][]detection{{mine, huge}, {mine, huge}, {mine, huge}}, true},
		"a better one, with a break":     {[][]detection{{mine, huge}, {mine, huge}, {mine}, {mine, huge}}, false},
		"two that take turns":            {[][]detection{{mine, huge}, {mine, elsewhere}, {mine, huge}}, false},
		"a slightly better one, always":  {[][]detection{{mine, at(390, 240, 120)}, {mine, at(390, 240, 120)}, {mine, at(390, 240, 120)}}, false},
		"the others though mine is lost": {[][]detection{{huge}, {huge}, {huge}}, true},
	} {
		tr := newTrack()
		tr.follow(mine.box)
		var changed bool
		for _, found := range tc.searches {
			_, changed = tr.review(found, mine.box)
		}
		if changed != tc.want {
			t.Errorf("%s: changed %v", name, changed)
		}
	}
}

func TestTrackForgetsWithTheSize(t *testing.T) {
	tr := newTrack()
	tr.follow(at(320, 240, 100).box)
	tr.begin(640, 480)
	if !tr.following {
		t.Fatal("lost by another frame of the same size")
	}
	tr.begin(1280, 720)
	if tr.following || tr.box != (Rect{}) || tr.faces != 0 {
		t.Errorf("kept %+v", tr)
	}
}

// Whatever is found, the choice is one of the faces found, all are counted, and
// nobody is both the participant and somebody else.
func TestTrackChoosesAmongTheFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := newTrack()
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			var found []detection
			for range rapid.IntRange(0, 4).Draw(t, "faces") {
				found = append(found, at(
					rapid.Float64Range(0, 640).Draw(t, "x"), rapid.Float64Range(0, 480).Draw(t, "y"),
					rapid.Float64Range(5, 300).Draw(t, "side")))
			}
			found = suppress(found)
			d, ok := tr.choose(found)
			if tr.faces != len(found) {
				t.Fatalf("%d faces counted of %d", tr.faces, len(found))
			}
			if !ok {
				tr.lose()
				continue
			}
			var among bool
			for _, f := range found {
				among = among || f == d
			}
			for _, o := range tr.others {
				if o == d.box {
					t.Fatalf("%v is the participant and somebody else", d.box)
				}
			}
			if !among {
				t.Fatalf("%v was not found", d.box)
			}
			if rapid.Bool().Draw(t, "goes") {
				tr.lose()
			} else {
				tr.follow(d.box)
			}
		}
	})
}
