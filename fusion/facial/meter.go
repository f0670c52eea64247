package facial

import (
	"fmt"
	"math"
	"time"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/landmark"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
)

// Measured is what one frame shows by itself.
type Measured struct {
	At         instant.Instant
	Found      bool
	Posed      bool // whether a pose explains the landmarks; Features and EAR are NaN without
	Pose       headpose.Pose
	Features   action.Features
	EARRight   float64 // eye aspect ratio as seen from the front
	EARLeft    float64
	HeightPX   float64 // of the face, from between the brows to the chin, px
	Expression expression.Probabilities
	View       visibility.Mask
}

// warmFor is how old the last pose may be to begin the search for the next
// one: a head that was away for longer may be anywhere.
const warmFor = 200 * time.Millisecond

// Meter measures the samples of one face stream, in order of time. Not safe for
// concurrent use.
type Meter struct {
	places places
	head   headpose.Head
	pose   headpose.Pose // of the last frame that had one
	posed  instant.Instant
	known  bool // whether there was one
}

// places are those of the channels; -1 where the stream has no such channel.
type places struct {
	found, faces                             int
	x, y, w, h, frameW, frameH               int
	lumaFace, lumaAround, clipped, sharpness int
	mouthCover                               int
	expression                               [expression.Count]int
	marks                                    [landmark.Count]struct{ x, y int }
}

// NewMeter reads the places of the channels in info. A stream that was read
// back without its landmarks gives frames without a pose.
func NewMeter(info stream.Info) *Meter {
	p := places{
		found: info.Index("face_found"), faces: info.Index("faces"),
		x: info.Index("box_x_px"), y: info.Index("box_y_px"), w: info.Index("box_w_px"), h: info.Index("box_h_px"),
		frameW: info.Index("frame_w_px"), frameH: info.Index("frame_h_px"),
		lumaFace: info.Index("luma_face"), lumaAround: info.Index("luma_around"),
		clipped: info.Index("face_clipped"), sharpness: info.Index("face_sharpness"), mouthCover: info.Index("mouth_cover"),
	}
	for i, name := range expression.Names() {
		p.expression[i] = info.Index("p_" + name)
	}
	for i := range p.marks {
		p.marks[i].x = info.Index(fmt.Sprintf("lm%02d_x_px", i))
		p.marks[i].y = info.Index(fmt.Sprintf("lm%02d_y_px", i))
	}
	return &Meter{places: p, head: headpose.Generic()}
}

// Measure measures one sample.
func (m *Meter) Measure(s stream.Sample) Measured {
	p := &m.places
	out := Measured{At: s.At, Found: value(s, p.found) == 1}
	out.Features = unknownFeatures()
	out.EARRight, out.EARLeft, out.HeightPX = math.NaN(), math.NaN(), math.NaN()
	view := visibility.View{
		Found: out.Found, Faces: value(s, p.faces),
		X: value(s, p.x), Y: value(s, p.y), W: value(s, p.w), H: value(s, p.h),
		FrameW: value(s, p.frameW), FrameH: value(s, p.frameH),
		LumaFace: value(s, p.lumaFace), LumaAround: value(s, p.lumaAround), Clipped: value(s, p.clipped),
		Sharpness: value(s, p.sharpness), MouthCover: value(s, p.mouthCover),
		YawDeg: math.NaN(), PitchDeg: math.NaN(),
	}
	for i, place := range p.expression {
		out.Expression[i] = value(s, place)
	}
	if out.Found {
		m.geometry(s, &out)
		if out.Posed {
			view.YawDeg, view.PitchDeg, _ = out.Pose.Facing()
		}
	}
	out.View = visibility.Assess(&view)
	return out
}

// geometry measures what the landmarks show.
func (m *Meter) geometry(s stream.Sample, out *Measured) {
	var face landmark.Face
	for i, place := range m.places.marks {
		face[i] = landmark.Point{X: value(s, place.x), Y: value(s, place.y)}
	}
	if !face.Known() {
		return
	}
	brows := face.Centre(landmark.BrowRightFirst, landmark.BrowLeftLast)
	out.HeightPX = landmark.Distance(brows, face[landmark.Chin])

	cam := headpose.CameraOf(value(s, m.places.frameW), value(s, m.places.frameH))
	var before *headpose.Pose
	if m.known && s.At.Sub(m.posed) <= warmFor {
		before = &m.pose
	}
	pose, ok := headpose.Solve(&face, &m.head, cam, before)
	if !ok {
		return
	}
	m.pose, m.posed, m.known = pose, s.At, true
	front := headpose.Frontal(&face, &m.head, cam, pose)
	out.Posed, out.Pose = true, pose
	out.Features = action.Measure(&front)
	// From the front, because an eye seen from above or from the side is lower or
	// narrower than it is.
	out.EARRight, out.EARLeft = eyeAspect(&front)
}

// eyeAspect returns the height of each eye over its width (Soukupova & Cech
// 2016, Real-time eye blink detection using facial landmarks, eq. 1).
func eyeAspect(f *landmark.Face) (right, left float64) {
	one := func(first int) float64 {
		e := f[first : first+6]
		return (landmark.Distance(e[1], e[5]) + landmark.Distance(e[2], e[4])) / (2 * landmark.Distance(e[0], e[3]))
	}
	return one(landmark.EyeRightFirst), one(landmark.EyeLeftFirst)
}

func unknownFeatures() action.Features {
	var f action.Features
	for i := range f {
		f[i] = math.NaN()
	}
	return f
}

// value reads a channel; NaN where the stream has no such channel.
func value(s stream.Sample, place int) float64 {
	if place < 0 || place >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[place]
}
