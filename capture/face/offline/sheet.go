//go:build !nocv

package offline

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"strings"

	"gocv.io/x/gocv"

	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/landmark"
)

// A sheet's measures, px.
const (
	sheetColumns = 6
	caption      = 34 // below each picture: two lines
	gutter       = 6
	lineHeight   = 14
	textScale    = .36
	axisLength   = .8 // of the distance between the eyes
)

// WriteSheet writes a contact sheet of the result's thumbnails as a PNG or JPEG
// file, by its name: box, landmarks, axes of the head (red to its left, green
// down, blue forward), the likeliest expression, and what is wrong with the
// picture.
func WriteSheet(name string, r *Result) error {
	shown := r.Thumbnails
	if len(shown) == 0 {
		return fmt.Errorf("%s: no pictures were kept for a contact sheet", r.File)
	}
	w, h := shown[0].Frame.Width+gutter, shown[0].Frame.Height+caption+gutter
	columns := min(sheetColumns, len(shown))
	rows := (len(shown) + columns - 1) / columns
	sheet := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(24, 24, 24, 0), rows*h, columns*w, gocv.MatTypeCV8UC3)
	defer sheet.Close()
	for i, t := range shown {
		if err := r.paste(&sheet, t, image.Pt(i%columns*w, i/columns*h)); err != nil {
			return err
		}
	}
	// It shows a face: nobody else may look at it. OpenCV writes into what is there.
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the contact sheet: %w", err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return fmt.Errorf("write the contact sheet: %w", err)
	}
	if !gocv.IMWrite(name, sheet) {
		return fmt.Errorf("write the contact sheet %s: is the folder there, and does the name end in .png or .jpg?", name)
	}
	return nil
}

// paste draws one thumbnail with its captions at a place of the sheet.
func (r *Result) paste(sheet *gocv.Mat, t Thumbnail, at image.Point) error {
	f := t.Frame
	picture, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		return err
	}
	defer picture.Close()
	if r.value("face_found", t.Row) == 1 {
		r.draw(&picture, t)
	}
	place := sheet.Region(image.Rectangle{at, at.Add(image.Pt(f.Width, f.Height))})
	defer place.Close()
	picture.CopyTo(&place)

	white, amber := color.RGBA{235, 235, 235, 0}, color.RGBA{255, 190, 60, 0}
	first, second := r.captions(t.Row)
	write := func(text string, line int, c color.RGBA) {
		gocv.PutText(sheet, text, at.Add(image.Pt(2, f.Height+line*lineHeight)), gocv.FontHersheySimplex, textScale, c, 1)
	}
	write(first, 1, white)
	write(second, 2, amber)
	return nil
}

// draw lays what was found over a small picture.
func (r *Result) draw(picture *gocv.Mat, t Thumbnail) {
	small := func(p landmark.Point) image.Point {
		return image.Pt(int(math.Round(p.X*t.Scale)), int(math.Round(p.Y*t.Scale)))
	}
	x, y := r.value("box_x_px", t.Row), r.value("box_y_px", t.Row)
	box := image.Rectangle{small(landmark.Point{X: x, Y: y}),
		small(landmark.Point{X: x + r.value("box_w_px", t.Row), Y: y + r.value("box_h_px", t.Row)})}
	gocv.Rectangle(picture, box, color.RGBA{255, 210, 0, 0}, 1)
	var marks landmark.Face
	for i := range marks {
		marks[i] = landmark.Point{X: r.value(fmt.Sprintf("lm%02d_x_px", i), t.Row), Y: r.value(fmt.Sprintf("lm%02d_y_px", i), t.Row)}
		gocv.Circle(picture, small(marks[i]), 1, color.RGBA{80, 255, 120, 0}, -1)
	}
	m := r.Facial.Rows[t.Row]
	if !m.Posed {
		return
	}
	from, length := marks[landmark.NoseTip], axisLength*marks.EyeDistance()
	for i, a := range axes(m.Pose) {
		c := []color.RGBA{{230, 60, 60, 0}, {60, 200, 60, 0}, {80, 120, 255, 0}}[i]
		gocv.Line(picture, small(from), small(landmark.Point{X: from.X + length*a.X, Y: from.Y + length*a.Y}), c, 2)
	}
}

// axes are the directions in the picture of the head's left, its chin and its
// nose: the columns of Rz(roll) Ry(yaw) Rx(pitch), the last turned about, seen
// from far away.
func axes(p headpose.Pose) [3]landmark.Point {
	sy, cy := math.Sincos(p.YawDeg * math.Pi / 180)
	sp, cp := math.Sincos(p.PitchDeg * math.Pi / 180)
	sr, cr := math.Sincos(p.RollDeg * math.Pi / 180)
	roll := func(x, y float64) landmark.Point { return landmark.Point{X: cr*x - sr*y, Y: sr*x + cr*y} }
	return [3]landmark.Point{
		roll(cy, 0),
		roll(-sy*sp, cp),
		roll(sy*cp, sp),
	}
}

// captions says what a frame shows in two lines.
func (r *Result) captions(row int) (first, second string) {
	at := fmt.Sprintf("#%d %.1fs", r.Samples[row].Seq, Seconds(r.Samples[row].At))
	if r.value("face_found", row) != 1 {
		first = at + " no face"
	} else {
		m := r.Facial.Rows[row]
		top := m.Expression.Top()
		first = fmt.Sprintf("%s %s %.2f", at, expression.Names()[top], m.Expression[top])
		if m.Posed {
			first += fmt.Sprintf(" y%+.0f p%+.0f r%+.0f", m.Pose.YawDeg, m.Pose.PitchDeg, m.Pose.RollDeg)
		}
		if m.Blink == 1 {
			first += " blink"
		}
	}
	return first, strings.Join(r.Facial.Rows[row].View.Words(), ", ")
}

// value reads a channel of a row by name.
func (r *Result) value(name string, row int) float64 { return r.named(name)(r, row) }
