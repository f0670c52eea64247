// Package offline reads films and pictures through the face nets, at their own
// pace, and derives from them what a session derives: pose, action units,
// blinks, bouts, quality.
package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"emolab/calibration/neutral"
	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/capture/picture"
	"emolab/capture/webcam"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// Options set up Analyze. The zero value is the default.
type Options struct {
	Neutral neutral.Options // the stretch with the face at rest; zero looks for it
	Facial  facial.Options
	// Smooth is over how many frames the running median goes of the expressions in
	// Rows, an odd number; 0 and 1 leave them as the net gave them. Samples always
	// are. The window lies around its frame, so that nothing is late.
	Smooth int
	// Thumbnails is how many pictures are kept for Sheet; 0 keeps none.
	Thumbnails int
}

// Result is one file, read.
type Result struct {
	File          string
	Width, Height int     // of the pictures, px
	FPS           float64 // nominal; 0 for a picture, or where the file does not tell
	Info          stream.Info
	// Samples are those of the face stream, Rows those of the trace, one of each
	// per frame. At counts from Start.
	Samples    []stream.Sample
	Trace      stream.Info
	Rows       []stream.Sample
	Facial     facial.Derived
	Neutral    *neutral.Face // nil where none was found: a picture, a face never at rest
	NoNeutral  error         // why not
	Unread     int           // frames that could not be analysed
	Reason     error         // why the first of them could not
	Missing    int64         // frames that the file announces and does not hold
	Thumbnails []Thumbnail
}

// Start is the instant of a film's first frame. It is not 0, which would read
// as "not known".
const Start = instant.Instant(time.Second)

// Thumbnail is a small picture of one frame.
type Thumbnail struct {
	Row   int     // of Result.Rows
	Scale float64 // the picture's size in parts of the frame's
	Frame frame.Frame
}

// Analyze reads the file with an. Progress is told how many frames of how many
// are done (0: not known). The error names the file.
func Analyze(ctx context.Context, name string, an *face.Analyzer, o Options, progress func(done, total int64)) (Result, error) {
	an.Reset()
	r := Result{File: name, Trace: trace.Info()}
	keep := album{most: o.Thumbnails}
	add := func(f frame.Frame) {
		r.Width, r.Height = f.Width, f.Height
		found, err := an.Analyze(f)
		if err != nil {
			if r.Unread++; r.Reason == nil {
				r.Reason = err
			}
			return
		}
		keep.add(len(r.Samples), f)
		r.Samples = append(r.Samples, stream.Sample{
			Seq: f.Seq, Tick: int64(f.At), Arrival: f.At, At: f.At, Values: found.Values(),
		})
	}
	var err error
	if picture.Known(name) {
		var f frame.Frame
		if f, err = picture.Read(name); err == nil {
			f.At, f.Arrival = Start, Start
			add(f)
			progress(1, 1)
		}
	} else {
		err = r.film(ctx, name, add, progress)
	}
	if err != nil {
		return Result{}, err
	}
	if len(r.Samples) == 0 {
		return Result{}, errors.Join(fmt.Errorf("%s: holds no picture that can be read", name), r.Reason)
	}
	r.Thumbnails = keep.spread()
	r.Info = stream.Info{
		ID: string(stream.Face), Kind: stream.Face, Device: "file", Port: filepath.Base(name), Model: an.Models(),
		Clock: stream.HostClock, TickHz: 1e9, Rate: r.FPS, Channels: face.Channels(),
	}
	return r, r.derive(o)
}

// film reads a film frame by frame, dropping none.
func (r *Result) film(ctx context.Context, name string, add func(frame.Frame), progress func(done, total int64)) error {
	var clock instant.Hand
	clock.Advance(time.Duration(Start))
	cam, err := webcam.Open(webcam.Options{Source: name, Pace: webcam.Unpaced}, &clock)
	if err != nil {
		return err
	}
	about := cam.Describe()
	if about.Kind != webcam.File {
		return errors.Join(fmt.Errorf("%s is not a file: name a film or a picture", name), cam.Close())
	}
	r.FPS = about.FPS

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	frames := make(chan frame.Frame)
	var failure error
	go func() {
		failure = cam.Run(ctx, frames)
		close(frames)
	}()
	var read int64
	for f := range frames {
		add(f)
		read++
		progress(read, max(read, about.Frames))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.Missing = max(0, about.Frames-read)
	if failure != nil && !errors.Is(failure, io.EOF) {
		return failure
	}
	return nil
}

// derive makes the rows of the samples.
func (r *Result) derive(o Options) error {
	meter := facial.NewMeter(r.Info)
	frames := make([]facial.Measured, len(r.Samples))
	for i, s := range r.Samples {
		frames[i] = meter.Measure(s)
	}
	n, err := neutral.Fit(frames, o.Neutral)
	switch {
	case err == nil:
		r.Neutral = &n
		r.Facial = facial.Derive(frames, &n.Neutral, o.Facial)
	case o.Neutral.Until != 0: // asked for, so its absence is an error
		return fmt.Errorf("%s: %w", r.File, err)
	default:
		r.NoNeutral = err
		r.Facial = facial.Derive(frames, nil, o.Facial)
	}
	r.Rows = trace.Join(trace.Streams{FaceInfo: r.Info, Face: r.Samples, Facial: r.Facial})
	quality := r.Trace.Index("quality")
	for _, row := range r.Rows {
		v := &row.Values[quality]
		*v = float64(trace.Quality(*v) &^ sessionOnly)
	}
	if o.Smooth > 1 {
		r.smooth(o.Smooth)
	}
	return nil
}

// sessionOnly are the faults of a row that a film by itself cannot have.
const sessionOnly = trace.NoGaze | trace.NoEDA | trace.StimulusUnknown

// smooth replaces the expressions in Rows, and the valence and arousal made of
// them, by their running median over n frames.
func (r *Result) smooth(n int) {
	raw := make([]expression.Probabilities, len(r.Facial.Rows))
	for i, row := range r.Facial.Rows {
		raw[i] = row.Expression
	}
	first, valence, arousal := r.Trace.Index("p_neutral"), r.Trace.Index("valence"), r.Trace.Index("arousal")
	for i, p := range expression.Median(raw, n) {
		v := r.Rows[i].Values
		copy(v[first:], p[:])
		v[valence], v[arousal] = expression.Affect(p)
	}
}

// Seconds is the time of an instant since the first frame.
func Seconds(at instant.Instant) float64 { return at.Sub(Start).Seconds() }

// album keeps frames evenly spread over a film of unknown length: between most
// and twice as many.
type album struct {
	most int
	step int // every step-th frame is kept
	kept []Thumbnail
}

// thumbnailWidth is that of a thumbnail, px: landmarks can be told apart on it.
const thumbnailWidth = 320

func (a *album) add(row int, f frame.Frame) {
	if a.most == 0 {
		return
	}
	a.step = max(a.step, 1)
	if row%a.step != 0 {
		return
	}
	a.kept = append(a.kept, shrink(row, f))
	if len(a.kept) < 2*a.most {
		return
	}
	a.step *= 2
	half := a.kept[:0]
	for _, t := range a.kept {
		if t.Row%a.step == 0 {
			half = append(half, t)
		}
	}
	a.kept = half
}

// spread returns most of the kept frames, evenly spread.
func (a *album) spread() []Thumbnail {
	if len(a.kept) <= a.most {
		return a.kept
	}
	out := make([]Thumbnail, a.most)
	for i := range out {
		out[i] = a.kept[i*len(a.kept)/a.most]
	}
	return out
}

// shrink returns a small copy of a frame, each pixel the mean of those that it
// stands for.
func shrink(row int, f frame.Frame) Thumbnail {
	w := min(f.Width, thumbnailWidth)
	h := max(1, int(math.Round(float64(f.Height)*float64(w)/float64(f.Width))))
	pix := make([]byte, 3*w*h)
	for y := range h {
		y0, y1 := y*f.Height/h, max(y*f.Height/h+1, (y+1)*f.Height/h)
		for x := range w {
			x0, x1 := x*f.Width/w, max(x*f.Width/w+1, (x+1)*f.Width/w)
			var sum [3]int
			for yy := y0; yy < y1; yy++ {
				line := f.Pix[3*(yy*f.Width+x0) : 3*(yy*f.Width+x1)]
				for i, v := range line {
					sum[i%3] += int(v)
				}
			}
			n := (y1 - y0) * (x1 - x0)
			for c := range 3 {
				pix[3*(y*w+x)+c] = byte(sum[c] / n)
			}
		}
	}
	return Thumbnail{row, float64(w) / float64(f.Width), frame.Frame{Seq: f.Seq, At: f.At, Width: w, Height: h, Pix: pix}}
}
