package eyemovement

import "emolab/fusion/instant"

// Class is what the eyes do.
type Class uint8

const (
	Undefined Class = iota
	Fixation
	Saccade
	PSO // post-saccadic oscillation, also called glissade
	Pursuit
	Blink
)

var classNames = [...]string{"undefined", "fixation", "saccade", "pso", "pursuit", "blink"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return classNames[Undefined]
}

// Event is an uninterrupted stretch of one class.
type Event struct {
	Class       Class
	First, Last int             // indices of its samples, both inclusive
	From, Until instant.Instant // of its first sample, and of its last one plus one interval
	X, Y        float64         // its centre in fractions of the screen: mean of its samples; NaN without any
	// AmplitudeDeg is the angle between its first and its last sample; of a saccade
	// that Classify found, between the sample before it and the one after it.
	// PeakDegS and MeanDegS are velocities. DispersionDeg is the root mean square
	// distance of its samples from its centre. NaN where nothing can be said.
	AmplitudeDeg, PeakDegS, MeanDegS, DispersionDeg float64
}

// Labels gives each of n samples the class of the event that holds it.
func Labels(events []Event, n int) []Class {
	labels := make([]Class, n)
	for _, e := range events {
		for i := max(e.First, 0); i <= min(e.Last, n-1); i++ {
			labels[i] = e.Class
		}
	}
	return labels
}
