package modelpack

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// installed is where npm puts the package's weights.
const installed = "node_modules/@vladmandic/face-api/model"

// convert makes a pack of the installed package, or skips.
func convert(t *testing.T) (Pack, string) {
	t.Helper()
	if _, err := os.Stat(installed); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the npm package is not installed: run `make models`")
	}
	to := filepath.Join(t.TempDir(), "models")
	p, err := Convert(installed, to)
	if err != nil {
		t.Fatal(err)
	}
	return p, to
}

func TestConvertMakesAPackThatVerifies(t *testing.T) {
	p, to := convert(t)
	checked, err := Verify(os.DirFS(to))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Nets, checked.Nets) || checked.Version != SourceVersion {
		t.Errorf("Convert says %+v, Verify %+v", p, checked)
	}
	// The same weights must give the same nets everywhere: results are recorded
	// with the sums of the nets that made them.
	for name, want := range map[string]string{
		Detector:   "d7084c60d2296bd3475c8d289a95a84af804fd9369df3805b2298ae708fc8474",
		Landmarks:  "6a67a124df847a85be33126462ed47b30bf547739508853f6d0033b3b5521581",
		Expression: "401cf5c4edd566bd0fed8de3575153af4980e54d2fe27a05545035645a4d5291",
	} {
		if n, ok := p.Net(name); !ok || n.SHA256 != want {
			t.Errorf("%s: %s, want %s", name, n.SHA256, want)
		}
	}
}

func TestVerifyNamesTheDamagedFile(t *testing.T) {
	_, to := convert(t)
	for _, file := range []string{File, Detector + ".onnx", Expression + ".onnx"} {
		name := filepath.Join(to, file)
		good, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(good)
		bad[len(bad)/2] ^= 1
		for what, content := range map[string][]byte{"a changed bit": bad, "a short file": good[:len(good)/2]} {
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Verify(os.DirFS(to)); err == nil {
				t.Errorf("%s with %s passes", file, what)
			} else if file != File && !strings.Contains(err.Error(), file) {
				t.Errorf("%s with %s: the error %q does not name it", file, what, err)
			}
		}
		if err := os.WriteFile(name, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(to, Landmarks+".onnx")); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(os.DirFS(to)); err == nil || !strings.Contains(err.Error(), Landmarks+".onnx") {
		t.Errorf("a missing net: %v", err)
	}
}

func TestConvertRefusesOtherWeights(t *testing.T) {
	from := t.TempDir()
	if _, err := Convert(from, t.TempDir()); err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("without the package: %v", err)
	}
	if err := os.WriteFile(filepath.Join(from, Detector+"_model.bin"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(from, t.TempDir()); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("other weights: %v", err)
	}
}

func TestVerifyWithoutAPack(t *testing.T) {
	if _, err := Verify(fstest.MapFS{}); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	for name, text := range map[string]string{
		"no JSON":             "{",
		"an unknown key":      `{"name":"x","colour":"red"}`,
		"no nets":             `{"name":"x","version":"1","licence":"MIT","nets":[]}`,
		"a net from anywhere": `{"nets":[{"name":"tiny_face_detector","file":"../x.onnx"}]}`,
	} {
		pack := fstest.MapFS{File: {Data: []byte(text)}}
		if _, err := Verify(pack); err == nil || errors.Is(err, ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecode(t *testing.T) {
	const manifest = `[{"weights":[
		{"name":"q","shape":[2,2],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}},
		{"name":"f","shape":[1],"dtype":"float32"}]}]`
	w, err := decode([]byte(manifest), []byte{0, 1, 2, 255, 0, 0, 0x80, 0x3f})
	if err != nil {
		t.Fatal(err)
	}
	if q, err := w.get("q", 2, 2); err != nil || !slices.Equal(q.data, []float32{-1, -.5, 0, 126.5}) {
		t.Errorf("q: %v, %v", q.data, err)
	}
	if f, err := w.get("f", 1); err != nil || !slices.Equal(f.data, []float32{1}) {
		t.Errorf("f: %v, %v", f.data, err)
	}
	if _, err := w.get("q", 4); err == nil {
		t.Error("a wrong shape is accepted")
	}
	if _, err := w.get("g", 1); err == nil {
		t.Error("a missing tensor is found")
	}
	for name, bytes := range map[string]int{"too few": 7, "too many": 9} {
		if _, err := decode([]byte(manifest), make([]byte, bytes)); err == nil {
			t.Errorf("%s bytes are accepted", name)
		}
	}
	for name, entry := range map[string]string{
		"a type":         `{"name":"a","shape":[1],"dtype":"int32"}`,
		"a quantisation": `{"name":"a","shape":[1],"dtype":"float32","quantization":{"dtype":"uint16","scale":1,"min":0}}`,
		"an empty shape": `{"name":"a","shape":[0],"dtype":"float32"}`,
		"a huge shape":   `{"name":"a","shape":[65536,65536,65536,65536],"dtype":"float32"}`,
	} {
		if _, err := decode([]byte(`[{"weights":[`+entry+`]}]`), make([]byte, 4)); err == nil {
			t.Errorf("%s that is not supported is accepted", name)
		}
	}
}

func TestTranspose(t *testing.T) {
	m := tensor{shape: []int{2, 3}, data: []float32{1, 2, 3, 4, 5, 6}}
	got := m.transpose(1, 0)
	if !slices.Equal(got.shape, []int{3, 2}) || !slices.Equal(got.data, []float32{1, 4, 2, 5, 3, 6}) {
		t.Errorf("%v %v", got.shape, got.data)
	}
	// There and back gives the same, in four dimensions.
	f := tensor{shape: []int{2, 3, 4, 5}, data: make([]float32, 120)}
	for i := range f.data {
		f.data[i] = float32(i)
	}
	if back := f.transpose(3, 2, 0, 1).transpose(2, 3, 1, 0); !slices.Equal(back.data, f.data) || !slices.Equal(back.shape, f.shape) {
		t.Errorf("there and back: shape %v", back.shape)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`[{"weights":[{"name":"q","shape":[2],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}}]}]`), []byte{1, 2})
	f.Add([]byte(`[{"weights":[{"name":"f","shape":[],"dtype":"float32"}]}]`), []byte{0, 0, 0, 0})
	f.Add([]byte(`[{"weights":[{"name":"n","shape":[-1,3],"dtype":"float32"}]}]`), []byte{})
	f.Add([]byte(`[]`), []byte{})
	f.Fuzz(func(t *testing.T, manifest, data []byte) {
		w, err := decode(manifest, data)
		if err != nil {
			return
		}
		for name, x := range w {
			count := 1
			for _, d := range x.shape {
				count *= d
			}
			if count != len(x.data) || count > len(data) {
				t.Errorf("%q: shape %v with %d numbers out of %d bytes", name, x.shape, len(x.data), len(data))
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	good, err := json.Marshal(Pack{Name: SourceName, Nets: []Net{{Name: Detector, File: "a.onnx"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"nets":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parse(text)
		if err != nil {
			return
		}
		for _, r := range recipes() {
			if n, ok := p.Net(r.name); !ok || n.SourceSHA256 != r.sha256 || !fs.ValidPath(n.File) {
				t.Errorf("accepted without a sound %s: %+v", r.name, n)
			}
		}
	})
}

// TestMessage checks the wire form against bytes worked out by hand from the
// protocol buffers' encoding guide.
func TestMessage(t *testing.T) {
	var m message
	m.varint(1, 150)
	m.text(2, "testing")
	m.float(3, float32(math.Ldexp(1, 0)))
	want := "\x08\x96\x01" + "\x12\x07testing" + "\x1d\x00\x00\x80\x3f"
	if string(m) != want {
		t.Errorf("% x, want % x", string(m), want)
	}
}
