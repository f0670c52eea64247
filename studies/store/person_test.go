package store

import (
	"fmt"
	"math"
	"testing"
	"time"

	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/landmark"
	"emolab/fusion/stream"
)

// The person in front of the test camera, 1280x720: at rest for the first 8 s,
// then smiling from second 0 to 2 of every 10 s, blinking for blinkLasts at the
// end of every fourth second, and turning the head slowly from side to side.
const (
	restful    = 8 * time.Second
	blinkLasts = 150 * time.Millisecond
	frameW     = 1280
	frameH     = 720
)

func smiles(at time.Duration) bool { return at >= restful && at%(10*time.Second) < 2*time.Second }

func blinks(at time.Duration) bool {
	return at >= restful && at%(4*time.Second) >= 4*time.Second-blinkLasts
}

// person puts that face into the samples of a chunk of faces.
func person(t testing.TB, info stream.Info, c stream.Chunk) stream.Chunk {
	t.Helper()
	place := map[string]int{}
	for i, ch := range info.Channels {
		place[ch.Name] = i
	}
	for i := range c.Samples {
		s := &c.Samples[i]
		v := make([]float64, len(info.Channels))
		set := func(name string, x float64) {
			if at, ok := place[name]; ok {
				v[at] = x
			}
		}
		at := s.At.Sub(origin)
		face := portrait(at, s.Seq)
		for k, p := range face {
			set(fmt.Sprintf("lm%02d_x_px", k), p.X)
			set(fmt.Sprintf("lm%02d_y_px", k), p.Y)
		}
		p := expression.Probabilities{expression.Neutral: .94, .01, .01, .01, .01, .01, .01}
		if smiles(at) {
			p[expression.Neutral], p[expression.Happy] = .01, .94
		}
		for k, name := range expression.Names() {
			set("p_"+name, p[k])
		}
		valence, arousal := expression.Affect(p)
		for name, x := range map[string]float64{
			"face_found": 1, "face_confidence": .99, "box_x_px": 540, "box_y_px": 260, "box_w_px": 200, "box_h_px": 240,
			"valence": valence, "arousal": arousal, "face_tracked": 1, "faces": 1, "frame_w_px": frameW, "frame_h_px": frameH,
			"luma_face": 128, "luma_around": 110, "face_clipped": 0, "face_sharpness": .5, "mouth_cover": 0,
		} {
			set(name, x)
		}
		s.Values = v
	}
	return c
}

// portrait projects a head of average proportions into the picture, with the
// wobble of a landmark net.
func portrait(at time.Duration, seq int64) landmark.Face {
	head := headpose.Generic()
	if smiles(at) {
		for _, side := range []struct {
			corner int
			out    float64
		}{{landmark.MouthRightCorner, -1}, {landmark.MouthLeftCorner, 1}} {
			head[side.corner].X += 6 * side.out // mm
			head[side.corner].Y -= 5
		}
	}
	if blinks(at) {
		for _, lids := range [][2]int{{37, 41}, {38, 40}, {43, 47}, {44, 46}} { // upper, lower
			head[lids[0]].Y = head[lids[1]].Y - .5
		}
	}
	turn := 0.
	if at >= restful {
		turn = 8 * math.Sin(at.Seconds()/7) // degrees
	}
	sin, cos := math.Sincos(turn * math.Pi / 180)
	cam := headpose.CameraOf(frameW, frameH)
	var f landmark.Face
	for k, q := range head {
		x, z := q.X*cos-q.Z*sin, q.X*sin+q.Z*cos
		wobble := func(phase float64) float64 { return .3 * math.Sin(float64(seq)*1.7*phase+float64(k)) } // px
		f[k].X = cam.CentreX + cam.Focal*x/(z+600) + wobble(1)
		f[k].Y = cam.CentreY + cam.Focal*q.Y/(z+600) + wobble(1.3)
	}
	return f
}
