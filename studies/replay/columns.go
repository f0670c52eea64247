package replay

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/store"
)

const (
	// DefaultPoints is how many rows are given when nobody says: a screen has hardly more
	// pixels across. MaxPoints keeps an answer below some megabytes.
	DefaultPoints = 2000
	MaxPoints     = 20000
	maxColumns    = 64

	// pupil is a column that an eye tracker's stream has beside those of the device: the mean
	// of the eyes that were measured, as the trace has it once a camera frame.
	pupil = "pupil_mm"
)

// eyes are the columns that it is made of.
var eyes = []string{"pupil_left_mm", "pupil_right_mm"}

// Column is something of a stream that can be drawn.
type Column struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// Cut is which rows are wanted: those from FromMs to UntilMs, thinned if they are more
// than Points.
type Cut struct {
	Columns         []string // none = all
	FromMs, UntilMs float64  // NaN = from the beginning, to the end
	Points          int      // 0 = DefaultPoints
}

// Rows are some columns of a stream.
type Rows struct {
	// Thinned says that of each of Points / 2 equal stretches of time two rows stand for
	// all: smallest and largest value of every column, in the order in which they came.
	Thinned bool
	Times   []float64   // ms on the axis
	Columns [][]float32 // column after column; NaN = not measured
}

// tape is what has been read of a stream.
type tape struct {
	times   []float64
	columns map[string][]float32
}

// Columns reads columns of a stream.
func (p *Player) Columns(ctx context.Context, id, streamID string, c Cut) (Rows, error) {
	var out Rows
	err := p.with(ctx, id, func(o *opened) error {
		names, err := o.choose(streamID, &c)
		if err != nil {
			return err
		}
		t, err := p.load(ctx, o, streamID, names)
		if err != nil {
			return err
		}
		out = t.cut(names, c)
		return nil
	})
	return out, err
}

// choose checks a cut, and returns the columns that it asks for.
func (o *opened) choose(streamID string, c *Cut) ([]string, error) {
	if c.Points == 0 {
		c.Points = DefaultPoints
	}
	if c.Points < 2 || c.Points > MaxPoints {
		return nil, refuse(Unfit, fmt.Sprintf("points is %d: 2 to %d can be asked for at a time", c.Points, MaxPoints))
	}
	if math.IsNaN(c.FromMs) {
		c.FromMs = math.Inf(-1)
	}
	if math.IsNaN(c.UntilMs) {
		c.UntilMs = math.Inf(1)
	}
	if c.UntilMs < c.FromMs {
		return nil, refuse(Unfit, fmt.Sprintf("until_ms %g is before from_ms %g", c.UntilMs, c.FromMs))
	}
	has := o.columnsOf(streamID)
	if has == nil {
		return nil, refuse(Absent, fmt.Sprintf("session %s has no stream %q that can be drawn; it has %s", o.ID, streamID, strings.Join(o.drawn(), ", ")))
	}
	var all []string
	for _, v := range has {
		all = append(all, v.Name)
	}
	if len(c.Columns) == 0 {
		return all, nil
	}
	if len(c.Columns) > maxColumns {
		return nil, refuse(Unfit, fmt.Sprintf("%d columns are asked for: at most %d at a time", len(c.Columns), maxColumns))
	}
	for i, name := range c.Columns {
		if !slices.Contains(all, name) {
			return nil, refuse(Absent, fmt.Sprintf("stream %q has no column %q; it has %s", streamID, name, strings.Join(all, ", ")))
		}
		if slices.Contains(c.Columns[:i], name) {
			return nil, refuse(Unfit, fmt.Sprintf("column %q is asked for twice", name))
		}
	}
	return c.Columns, nil
}

// drawable are the kinds of stream that lines are made of.
var drawable = []stream.Kind{stream.Trace, stream.Face, stream.Gaze, stream.EDA, stream.Light}

// columnsOf are the columns of a stream, in all segments together; nil if there is none.
func (o *opened) columnsOf(streamID string) []Column {
	var out []Column
	for _, g := range o.Segments {
		for _, t := range g.Streams {
			if t.ID != streamID || !slices.Contains(drawable, t.Kind) {
				continue
			}
			channels := t.Channels
			if t.Kind == stream.Trace {
				channels = trace.Info().Channels // of the derivation, which may be younger than the recording
			}
			for _, ch := range channels {
				if landmark(ch.Name) || slices.ContainsFunc(out, func(c Column) bool { return c.Name == ch.Name }) {
					continue
				}
				out = append(out, Column{ch.Name, ch.Unit})
			}
			if t.Kind == stream.Gaze && len(eyesOf(t)) > 0 && !slices.ContainsFunc(out, func(c Column) bool { return c.Name == pupil }) {
				out = append(out, Column{pupil, "mm"})
			}
		}
	}
	return out
}

// eyesOf are the columns of a stream that are of an eye's pupil.
func eyesOf(t store.Stream) []string {
	return slices.DeleteFunc(slices.Clone(eyes), func(name string) bool { return t.Index(name) < 0 })
}

// landmark tells a point of the face: 136 of them are a picture, not lines.
func landmark(name string) bool {
	return strings.HasPrefix(name, "lm") && (strings.HasSuffix(name, "_x_px") || strings.HasSuffix(name, "_y_px"))
}

// drawn names the streams that have columns.
func (o *opened) drawn() []string {
	var out []string
	for _, g := range o.Segments {
		for _, t := range g.Streams {
			if slices.Contains(drawable, t.Kind) && !slices.Contains(out, t.ID) {
				out = append(out, t.ID)
			}
		}
	}
	return out
}

// load reads what is missing of the columns of a stream.
func (p *Player) load(ctx context.Context, o *opened, streamID string, names []string) (*tape, error) {
	t := o.tapes[streamID]
	if t == nil {
		t = &tape{columns: map[string][]float32{}}
	}
	var missing []string
	for _, n := range names {
		if t.columns[n] == nil {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 && o.tapes[streamID] != nil {
		return t, nil
	}
	var times []float64
	fresh := make([][]float32, len(missing))
	for _, g := range o.Segments {
		for _, s := range g.Streams {
			if s.ID != streamID {
				continue
			}
			got, err := p.read(ctx, o, g.Number, s, missing)
			if err != nil {
				return nil, err
			}
			here, _ := o.axis.of(g.Number)
			times = slices.Grow(times, len(got.At))
			for _, at := range got.At {
				times = append(times, here.ms(at))
			}
			for i, v := range got.Values {
				fresh[i] = append(fresh[i], v...)
			}
		}
	}
	t.times = times
	for i, n := range missing {
		t.columns[n] = fresh[i]
	}
	o.tapes[streamID] = t
	p.trim(o, t)
	return t, nil
}

// read reads columns of a stream in one segment.
func (p *Player) read(ctx context.Context, o *opened, segment int, s store.Stream, names []string) (store.Columns, error) {
	of := s.ID
	if s.Kind == stream.Trace {
		of = o.current
	}
	k := slices.Index(names, pupil)
	if s.Kind != stream.Gaze || k < 0 {
		return p.store.Columns(ctx, o.ID, of, s.Kind, segment, names)
	}
	asked := slices.Delete(slices.Clone(names), k, k+1)
	for _, eye := range eyesOf(s) {
		if !slices.Contains(asked, eye) {
			asked = append(asked, eye)
		}
	}
	got, err := p.store.Columns(ctx, o.ID, of, s.Kind, segment, asked)
	if err != nil {
		return got, err
	}
	var measured [][]float32
	for _, eye := range eyesOf(s) {
		measured = append(measured, got.Values[slices.Index(asked, eye)])
	}
	got.Values = slices.Insert(got.Values[:len(names)-1], k, mean(measured, len(got.At)))
	return got, nil
}

// mean is, row by row, the mean of the columns that have a value there.
func mean(columns [][]float32, rows int) []float32 {
	out := make([]float32, rows)
	for i := range out {
		sum, n := float32(0), float32(0)
		for _, c := range columns {
			if c[i] == c[i] {
				sum, n = sum+c[i], n+1
			}
		}
		out[i] = sum / n // NaN where none has
	}
	return out
}

// trim forgets what is kept beyond keptBytes, of other sessions first; what has just been
// read stays.
func (p *Player) trim(o *opened, latest *tape) {
	size := func() (n int) {
		for _, o := range p.open {
			for _, t := range o.tapes {
				n += t.bytes()
			}
		}
		return n
	}
	for _, other := range p.open {
		if other != o && size() > keptBytes {
			clear(other.tapes)
		}
	}
	for id, t := range o.tapes {
		if t != latest && size() > keptBytes {
			delete(o.tapes, id)
		}
	}
}

func (t *tape) bytes() int {
	n := 8 * len(t.times)
	for _, v := range t.columns {
		n += 4 * len(v)
	}
	return n
}

// cut takes the wanted rows of it.
func (t *tape) cut(names []string, c Cut) Rows {
	first := sort.SearchFloat64s(t.times, c.FromMs)
	last := first + sort.Search(len(t.times)-first, func(i int) bool { return t.times[first+i] > c.UntilMs })
	out := Rows{Columns: make([][]float32, len(names))}
	if last-first <= c.Points {
		out.Times = t.times[first:last]
		for i, n := range names {
			out.Columns[i] = t.columns[n][first:last]
		}
		return out
	}
	out.Thinned = true
	from, until := t.times[first], t.times[last-1]
	stretches := c.Points / 2
	width := max(until-from, math.SmallestNonzeroFloat32) / float64(stretches)
	of := func(k int) int { return min(stretches-1, int((t.times[k]-from)/width)) }
	for k := first; k < last; {
		next := k + 1
		for next < last && of(next) == of(k) {
			next++
		}
		out.Times = append(out.Times, t.times[k])
		if next-k > 1 {
			out.Times = append(out.Times, t.times[next-1])
		}
		for i, n := range names {
			a, b := extremes(t.columns[n][k:next])
			out.Columns[i] = append(out.Columns[i], a)
			if next-k > 1 {
				out.Columns[i] = append(out.Columns[i], b)
			}
		}
		k = next
	}
	return out
}

// extremes are the smallest and the largest value of a run, in the order in which they
// came; NaN of nothing.
func extremes(run []float32) (a, b float32) {
	low, high := -1, -1
	for i, v := range run {
		if v != v {
			continue
		}
		if low < 0 || v < run[low] {
			low = i
		}
		if high < 0 || v > run[high] {
			high = i
		}
	}
	if low < 0 {
		nan := float32(math.NaN())
		return nan, nan
	}
	return run[min(low, high)], run[max(low, high)]
}
