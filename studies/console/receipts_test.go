package console

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emolab/fusion/stream"
)

// Receipts lie in the data folder, beside the key of all codes: nothing but them is given
// away, whatever is asked for.
func TestReceiptsStayInTheirFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	receipts := filepath.Join(dir, "receipts")
	if err := os.MkdirAll(filepath.Join(receipts, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"receipts/withdrawal-1.txt": receiptText, "withdrawal.key": "SECRET"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"absolute.txt": filepath.Join(dir, "withdrawal.key"), "relative.txt": "../withdrawal.key", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(receipts, link)); err != nil {
			t.Fatal(err)
		}
	}
	l := startLab(t, Options{Receipts: receipts, Streams: []stream.Info{edaInfo()}})
	none := startLab(t, Options{Receipts: filepath.Join(dir, "none"), Streams: []stream.Info{edaInfo()}})
	for _, c := range []struct {
		lab  *lab
		name string
		want int
	}{
		{l, "withdrawal-1.txt", http.StatusOK},
		{l, "none.txt", http.StatusNotFound},
		{l, "folder", http.StatusNotFound},
		{l, "..%2Fwithdrawal.key", http.StatusNotFound},
		{l, "%2e%2e%2fwithdrawal.key", http.StatusNotFound},
		{l, "folder%2F..%2F..%2Fwithdrawal.key", http.StatusNotFound},
		{l, strings.ReplaceAll(filepath.Join(dir, "withdrawal.key"), "/", "%2F"), http.StatusNotFound},
		{l, "absolute.txt", http.StatusNotFound},
		{l, "relative.txt", http.StatusNotFound},
		{l, "up%2Fwithdrawal.key", http.StatusNotFound},
		{none, "withdrawal-1.txt", http.StatusNotFound},
	} {
		r, err := http.NewRequest(http.MethodGet, c.lab.server.URL+"/api/receipts/"+c.name, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp := c.lab.request(t, r)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.want || strings.Contains(string(body), "SECRET") {
			t.Errorf("%s: %s %q, want %d", c.name, resp.Status, body, c.want)
		}
		if c.want == http.StatusOK && (string(body) != receiptText || resp.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %q %v", c.name, body, resp.Header)
		}
	}
}
