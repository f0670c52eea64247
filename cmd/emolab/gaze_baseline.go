package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// baselineName is the file of published algorithms' figures on the same
// recordings: beside them, or beside their folder.
const baselineName = "eye_baseline.json"

// addBaseline adds the figures of REMoDNaV where the file of figures lies there
// and is of the very recordings that were scored.
func (s *gazeScore) addBaseline(files []string) {
	dir := filepath.Dir(files[0])
	for _, d := range []string{dir, filepath.Dir(dir)} {
		name := filepath.Join(d, baselineName)
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = s.baseline(data)
		}
		if err != nil {
			s.Notes = append(s.Notes, fmt.Sprintf("%s not used: %v", name, err))
		}
		return
	}
}

// baselineKappas are the keys of the file and our names.
var baselineKappas = map[string]string{
	"fix_kappa": "fixation", "sac_kappa": "saccade", "pso_kappa": "pso", "pur_kappa": "pursuit", "fixpur_kappa": "fixation+pursuit",
}

// baselineRaters is the order of the pairs in the file.
var baselineRaters = [...]string{"RA", "MN"}

func (s *gazeScore) baseline(data []byte) error {
	var form map[string]json.RawMessage
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	var rows []gazeScoreRow // of the file, those that have a row of ours to stand behind
	for what, raw := range form {
		var stimulus struct {
			Recordings int                                   `json:"n_recordings"`
			Samples    int                                   `json:"n_samples"`
			Methods    map[string]map[string]json.RawMessage `json:"methods"`
		}
		if json.Unmarshal(raw, &stimulus) != nil || stimulus.Methods["REMoDNaV"] == nil {
			continue // a note
		}
		for k, rater := range baselineRaters {
			last := s.lastRow(what, rater)
			if last < 0 {
				continue
			}
			if r := s.Rows[last]; r.Recordings != stimulus.Recordings || r.Samples != stimulus.Samples {
				return fmt.Errorf("its figures for %q are of %d recordings with %d samples, these are %d with %d", what, stimulus.Recordings, stimulus.Samples, r.Recordings, r.Samples)
			}
			row := gazeScoreRow{Stimulus: what, Who: "REMoDNaV", Against: rater, Recordings: stimulus.Recordings, Samples: stimulus.Samples}
			row.figures(stimulus.Methods["REMoDNaV"], k)
			rows = append(rows, row)
		}
	}
	for _, row := range rows {
		s.Rows = slices.Insert(s.Rows, s.lastRow(row.Stimulus, row.Against)+1, row)
	}
	return nil
}

// lastRow is the index of the last row of a stimulus and rater; -1 without any.
func (s *gazeScore) lastRow(what, rater string) int {
	for i, r := range slices.Backward(s.Rows) {
		if r.Stimulus == what && r.Against == rater {
			return i
		}
	}
	return -1
}

// figures fills in those of the file against one rater.
func (r *gazeScoreRow) figures(from map[string]json.RawMessage, rater int) {
	r.Kappa, r.F1 = map[string]num{}, map[string]num{}
	for key, name := range baselineKappas {
		var pair []float64
		if json.Unmarshal(from[key], &pair) == nil && len(pair) == len(baselineRaters) {
			r.Kappa[name] = num(pair[rater])
		}
	}
	for key, name := range map[string]string{"fix_eventF1_vsRA": "fixation", "sac_eventF1_vsRA": "saccade"} {
		var v float64
		if rater == 0 && json.Unmarshal(from[key], &v) == nil {
			r.F1[name] = num(v)
		}
	}
}
