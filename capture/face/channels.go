package face

import (
	"fmt"
	"math"

	"emolab/fusion/stream"
)

// Positions of a face sample's values before the landmarks.
const (
	valueFound = iota
	valueConfidence
	valueBoxX
	valueBoxY
	valueBoxW
	valueBoxH
	valueExpression // seven of them
	valueValence    = valueExpression + 7
	valueArousal    = valueValence + 1
	valueLandmarks  = valueArousal + 1 // 68 pairs of x and y
	valueCount      = valueLandmarks + 2*68
)

// Channels returns the channels of a face stream in the order of its samples'
// values. Without a face, face_found is 0 and all others are NaN.
func Channels() []stream.Channel {
	c := []stream.Channel{
		{Name: "face_found", Unit: "1", Note: "1 where a face was found in the frame, 0 where none was."},
		{Name: "face_confidence", Unit: "1", Note: "Score of the face detector, 0 to 1."},
		{Name: "box_x_px", Unit: "px", Note: "Left edge of the landmarks' bounding box, from the picture's left."},
		{Name: "box_y_px", Unit: "px", Note: "Top edge of the landmarks' bounding box, from the picture's top."},
		{Name: "box_w_px", Unit: "px", Note: "Width of the landmarks' bounding box."},
		{Name: "box_h_px", Unit: "px", Note: "Height of the landmarks' bounding box."},
	}
	for _, name := range Expressions() {
		c = append(c, stream.Channel{
			Name: "p_" + name, Unit: "1",
			Note: fmt.Sprintf("Probability that the expression is %s; the seven add up to 1.", name),
		})
	}
	c = append(c,
		stream.Channel{Name: "valence", Unit: "1", Note: "Mixture of fixed valences by the seven probabilities, -1 to 1 (" + AffectVersion + ")."},
		stream.Channel{Name: "arousal", Unit: "1", Note: "Mixture of fixed arousals by the seven probabilities, -1 to 1 (" + AffectVersion + ")."},
	)
	for i := range 68 {
		for _, axis := range []string{"x", "y"} {
			c = append(c, stream.Channel{
				Name: fmt.Sprintf("lm%02d_%s_px", i, axis), Unit: "px",
				Note: fmt.Sprintf("Landmark %d of 0 to 67 in the iBUG order, %s from the picture's top left.", i, axis),
			})
		}
	}
	return c
}

// values returns r in the order of Channels.
func (r Result) values() []float64 {
	v := make([]float64, valueCount)
	if !r.Found {
		for i := range v {
			v[i] = math.NaN()
		}
		v[valueFound] = 0
		return v
	}
	v[valueFound] = 1
	v[valueConfidence] = r.Confidence
	v[valueBoxX], v[valueBoxY] = r.Box.X, r.Box.Y
	v[valueBoxW], v[valueBoxH] = r.Box.W, r.Box.H
	copy(v[valueExpression:], r.Expression[:])
	v[valueValence], v[valueArousal] = r.Valence, r.Arousal
	for i, p := range r.Landmarks {
		v[valueLandmarks+2*i], v[valueLandmarks+2*i+1] = p.X, p.Y
	}
	return v
}
