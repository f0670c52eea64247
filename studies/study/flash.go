package study

import (
	"embed"
	"fmt"
	"path/filepath"
	"time"
)

// flash is the study that a display's latency is measured with: one clip of a
// patch that turns bright and dark, made by flash/make.sh.
//
//go:embed flash/study.yaml flash/flash.mp4
var flash embed.FS

const (
	// FlashRate and FlashFrames are the clip's frames a second, and how many it has.
	FlashRate   = 30
	FlashFrames = 360

	// FlashCells is how many cells along the upper edge spell the number of the
	// frame. They have the upper tenth of the picture; the patch has the rest.
	FlashCells = 10

	flashFirst = 15 // frame of the first change: half a second in which the screen settles
)

// flashLasts is for how many frames the patch stays as it is after each change:
// every length from 200 to 500 ms about three times, with an even number of
// changes, so that it begins and ends dark. Among the orders that were drawn
// this one has no two changes of one direction within 600 ms of each other (any
// two neighbours make up 18 frames or more), so that no latency up to that can be
// taken for another.
var flashLasts = [...]int{
	15, 14, 7, 12, 6, 13, 11, 9, 10, 8, 12, 7, 13, 6, 14, 8,
	11, 9, 15, 10, 15, 6, 13, 10, 11, 8, 12, 7, 14, 9, 15, 15,
}

// FlashChange is a frame of the flash clip from which on the patch is bright, or
// dark.
type FlashChange struct {
	Frame  int
	Bright bool
}

// FlashTable lists the changes of the flash clip, in order. Before the first the
// patch is dark.
func FlashTable() []FlashChange {
	table := make([]FlashChange, len(flashLasts))
	frame := flashFirst
	for i, lasts := range flashLasts {
		table[i] = FlashChange{Frame: frame, Bright: i%2 == 0}
		frame += lasts
	}
	return table
}

// FlashBright tells whether the patch is bright in a frame.
func FlashBright(frame int64) bool {
	bright := false
	for _, c := range FlashTable() {
		if int64(c.Frame) > frame {
			break
		}
		bright = c.Bright
	}
	return bright
}

// FlashCell returns the middle of a cell as fractions of the picture, from its
// left and upper edge.
func FlashCell(i int) (x, y float64) { return (float64(i) + .5) / FlashCells, .05 }

// FlashPatch returns the middle of the patch as fractions of the picture.
func FlashPatch() (x, y float64) { return .5, .55 }

// FlashBits tells which cells are bright in a frame: the first makes the number
// of bright ones even, the others are the frame's number in binary, the highest
// bit first.
func FlashBits(frame int) [FlashCells]bool {
	var bits [FlashCells]bool
	for i := 1; i < FlashCells; i++ {
		bits[i] = frame>>(FlashCells-1-i)&1 == 1
		bits[0] = bits[0] != bits[i]
	}
	return bits
}

// FlashFrame is the inverse of FlashBits. It is false where the cells are those of
// no frame: the clip is not on the screen, or was caught while it changed.
func FlashFrame(bits [FlashCells]bool) (int, bool) {
	frame, even := 0, true
	for i, bright := range bits {
		if bright {
			even = !even
		}
		if i > 0 {
			frame <<= 1
			if bright {
				frame |= 1
			}
		}
	}
	return frame, even && frame < FlashFrames
}

// WriteFlash unpacks the flash study into dir and returns the path of its study
// file. What was unpacked by another version of the program is replaced: nobody
// edits it.
func WriteFlash(dir string) (string, error) {
	for _, name := range [...]string{"flash.mp4", "study.yaml"} {
		text, err := flash.ReadFile("flash/" + name)
		if err != nil {
			return "", fmt.Errorf("study: unpack the flash study: %w", err)
		}
		if err := writeWhole(filepath.Join(dir, name), text); err != nil {
			return "", fmt.Errorf("study: unpack the flash study: %w", err)
		}
	}
	return filepath.Join(dir, "study.yaml"), nil
}

// FlashPlan shows the clip of the flash study some times, with pauses in which
// the screen is dark.
func FlashPlan(s *Study, times int) Plan {
	const pause = time.Second
	var p Plan
	add := func(step Step) {
		step.Index = len(p.Steps)
		p.Steps = append(p.Steps, step)
	}
	for n := range times {
		clip := s.Stimuli[0]
		add(Step{Action: Rest, Duration: pause, Stimulus: clip.ID})
		add(Step{Action: Play, Duration: clip.Duration, Stimulus: clip.ID, Presentation: n + 1})
	}
	add(Step{Action: Rest, Duration: pause, Stimulus: s.Stimuli[0].ID})
	return p
}
