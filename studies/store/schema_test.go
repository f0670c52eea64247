package store

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// readSchema returns the tables and columns that SCHEMA.md names, and its queries.
func readSchema(t *testing.T) (columns map[string][]string, queries []string) {
	t.Helper()
	b, err := os.ReadFile("SCHEMA.md")
	if err != nil {
		t.Fatal(err)
	}
	columns = map[string][]string{}
	table := ""
	row := regexp.MustCompile(`^\| ([a-z0-9_]+) \|`)
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		switch m := row.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "### "):
			table = line[4:]
			columns[table] = nil
		case strings.HasPrefix(line, "## "):
			table = ""
		case m != nil && m[1] != "column" && table != "":
			columns[table] = append(columns[table], m[1])
		}
	}
	for _, m := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		for q := range strings.SplitSeq(m[1], ";") {
			if strings.TrimSpace(q) != "" {
				queries = append(queries, q)
			}
		}
	}
	return columns, queries
}

func TestSchemaIsDescribed(t *testing.T) {
	t.Parallel()
	described, _ := readSchema(t)
	s := open(t)
	tables, err := texts(t.Context(), s.read, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		columns, err := texts(t.Context(), s.read, "SELECT name FROM pragma_table_info(?) ORDER BY cid", table)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(columns, described[table]) {
			t.Errorf("%s has the columns\n%v, SCHEMA.md describes\n%v", table, columns, described[table])
		}
		delete(described, table)
	}
	for table := range described {
		t.Errorf("SCHEMA.md describes %s, which does not exist", table)
	}
}

// TestTablesFitTheCode: the code's idea of a sample table is the file's, but for
// the order of the columns.
func TestTablesFitTheCode(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, kind := range append(sampleKinds(), stream.Trace) {
		tab, err := tableOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := texts(t.Context(), s.read, "SELECT name FROM pragma_table_info(?) ORDER BY name", tab.name)
		if err != nil {
			t.Fatal(err)
		}
		if known := slices.Sorted(slices.Values(tab.columns())); !slices.Equal(columns, known) {
			t.Errorf("%s has the columns\n%v, the code thinks\n%v", tab.name, columns, known)
		}
	}
}

func TestSchemaQueriesRun(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := recorded(t, s, "20261122-091503-3f9a1c")
	rating := session.Answer{Step: 1, Sheet: "rate.sam", Kind: study.RatingSheet, Stimulus: "b", Presentation: 1, Values: study.Answers{"sam.valence": "7"}}
	if err := errors.Join(r.Answer(t.Context(), rating), r.Seal(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	_, queries := readSchema(t)
	if len(queries) < 6 {
		t.Fatalf("SCHEMA.md has %d queries", len(queries))
	}
	for _, q := range queries {
		rows, err := s.read.QueryContext(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		n := 0
		for rows.Next() {
			n++
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%s: %v", q, err)
		}
		if n == 0 && !strings.Contains(q, "FROM gap") && !strings.Contains(q, "FROM face_event") && !strings.Contains(q, "kind LIKE 'gaze%'") { // nothing was unplugged, no bout recorded, nothing calibrated
			t.Errorf("%s: no rows", q)
		}
		rows.Close()
	}
}

// TestMeanValencePerSecond checks the page's first query against the numbers
// that were put in: valence is n + 13/1024 in frame n, the stimulus is shown at
// 30 frames a second.
func TestMeanValencePerSecond(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := recorded(t, s, "s1").Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, queries := readSchema(t)
	rows, err := s.read.QueryContext(t.Context(), queries[0])
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n, frames := 0, 0
	for rows.Next() {
		var stimulus string
		var second, count int
		var valence float64
		if err := rows.Scan(&stimulus, &second, &valence, &count); err != nil {
			t.Fatal(err)
		}
		first := 30 * second // b is shown first, then a for the other 15 s
		if stimulus == "a" {
			first += 450
		}
		if middle := float64(first) + 14.5; valence < middle-1 || valence > middle+1 {
			t.Errorf("second %d of %s: mean valence %.2f of %d frames, want %.1f", second, stimulus, valence, count, middle)
		}
		n, frames = n+1, frames+count
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if n != 30 || frames < 895 {
		t.Errorf("%d seconds with %d frames, want 30 with nearly 900", n, frames)
	}
}
