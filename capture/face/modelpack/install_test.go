package modelpack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// some is a model for tests.
func some() (Optional, []byte) {
	data := bytes.Repeat([]byte("weights "), 1000)
	return Optional{Name: "some", Title: "Some 1", File: "some.onnx", SHA256: sum(data), Bytes: len(data)}, data
}

// holds fails the test unless dir holds just these files.
func holds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func TestInstall(t *testing.T) {
	o, data := some()
	dir := filepath.Join(t.TempDir(), "a", "folder", "to be made")
	last := 0
	progress := func(done, total int) {
		if done < last || total != len(data) {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}
	if err := o.Install(dir, iotest.HalfReader(bytes.NewReader(data)), progress); err != nil {
		t.Fatal(err)
	}
	if last != len(data) {
		t.Errorf("told of %d bytes, want %d", last, len(data))
	}
	holds(t, dir, o.File)
	if got, err := o.Read(os.DirFS(dir)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Read after Install: %v", err)
	}
}

// TestInstallKeepsNothingWrong also checks that a good file stays when a bad one
// is to replace it.
func TestInstallKeepsNothingWrong(t *testing.T) {
	o, data := some()
	flipped := bytes.Clone(data)
	flipped[77] ^= 8
	broken := errors.New("the line broke")
	for name, source := range map[string]io.Reader{
		"a flipped bit":     bytes.NewReader(flipped),
		"a file cut off":    bytes.NewReader(data[:len(data)-1]),
		"a file with more":  io.MultiReader(bytes.NewReader(data), strings.NewReader("x")),
		"nothing":           strings.NewReader(""),
		"a pointer to it":   strings.NewReader("version https://git-lfs.github.com/spec/v1\n"),
		"a line that broke": io.MultiReader(bytes.NewReader(data[:100]), iotest.ErrReader(broken)),
	} {
		dir := t.TempDir()
		if err := o.Install(dir, source, nil); err == nil || !strings.Contains(err.Error(), "Some 1") {
			t.Errorf("%s: %v, want a refusal that names the model", name, err)
		}
		holds(t, dir)
	}
	dir := t.TempDir()
	if err := o.Install(dir, bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	if err := o.Install(dir, bytes.NewReader(flipped), nil); err == nil {
		t.Error("a wrong file replaced the right one")
	}
	if _, err := o.Read(os.DirFS(dir)); err != nil {
		t.Error(err)
	}
}

func TestDownloadTriesEveryAddress(t *testing.T) {
	o, data := some()
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/good":
			if _, err := w.Write(data); err != nil {
				t.Error(err)
			}
		case "/other":
			if _, err := io.WriteString(w, "not the model"); err != nil {
				t.Error(err)
			}
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	at := func(paths ...string) []string {
		var all []string
		for _, p := range paths {
			all = append(all, server.URL+p)
		}
		return all
	}
	dir := t.TempDir()
	o.Addresses = at("/gone", "/other", "/moved", "/good")
	from, err := o.Download(t.Context(), server.Client(), dir, nil)
	if err != nil || from != server.URL+"/moved" || asked["/good"] != 1 {
		t.Errorf("from %q, %v; asked %v", from, err, asked)
	}
	holds(t, dir, o.File)

	dir = t.TempDir()
	o.Addresses = at("/gone", "/other")
	_, err = o.Download(t.Context(), server.Client(), dir, nil)
	for _, want := range []string{"/gone: the server answers 404", "SHA-256", "--from FILE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	holds(t, dir)

	ended, stop := context.WithCancel(t.Context())
	stop()
	o.Addresses = at("/good", "/good")
	if _, err := o.Download(ended, server.Client(), dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
