// Package study is what a study is: the stimuli, the order in which one
// participant meets them, and the file (study.yaml) that says so.
package study

import (
	"cmp"
	"sort"
	"time"

	"emolab/studies/wording"
)

// Study is a loaded study.yaml with its stimuli measured. It is immutable.
type Study struct {
	ID      string
	Title   string // in the first language
	Titles  Text   // in each of them
	Seed    uint64 // of every random order: order = f(seed, row)
	Stimuli []Stimulus
	Gaze    Gaze

	// Languages are those of the study's texts, the first for whoever chooses none.
	Languages []string
	// Words are the study's own words of a language that is not built in, or in place of
	// those that are: language -> key -> words. See package wording.
	Words map[string]wording.Catalogue
	// Sheets are all pages to read and fill in that a plan may name.
	Sheets []Sheet
	// Screening are the questions that decide who takes part, in order.
	Screening  []Question
	Quota      Quota
	Retain     Retain
	Rules      Rules
	Devices    Devices
	PhoneFrame bool // stimuli stand in an upright frame, 9:16, all of one size
	Flow       []Part
	Analysis   Analysis
	// Blind hides from whoever operates what brand is on the screen and what is measured
	// of emotion, so that they treat everybody alike.
	Blind bool

	Dir       string // folder of the study file; stimulus paths are relative to it
	Canonical []byte // the study file in canonical form: defaults filled in, keys in order
	Hash      string // SHA-256 of Canonical with the hashes of all files that belong to it, in hex
}

// Stimulus is one video as it lies on disk, measured at import.
type Stimulus struct {
	ID     string
	File   string // path relative to Study.Dir
	Brand  string
	Tags   []string
	Filler bool   // shown between the others to distract, not to be analysed
	SHA256 string // of the file, hex

	AOIs       string // file of the areas of interest, relative to Study.Dir; "" = none
	AOIsSHA256 string // of that file, hex
	// Moments are the times within the clip at which the brand is to be seen or heard,
	// from and until each.
	Moments [][2]time.Duration

	Width, Height int    // px, as displayed
	Codec         string // of the picture: "H.264"
	Sound         string // codec of the sound: "AAC"; "" = it has none
	// BT709 says by which matrix a browser makes RGB of the file's colours:
	// ITU-R BT.709's, else BT.601's.
	BT709    bool
	Duration time.Duration
	// FrameTimes is the presentation time of each frame within the file, in
	// order of display. len(FrameTimes) is the number of frames.
	FrameTimes []time.Duration
}

// TitleIn returns the title in a language, in the first one where it is not given.
func (s *Study) TitleIn(language string) string { return cmp.Or(s.Titles[language], s.Title) }

// Frame returns the number of the frame that is displayed at media time t: the
// last whose presentation time is not after t. A tolerance of half a frame, or of
// half the time since the frame before where that is shorter, absorbs the rounding
// of a browser's mediaTime. It is -1 without frames.
func (s Stimulus) Frame(t time.Duration) int {
	n := len(s.FrameTimes)
	if n == 0 {
		return -1
	}
	half := s.Duration / time.Duration(2*n)
	after := sort.Search(n, func(k int) bool { // the first frame after t
		slack := half
		if k > 0 {
			slack = min(slack, (s.FrameTimes[k]-s.FrameTimes[k-1])/2)
		}
		return s.FrameTimes[k]-slack > t
	})
	return max(after-1, 0)
}

// Gaze is how the eye tracker is calibrated in a Calibrate step and checked
// there and in a Validate step, and how far off it may be. Angles are visual
// angles in degrees.
type Gaze struct {
	CalibratePoints int     // 5, 9 or 13
	ValidatePoints  int     // 4, 5 or 9, at other places
	AcceptDeg       float64 // mean error beyond which a person has to decide
	WarnDeg         float64 // mean error from which it is called fair only; at most AcceptDeg
}

// DefaultGaze is the calibration of a study that describes none: 9 points as
// most laboratories do it, and 1° as the accuracy that trackers promise at best
// and papers ask for at least.
func DefaultGaze() Gaze {
	return Gaze{CalibratePoints: 9, ValidatePoints: 4, AcceptDeg: 1, WarnDeg: .7}
}

// FaceVideoScope names the consent to keep the video of the face.
const FaceVideoScope = "face_video"

// Action is what the stage does in one step.
type Action string

// The actions.
const (
	Fixation Action = "fixation" // a cross to look at
	Play     Action = "play"     // the stimulus
	Rest     Action = "rest"     // plain neutral surround

	Calibrate Action = "calibrate" // the eye tracker is calibrated on targets, then validated on others
	Validate  Action = "validate"  // its error is measured once more
	Breath    Action = "breath"    // one deep breath, to see that skin conductance responds

	Fill    Action = "fill"    // a sheet: the participant reads it, answers, and goes on
	Camera  Action = "camera"  // seat and light are put right, in words
	Neutral Action = "neutral" // a cross and a face at rest, from which action units are measured
	Begin   Action = "begin"   // the participant waits; what comes after it is recorded
	// Reshow is the end of a block, after which only what is shown again of it comes: here
	// it is settled what that is. The screen is plain meanwhile, for a moment.
	Reshow Action = "reshow"
)
