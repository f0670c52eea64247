package replay

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/heatmap"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/store"
)

const (
	// longSide is the size of a map in cells: the Gaussian is wider than a cell by far, and
	// the page smooths what it enlarges.
	longSide = 160
	// fewestPeople that a map of several is made of: fewer could be told apart.
	fewestPeople = 3
	// densest is how opaque a map is at its maximum: the frame shows through.
	densest = 0.85
)

// Heat is a picture of where somebody, or several people, looked.
type Heat struct {
	PNG       []byte
	Fixations int
	People    int
	SigmaDeg  float64
}

// Heat draws where the participant of a session looked in one presentation, in a window of
// the session's axis.
func (p *Player) Heat(ctx context.Context, id string, presentation int, fromMs, untilMs float64) (Heat, error) {
	var out Heat
	err := p.with(ctx, id, func(o *opened) error {
		i := slices.IndexFunc(o.Detail.Presentations, func(v store.Presentation) bool { return v.Number == presentation })
		if i < 0 {
			return refuse(Absent, fmt.Sprintf("session %s has no presentation %d", id, presentation))
		}
		m, ok := o.stimulus(o.Detail.Presentations[i].Stimulus)
		if !ok {
			return refuse(Absent, "the study of this session has no such stimulus")
		}
		looks, err := p.store.LooksOf(ctx, id, presentation)
		if err != nil {
			return err
		}
		if len(looks.Fixations) == 0 {
			if !o.has(stream.Gaze) {
				return refuse(Absent, "no eye tracker took part in this session")
			}
			return refuse(Absent, "no fixation was found while this clip was on the screen")
		}
		within := func(f store.Look) (from, until float64) {
			s, _ := o.axis.of(f.Segment)
			return max(s.ms(f.From), fromMs), min(s.ms(f.Until), untilMs)
		}
		one, n, err := person(looks, within, cells(m.Width, m.Height))
		if err != nil {
			return err
		}
		out, err = draw(one, n)
		return err
	})
	return out, err
}

// HeatOfAll draws where everybody looked whose session is usable, in a window of the time
// of the video, s.
func (p *Player) HeatOfAll(ctx context.Context, stimulus string, fromS, untilS float64) (Heat, error) {
	m, err := p.clipOf(stimulus)
	if err != nil {
		return Heat{}, err
	}
	var out Heat
	err = p.alone(ctx, func() error {
		all, err := p.store.LooksAt(ctx, m.SHA256)
		if err != nil {
			return err
		}
		var people []heatmap.Map
		fixations := 0
		for _, looks := range all {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			within := func(f store.Look) (from, until float64) {
				begin := f.MediaNS / 1e6
				return max(begin, fromS*1000), min(begin+float64(f.Until.Sub(f.From))/1e6, untilS*1000)
			}
			one, n, err := person(looks, within, cells(m.Width, m.Height))
			if err == nil && one.Sum() > 0 { // of an unknown screen there is no map
				people, fixations = append(people, one), fixations+n
			}
		}
		if len(people) < fewestPeople {
			return refuse(Conflict, fmt.Sprintf("a map of several needs %d people with a usable session who looked at %s then: there are %d. With fewer, single ones could be told apart", fewestPeople, m.ID, len(people)))
		}
		group, err := heatmap.Group(people)
		if err != nil {
			return err
		}
		out, err = draw(group, fixations)
		return err
	})
	return out, err
}

// cells is the size of the map of a video: of its shape.
func cells(width, height int) heatmap.Options {
	if width <= 0 || height <= 0 {
		return heatmap.Options{Columns: longSide, Rows: longSide}
	}
	scale := longSide / float64(max(width, height))
	return heatmap.Options{Columns: max(1, int(math.Round(float64(width)*scale))), Rows: max(1, int(math.Round(float64(height)*scale)))}
}

// person makes the map of one person's fixations, each as far as it lies within a window,
// and counts them.
func person(v store.Looks, within func(store.Look) (from, until float64), o heatmap.Options) (heatmap.Map, int, error) {
	if !v.Screen.Valid() || v.Frame == (eyemovement.Frame{}) {
		return heatmap.Map{}, 0, refuse(Conflict, "where the picture was on the participant's screen is not known: a map is drawn in degrees of the eye")
	}
	o.Frame, o.SigmaDeg = v.Frame, heatmap.SigmaDeg(v.ErrorDeg)
	var events []eyemovement.Event
	for _, f := range v.Fixations {
		from, until := within(f)
		if !(until > from) {
			continue
		}
		events = append(events, eyemovement.Event{
			Class: eyemovement.Fixation, Until: instant.Instant(time.Duration((until - from) * float64(time.Millisecond))),
			X: v.Frame.X + v.Frame.Width*f.X, Y: v.Frame.Y + v.Frame.Height*f.Y,
		})
	}
	m, err := heatmap.Person(events, v.Screen, o)
	return m, len(events), err
}

// draw makes a picture of a map: colours of even steps that colour-blind people tell
// apart, the more opaque the more was looked at.
func draw(m heatmap.Map, fixations int) (Heat, error) {
	top := m.Max()
	img := image.NewNRGBA(image.Rect(0, 0, m.Columns, m.Rows))
	for row := range m.Rows {
		for column := range m.Columns {
			if top > 0 {
				img.SetNRGBA(column, row, heatColour(m.At(column, row)/top))
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return Heat{}, err
	}
	return Heat{PNG: b.Bytes(), Fixations: fixations, People: m.People, SigmaDeg: m.SigmaDeg}, nil
}

// viridis is the colour map of that name by Smith, van der Walt and Firing (CC0), every
// tenth of the way.
var viridis = [...][3]float64{
	{68, 1, 84}, {72, 36, 117}, {65, 68, 135}, {53, 95, 141}, {42, 120, 142}, {33, 145, 140},
	{34, 168, 132}, {68, 191, 112}, {122, 209, 81}, {189, 223, 38}, {253, 231, 37},
}

// heatColour is the colour of a density, 0..1 of the densest.
func heatColour(v float64) color.NRGBA {
	v = min(max(v, 0), 1)
	at := v * float64(len(viridis)-1)
	i := min(int(at), len(viridis)-2)
	mix := func(k int) uint8 {
		return uint8(math.Round(viridis[i][k] + (at-float64(i))*(viridis[i+1][k]-viridis[i][k])))
	}
	// It rises fast, so that what was looked at briefly is seen, and from nothing, so that a
	// map has no edge.
	return color.NRGBA{mix(0), mix(1), mix(2), uint8(math.Round(255 * densest * (1 - (1-v)*(1-v))))}
}
