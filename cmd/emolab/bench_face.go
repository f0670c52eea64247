package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/capture/portrait"
	"emolab/capture/webcam"
	"emolab/fusion/instant"
)

const (
	// trackedBudgetMs is how long a tracked 720p frame may take, median.
	trackedBudgetMs = 10
	// benchPictures is how many different pictures a size is measured on. They
	// are shown forth and back, so that no face jumps.
	benchPictures = 16
	// benchKept is how many times are kept for the median, so that a long run
	// does not show the memory of its own notes.
	benchKept = 10_000
	// benchWarmUp is how many frames are read before the clock counts.
	benchWarmUp = 5
)

// reel is what the face bench reads: pictures of one size, to be shown forth
// and back.
type reel struct {
	name   string
	frames []frame.Frame
}

// at returns the n-th frame.
func (r reel) at(n int) frame.Frame {
	last := len(r.frames) - 1
	if last == 0 {
		return r.frames[0]
	}
	if n %= 2 * last; n > last {
		n = 2*last - n
	}
	return r.frames[n]
}

// face times the analysis of frames: as a whole while a face is followed, and
// each part by itself. All of it runs on one thread.
func (c *benchCmd) face(ctx context.Context, progress *bar) ([]figure, error) {
	if c.Frames < 2*benchWarmUp {
		return nil, usagef("--frames %d: want %d or more", c.Frames, 2*benchWarmUp)
	}
	options, err := faceOptions(c.Detector)
	if err != nil {
		return nil, err
	}
	if c.Video != "" {
		frames, err := readVideo(ctx, c.Video, c.Frames)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%s %dx%d", filepath.Base(c.Video), frames[0].Width, frames[0].Height)
		return c.readReel(ctx, reel{name, frames}, options, progress)
	}
	var out []figure
	for _, size := range [][2]int{{640, 480}, {1280, 720}, {1920, 1080}} {
		figures, err := c.readReel(ctx, draw(size[0], size[1]), options, progress)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

// readReel measures one reel. The error names it.
func (c *benchCmd) readReel(ctx context.Context, r reel, options face.Options, progress *bar) (out []figure, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", r.name, err)
		}
	}()
	budget := ""
	if r.frames[0].Height == 720 {
		budget = fmt.Sprintf("<= %d ms", trackedBudgetMs)
	}
	add := func(what string, took []float64, budget string) {
		slices.Sort(took)
		out = append(out,
			figure{"face " + r.name + ", " + what + ", median", took[len(took)/2], "ms", budget},
			figure{"face " + r.name + ", " + what + ", p95", took[len(took)*95/100], "ms", ""})
	}

	for _, way := range []struct {
		what   string
		single bool
	}{{"tracked frame", true}, {"tracked frame, expression mirrored too", false}} {
		o := options
		o.NoMirror = way.single
		took, memory, err := c.follow(ctx, r, o, progress)
		if err != nil {
			return nil, err
		}
		add(way.what, took, budget)
		budget = ""
		if !way.single {
			out = append(out, memory...)
		}
	}

	analyzer, err := face.NewAnalyzer(options)
	if err != nil {
		return nil, err
	}
	defer analyzer.Close()
	parts := make(map[string][]float64)
	var names []string
	for n := range min(c.Frames, 20*benchPictures) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s, err := analyzer.Measure(r.at(n), instant.Monotonic{})
		if errors.Is(err, face.ErrNoFace) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n < benchWarmUp {
			continue
		}
		names = names[:0]
		for _, p := range []struct {
			name string
			took time.Duration
		}{
			{"search of the whole picture", s.Detection}, {"landmarks", s.Landmarks}, {"check of the face", s.Check},
			{"expression", s.Expression}, {"its mirror image", s.Mirror}, {"light and sharpness", s.View},
		} {
			names = append(names, p.name)
			parts[p.name] = append(parts[p.name], milliseconds(p.took))
		}
		progress.set(n, c.Frames, "face: "+r.name+", part by part")
	}
	if len(names) == 0 {
		return nil, errors.New("no face was found: nothing can be measured")
	}
	for _, name := range names {
		add(name, parts[name], "")
	}
	if c.Peer == "" {
		return out, nil
	}
	race, err := c.race(ctx, r, options, progress)
	return append(out, race...), err
}

// follow reads the reel with one analyzer and returns the times of the frames in
// which a face was followed, and how much memory the program had in the
// beginning and at the end.
func (c *benchCmd) follow(ctx context.Context, r reel, options face.Options, progress *bar) (took []float64, memory []figure, err error) {
	analyzer, err := face.NewAnalyzer(options)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, analyzer.Close()) }()
	for n := range c.Frames {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		f := r.at(n)
		begin := time.Now()
		result, err := analyzer.Analyze(f)
		if err != nil {
			return nil, nil, err
		}
		if spent := time.Since(begin); n >= benchWarmUp && result.Tracked && len(took) < benchKept {
			took = append(took, milliseconds(spent))
		}
		if n == c.Frames/10 || n == c.Frames-1 {
			mb, err := residentMB()
			if err != nil {
				return nil, nil, err
			}
			memory = append(memory, figure{fmt.Sprintf("face %s, memory after %d frames", r.name, n+1), mb, "MB", ""})
		}
		progress.set(n, c.Frames, "face: following, "+r.name)
	}
	if len(took) == 0 {
		return nil, nil, errors.New("no face was followed: nothing can be measured")
	}
	return took, memory, nil
}

// draw returns the drawn face as it turns, moves and begins to smile.
func draw(width, height int) reel {
	painter := portrait.NewPainter(width, height, 1)
	r := reel{name: fmt.Sprintf("%dp", height)}
	for n := range benchPictures {
		way := float64(n) / benchPictures
		r.frames = append(r.frames, frame.Frame{
			Seq: int64(n), Width: width, Height: height,
			Pix: painter.Paint(portrait.Look{Expression: "happy", Intensity: way, Yaw: 8 * (way - .5), ShiftX: 60 * (way - .5)}),
		})
	}
	return r
}

// videoBytes bounds how much of a video is held in memory.
const videoBytes = 256 << 20

// readVideo returns the first frames of a video, at most so many.
func readVideo(ctx context.Context, name string, most int) ([]frame.Frame, error) {
	camera, err := webcam.Open(webcam.Options{Source: name, Pace: webcam.Unpaced}, instant.Monotonic{})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	go func() {
		done <- camera.Run(ctx, out)
		close(out)
	}()
	var frames []frame.Frame
	held := 0
	for f := range out {
		if len(frames) < most && held+len(f.Pix) <= videoBytes {
			frames = append(frames, f)
			held += len(f.Pix)
			continue
		}
		stop()
	}
	if err := <-done; err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("%s: there are no frames in it", name)
	}
	return frames, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// residentMB is how much memory the program holds, C's and Go's, without what
// Go's garbage collector has only not yet given back.
func residentMB() (float64, error) {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/self/statm: %q is not understood", text)
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/self/statm: %w", err)
	}
	return pages * float64(os.Getpagesize()) / (1 << 20), nil
}
