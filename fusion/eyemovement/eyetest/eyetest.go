// Package eyetest reads the reference recordings of eye movements for tests:
// gaze, what the reference programs found in it, and what humans called it. The
// recordings lie beside the project and keep their own licences; without them
// the tests that need them are skipped.
package eyetest

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/fusion/instant"
)

// Recording is one reference recording.
type Recording struct {
	Name, Stimulus string // "img", "video", "dots", or a description
	Rate           float64
	Gaze           eyemovement.Gaze
	Screen         eyemovement.Screen
	// Square is the screen with its height set so that pixels are square: the
	// reference programs convert pixels to degrees by one number for both axes.
	Square        eyemovement.Screen
	Width, Height float64 // pixels
	RA, MN        []eyemovement.Class
	Reference     Reference
}

// Reference is what the reference programs found. Ends are exclusive.
type Reference struct {
	IVT struct {
		Fixations []struct {
			Start int     `json:"start_i"`
			End   int     `json:"end_i"`
			X     float64 `json:"cx"`
			Y     float64 `json:"cy"`
		}
		Saccades int `json:"n_saccade_samples"`
		Unknown  int `json:"n_unknown"`
	}
	IDT struct {
		Fixations []struct {
			Start int `json:"start_i"`
			End   int `json:"end_i"`
		}
	}
	EngbertKliegl struct {
		Noise    [2]float64 `json:"sigma_deg_s"`
		Saccades [][2]int
	} `json:"engbert_kliegl"`
}

// Folder returns where the reference recordings are; it skips the test when
// they are not there.
func Folder(t testing.TB) string {
	t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	for up := ".."; root == "" && len(up) <= len("../../../.."); up = filepath.Join("..", up) {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			root = filepath.Join(up, "..", "shared")
		}
	}
	dir := filepath.Join(root, "data", "signals")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the reference recordings are not there (set EMOLAB_SHARED): %v", err)
	}
	return dir
}

// Read reads the recordings whose file names match the pattern, such as
// "andersson_*": in the order of their names.
func Read(t testing.TB, pattern string) []Recording {
	t.Helper()
	return ReadFrom(t, filepath.Join(Folder(t), "eye"), pattern)
}

// ReadFrom reads recordings of the same form from another folder.
func ReadFrom(t testing.TB, dir, pattern string) []Recording {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern+".csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no reference recording %s: %v", pattern, err)
	}
	out := make([]Recording, len(files))
	for i, f := range files {
		if out[i], err = read(f); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func read(file string) (Recording, error) {
	var meta struct {
		Name, Stimulus string
		Rate           float64 `json:"fs_hz"`
		Geometry       struct {
			W float64 `json:"screen_w_mm"`
			H float64 `json:"screen_h_mm"`
			X float64 `json:"res_x"`
			Y float64 `json:"res_y"`
			D float64 `json:"view_dist_mm"`
		}
		Reference Reference
	}
	text, err := os.ReadFile(file[:len(file)-len(".csv")] + ".json")
	if err != nil {
		return Recording{}, err
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return Recording{}, fmt.Errorf("%s: %w", file, err)
	}
	g := meta.Geometry
	r := Recording{
		Name: meta.Name, Stimulus: meta.Stimulus, Rate: meta.Rate, Width: g.X, Height: g.Y,
		Screen:    eyemovement.Screen{WidthMM: g.W, HeightMM: g.H, DistanceMM: g.D},
		Square:    eyemovement.Screen{WidthMM: g.W, HeightMM: g.W * g.Y / g.X, DistanceMM: g.D},
		Reference: meta.Reference,
	}
	f, err := os.Open(file)
	if err != nil {
		return Recording{}, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return Recording{}, fmt.Errorf("%s: %w", file, err)
	}
	for i, row := range rows[1:] {
		if err := r.add(row); err != nil {
			return Recording{}, fmt.Errorf("%s: line %d: %w", file, i+2, err)
		}
	}
	return r, nil
}

// add takes a line: time in ms, x and y in pixels, and one or two raters' labels.
func (r *Recording) add(row []string) error {
	var v [5]float64
	for i := range min(len(row), len(v)) {
		if row[i] == "" {
			v[i] = math.NaN()
			continue
		}
		var err error
		if v[i], err = strconv.ParseFloat(row[i], 64); err != nil {
			return err
		}
	}
	r.Gaze.At = append(r.Gaze.At, instant.Instant(math.Round(v[0]*1e6)))
	r.Gaze.X = append(r.Gaze.X, v[1]/r.Width)
	r.Gaze.Y = append(r.Gaze.Y, v[2]/r.Height)
	for i, labels := range []*[]eyemovement.Class{&r.RA, &r.MN} {
		if 3+i < len(row) {
			c, err := agreement.Human(int(v[3+i]))
			if err != nil {
				return err
			}
			*labels = append(*labels, c)
		}
	}
	return nil
}
