package modelpack

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// YuNet is the name of the detector that can be installed beside the pack.
const YuNet = "yunet"

// Optional is a model that is not in the pack, and that this program can run
// once it is installed. It is pinned: no other file of that name is accepted.
type Optional struct {
	Name    string `json:"name"`  // as options and commands spell it
	Job     string `json:"job"`   // what it does
	Title   string `json:"title"` // what its authors call it
	Licence string `json:"licence"`
	File    string `json:"file"` // in the folder of installed models
	SHA256  string `json:"sha256"`
	Bytes   int    `json:"bytes"`
	// Addresses are those of the official repositories, the first to be tried first.
	Addresses []string `json:"addresses"`
}

// Catalogue lists the optional models. Only such stand in it as were tried with
// the OpenCV this program is built for: one that it cannot parse ends the
// process.
func Catalogue() []Optional {
	return []Optional{{
		Name: YuNet, Job: "detector", Title: "YuNet 2023mar", Licence: "MIT",
		File:   "face_detection_yunet_2023mar.onnx",
		SHA256: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
		Bytes:  232589,
		Addresses: []string{
			"https://huggingface.co/opencv/face_detection_yunet/resolve/main/face_detection_yunet_2023mar.onnx",
			"https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
		},
	}}
}

// Find returns the optional model of that name. The error names those there are.
func Find(name string) (Optional, error) {
	var names []string
	for _, o := range Catalogue() {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return Optional{}, fmt.Errorf("modelpack: there is no model %q in the catalogue: it has %s", name, strings.Join(names, ", "))
}

// ErrNotInstalled is the answer to a model that is asked for and not there.
var ErrNotInstalled = errors.New("the model is not installed")

// Check tells whether data are the model's own bytes; the error says what to do.
func (o Optional) Check(data []byte) error {
	if got := sum(data); got != o.SHA256 {
		return fmt.Errorf("modelpack: %s: SHA-256 of its %d bytes is %s, the pinned %s has %s (%d bytes): damaged, or another version; run `emolab models install %s`",
			o.File, len(data), got, o.Title, o.SHA256, o.Bytes, o.Name)
	}
	return nil
}

// Read returns the bytes of the model from the folder of installed models,
// checked. It answers ErrNotInstalled where there is no such file, or no folder
// (fsys nil).
func (o Optional) Read(fsys fs.FS) ([]byte, error) {
	missing := fmt.Errorf("modelpack: %s: %w: run `emolab models install %s`", o.Title, ErrNotInstalled, o.Name)
	if fsys == nil {
		return nil, missing
	}
	data, err := fs.ReadFile(fsys, o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("modelpack: read %s: %w", o.Title, err)
	}
	if err := o.Check(data); err != nil {
		return nil, err
	}
	return data, nil
}
