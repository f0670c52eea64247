package face

import (
	"fmt"
	"math"

	"emolab/fusion/expression"
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
	valueTracked    = valueArousal + 1
	valueFaces      = valueTracked + 1
	valueFrameW     = valueFaces + 1
	valueFrameH     = valueFrameW + 1
	valueLumaFace   = valueFrameH + 1
	valueLumaAround = valueLumaFace + 1
	valueClipped    = valueLumaAround + 1
	valueSharpness  = valueClipped + 1
	valueMouthCover = valueSharpness + 1
	valueLandmarks  = valueMouthCover + 1 // 68 pairs of x and y
	valueCount      = valueLandmarks + 2*68
)

// Channels returns the channels of a face stream in the order of its samples'
// values. Without a face, face_found is 0 and all others are NaN, but
// for faces, frame_w_px, frame_h_px and luma_around.
func Channels() []stream.Channel {
	c := []stream.Channel{
		{Name: "face_found", Unit: "1", Note: "1 where a face was found in the frame, 0 where none was."},
		{Name: "face_confidence", Unit: "1", Note: "Score of the face detector, 0 to 1: for the whole picture where it was searched, for the face's place where the face was followed (face_tracked)."},
		{Name: "box_x_px", Unit: "px", Note: "Left edge of the landmarks' bounding box, from the picture's left."},
		{Name: "box_y_px", Unit: "px", Note: "Top edge of the landmarks' bounding box, from the picture's top."},
		{Name: "box_w_px", Unit: "px", Note: "Width of the landmarks' bounding box."},
		{Name: "box_h_px", Unit: "px", Note: "Height of the landmarks' bounding box."},
	}
	for _, name := range expression.Names() {
		c = append(c, stream.Channel{
			Name: "p_" + name, Unit: "1",
			Note: fmt.Sprintf("Probability that the expression is %s; the seven add up to 1.", name),
		})
	}
	c = append(c,
		stream.Channel{Name: "valence", Unit: "1", Note: "Mixture of fixed valences by the seven probabilities, -1 to 1 (" + expression.AffectVersion + ")."},
		stream.Channel{Name: "arousal", Unit: "1", Note: "Mixture of fixed arousals by the seven probabilities, -1 to 1 (" + expression.AffectVersion + ")."},
	)
	c = append(c,
		stream.Channel{Name: "face_tracked", Unit: "1", Note: "1 where the face was followed from the frame before, 0 where the picture was searched for it."},
		stream.Channel{Name: "faces", Unit: "1", Note: "Faces in the picture, when all of it was last searched."},
		stream.Channel{Name: "frame_w_px", Unit: "px", Note: "Width of the picture."},
		stream.Channel{Name: "frame_h_px", Unit: "px", Note: "Height of the picture."},
		stream.Channel{Name: "luma_face", Unit: "1", Note: "Mean luma of the face, 0 black to 255 white."},
		stream.Channel{Name: "luma_around", Unit: "1", Note: "Mean luma of the picture outside the face, 0 to 255; of the whole picture where there is no face."},
		stream.Channel{Name: "face_clipped", Unit: "1", Note: "Share of the face's pixels that are white (glare), 0 to 1."},
		stream.Channel{Name: "face_sharpness", Unit: "1", Note: "Fine detail of the face relative to its contrast, from 0; low where it is blurred."},
		stream.Channel{Name: "mouth_cover", Unit: "1", Note: "How likely something hides the mouth, 0 to 1."},
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

// Values returns r in the order of Channels.
func (r Result) Values() []float64 {
	v := make([]float64, valueCount)
	if !r.Found {
		for i := range v {
			v[i] = math.NaN()
		}
	}
	v[valueFound] = number(r.Found)
	v[valueFaces] = float64(r.Faces)
	v[valueFrameW], v[valueFrameH] = float64(r.FrameW), float64(r.FrameH)
	v[valueLumaAround] = r.View.LumaAround
	if !r.Found {
		return v
	}
	v[valueConfidence] = r.Confidence
	v[valueBoxX], v[valueBoxY] = r.Box.X, r.Box.Y
	v[valueBoxW], v[valueBoxH] = r.Box.W, r.Box.H
	copy(v[valueExpression:], r.Expression[:])
	v[valueValence], v[valueArousal] = r.Valence, r.Arousal
	v[valueTracked] = number(r.Tracked)
	v[valueLumaFace], v[valueClipped] = r.View.LumaFace, r.View.Clipped
	v[valueSharpness], v[valueMouthCover] = r.View.Sharpness, r.View.MouthCover
	for i, p := range r.Landmarks {
		v[valueLandmarks+2*i], v[valueLandmarks+2*i+1] = p.X, p.Y
	}
	return v
}

// number is 1 for true, 0 for false.
func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
