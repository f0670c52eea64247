package interop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"emolab/capture/frame"
)

// warmUp is how many frames both sides read before the clock counts: TensorFlow
// compiles, caches fill.
const warmUp = 5

// Contender is one way of ours to read a frame.
type Contender struct {
	Name    string
	Analyze func(frame.Frame) error
}

// Spread is how long something took over all frames, in milliseconds.
type Spread struct {
	Median float64 `json:"median_ms"`
	P95    float64 `json:"p95_ms"`
}

// Ours is how a Contender did.
type Ours struct {
	Name string `json:"name"`
	Spread
	Times float64 `json:"times"` // the package's median over ours: how many times as fast
}

// Result is a race over the same frames. Detection, landmarks and expression
// are the package's three steps run one by one; Package is all in one call.
// Making a tensor of a frame (Upload) is not counted against the package.
type Result struct {
	About      About  `json:"about"`
	Width      int    `json:"width_px"`
	Height     int    `json:"height_px"`
	Frames     int    `json:"frames"`
	Found      int    `json:"found"` // frames in which the package found a face
	Package    Spread `json:"package"`
	Upload     Spread `json:"upload"`
	Detection  Spread `json:"detection"`
	Landmarks  Spread `json:"landmarks"`
	Expression Spread `json:"expression"`
	Ours       []Ours `json:"ours"`
}

// Race times the package in dir and the contenders on the same frames, which
// must be of one size. Every frame goes to each of them in turn before the next
// one does, so that whatever else the machine is doing slows all of them alike.
// inputSize and threshold are the detector's and should be those of ours.
// progress, where not nil, is told after each frame.
func Race(ctx context.Context, dir string, frames []frame.Frame, inputSize int, threshold float64, ours []Contender, progress func(done, total int)) (r Result, err error) {
	if len(frames) <= warmUp {
		return Result{}, fmt.Errorf("interop: %d frames are too few: the first %d warm up", len(frames), warmUp)
	}
	p, err := Start(ctx, dir)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	var whole, upload, detection, landmarks, expression []float64
	took := make([][]float64, len(ours))
	r = Result{About: p.About(), Width: frames[0].Width, Height: frames[0].Height, Frames: len(frames) - warmUp}
	for n, f := range frames {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		if f.Width != r.Width || f.Height != r.Height {
			return Result{}, fmt.Errorf("interop: frame %d is %dx%d, the first is %dx%d", n, f.Width, f.Height, r.Width, r.Height)
		}
		all, err := p.Analyze(f, inputSize, threshold)
		if err != nil {
			return Result{}, err
		}
		steps, err := p.Stages(f, inputSize, threshold)
		if err != nil {
			return Result{}, err
		}
		for i, c := range ours {
			begin := time.Now()
			if err := c.Analyze(f); err != nil {
				return Result{}, fmt.Errorf("interop: %s: %w", c.Name, err)
			}
			if n >= warmUp {
				took[i] = append(took[i], float64(time.Since(begin))/float64(time.Millisecond))
			}
		}
		if n >= warmUp {
			whole, upload = append(whole, all.Total), append(upload, all.Upload)
			detection = append(detection, steps.Detect)
			if steps.Found {
				r.Found++
				landmarks, expression = append(landmarks, steps.Landmarks), append(expression, steps.Expression)
			}
		}
		if progress != nil {
			progress(n+1, len(frames))
		}
	}
	r.Package, r.Upload, r.Detection = spread(whole), spread(upload), spread(detection)
	r.Landmarks, r.Expression = spread(landmarks), spread(expression)
	for i, c := range ours {
		s := spread(took[i])
		r.Ours = append(r.Ours, Ours{c.Name, s, r.Package.Median / s.Median})
	}
	return r, nil
}

// spread returns the median and the 95th percentile; zeros of nothing.
func spread(ms []float64) Spread {
	if len(ms) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(ms))
	return Spread{sorted[len(sorted)/2], sorted[len(sorted)*95/100]}
}
