package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emolab/fusion/stream"
)

func TestDamagedFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "study.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, s, "s1")
	appendAll(t, r, run(lab(t)[2], 0, 500))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)/2+8192; i++ {
		b[i] = 0xA5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file gave %v", err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a text file gave %v", err)
	}
}

func TestNewerFileIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.write.Exec("PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	if _, err := View(t.Context(), s.Path()); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("View of a newer file gave %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := begin(t, s, "s1")
	eda := lab(t)[0]
	var pages int
	if err := s.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages+20)); err != nil {
		t.Fatal(err)
	}
	kept := int64(0)
	var err error
	for err == nil {
		if err = r.Append(t.Context(), []stream.Chunk{run(eda, kept, 64)}); err == nil {
			kept += 64
		}
		if kept > 1e6 {
			t.Fatal("the disk never filled up")
		}
	}
	if !strings.Contains(err.Error(), "disk is full") || !strings.Contains(err.Error(), s.Path()) {
		t.Errorf("a full disk gave %v", err)
	}
	if got := rowsOf(t, s, "s1", "eda"); int64(len(got)) != kept {
		t.Errorf("%d samples are readable, %d were acknowledged", len(got), kept)
	}
	if _, err := s.write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, run(eda, kept, 64)) // space was made: the recording goes on
}

// TestTruncatedLog cuts the write-ahead log at every kind of place: what was
// committed before the cut must be there, whole batches only.
func TestTruncatedLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "study.db")
	s := openAt(t, path)
	r := begin(t, s, "s1")
	begun, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const batch, batches = 5, 20
	for i := range batches {
		appendAll(t, r, run(lab(t)[0], int64(i*batch), batch))
	}
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for cut := len(wal); cut > int(begun.Size()); cut -= 1777 {
		copied := filepath.Join(t.TempDir(), "cut.db")
		if err := errors.Join(os.WriteFile(copied, db, 0o600), os.WriteFile(copied+"-wal", wal[:cut], 0o600)); err != nil {
			t.Fatal(err)
		}
		c, err := Open(t.Context(), copied)
		if err != nil {
			t.Fatalf("cut at %d of %d bytes: %v", cut, len(wal), err)
		}
		n := len(rowsOf(t, c, "s1", "eda"))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if n%batch != 0 || (last >= 0 && n > last) || (cut == len(wal) && n != batch*batches) {
			t.Errorf("cut at %d of %d bytes: %d samples", cut, len(wal), n)
		}
		last = n
	}
}

// byHand runs a statement on the writer, as a tool on the file might.
func byHand(s *Store, query string, args ...any) error {
	return inTx(context.Background(), s.write, func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}
