package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func errNoOnset(t *Table) error {
	return fmt.Errorf("%s: no column is called onset (%s): give the events a header with onset in seconds", t.File, t.list())
}

// Resolution is the screen's size in pixels where the table has columns of it, as
// Tobii Pro's exports have, and which they are; zeros where it has none, or where
// it changes.
func (t *Table) Resolution() (width, height float64, from string) {
	side := func(which ...string) (float64, *Column) {
		for i := range t.Columns {
			c := &t.Columns[i]
			if name := words(c.Name); !c.numeric() || !has(name, "resolution") || !has(name, which...) {
				continue
			}
			if sorted := present(c.Values); sorted[0] == sorted[len(sorted)-1] && sorted[0] > 0 {
				return sorted[0], c
			}
		}
		return 0, nil
	}
	w, cw := side("width", "x")
	h, ch := side("height", "y")
	if cw == nil || ch == nil {
		return 0, 0, ""
	}
	return w, h, cw.Label() + " and " + ch.Label()
}

// Sidecar is what a JSON file beside a table says of the screen and of the
// stimulus. Numbers that it does not say are 0.
type Sidecar struct {
	File            string
	WidthMM         float64
	HeightMM        float64
	DistanceMM      float64
	WidthPx         float64
	HeightPx        float64
	Stimulus, Title string
}

// maxSidecar in bytes: reference outputs may stand in the same file.
const maxSidecar = 64 << 20

// ReadSidecar reads the JSON file that has the table's name but for the ending;
// nil where there is none. It looks for
//
//	"geometry": {"screen_w_mm", "screen_h_mm", "view_dist_mm", "res_x", "res_y"},
//	"display": [width, height] in pixels, "stimulus", "name"
//
// and ignores the rest.
func ReadSidecar(table string) (*Sidecar, error) {
	stem := strings.TrimSuffix(table, ".gz")
	name := strings.TrimSuffix(stem, filepath.Ext(stem)) + ".json"
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSidecar {
		return nil, fmt.Errorf("%s is larger than %d MiB: it should say the screen's size only", name, maxSidecar>>20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseSidecar(name, data)
}

func parseSidecar(name string, data []byte) (*Sidecar, error) {
	var form struct {
		Geometry struct {
			W float64 `json:"screen_w_mm"`
			H float64 `json:"screen_h_mm"`
			D float64 `json:"view_dist_mm"`
			X float64 `json:"res_x"`
			Y float64 `json:"res_y"`
		} `json:"geometry"`
		Display  []float64 `json:"display"`
		Stimulus string    `json:"stimulus"`
		Name     string    `json:"name"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return nil, fmt.Errorf("%s: %w; mend it, or move it away from the table", name, err)
	}
	g := form.Geometry
	for _, v := range []float64{g.W, g.H, g.D, g.X, g.Y} {
		if v < 0 {
			return nil, fmt.Errorf("%s: the screen has a size or distance of %g", name, v)
		}
	}
	s := &Sidecar{File: filepath.Base(name), WidthMM: g.W, HeightMM: g.H, DistanceMM: g.D, WidthPx: g.X, HeightPx: g.Y, Stimulus: form.Stimulus, Title: form.Name}
	if s.WidthPx == 0 && len(form.Display) == 2 && form.Display[0] > 0 && form.Display[1] > 0 {
		s.WidthPx, s.HeightPx = form.Display[0], form.Display[1]
	}
	return s, nil
}
