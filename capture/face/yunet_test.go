//go:build !nocv

package face

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"gocv.io/x/gocv"

	"emolab/capture/face/modelpack"
	"emolab/capture/frame"
)

// optionalModels returns the folder of models beyond the pack, or skips.
func optionalModels(t testing.TB) fs.FS {
	t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared") // beside the repository
	}
	folder := os.DirFS(filepath.Join(root, "models"))
	for _, o := range modelpack.Catalogue() {
		if _, err := fs.Stat(folder, o.File); err != nil {
			t.Skipf("the optional models are not there (set EMOLAB_SHARED): %v", err)
		}
	}
	return folder
}

// friends are the faces of multi_face.jpg, by a point on each nose.
func friends() []struct{ x, y float64 } {
	return []struct{ x, y float64 }{{262, 126}, {368, 299}, {479, 262}, {576, 370}, {738, 357}}
}

func TestYuNetFindsEveryFace(t *testing.T) {
	a := newTestAnalyzer(t, Options{Detector: DetectorYuNet, Optional: optionalModels(t)})
	picture := gocv.IMRead(footage(t, "multi_face.jpg"), gocv.IMReadColor)
	defer picture.Close()
	found, err := a.detector.detect(picture)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(friends()) {
		t.Errorf("%d faces, want %d: %v", len(found), len(friends()), found)
	}
	for _, nose := range friends() {
		hits := 0
		for _, d := range found {
			// The nose lies in the middle of a face's box, or the box is not of that face.
			inner := d.box.enlarge(.5)
			if nose.x > inner.X && nose.x < inner.X+inner.W && nose.y > inner.Y && nose.y < inner.Y+inner.H {
				hits++
			}
		}
		if hits != 1 {
			t.Errorf("the face at %.0f, %.0f was found %d times: %v", nose.x, nose.y, hits, found)
		}
	}
	if r, err := a.Analyze(toFrame(picture, 0)); err != nil || !r.Found || r.Faces != len(friends()) {
		t.Errorf("Analyze: found %v, %d faces, %v", r.Found, r.Faces, err)
	}
	if name := a.Models(); !strings.Contains(name, "face_detection_yunet_2023mar") || strings.Contains(name, modelpack.Detector) {
		t.Errorf("the models are named %q", name)
	}
}

func TestYuNetClaimsNoFaceWhereThereIsNone(t *testing.T) {
	a := newTestAnalyzer(t, Options{Detector: DetectorYuNet, Optional: optionalModels(t)})
	for n, r := range film(t, a, "no_face.mp4") {
		if r.Found || r.Faces != 0 {
			t.Errorf("frame %d: %d faces, one at %v", n, r.Faces, r.Box)
		}
	}
}

// TestYuNetTakesAnyShape: OpenCV ends the process on an input that a net cannot take.
func TestYuNetTakesAnyShape(t *testing.T) {
	a := newTestAnalyzer(t, Options{Detector: DetectorYuNet, Optional: optionalModels(t)})
	for _, size := range [][2]int{{1, 1}, {1, 700}, {1000, 3}, {640, 480}, {480, 640}, {3840, 2160}, {640, 480}} {
		f := frame.Frame{Width: size[0], Height: size[1], Pix: make([]byte, 3*size[0]*size[1])}
		if r, err := a.Analyze(f); err != nil || r.Found {
			t.Errorf("black, %dx%d: found %v, %v", size[0], size[1], r.Found, err)
		}
	}
}

// damaged is the folder of optional models with one bit of YuNet flipped.
func damaged(t *testing.T) fs.FS {
	t.Helper()
	model, err := modelpack.Find(modelpack.YuNet)
	if err != nil {
		t.Fatal(err)
	}
	onnx, err := model.Read(optionalModels(t))
	if err != nil {
		t.Fatal(err)
	}
	onnx[len(onnx)/2] ^= 1
	return fstest.MapFS{model.File: {Data: onnx}}
}

func TestDetectorsThatCannotBeHad(t *testing.T) {
	newTestAnalyzer(t, Options{}) // the pack must be there for the rest to mean anything
	if _, err := NewAnalyzer(Options{Detector: "haar"}); err == nil || !strings.Contains(err.Error(), DetectorYuNet) {
		t.Errorf("an unknown detector: %v, want the names of those there are", err)
	}
	for name, folder := range map[string]fs.FS{"no folder": nil, "an empty folder": fstest.MapFS{}} {
		_, err := NewAnalyzer(Options{Detector: DetectorYuNet, Optional: folder})
		if !errors.Is(err, modelpack.ErrNotInstalled) || !strings.Contains(err.Error(), "emolab models install yunet") {
			t.Errorf("%s: %v, want ErrNotInstalled and what to do", name, err)
		}
	}
	for name, o := range map[string]Options{
		"a size that is no multiple of 32": {DetectorSize: 300},
		"a threshold above 1":              {Threshold: 1.5},
	} {
		o.Detector, o.Optional = DetectorYuNet, optionalModels(t)
		if a, err := NewAnalyzer(o); err == nil {
			a.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	_, err := NewAnalyzer(Options{Detector: DetectorYuNet, Optional: damaged(t)})
	if err == nil || !strings.Contains(err.Error(), "SHA-256") || !strings.Contains(err.Error(), "face_detection_yunet_2023mar.onnx") {
		t.Errorf("a flipped bit: %v, want the file named", err)
	}
}
