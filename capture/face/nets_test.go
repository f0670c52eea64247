//go:build !nocv

package face

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"gocv.io/x/gocv"

	"emolab/capture/face/modelpack"
)

// newTestAnalyzer returns an Analyzer of the embedded pack, or skips.
func newTestAnalyzer(t testing.TB, o Options) *Analyzer {
	t.Helper()
	a, err := NewAnalyzer(o)
	if errors.Is(err, modelpack.ErrMissing) {
		t.Skip("no model pack in capture/face/models: run `make models`")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// pattern is the n x n picture for which the weights' own package was run once
// to obtain the figures below.
func pattern(n int) gocv.Mat {
	m := gocv.NewMatWithSize(n, n, gocv.MatTypeCV8UC3)
	for y := range n {
		for x := range n {
			for c := range 3 { // red, green, blue
				m.SetUCharAt(y, 3*x+2-c, uint8((x*7+y*13+c*61+(x*y)>>3)%256))
			}
		}
	}
	return m
}

// TestNetsAnswerAsTheirPackageDoes compares the converted nets with what
// @vladmandic/face-api 1.7.15 computes on TensorFlow.js' cpu backend.
func TestNetsAnswerAsTheirPackageDoes(t *testing.T) {
	a := newTestAnalyzer(t, Options{})

	small := pattern(modelpack.Crop)
	defer small.Close()
	whole := fit(modelpack.Crop, modelpack.Crop, modelpack.Crop)

	got, err := a.expression.run(small, whole)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "expression", got, []float64{
		0.000210807688, 0.001923457137, 0.997865140438, 1.657817563e-7, 6.352573578e-9, 2.306861973e-7, 1.673009251e-7,
	}, 2e-5)

	got, err = a.landmarks.run(small, whole)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "landmarks", got[:12], []float64{
		0.273431, 0.60721, 0.407783, 0.675697, 0.462041, 0.676035, 0.503515, 0.735083, 0.590558, 0.698416, 0.651327, 0.669672,
	}, 2e-5)
	compare(t, "last landmarks", got[130:], []float64{
		0.627817, 0.477526, 0.655297, 0.505384, 0.661897, 0.532018,
	}, 2e-5)

	large := pattern(224)
	defer large.Close()
	got, err = a.detector.(*tiny).run(large, fit(224, 224, 224))
	if err != nil {
		t.Fatal(err)
	}
	const cells = 7 * 7
	at := func(cell int) []float32 { // the first two anchors of a cell
		var v []float32
		for plane := range 10 {
			v = append(v, got[plane*cells+cell])
		}
		return v
	}
	compare(t, "detector, first cell", at(0), []float64{
		3.235771894, -1.058411002, -0.177673340, -0.876007318, -11.403339386,
		6.417574883, -5.027631760, 0.226320922, 0.084565543, -41.598220825,
	}, 2e-4)
	compare(t, "detector, middle cell", at(24), []float64{
		0.980545342, -0.059457511, -0.383217752, -0.734770417, -8.065851212,
		4.135729313, -1.185224175, -0.168037534, -0.104359195, -18.397357941,
	}, 2e-4)
}

func compare(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tolerance) {
			t.Errorf("%s: number %d is %.6f, want %.6f", what, i, got[i], want[i])
		}
	}
}

func TestNewAnalyzerRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"a size that is no multiple of 32": {DetectorSize: 200},
		"a tiny size":                      {DetectorSize: 32},
		"a threshold above 1":              {Threshold: 1.5},
		"a threshold that is no number":    {Threshold: math.NaN()},
	} {
		if a, err := NewAnalyzer(o); err == nil {
			a.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	_, err := NewAnalyzer(Options{Models: noFiles{}})
	if !errors.Is(err, modelpack.ErrMissing) {
		t.Errorf("no pack: got %v, want ErrMissing", err)
	}
}

// A net with a flipped bit would still answer, and wrongly.
func TestNewAnalyzerRefusesADamagedNet(t *testing.T) {
	if _, err := modelpack.Verify(EmbeddedModels()); errors.Is(err, modelpack.ErrMissing) {
		t.Skip("no model pack in capture/face/models: run `make models`")
	}
	damaged := fstest.MapFS{}
	err := fs.WalkDir(EmbeddedModels(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(EmbeddedModels(), path)
		damaged[path] = &fstest.MapFile{Data: append([]byte(nil), data...)}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const victim = modelpack.Landmarks + ".onnx"
	damaged[victim].Data[len(damaged[victim].Data)/2] ^= 1
	a, err := NewAnalyzer(Options{Models: damaged})
	if err == nil {
		a.Close()
		t.Fatal("accepted")
	}
	if text := err.Error(); !strings.Contains(text, victim) || !strings.Contains(text, "make models") {
		t.Errorf("%v: does not say which file, or what to do", err)
	}
}

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
