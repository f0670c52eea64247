//go:build !nocv

package interop_test

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"emolab/capture/face"
	"emolab/capture/face/interop"
	"emolab/capture/frame"
	"emolab/capture/portrait"
)

func TestStartSaysWhatIsMissing(t *testing.T) {
	_, err := interop.Start(t.Context(), t.TempDir())
	if !errors.Is(err, interop.ErrMissing) {
		t.Fatalf("%v, want ErrMissing", err)
	}
	if text := err.Error(); !strings.Contains(text, "npm ci") && !strings.Contains(text, "install Node") {
		t.Errorf("%v: does not say what to do", err)
	}
}

func TestRaceNeedsFramesOfOneSize(t *testing.T) {
	if _, err := interop.Race(t.Context(), t.TempDir(), make([]frame.Frame, 3), 224, .5, nil, nil); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("three frames: %v", err)
	}
}

// TestRace runs both on a few frames of the drawn face. It holds no time: an
// idle machine is needed for that (emolab bench face --peer).
func TestRace(t *testing.T) {
	if os.Getenv(wanted) == "" {
		t.Skipf("runs in `make interop` (%s=1)", wanted)
	}
	a, err := face.NewAnalyzer(face.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	const width, height, count = 640, 480, 25
	paint := portrait.NewPainter(width, height, 1)
	var frames []frame.Frame
	for n := range count {
		frames = append(frames, frame.Frame{Seq: int64(n), Width: width, Height: height,
			Pix: paint.Paint(portrait.Look{Expression: "happy", Intensity: float64(n) / count, Scale: 1.1})})
	}
	analyze := func(f frame.Frame) error {
		r, err := a.Analyze(f)
		if err == nil && !r.Found {
			err = errors.New("no face")
		}
		return err
	}
	told := 0
	r, err := interop.Race(context.Background(), ".", frames, face.DefaultDetectorSize, face.DefaultThreshold,
		[]interop.Contender{{Name: "ours", Analyze: analyze}}, func(done, total int) { told = done })
	if errors.Is(err, interop.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if told != count || r.Frames >= count || r.Found != r.Frames || r.Width != width || r.Height != height || len(r.Ours) != 1 {
		t.Errorf("told of %d frames; %+v", told, r)
	}
	if math.Abs(r.Ours[0].Times*r.Ours[0].Median-r.Package.Median) > 1e-9 || r.Package.Median <= 0 || r.Package.P95 < r.Package.Median {
		t.Errorf("the figures do not fit each other: %+v", r)
	}
	t.Logf("%dx%d: package %.1f ms (detection %.1f, landmarks %.1f, expression %.1f; upload %.1f beside it), ours %.1f ms: %.1f times as fast",
		r.Width, r.Height, r.Package.Median, r.Detection.Median, r.Landmarks.Median, r.Expression.Median, r.Upload.Median, r.Ours[0].Median, r.Ours[0].Times)

	_, err = interop.Race(context.Background(), ".", frames, face.DefaultDetectorSize, face.DefaultThreshold,
		[]interop.Contender{{Name: "broken", Analyze: func(frame.Frame) error { return os.ErrInvalid }}}, nil)
	if !errors.Is(err, os.ErrInvalid) || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a contender that fails: %v, want its name", err)
	}
}
