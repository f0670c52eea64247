package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/stream"
)

// derivedTables are those whose rows belong to a derivation.
func derivedTables() []string {
	return []string{"clock_model", "quality", "displayed", "eda_response", "eda_summary", "eye_event", "face_event", "calibration", "trace_row", "usable"}
}

// differing counts, table by table, the rows of one derivation that another has not.
func differing(t *testing.T, s *Store, a, b string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range derivedTables() {
		columns, err := texts(t.Context(), s.read, "SELECT name FROM pragma_table_info(?) WHERE name NOT IN ('derivation', 'created_utc', 'software')", table)
		if err != nil {
			t.Fatal(err)
		}
		of := func(derivation string) string {
			return fmt.Sprintf("SELECT %s FROM %s WHERE session_id = 's1' AND derivation = '%s'", strings.Join(columns, ", "), table, derivation)
		}
		var rows, one, other int
		if err := s.read.QueryRow(fmt.Sprintf("SELECT (SELECT count(*) FROM (%[1]s)), (SELECT count(*) FROM (%[1]s EXCEPT %[2]s)), (SELECT count(*) FROM (%[2]s EXCEPT %[1]s))", of(a), of(b))).Scan(&rows, &one, &other); err != nil {
			t.Fatal(err)
		}
		if rows == 0 {
			t.Errorf("%s has no row of %s: the comparison would prove nothing", table, a)
		}
		out[table] = one + other
	}
	return out
}

func TestAlignedAgainIsTheSame(t *testing.T) {
	t.Parallel()
	s := everyClockFile.open(t, everyClockSession)
	before := dump(t, s)
	r, err := s.Rederive(t.Context(), "s1", RederiveOptions{Align: true, Software: "emolab later"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if want := 2 * 8; len(r.Streams) != want {
		t.Errorf("%d streams were aligned, want %d", len(r.Streams), want)
	}
	for _, v := range r.Streams {
		k := slices.IndexFunc(d.Segments[v.Segment].Streams, func(st Stream) bool { return st.ID == v.Stream })
		if st := d.Segments[v.Segment].Streams[k]; v.Samples != st.Rows || v.Statement != st.Statement {
			t.Errorf("%s in segment %d: %+v, the file has %d rows and %+v", v.Stream, v.Segment, v, st.Rows, st.Statement)
		}
		if !v.Same() || v.Furthest != 0 {
			t.Errorf("%s in segment %d: %d instants moved by up to %v, %d bounds changed", v.Stream, v.Segment, v.Moved, v.Furthest, v.Rebound)
		}
	}
	if got, want := grew(t, before, dump(t, s)), []string{"audit", "calibration", "clock_model", "derivation", "displayed", "eda_response", "eda_summary", "eye_event", "face_event", "quality", "trace_row", "usable"}; !slices.Equal(got, want) {
		t.Errorf("rows were added to %v, want %v", got, want)
	}
	for table, n := range differing(t, s, Final, r.Name) {
		if n != 0 {
			t.Errorf("%d rows of %s differ", n, table)
		}
	}

	// Only the new one says that it has clocks of its own. Without aligning, the clocks of
	// sealing are those of the derivation.
	for _, v := range detail(t, s, "s1").Derivations {
		if v.Realigned != (v.Name == r.Name) {
			t.Errorf("%s: clocks of its own: %v", v.Name, v.Realigned)
		}
	}
	plain, err := s.Rederive(t.Context(), "s1", RederiveOptions{}, nil)
	if err != nil || plain.Streams != nil {
		t.Fatalf("%+v, %v", plain, err)
	}
	for table, n := range differing(t, s, Final, plain.Name) {
		if n != 0 {
			t.Errorf("derived from the stored instants, %d rows of %s differ", n, table)
		}
	}
}

// copyOf is a copy of a study's file that lost the guard of its probes.
func copyOf(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c := openAt(t, path)
	if err := byHand(c, "DROP TRIGGER clock_probe_observed"); err != nil {
		t.Fatal(err)
	}
	return c
}

// One ping that took less time than the file says moves what is derived from it, and
// nothing else: so the comparison above can fail.
func TestAlignedAgainFromAnotherProbe(t *testing.T) {
	t.Parallel()
	s := everyClockFile.open(t, everyClockSession)
	for of, touched := range map[string][]string{
		"eda":      {"clock_model", "quality", "trace_row"},
		"stimulus": {"clock_model", "displayed", "quality"},
	} {
		c := copyOf(t, s)
		if err := byHand(c, "UPDATE clock_probe SET t0_ns = t0_ns + ? WHERE stream = ? AND segment = 1 AND n = 15", int64(legOut*9/10), of); err != nil {
			t.Fatal(err)
		}
		before := dump(t, c)
		r, err := c.Rederive(t.Context(), "s1", RederiveOptions{Align: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Streams {
			if other := v.Stream == of && v.Segment == 1; other == v.Same() || other != (v.Moved > 0 && v.Rebound > 0 && v.Furthest > time.Microsecond && v.Furthest < 5*time.Millisecond) {
				t.Errorf("a ping of %s: %s in segment %d has %d other instants, by up to %v, and %d other bounds", of, v.Stream, v.Segment, v.Moved, v.Furthest, v.Rebound)
			}
		}
		differ := differing(t, c, Final, r.Name)
		for _, table := range touched {
			if differ[table] == 0 {
				t.Errorf("a ping of %s changed no row of %s", of, table)
			}
		}
		if of == "stimulus" && differ["eda_response"]+differ["face_event"] > 0 {
			t.Errorf("a ping of the stage changed %v", differ)
		}
		// The samples keep what sealing said; what is shown of the clocks is the new.
		grew(t, before, dump(t, c))
		if err := c.Show(t.Context(), "s1", r.Name); err != nil {
			t.Fatal(err)
		}
		models, err := c.Models(t.Context(), "s1")
		if err != nil {
			t.Fatal(err)
		}
		var stored int
		if err := c.read.QueryRow("SELECT count(*) FROM clock_model WHERE derivation = ?", r.Name).Scan(&stored); err != nil || stored != len(models) {
			t.Errorf("%d pieces are shown, %d are the new derivation's, %v", len(models), stored, err)
		}
		for _, v := range r.Streams {
			streams := detail(t, c, "s1").Segments[v.Segment].Streams
			if k := slices.IndexFunc(streams, func(st Stream) bool { return st.ID == v.Stream }); streams[k].Statement != v.Statement {
				t.Errorf("%s in segment %d is shown with %+v, want the new %+v", v.Stream, v.Segment, streams[k].Statement, v.Statement)
			}
		}
	}
}

// Faces that a newer net has read from kept video have the clock of the frames that
// they were read from, also when that is fitted anew; and whichever of the two a
// derivation is made from, it has a clock for both.
func TestAlignedAgainWithOtherFaces(t *testing.T) {
	t.Parallel()
	s := everyClockFile.open(t, everyClockSession)
	var seqs []int64
	for seq := range int64(600) {
		seqs = append(seqs, seq+50)
	}
	info, samples := again(t, seqs...)
	if _, err := s.AddStream(t.Context(), "s1", 0, info, samples); err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"face", "face-2"} {
		r, err := s.Rederive(t.Context(), "s1", RederiveOptions{Align: true, FaceStream: of, Current: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]int{}
		for _, v := range r.Streams {
			said[v.Stream]++
			if !v.Same() {
				t.Errorf("made from %s: %s in segment %d differs: %+v", of, v.Stream, v.Segment, v)
			}
		}
		if said["face"] != 2 || said["face-2"] != 1 || said["door"] != 2 {
			t.Errorf("made from %s: it has clocks for %v", of, said)
		}
		d := detail(t, s, "s1")
		for _, v := range d.Segments[0].Streams {
			if v.Kind != stream.Trace && (v.Statement.Method == "" || v.ID == "face-2" && (v.Statement.Samples != 600 || v.Statement.Lost != 120)) {
				t.Errorf("made from %s: %s has the statement %+v", of, v.ID, v.Statement)
			}
		}
	}
	// Every derivation says the same of the added stream.
	var kinds, rows int
	if err := s.read.QueryRow("SELECT count(DISTINCT method || samples || lost || usable_share), count(*) FROM quality WHERE stream = 'face-2'").Scan(&kinds, &rows); err != nil || kinds != 1 || rows != 3 {
		t.Errorf("%d statements of face-2, %d different, %v", rows, kinds, err)
	}
}
