package face

import "math"

const (
	// trackMargin enlarges the last landmarks' bounding box to the region in
	// which the landmark net sees the face next. Of the margins from 1 to 1.4 it
	// let the landmarks move least (see DECISIONS.md).
	trackMargin = 1.2
	// searchEvery is after how many frames the whole picture is searched again
	// while a face is followed: about once a second, soon enough to say that
	// somebody else has come in, and a thirtieth of a search a frame.
	searchEvery = 30
	// patience is how many frames a lost participant is waited for while only
	// faces are left that were beside theirs: 2 s at 30 frames a second, longer
	// than a hand stays before the face.
	patience = 60
	// rivalFactor and rivalSearches are by how much another face must be larger
	// and more central, and in how many searches in a row, before it is followed
	// instead: somebody who leans in for a moment is no new participant.
	rivalFactor   = 1.5
	rivalSearches = 3
	// samePlace is the overlap from which a detector's box and one known from
	// the landmarks or from an earlier search are one face. A detector's box
	// overlapped that of the same face's landmarks by .62 or more.
	samePlace = .3
	// maxShift and maxGrowth bound what a face can do from one analysed frame to
	// the next, in parts of its size. The landmark net has no score; what jumps
	// further has let go of the face.
	maxShift  = .5
	maxGrowth = 1.5
)

// track is what is known of whose face is followed and where it was. The zero
// value knows of nobody. It holds no pictures and does not look at any.
type track struct {
	width, height int // of the picture, px

	following bool
	box       Rect // bounding box of the last landmarks; zero when never seen
	lost      int  // frames since the face was lost
	searched  int  // frames since the whole picture was searched

	faces  int    // in the whole picture, when it was last searched
	others []Rect // those of them that are not followed
	rival  Rect   // the other that was better than the participant
	wins   int    // in how many searches in a row
}

// begin starts a frame of that size. A picture of another size is another
// camera: nothing known holds for it.
func (t *track) begin(width, height int) {
	if t.width != width || t.height != height {
		*t = track{width: width, height: height, others: t.others[:0]}
	}
	t.searched++
}

// due tells whether the whole picture is to be searched though a face is
// followed.
func (t *track) due() bool { return t.searched >= searchEvery }

// region is where the followed face is to be looked for.
func (t *track) region() Rect { return t.box.enlarge(trackMargin) }

// plausible tells whether the followed face can have come from its last place
// to box within a frame.
func (t *track) plausible(box Rect) bool {
	was, is := t.box.size(), box.size()
	if !(is > 0) || is > maxGrowth*was || was > maxGrowth*is {
		return false
	}
	a, b := t.box.centre(), box.centre()
	return math.Hypot(a.X-b.X, a.Y-b.Y) <= maxShift*was
}

// follow notes that the face is at box.
func (t *track) follow(box Rect) { t.following, t.box, t.lost = true, box, 0 }

// lose notes that a frame was over without the participant's face.
func (t *track) lose() {
	t.following = false
	t.lost++
}

// choose picks the participant from the faces of a search made because nobody
// is followed. A face where the lost one was is theirs; of new faces it is the
// most prominent; faces that were beside the participant's before it was lost
// are other people's, until patience ends.
func (t *track) choose(found []detection) (detection, bool) {
	t.searched, t.faces, t.wins = 0, len(found), 0
	waiting := t.box != Rect{} && t.lost < patience
	if waiting {
		if d, ok := nearest(found, t.box); ok {
			t.remember(found, d.box)
			return d, true
		}
		var fresh []detection
		for _, d := range found {
			if !overlaps(t.others, d.box) {
				fresh = append(fresh, d)
			}
		}
		d, ok := participant(fresh, t.width, t.height)
		if ok {
			t.remember(found, d.box)
			return d, true
		}
		for i, o := range t.others { // they may have moved, and are still the others
			if d, ok := nearest(found, o); ok {
				t.others[i] = d.box
			}
		}
		return detection{}, false
	}
	d, ok := participant(found, t.width, t.height)
	t.remember(found, d.box)
	return d, ok
}

// review takes the faces of a search made while a face is followed at box. It
// returns another face when that has been the better one for long enough.
func (t *track) review(found []detection, box Rect) (detection, bool) {
	t.searched = 0
	own, seen := nearest(found, box)
	if !seen {
		own = detection{box: box} // the search missed it, the landmarks did not
	}
	t.faces = len(found)
	if !seen {
		t.faces++
	}
	t.remember(found, own.box)

	best, ok := participant(found, t.width, t.height)
	if !ok || best.box == own.box ||
		prominence(best.box, t.width, t.height) < rivalFactor*prominence(own.box, t.width, t.height) {
		t.wins = 0
		return detection{}, false
	}
	if t.wins > 0 && iou(best.box, t.rival) < samePlace {
		t.wins = 0 // yet another one
	}
	t.rival = best.box
	if t.wins++; t.wins < rivalSearches {
		return detection{}, false
	}
	t.wins = 0
	t.remember(found, best.box)
	return best, true
}

// remember notes the faces beside the participant's.
func (t *track) remember(found []detection, participant Rect) {
	t.others = t.others[:0]
	for _, d := range found {
		if d.box != participant {
			t.others = append(t.others, d.box)
		}
	}
}

// nearest returns the detection that overlaps box most, if any does enough to
// be the same face.
func nearest(found []detection, box Rect) (detection, bool) {
	var best detection
	most := samePlace
	for _, d := range found {
		if o := iou(d.box, box); o >= most {
			best, most = d, o
		}
	}
	return best, best.box != Rect{}
}

// overlaps tells whether box is at the place of one of places.
func overlaps(places []Rect, box Rect) bool {
	for _, p := range places {
		if iou(p, box) >= samePlace {
			return true
		}
	}
	return false
}
