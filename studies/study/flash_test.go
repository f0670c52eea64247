package study_test

import (
	"os/exec"
	"testing"
	"time"

	"emolab/studies/study"
)

func loadFlash(t *testing.T) *study.Study {
	t.Helper()
	file, err := study.WriteFlash(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFlashClip(t *testing.T) {
	clip := loadFlash(t).Stimuli[0]
	if len(clip.FrameTimes) != study.FlashFrames || clip.Width != clip.Height {
		t.Fatalf("%d frames of %d x %d px", len(clip.FrameTimes), clip.Width, clip.Height)
	}
	for i, at := range clip.FrameTimes {
		want := (time.Duration(i)*time.Second + study.FlashRate/2) / study.FlashRate
		if at != want || clip.Frame(at) != i {
			t.Fatalf("frame %d is at %v, want %v, and found as frame %d", i, at, want, clip.Frame(at))
		}
	}
}

// A second version of the program replaces what the first one unpacked.
func TestFlashIsUnpackedAnew(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		file, err := study.WriteFlash(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := study.Load(file); err != nil {
			t.Fatal(err)
		}
	}
}

// Shifted by any latency up to 600 ms, no change falls upon another of its
// direction.
func TestFlashTableHasNoAlias(t *testing.T) {
	const alias = 600 * study.FlashRate / 1000
	table := study.FlashTable()
	for i, c := range table {
		if c.Bright != (i%2 == 0) {
			t.Errorf("change %d does not turn the patch", i)
		}
		if last := study.FlashFrames - 1; c.Frame > last-6 {
			t.Errorf("change %d is at frame %d, too near the end at %d", i, c.Frame, last)
		}
		for _, other := range table[:i] {
			if other.Bright == c.Bright && c.Frame-other.Frame < alias {
				t.Errorf("changes at frames %d and %d are %d apart, want %d", other.Frame, c.Frame, c.Frame-other.Frame, alias)
			}
		}
		if i > 0 {
			if lasts := c.Frame - table[i-1].Frame; lasts < 6 || lasts > 15 {
				t.Errorf("change %d comes %d frames after the one before, want 200 to 500 ms", i, lasts)
			}
		}
	}
}

func TestFlashBits(t *testing.T) {
	for frame := range study.FlashFrames {
		bits := study.FlashBits(frame)
		if got, ok := study.FlashFrame(bits); !ok || got != frame {
			t.Fatalf("frame %d reads as %d, %t", frame, got, ok)
		}
		bits[frame%study.FlashCells] = !bits[frame%study.FlashCells]
		if got, ok := study.FlashFrame(bits); ok {
			t.Fatalf("frame %d with a wrong cell reads as %d", frame, got)
		}
	}
}

// The clip shows what the table and the bits say: every frame, decoded.
func TestFlashPicture(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: apt install ffmpeg")
	}
	s := loadFlash(t)
	clip := s.Stimuli[0]
	raw, err := exec.Command(ffmpeg, "-hide_banner", "-loglevel", "error", "-i", s.Dir+"/"+clip.File,
		"-f", "rawvideo", "-pix_fmt", "gray", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	size := clip.Width * clip.Height
	if len(raw) != size*study.FlashFrames {
		t.Fatalf("%d bytes decoded, want %d frames of %d", len(raw), study.FlashFrames, size)
	}
	table, bright := study.FlashTable(), false
	for frame := range study.FlashFrames {
		for len(table) > 0 && table[0].Frame == frame {
			bright, table = table[0].Bright, table[1:]
		}
		if study.FlashBright(int64(frame)) != bright {
			t.Errorf("frame %d: FlashBright = %t", frame, !bright)
		}
		picture := raw[frame*size : (frame+1)*size]
		level := func(x, y float64) byte {
			return picture[int(y*float64(clip.Height))*clip.Width+int(x*float64(clip.Width))]
		}
		lit := func(x, y float64) bool {
			v := level(x, y)
			if v > 40 && v < 200 {
				t.Errorf("frame %d: level %d at %g, %g is neither bright nor dark", frame, v, x, y)
			}
			return v > 128
		}
		if lit(study.FlashPatch()) != bright {
			t.Errorf("frame %d: patch bright = %t, want %t", frame, !bright, bright)
		}
		var bits [study.FlashCells]bool
		for i := range bits {
			bits[i] = lit(study.FlashCell(i))
		}
		if got, ok := study.FlashFrame(bits); !ok || got != frame {
			t.Errorf("frame %d: the cells spell %d, %t", frame, got, ok)
		}
	}
}

func TestFlashPlan(t *testing.T) {
	s := loadFlash(t)
	p := study.FlashPlan(s, 3)
	var plays int
	for i, step := range p.Steps {
		if step.Index != i {
			t.Errorf("step %d has index %d", i, step.Index)
		}
		if step.Action == study.Play {
			plays++
			if step.Presentation != plays {
				t.Errorf("play %d is presentation %d", plays, step.Presentation)
			}
		}
	}
	if want := 3*s.Stimuli[0].Duration + 4*time.Second; plays != 3 || p.Duration() != want {
		t.Errorf("%d plays in %v, want 3 in %v", plays, p.Duration(), want)
	}
}
