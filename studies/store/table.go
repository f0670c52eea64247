package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"emolab/fusion/stream"
)

// landmarks is the number of facial landmarks; each has an x and a y channel,
// lm00_x_px, lm00_y_px, lm01_x_px and so on. They are kept as one BLOB of
// little-endian float32 in that order: as columns they would be 136 of the 160.
const landmarks = 68

// table is where the samples of one kind of stream are kept.
type table struct {
	name     string
	channels []string // columns that are channels, in the order of the stream's channels
	// optional are those of them that a stream may leave out, because its device
	// never has them: the columns are then NULL.
	optional  []string
	landmarks bool // whether a BLOB of landmarks follows
	trace     bool // whether rows belong to a derivation instead of a stream
}

// sampleKinds are the kinds of stream whose samples are observations, in the order of
// their tables in this file.
func sampleKinds() []stream.Kind {
	return []stream.Kind{stream.EDA, stream.Gaze, stream.Face, stream.Stimulus, stream.Light, stream.Trigger}
}

// sampleTables are the names of their tables.
func sampleTables() []string {
	var names []string
	for _, k := range sampleKinds() {
		if t, err := tableOf(k); err == nil { // each has one
			names = append(names, t.name)
		}
	}
	return names
}

// tableOf returns the table for a kind of stream.
func tableOf(k stream.Kind) (table, error) {
	switch k {
	case stream.EDA:
		return table{name: "eda_sample", channels: []string{"raw", "eda_us", "eda_range", "eda_hold"},
			optional: []string{"eda_range", "eda_hold"}}, nil
	case stream.Gaze:
		return table{name: "gaze_sample", channels: []string{
			"gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm",
			"raw_x", "raw_y", "pupil_left_raw", "pupil_right_raw"},
			optional: []string{"raw_x", "raw_y", "pupil_left_raw", "pupil_right_raw"}}, nil
	case stream.Face:
		return table{name: "face_frame", landmarks: true, channels: []string{
			"face_found", "face_confidence", "box_x_px", "box_y_px", "box_w_px", "box_h_px",
			"p_neutral", "p_happy", "p_sad", "p_angry", "p_fearful", "p_disgusted", "p_surprised",
			"valence", "arousal",
			"face_tracked", "faces", "frame_w_px", "frame_h_px",
			"luma_face", "luma_around", "face_clipped", "face_sharpness", "mouth_cover"}}, nil
	case stream.Stimulus:
		return table{name: "stimulus_frame", channels: []string{
			"presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h"}}, nil
	case stream.Light:
		return table{name: "light_sample", channels: []string{"light_raw"}}, nil
	case stream.Trigger:
		return table{name: "trigger_sample", channels: []string{"code", "lag_ms"}}, nil
	case stream.Mark: // events only: a sample of it would be a code, and there is none
		return table{name: "trigger_sample"}, nil
	case stream.Trace:
		return table{name: "trace_row", trace: true, channels: []string{
			"presentation", "frame", "media_ns", "face_found", "face_confidence",
			"p_neutral", "p_happy", "p_sad", "p_angry", "p_fearful", "p_disgusted", "p_surprised",
			"valence", "arousal",
			"yaw_deg", "pitch_deg", "roll_deg", "pose_residual", "face_height_px", "ear_right", "ear_left",
			"au01", "au02", "au04", "au05", "au06", "au07", "au09", "au10", "au12", "au14", "au15", "au17",
			"au20", "au23", "au24", "au25", "au26", "au43", "au45",
			"emfacs_happy", "emfacs_sad", "emfacs_angry", "emfacs_fearful", "emfacs_disgusted", "emfacs_surprised",
			"emfacs_agreement",
			"gaze_x", "gaze_y", "gaze_valid", "eye_class", "pupil_mm", "pupil_clean_mm", "pupil_adjusted_mm",
			"eda_us", "scl_us", "scr_us", "scr_onset", "eda_flags", "quality"}}, nil
	}
	return table{}, fmt.Errorf("there is no table for streams of kind %q", k)
}

// lead returns the columns before the channels.
func (t table) lead() []string {
	if t.trace {
		return []string{"session_id", "derivation", "segment", "seq", "at_ns", "err_ns"}
	}
	return []string{"session_id", "stream", "segment", "seq", "epoch", "tick", "arrival_ns", "at_ns", "err_ns"}
}

// columns returns the columns. Their order is not the file's, where those that a
// migration added stand last.
func (t table) columns() []string {
	cols := slices.Concat(t.lead(), t.channels)
	if t.landmarks {
		cols = append(cols, "landmarks")
	}
	return cols
}

// shared is how many columns have one value for a whole run of rows: the first
// three (session, stream or derivation, segment).
const shared = 3

// insert returns the statement that inserts n rows. Parameters 1 to 3 are the
// shared columns, the others follow row by row. A row whose key exists is left
// as it is.
func (t table) insert(n int) string {
	cols := t.columns()
	return insertion(t.name, cols, n) + " ON CONFLICT (" + strings.Join(cols[:shared+1], ", ") + ") DO NOTHING"
}

// insertion is the statement that inserts n rows into a table, of which the first
// columns are shared.
func insertion(table string, columns []string, n int) string {
	own := len(columns) - shared
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ", "))
	for row := range n {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(?1, ?2, ?3")
		for c := range own {
			fmt.Fprintf(&b, ", ?%d", shared+row*own+c+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// layout tells where the channels of one stream go in its table.
type layout struct {
	table        // without the optional channels that the stream has not got
	values []int // for each channel column, its position in Sample.Values
	marks  []int // for each landmark coordinate, its position in Sample.Values
	width  int   // of Sample.Values
}

// layoutOf matches a stream's channels with its table's columns. All but the
// optional ones must be there and none may be left over; the order is the stream's
// own.
func layoutOf(info stream.Info) (layout, error) {
	t, err := tableOf(info.Kind)
	if err != nil {
		return layout{}, fmt.Errorf("stream %q: %w", info.ID, err)
	}
	l := layout{table: t, width: len(info.Channels)}
	l.channels = slices.DeleteFunc(slices.Clone(t.channels), func(name string) bool {
		return slices.Contains(t.optional, name) && info.Index(name) < 0
	})
	var missing []string
	position := func(name string) int {
		at := info.Index(name)
		if at < 0 {
			missing = append(missing, name)
		}
		return at
	}
	for _, name := range l.channels {
		l.values = append(l.values, position(name))
	}
	known := l.channels
	if t.landmarks {
		for _, name := range landmarkNames() {
			l.marks = append(l.marks, position(name))
		}
		known = slices.Concat(known, landmarkNames())
	}
	var extra []string
	for i, c := range info.Channels {
		if !slices.Contains(known, c.Name) || info.Index(c.Name) != i {
			extra = append(extra, c.Name)
		}
	}
	if len(missing)+len(extra) > 0 {
		return layout{}, fmt.Errorf("stream %q does not fit table %s: channels missing %v, unknown or named twice %v",
			info.ID, t.name, missing, extra)
	}
	return l, nil
}

// landmarkNames are the channels of the landmarks in the BLOB's order.
func landmarkNames() []string {
	out := make([]string, 0, 2*landmarks)
	for i := range landmarks {
		out = append(out, fmt.Sprintf("lm%02d_x_px", i), fmt.Sprintf("lm%02d_y_px", i))
	}
	return out
}

// bind appends the parameters of one row after the shared ones.
func (l *layout) bind(args []any, epoch int, s stream.Sample) []any {
	args = append(args, s.Seq)
	if !l.trace {
		args = append(args, int64(epoch), s.Tick, int64(s.Arrival))
	}
	args = append(args, int64(s.At), int64(s.Err))
	for _, i := range l.values {
		args = append(args, number(s.Values[i]))
	}
	if l.landmarks {
		args = append(args, l.pack(s.Values))
	}
	return args
}

// number is a value as the file has it: NaN, not measured, is NULL.
func number(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

// pack writes the landmarks as a BLOB, or NULL when there are none.
func (l *layout) pack(values []float64) any {
	b := make([]byte, 0, 4*len(l.marks))
	empty := true
	for _, i := range l.marks {
		empty = empty && math.IsNaN(values[i])
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(values[i])))
	}
	if empty {
		return nil
	}
	return b
}

// unpack reads a BLOB of landmarks into their places in values; NULL gives NaN.
func (l *layout) unpack(blob []byte, values []float64) error {
	if blob != nil && len(blob) != 4*len(l.marks) {
		return fmt.Errorf("%d bytes of landmarks, want %d", len(blob), 4*len(l.marks))
	}
	for k, i := range l.marks {
		values[i] = math.NaN()
		if blob != nil {
			values[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(blob[4*k:])))
		}
	}
	return nil
}
