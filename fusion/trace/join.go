package trace

import (
	"math"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/eyemovement"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

const (
	// gazeReach is how far the nearest gaze sample may lie from the frame, in
	// sample intervals: one, so that a single lost sample leaves no hole.
	gazeReach = 1.0
	// gazeReachUnrated stands for it where the tracker's rate is not known: one
	// interval at 30 Hz, the slowest tracker in use.
	gazeReachUnrated = time.Second / 30
	// edaEnd is how far outside of the first and the last sample the skin
	// conductance is still taken to be theirs.
	edaEnd = 100 * time.Millisecond
	// onsetReach is how long after a frame a response may begin and still be
	// marked in its row, where no later frame comes before: single lost frames
	// lose no response, but one that begins while the camera is away has no row.
	onsetReach = time.Second
)

// Streams is what Join joins: finally aligned samples in order of time, with
// the Info of each stream. A device that was not there has no samples.
type Streams struct {
	FaceInfo, GazeInfo, EDAInfo stream.Info
	Face, Gaze, EDA             []stream.Sample
	// Eyes is what was derived of Gaze. Its slices have one value per sample of Gaze,
	// or are empty.
	Eyes Eyes
	// Shown is what was on the screen when.
	Shown []stimulus.Showing
	// Analysis is that of EDA: its Tonic, Phasic and Flags have one value per sample
	// of EDA, or are empty.
	Analysis eda.Result
	// Facial is what was derived of Face: its Rows stand beside the samples of
	// Face one by one, or are empty.
	Facial facial.Derived
}

// Eyes is what was derived of the samples of gaze, one by one.
type Eyes struct {
	X, Y  []float64           // where on the screen the eyes were, corrected: 0..1 of its size, NaN = missing
	Class []eyemovement.Class // what they did
	// PupilMM is the cleaned diameter, PupilAdjustedMM the same without what follows the
	// luminance of the stimulus. In mm, NaN = not known.
	PupilMM, PupilAdjustedMM []float64
}

// Join makes the final trace, one row per face sample: skin conductance by
// linear interpolation between samples at most eda.MaxGap apart (one that the
// device only repeated is none), the nearest gaze sample within a sample interval
// (a valid one before an invalid one), what was on the screen (fusion/stimulus), gaze
// mapped from the screen onto the stimulus.
//
// Seq, Tick, Arrival and At are the face sample's. Err is its bound plus the
// worst bound of the samples joined: by so much at most may a value of the row
// belong to another instant than At says. It takes one pass over each stream.
func Join(in Streams) []stream.Sample {
	var (
		face   = faceColumns(in.FaceInfo)
		gaze   = gazeFinder{samples: in.Gaze, eyes: in.Eyes, columns: newGazeColumns(in.GazeInfo), reach: gazeReachOf(in.GazeInfo)}
		shown  = stimulus.NewCursor(in.Shown)
		skin   = skinFinder{samples: in.EDA, columns: newSkinColumns(in.EDAInfo), analysis: in.Analysis, before: -1}
		onsets = in.Analysis.Responses
		rows   = make([]stream.Sample, 0, len(in.Face))
	)
	for i, f := range in.Face {
		r := newRow(f, face)
		if i < len(in.Facial.Rows) {
			r.face(&in.Facial.Rows[i])
		}
		if !in.Facial.Calibrated {
			r.quality |= NoNeutral
		}
		on := r.stimulus(shown.At(f.At))
		gaze.fill(&r, on)
		skin.fill(&r)

		until := f.At.Add(onsetReach)
		if i+1 < len(in.Face) {
			until = min(until, in.Face[i+1].At)
		}
		for len(onsets) > 0 && onsets[0].Onset < until {
			if onsets[0].Onset >= f.At {
				r.sample.Values[scrOnset] = 1
			}
			onsets = onsets[1:]
		}
		rows = append(rows, r.finish())
	}
	return rows
}

func gazeReachOf(info stream.Info) time.Duration {
	if !(info.Rate > 0) {
		return gazeReachUnrated
	}
	return time.Duration(gazeReach / info.Rate * float64(time.Second))
}

// gazeFinder walks the gaze samples.
type gazeFinder struct {
	samples []stream.Sample
	eyes    Eyes
	columns gazeColumns
	reach   time.Duration
	from    int // the first sample that may still be within reach
}

func (g *gazeFinder) fill(r *row, on rect) {
	if len(g.samples) == 0 {
		r.quality |= NoGaze
		return
	}
	at := r.sample.At
	for g.from < len(g.samples) && g.samples[g.from].At < at.Add(-g.reach) {
		g.from++
	}
	best := -1
	for i := g.from; i < len(g.samples) && g.samples[i].At <= at.Add(g.reach); i++ {
		if best < 0 || g.better(i, best, at) {
			best = i
		}
	}
	if best < 0 {
		r.quality |= GazeStale
		return
	}
	s := g.samples[best]
	x, y := value(s, g.columns.x), value(s, g.columns.y)
	if best < len(g.eyes.X) && best < len(g.eyes.Y) {
		x, y = g.eyes.X[best], g.eyes.Y[best]
	}
	r.gaze(s, g.columns, x, y, on)
	v := r.sample.Values
	if best < len(g.eyes.Class) {
		v[eyeClass] = float64(g.eyes.Class[best])
	}
	v[pupilCleanMM], v[pupilAdjustedMM] = derived(g.eyes.PupilMM, best), derived(g.eyes.PupilAdjustedMM, best)
}

// better tells whether sample i is to be preferred to j.
func (g *gazeFinder) better(i, j int, at instant.Instant) bool {
	a, b := g.samples[i], g.samples[j]
	if va, vb := g.columns.isValid(a), g.columns.isValid(b); va != vb {
		return va
	}
	return a.At.Sub(at).Abs() < b.At.Sub(at).Abs()
}

// skinFinder walks the skin conductance.
type skinFinder struct {
	samples  []stream.Sample
	columns  skinColumns
	analysis eda.Result
	before   int // the latest measured sample not later than the frame, or -1
	next     int // the first measured sample later than the frame
}

// walk goes on to an instant. Readings that the device repeated are passed over, as
// if they had been lost: a straight line is nearer to what was not measured.
func (k *skinFinder) walk(at instant.Instant) {
	for k.next < len(k.samples) {
		s := k.samples[k.next]
		held := k.columns.isHeld(s)
		if !held && s.At > at {
			return
		}
		if !held {
			k.before = k.next
		}
		k.next++
	}
}

func (k *skinFinder) fill(r *row) {
	if len(k.samples) == 0 || k.columns.us < 0 {
		r.noSkin(NoEDA)
		return
	}
	at := r.sample.At
	k.walk(at)
	a, b := k.before, k.next
	near := func(i int) bool { return k.samples[i].At.Sub(at).Abs() <= edaEnd }
	none := len(k.samples)
	switch {
	case a < 0 && b < none && near(b):
		a = b
	case b == none && a >= 0 && near(a):
		b = a
	case a < 0 || b == none || k.samples[b].At.Sub(k.samples[a].At) > eda.MaxGap:
		r.noSkin(EDAStale)
		return
	}
	u := 0.0
	if span := k.samples[b].At - k.samples[a].At; span > 0 {
		u = float64(at-k.samples[a].At) / float64(span)
	}
	r.join(max(k.samples[a].Err, k.samples[b].Err))
	v := r.sample.Values
	v[edaUS] = between(value(k.samples[a], k.columns.us), value(k.samples[b], k.columns.us), u)
	v[sclUS] = between(derived(k.analysis.Tonic, a), derived(k.analysis.Tonic, b), u)
	v[scrUS] = between(derived(k.analysis.Phasic, a), derived(k.analysis.Phasic, b), u)
	if flags := k.analysis.Flags; a < len(flags) && b < len(flags) {
		v[edaFlags] = float64(flags[a] | flags[b])
		if (flags[a]|flags[b])&eda.Invalid != 0 {
			r.quality |= EDAArtefact
		}
	}
	r.skinQuality()
}

// noSkin marks a row without skin conductance. Whether a response begins there
// is not known either, unless one was seen to.
func (r *row) noSkin(why Quality) {
	r.quality |= why
	if r.sample.Values[scrOnset] != 1 {
		r.sample.Values[scrOnset] = math.NaN()
	}
}

// skinQuality marks what of the skin conductance is missing.
func (r *row) skinQuality() {
	v := r.sample.Values
	switch {
	case math.IsNaN(v[edaUS]):
		r.quality |= EDAInvalid
	case math.IsNaN(v[sclUS]) || math.IsNaN(v[scrUS]):
		r.quality |= EDAUnsplit
	}
}

func between(a, b, u float64) float64 { return a + u*(b-a) }

func derived(v []float64, i int) float64 {
	if i >= len(v) {
		return math.NaN()
	}
	return v[i]
}
