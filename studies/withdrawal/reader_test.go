package withdrawal

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"emolab/studies/store"
)

// Another program that reads the study's file keeps old pages in its log. That is told;
// and when it has gone, the withdrawal is ended.
func TestAReaderDelaysTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("the store waits for readers for seconds")
	}
	t.Parallel()
	b := set(t)
	other, err := sql.Open("sqlite3", "file:"+filepath.Join(b.dir, "pilot.db")) // the store's driver
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	reading, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRow("SELECT count(*) FROM session").Scan(&n); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	if _, err := b.eraser().Withdraw(t.Context(), b.once.id, nil); !errors.Is(err, store.ErrNotScrubbed) {
		t.Fatalf("with a reader: %v", err)
	}
	if left := b.once.seen(t, filepath.Join(b.dir, "bundles")); len(left) > 0 {
		t.Errorf("the files waited too: %v", left)
	}
	if err := errors.Join(reading.Rollback(), other.Close()); err != nil {
		t.Fatal(err)
	}
	if finished, err := b.eraser().Finish(t.Context(), nil); err != nil || !finished {
		t.Fatalf("without the reader: %v, %v", finished, err)
	}
	b.gone(t)
}
