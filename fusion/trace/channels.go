package trace

import (
	"fmt"
	"strings"

	"emolab/fusion/action"
	"emolab/fusion/eda"
	"emolab/fusion/expression"
	"emolab/fusion/eyemovement"
	"emolab/fusion/stream"
)

// ID is the id of the trace's stream.
const ID = "trace"

// The trace's channels, in the order of Sample.Values.
const (
	presentation = iota
	frame
	mediaNs
	faceFound // from here to arousal: copied from the face stream (fromFace)
	faceConfidence
	pNeutral
	pHappy
	pSad
	pAngry
	pFearful
	pDisgusted
	pSurprised
	valence
	arousal
	yawDeg // from here to emfacsAgreement: derived of the face stream (fusion/facial)
	pitchDeg
	rollDeg
	poseResidual
	faceHeightPX
	earRight
	earLeft
	au01 // from here to au43: in the order of action.Units
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
	au45
	emfacsHappy // from here to emfacsSurprised: in the order of expression.Names, without neutral
	emfacsSad
	emfacsAngry
	emfacsFearful
	emfacsDisgusted
	emfacsSurprised
	emfacsAgreement
	gazeX
	gazeY
	gazeValid
	eyeClass
	pupilMM
	pupilCleanMM
	pupilAdjustedMM
	edaUS
	sclUS
	scrUS
	scrOnset
	edaFlags
	quality
	channelCount
)

// fromFace are the channels that are copied from the face stream as they are,
// in the order of faceFound to arousal.
var fromFace = [...]string{
	"face_found", "face_confidence",
	"p_neutral", "p_happy", "p_sad", "p_angry", "p_fearful", "p_disgusted", "p_surprised",
	"valence", "arousal",
}

// Info describes the trace.
func Info() stream.Info {
	channels := make([]stream.Channel, 0, channelCount)
	channels = append(channels, stimulusChannels()...)
	channels = append(channels, faceChannels()...)
	channels = append(channels, unitChannels()...)
	channels = append(channels, evidenceChannels()...)
	channels = append(channels, sensorChannels()...)
	return stream.Info{ID: ID, Kind: stream.Trace, Device: "Emolab", Clock: stream.HostClock, TickHz: 1e9, Channels: channels}
}

func stimulusChannels() []stream.Channel {
	return []stream.Channel{
		{Name: "presentation", Unit: "1", Note: "Number of the play step within the session, from 1; 0 while no stimulus is on the screen; empty where that is not known."},
		{Name: "frame", Unit: "1", Note: "Number of the displayed frame within the video file, from 0; empty for the moments of which the browser did not tell which frame it was."},
		{Name: "media_ns", Unit: "ns", Note: "Presentation time of the displayed frame within the video file."},
	}
}

func faceChannels() []stream.Channel {
	return []stream.Channel{
		{Name: "face_found", Unit: "1", Note: "1 where a face was found in the camera frame, 0 where none was."},
		{Name: "face_confidence", Unit: "1", Note: "0 to 1 that what was found is a face."},
		{Name: "p_neutral", Unit: "1", Note: "Probability that the expression is neutral; the seven add up to 1."},
		{Name: "p_happy", Unit: "1", Note: "Probability that the expression is happy."},
		{Name: "p_sad", Unit: "1", Note: "Probability that the expression is sad."},
		{Name: "p_angry", Unit: "1", Note: "Probability that the expression is angry."},
		{Name: "p_fearful", Unit: "1", Note: "Probability that the expression is fearful."},
		{Name: "p_disgusted", Unit: "1", Note: "Probability that the expression is disgusted."},
		{Name: "p_surprised", Unit: "1", Note: "Probability that the expression is surprised."},
		{Name: "valence", Unit: "1", Note: "Mixture of fixed valences by the seven probabilities, -1 to 1."},
		{Name: "arousal", Unit: "1", Note: "Mixture of fixed arousals by the seven probabilities, -1 to 1."},
		{Name: "yaw_deg", Unit: "deg", Note: "Head pose: positive, the nose turns to the picture's right; all angles are 0 when the head looks along the camera's axis."},
		{Name: "pitch_deg", Unit: "deg", Note: "Head pose: positive, the nose turns down."},
		{Name: "roll_deg", Unit: "deg", Note: "Head pose: positive, the head tilts clockwise as seen in the picture."},
		{Name: "pose_residual", Unit: "1", Note: "Distance of the projected head from the landmarks, root mean square, in parts of the distance between the eyes; above 0.1 the angles mean little."},
		{Name: "face_height_px", Unit: "px", Note: "From between the brows to the chin along the face, as seen in the picture."},
		{Name: "ear_right", Unit: "1", Note: "Eye aspect ratio of the participant's right eye: its opening over its width (Soukupova & Cech 2016)."},
		{Name: "ear_left", Unit: "1", Note: "Eye aspect ratio of the participant's left eye."},
	}
}

// unitChannels are the action units, blinks after the closure that makes them.
func unitChannels() []stream.Channel {
	var channels []stream.Channel
	for _, u := range action.Units() {
		note := fmt.Sprintf("AU %d, %s, 0 absent to 1: %s Relative to the participant's neutral face, empty without one. Reliability %s.", u.Number, u.Name, u.Note, u.Grade)
		if u.Column == "au43" {
			note = fmt.Sprintf("AU %d, %s, 0 open to 1 shut: %s Relative to the participant's neutral face, empty without one. Reliability %s.", u.Number, u.Name, u.Note, u.Grade)
		}
		channels = append(channels, stream.Channel{Name: u.Column, Unit: "1", Note: note})
	}
	return append(channels,
		stream.Channel{Name: "au45", Unit: "1", Note: "AU 45: 1 within a blink, otherwise 0; empty where that is not known, as in live rows."},
	)
}

func evidenceChannels() []stream.Channel {
	var channels []stream.Channel
	for k, name := range expression.Names() {
		if k != expression.Neutral {
			channels = append(channels, stream.Channel{Name: "emfacs_" + name, Unit: "1",
				Note: "How far the action units speak for " + name + " (EMFACS), 0 to 1; empty without a neutral face."})
		}
	}
	return append(channels,
		stream.Channel{Name: "emfacs_agreement", Unit: "1", Note: "How much of the strongest evidence of the action units speaks for what the seven probabilities say, 0 to 1."},
	)
}

// eyeClassNote says what the numbers of eye_class mean.
func eyeClassNote() string {
	var names []string
	for c := eyemovement.Undefined; c <= eyemovement.Blink; c++ {
		names = append(names, fmt.Sprintf("%d %s", c, c))
	}
	return "What the eyes do at this instant: " + strings.Join(names, ", ") + "; empty without a sample of gaze and in live rows."
}

// edaFlagsNote says what the bits of eda_flags mean.
func edaFlagsNote() string {
	var parts []string
	for _, f := range eda.EveryFlag() {
		parts = append(parts, fmt.Sprintf("%d %s", f, f))
	}
	return "Sum of what is wrong with the skin conductance around this instant, 0 = nothing: " + strings.Join(parts, "; ") + "; empty without skin conductance and in live rows."
}

func sensorChannels() []stream.Channel {
	return []stream.Channel{
		{Name: "gaze_x", Unit: "1", Note: "Point of gaze, 0 to 1 of the stimulus picture's width from the left; outside of that the eyes are beside the picture; empty without a stimulus. Corrected by the calibration that held at this instant, where one of ours did (gaze_calibration among the derivation's parameters). Of several eye trackers: of the first in the lab's order."},
		{Name: "gaze_y", Unit: "1", Note: "Point of gaze, 0 to 1 of the stimulus picture's height from the top."},
		{Name: "gaze_valid", Unit: "1", Note: "1 where the eye tracker states a valid point of gaze at this instant, otherwise 0."},
		{Name: "eye_class", Unit: "1", Note: eyeClassNote()},
		{Name: "pupil_mm", Unit: "mm", Note: "Diameter of the pupil as delivered, mean of the eyes that were measured."},
		{Name: "pupil_clean_mm", Unit: "mm", Note: "Diameter of the pupil without blinks, spikes and noise, short gaps bridged (fusion/pupil); empty in live rows and where nothing can be said."},
		{Name: "pupil_adjusted_mm", Unit: "mm", Note: "The same without the part that follows the luminance of the stimulus; empty where that is not known or explains nothing."},
		{Name: "eda_us", Unit: "µS", Note: "Skin conductance. Of several sensors: of the first in the lab's order, and so are the next three."},
		{Name: "scl_us", Unit: "µS", Note: "Tonic part of it: the level. Live: as it was 2 s before at the most."},
		{Name: "scr_us", Unit: "µS", Note: "Phasic part of it. Live: as it was 2 s before at the most."},
		{Name: "scr_onset", Unit: "1", Note: "1 where a skin-conductance response begins within this camera frame, otherwise 0. Live: where one is recognised, which is 2 s later at the most."},
		{Name: "eda_flags", Unit: "1", Note: edaFlagsNote()},
		{Name: "quality", Unit: "1", Note: qualityNote()},
	}
}
