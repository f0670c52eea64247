package main

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"emolab/fusion/eyemovement"
	"emolab/studies/session"
	"emolab/studies/table"
)

// geometry is the screen that a recording was made at.
type geometry struct {
	px      [2]float64 // 0 = not known
	screen  eyemovement.Screen
	assumed bool // the screen's size or distance
	still   bool // the stimulus did not move, as the file beside the table says
	what    string
	notes   []string
}

// geometry takes the flags before the file beside the table, that before columns
// of the table, and assumes what none says.
func (c *gazeAnalyzeCmd) geometry(side *table.Sidecar, t *table.Table) geometry {
	g := geometry{px: c.screenPX}
	s := eyemovement.Screen{WidthMM: c.screenMM[0], HeightMM: c.screenMM[1], DistanceMM: c.DistanceMM}
	from := ""
	if side != nil {
		if g.px[0] == 0 {
			g.px = [2]float64{side.WidthPx, side.HeightPx}
		}
		if s.WidthMM == 0 && side.WidthMM > 0 && side.HeightMM > 0 {
			s.WidthMM, s.HeightMM = side.WidthMM, side.HeightMM
			from = ", of " + side.File
		}
		if s.DistanceMM == 0 {
			s.DistanceMM = side.DistanceMM
		}
		g.what = side.Stimulus
		g.still = slices.Contains(stillStimuli, strings.ToLower(side.Stimulus))
	}
	if g.px[0] == 0 {
		w, h, of := t.Resolution()
		if g.px = [2]float64{w, h}; w > 0 {
			g.notes = append(g.notes, "geometry: resolution of "+of)
		}
	}
	usual := session.AssumedScreen()
	if s.WidthMM == 0 || s.HeightMM == 0 {
		s.WidthMM, s.HeightMM, g.assumed = usual.WidthMM, usual.HeightMM, true
		if g.px[0] > 0 { // the same diagonal, with square pixels
			mm := math.Hypot(usual.WidthMM, usual.HeightMM) / math.Hypot(g.px[0], g.px[1])
			s.WidthMM, s.HeightMM = math.Round(g.px[0]*mm), math.Round(g.px[1]*mm)
		}
	}
	if s.DistanceMM == 0 {
		s.DistanceMM, g.assumed = usual.DistanceMM, true
	}
	g.screen = s
	if g.px[0] > 0 {
		g.notes = append(g.notes, fmt.Sprintf("geometry: %gx%g px on %gx%g mm at %g mm%s", g.px[0], g.px[1], s.WidthMM, s.HeightMM, s.DistanceMM, from))
	} else {
		g.notes = append(g.notes, fmt.Sprintf("geometry: %gx%g mm at %g mm%s", s.WidthMM, s.HeightMM, s.DistanceMM, from))
	}
	if g.assumed {
		g.notes = append(g.notes, "geometry: ASSUMED in part: degrees, velocities and so the events depend on it; give --screen-mm and --distance-mm")
	}
	if g.still {
		g.notes = append(g.notes, fmt.Sprintf("stimulus: %q does not move, so no pursuit is told", side.Stimulus))
	}
	return g
}

// stillStimuli are the words for stimuli that do not move.
var stillStimuli = []string{"image", "images", "img", "picture", "photo", "text", "still"}

// What a screen measures and how far people sit from it, in mm: from a telephone in
// the hand to a cinema. What lies outside was given in another unit.
const (
	nearestMM, farthestMM = 100, 30000
	leastScreenMM         = 80 // across
	largestScreenMM       = 30000
)

// check refuses a screen that cannot be, and a unit that cannot be brought onto it.
func (g geometry) check(file, unit string) error {
	s := g.screen
	if across := math.Hypot(s.WidthMM, s.HeightMM); across < leastScreenMM || across > largestScreenMM {
		return fmt.Errorf("%s: a screen of %g x %g mm is %.0f mm across: give its visible size in millimetres with --screen-mm", file, s.WidthMM, s.HeightMM, across)
	}
	if s.DistanceMM < nearestMM || s.DistanceMM > farthestMM {
		return fmt.Errorf("%s: nobody sits %g mm from a screen: give the distance in millimetres with --distance-mm", file, s.DistanceMM)
	}
	if unit == table.Pixels && (g.px[0] == 0 || g.px[1] == 0) {
		return fmt.Errorf("%s: the gaze is in pixels, and the screen's resolution is not known: give it with --screen-px WxH", file)
	}
	return nil
}

// fractions brings a place to fractions of the screen.
func (g geometry) fractions(unit string, x, y float64) (float64, float64) {
	switch unit {
	case table.Pixels:
		return x / g.px[0], y / g.px[1]
	case table.Millimetres:
		return x / g.screen.WidthMM, y / g.screen.HeightMM
	case table.Degrees:
		if !(math.Abs(x) < 89 && math.Abs(y) < 89) {
			return math.NaN(), math.NaN() // beside the head
		}
		return g.screen.At(x, y)
	}
	return x, y
}

// frame is where a stimulus of that size was on the screen, as large as it fits; of
// no size it filled the screen.
func (g geometry) frame(size [2]float64) eyemovement.Frame {
	w, h := g.screen.WidthMM, g.screen.HeightMM
	if g.px[0] > 0 && g.px[1] > 0 {
		w, h = g.px[0], g.px[1]
	}
	return eyemovement.FitFrame(size[0], size[1], w, h)
}

// flat is the screen for the published programs that turn pixels into degrees by
// one factor, that of the width, for both axes.
func (g geometry) flat() eyemovement.Screen {
	s := g.screen
	if g.px[0] > 0 {
		s.HeightMM = s.WidthMM * g.px[1] / g.px[0]
	}
	return s
}

// tableEndings are how tables are named.
var tableEndings = []string{".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"}

// tablesIn replaces folders by the tables in them.
func tablesIn(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, usagef("%v", err)
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		found := len(files)
		entries, err := fs.ReadDir(os.DirFS(p), ".")
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name := strings.ToLower(e.Name()); !e.IsDir() && slices.ContainsFunc(tableEndings, func(ending string) bool { return strings.HasSuffix(name, ending) }) {
				files = append(files, filepath.Join(p, e.Name()))
			}
		}
		if len(files) == found {
			return nil, usagef("%s: holds no table (%s)", p, strings.Join(tableEndings, ", "))
		}
	}
	return files, nil
}
