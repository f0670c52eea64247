package serialtest

import (
	"path/filepath"
	"testing"

	"emolab/sensors/virtual"
)

// OpenDeaf plugs in a port whose device takes no bytes, and returns its path.
func OpenDeaf(t testing.TB) string {
	t.Helper()
	terminal, err := virtual.Plug(filepath.Join(t.TempDir(), "ttyDEAF"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
	})
	return terminal.Path()
}
