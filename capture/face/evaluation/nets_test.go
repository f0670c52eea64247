//go:build !nocv

package evaluation

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"emolab/capture/face"
	"emolab/capture/face/modelpack"
	"emolab/capture/picture"
	"emolab/capture/portrait"
	"emolab/fusion/expression"
)

func analyzer(t *testing.T) *face.Analyzer {
	t.Helper()
	a, err := face.NewAnalyzer(face.Options{})
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

// TestDrawnFaces evaluates pictures of the drawn face in class folders, with a
// broken file and an empty room among them.
func TestDrawnFaces(t *testing.T) {
	a, b := analyzer(t), analyzer(t)
	const width, height, each = 320, 240, 2
	dir := t.TempDir()
	paint := portrait.NewPainter(width, height, 1)
	save := func(name string, bgr []byte) {
		m := image.NewRGBA(image.Rect(0, 0, width, height))
		for i := range width * height {
			copy(m.Pix[4*i:], []byte{bgr[3*i+2], bgr[3*i+1], bgr[3*i], 255})
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(file, m), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	drawn := []string{"neutral", "happy", "surprised", "sad", "angry"} // what the drawn face promises
	for _, name := range drawn {
		for n := range each {
			look := portrait.Look{Expression: name, Intensity: 1, Scale: 1 + .2*float64(n), Roll: float64(6*n) - 3}
			save(fmt.Sprintf("%s/%d.png", name, n), paint.Paint(look))
		}
	}
	save("sad/empty room.png", make([]byte, 3*width*height))
	if err := os.WriteFile(filepath.Join(dir, "sad", "broken.png"), []byte("\x89PNG\r\n\x1a\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	set, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var reports []string
	for _, readers := range [][]Reader{{a}, {a, b}} {
		outcomes, err := Run(t.Context(), set, readers, picture.Read, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := Score(set, outcomes, a.Models())
		if r.Pictures != len(drawn)*each+2 || len(r.Broken) != 1 || r.Classes[expression.Sad].NoFace != 1 {
			t.Errorf("%d pictures, broken %v, %d without a face", r.Pictures, r.Broken, r.Classes[expression.Sad].NoFace)
		}
		if r.Accuracy.Value < .9 || r.BalancedAccuracy < .9 || r.Found.Count < len(drawn)*each {
			t.Errorf("accuracy %.2f, balanced %.2f, %d found", r.Accuracy.Value, r.BalancedAccuracy, r.Found.Count)
		}
		reports = append(reports, written(t, r.WriteText))
		checkXML(t, written(t, r.WriteSVG))
	}
	if reports[0] != reports[1] {
		t.Errorf("one reader and two differ:\n%s\n%s", reports[0], reports[1])
	}
}

func TestPhotographs(t *testing.T) {
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared") // beside the repository
	}
	folder := filepath.Join(root, "data", "face")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the test footage is not there (set EMOLAB_SHARED): %v", err)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "stills.csv")
	text := fmt.Sprintf("file,label\n%s/0-f1-su-ph.jpg,surprise\n%s/0-f15-hao-ph.jpg,happiness\n%s/single_face.jpg,happy\n", folder, folder, folder)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := Run(t.Context(), set, []Reader{analyzer(t)}, picture.Read, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Score(set, outcomes, "")
	if r.Accuracy.Count != 3 || r.Accuracy.Of != 3 || len(r.Broken) != 0 {
		t.Errorf("%d of %d read as labelled, broken %v", r.Accuracy.Count, r.Accuracy.Of, r.Broken)
	}
}
