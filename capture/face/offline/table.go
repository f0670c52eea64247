package offline

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"
)

// Column is one column of a table of frames.
type Column struct {
	Name, Unit, Note string
	// value of a row; NaN is an empty cell.
	value func(r *Result, row int) float64
}

// Names says whose column names a table has.
type Names string

// The sets of names. COLUMNS.md says how they map onto each other.
const (
	Emolab   Names = "emolab"   // those of the database
	OpenFace Names = "openface" // those of OpenFace 2's FeatureExtraction
	IMotions Names = "imotions" // those of iMotions' AFFDEX export
)

// Columns returns the columns of a result under the given names. landmarks adds
// the 136 coordinates to Emolab's own (OpenFace always has them, iMotions never).
func Columns(r *Result, n Names, landmarks bool) []Column {
	switch n {
	case OpenFace:
		return openFace(r)
	case IMotions:
		return iMotions(r)
	}
	return own(r, landmarks)
}

// own are the database's columns: those of the trace that a film alone fills,
// with the face stream's after them.
func own(r *Result, landmarks bool) []Column {
	columns := []Column{
		{"frame", "1", "Number of the frame in the file, from 0.", frameNumber},
		{"t_s", "s", "Time of the frame since the first, by the file.", seconds},
	}
	elsewhere := map[string]bool{}
	for i, c := range r.Trace.Channels {
		if elsewhere[c.Name] = true; filmless[c.Name] {
			continue
		}
		columns = append(columns, Column{c.Name, c.Unit, c.Note, traceValue(i)})
	}
	marks := len(r.Info.Channels) - 2*68
	for i, c := range r.Info.Channels {
		if elsewhere[c.Name] || i >= marks && !landmarks {
			continue
		}
		columns = append(columns, Column{c.Name, c.Unit, c.Note, faceValue(i)})
	}
	return columns
}

// filmless are the trace's channels that a film without a session has not got.
var filmless = map[string]bool{
	"presentation": true, "frame": true, "media_ns": true,
	"gaze_x": true, "gaze_y": true, "gaze_valid": true, "pupil_mm": true,
	"eda_us": true, "scl_us": true, "scr_us": true, "scr_onset": true,
}

func frameNumber(r *Result, row int) float64 { return float64(r.Samples[row].Seq) }
func seconds(r *Result, row int) float64     { return Seconds(r.Samples[row].At) }

func traceValue(channel int) func(*Result, int) float64 {
	return func(r *Result, row int) float64 { return r.Rows[row].Values[channel] }
}

func faceValue(channel int) func(*Result, int) float64 {
	return func(r *Result, row int) float64 { return r.Samples[row].Values[channel] }
}

// named returns a function that reads a channel by name, from the trace before
// the face stream; NaN where neither has it.
func (r *Result) named(name string) func(*Result, int) float64 {
	if i := r.Trace.Index(name); i >= 0 {
		return traceValue(i)
	}
	if i := r.Info.Index(name); i >= 0 {
		return faceValue(i)
	}
	return func(*Result, int) float64 { return math.NaN() }
}

// WriteCSV writes one line a frame: UTF-8, header, decimal point, an empty cell
// where nothing was measured.
func WriteCSV(w io.Writer, r *Result, columns []Column) error {
	out := csv.NewWriter(w)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for row := range r.Rows {
		for i, c := range columns {
			record[i] = cell(c.value(r, row))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell writes a number with as many digits as a camera's measure is worth.
func cell(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return ""
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 7, 64)
}

// header is what a JSON table says before its rows.
type header struct {
	File    string         `json:"file"`
	Model   string         `json:"model"`
	Width   int            `json:"width_px"`
	Height  int            `json:"height_px"`
	FPS     float64        `json:"fps"`
	Neutral any            `json:"neutral"`
	Columns []columnHeader `json:"columns"`
	Events  []event        `json:"events"`
}

type columnHeader struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	Note string `json:"note"`
}

type event struct {
	Kind   string  `json:"kind"`
	Label  string  `json:"label"`
	Onset  float64 `json:"onset_s"`
	Offset float64 `json:"offset_s"`
	Peak   float64 `json:"peak"`
	Mean   float64 `json:"mean"`
}

func events(r *Result) []event {
	list := []event{}
	for _, e := range r.Facial.Events {
		list = append(list, event{
			string(e.Kind), e.Label, Seconds(e.Onset), Seconds(e.Offset), e.Peak, e.Mean,
		})
	}
	return list
}

// WriteJSON writes an object with the file, its columns, its events, and its
// rows as arrays in the columns' order, null where nothing was measured. It is
// written row by row: a long film's table is never whole in memory as text.
func WriteJSON(w io.Writer, r *Result, columns []Column) error {
	h := header{File: r.Info.Port, Model: r.Info.Model, Width: r.Width, Height: r.Height, FPS: r.FPS, Events: events(r)}
	if r.Neutral != nil {
		h.Neutral = r.Neutral
	}
	for _, c := range columns {
		h.Columns = append(h.Columns, columnHeader{c.Name, c.Unit, c.Note})
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	out.Write(text[:len(text)-1]) // without the closing brace
	out.WriteString(`,"rows":[`)
	for row := range r.Rows {
		if row > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n[")
		for i, c := range columns {
			if i > 0 {
				out.WriteByte(',')
			}
			if s := cell(c.value(r, row)); s != "" {
				out.WriteString(s)
			} else {
				out.WriteString("null")
			}
		}
		out.WriteByte(']')
	}
	out.WriteString("\n]}\n")
	return out.Flush() // reports the first error of all the writes above
}

// WriteEvents writes the blinks and bouts as CSV.
func WriteEvents(w io.Writer, r *Result) error {
	out := csv.NewWriter(w)
	lines := [][]string{{"kind", "label", "onset_s", "offset_s", "duration_s", "peak", "mean"}}
	for _, e := range events(r) {
		lines = append(lines, []string{e.Kind, e.Label, cell(e.Onset), cell(e.Offset), cell(e.Offset - e.Onset), cell(e.Peak), cell(e.Mean)})
	}
	return out.WriteAll(lines)
}
