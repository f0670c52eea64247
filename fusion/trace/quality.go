package trace

import (
	"fmt"
	"strings"
	"time"

	"emolab/fusion/visibility"
)

// Quality says what a row lacks, as a mask of bits; 0 is a row without fault.
type Quality uint32

// The bits of Quality. Their values are stored, so they never change.
const (
	NoFace          Quality = 1 << iota // 1
	NoGaze                              // 2
	GazeStale                           // 4
	GazeInvalid                         // 8
	NoEDA                               // 16
	EDAStale                            // 32
	EDAInvalid                          // 64
	EDAUnsplit                          // 128
	StimulusUnknown                     // 256
	NotFinal                            // 512
	Imprecise                           // 1024
	CutOff                              // 2048
	TooDark                             // 4096; from here to Several: visibility.Mask
	BackLit                             // 8192
	Glare                               // 16384
	Blurred                             // 32768
	TooSmall                            // 65536
	TurnedAway                          // 131072
	OutOfFrame                          // 262144
	MouthCovered                        // 524288
	Several                             // 1048576
	NoNeutral                           // 2097152
	EDAArtefact                         // 4194304
)

// ofView gives the faults of a view of the face their place among the bits.
func ofView(m visibility.Mask) Quality { return Quality(m) * TooDark }

// imprecise is the bound on a row's time above which it is marked: three frames
// of a camera at 30 Hz.
const imprecise = 100 * time.Millisecond

// meaning is what one bit says.
type meaning struct {
	Bit  Quality
	Text string
}

// meanings has the bits' documentation. Those of the view of the face are in
// the words of package visibility.
func meanings() []meaning {
	all := []meaning{
		{NoFace, "no face in the camera frame"},
		{NoGaze, "no eye tracker"},
		{GazeStale, "no gaze sample near this instant"},
		{GazeInvalid, "the tracker saw no gaze (blink, eyes away)"},
		{NoEDA, "no skin-conductance sensor"},
		{EDAStale, "no skin-conductance sample near this instant"},
		{EDAInvalid, "skin conductance out of range (electrode open, saturated)"},
		{EDAUnsplit, "too little skin conductance around to tell level and responses apart"},
		{StimulusUnknown, "what was on the screen is not known"},
		{NotFinal, "live row, made from what was known at that moment"},
		{Imprecise, "the time of the row is only known to more than 100 ms"},
		{CutOff, "a showing of the stimulus that was cut off and repeated later: presentation, frame and media_ns are left empty, so that no second of a stimulus counts twice"},
	}
	for bit := TooDark; bit <= Several; bit <<= 1 {
		all = append(all, meaning{bit, visibility.Mask(bit / TooDark).Words()[0]})
	}
	return append(all,
		meaning{NoNeutral, "the participant's neutral face is not known: no action units"},
		meaning{EDAArtefact, "skin conductance with an artefact (eda_flags says which)"})
}

// Words lists what the bits say; empty for 0.
func (q Quality) Words() []string {
	var words []string
	for _, m := range meanings() {
		if q&m.Bit != 0 {
			words = append(words, m.Text)
			q &^= m.Bit
		}
	}
	if q != 0 {
		words = append(words, fmt.Sprintf("unknown bits %#x", uint32(q)))
	}
	return words
}

func qualityNote() string {
	var parts []string
	for _, m := range meanings() {
		parts = append(parts, fmt.Sprintf("%d %s", m.Bit, m.Text))
	}
	return "Sum of what the row lacks, 0 = nothing: " + strings.Join(parts, "; ") + "."
}
