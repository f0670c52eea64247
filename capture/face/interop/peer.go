// Package interop runs the npm package that the face weights come from, in Node
// beside this program, and compares the two: what they say (make interop) and
// how fast they say it (bench face). It is a yardstick and no part of the
// appliance.
package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"emolab/capture/frame"
)

// Dir is this folder, from the root of the repository.
const Dir = "capture/face/interop"

// ErrMissing is the answer where Node or the npm packages are not installed.
var ErrMissing = errors.New("the npm package cannot be run here")

// patience is how long Node may take to end once its input is closed.
const patience = 5 * time.Second

// About is what runs on the other side.
type About struct {
	Package string `json:"package"` // version of @vladmandic/face-api
	TFJS    string `json:"tfjs"`    // version of TensorFlow.js
	Node    string `json:"node"`
	Backend string `json:"backend"`
	SIMD    bool   `json:"simd"`
	Threads int    `json:"threads"`
}

// String names it in one line.
func (a About) String() string {
	simd := "without SIMD"
	if a.SIMD {
		simd = "with SIMD"
	}
	return fmt.Sprintf("@vladmandic/face-api %s, TensorFlow.js %s, %s %s, %d thread, Node %s", a.Package, a.TFJS, a.Backend, simd, a.Threads, a.Node)
}

// Peer is the npm package in a Node process of its own. It answers one request
// at a time and must be closed.
type Peer struct {
	about  About
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors bytes.Buffer // what Node wrote to standard error
}

// Start runs the package from dir, which holds peer.mjs and node_modules. The
// process ends with ctx. It answers ErrMissing where there is nothing to run.
func Start(ctx context.Context, dir string) (*Peer, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("interop: %w: install Node 20 or later: %w", ErrMissing, err)
	}
	installed := filepath.Join(dir, "node_modules", "@vladmandic", "face-api", "package.json")
	if _, err := os.Stat(installed); err != nil {
		return nil, fmt.Errorf("interop: %w: run `npm ci --ignore-scripts` in %s: %w", ErrMissing, dir, err)
	}
	p := &Peer{cmd: exec.CommandContext(ctx, node, "peer.mjs")}
	p.cmd.Dir = dir
	p.cmd.Stderr = &p.errors
	p.cmd.WaitDelay = patience
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("interop: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("interop: %w", err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("interop: start Node: %w", err)
	}
	if err := p.answer(&p.about); err != nil {
		return nil, errors.Join(fmt.Errorf("interop: start the npm package: %w", err), p.Close())
	}
	return p, nil
}

// About tells what runs.
func (p *Peer) About() About { return p.about }

// Close ends the process and waits for it.
func (p *Peer) Close() error {
	errIn := p.in.Close()
	if errors.Is(errIn, os.ErrClosed) {
		errIn = nil
	}
	if err := errors.Join(errIn, p.cmd.Wait()); err != nil {
		return fmt.Errorf("interop: Node: %w%s", err, p.said())
	}
	return nil
}

// said is what Node wrote to standard error, for a message.
func (p *Peer) said() string {
	text := bytes.TrimSpace(p.errors.Bytes())
	if len(text) == 0 {
		return ""
	}
	return ": " + string(text)
}

// request is the line before the bytes of a picture.
type request struct {
	Do        string  `json:"do"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	InputSize int     `json:"inputSize,omitempty"`
	Threshold float64 `json:"scoreThreshold,omitempty"`
}

// Reading is what the landmark and the expression net say of a picture that is
// one face.
type Reading struct {
	Landmarks  []float64 `json:"landmarks"`  // 68 pairs of x and y, in parts of the picture's width and height
	Expression []float64 `json:"expression"` // neutral, happy, sad, angry, fearful, disgusted, surprised
}

// Read runs both nets on a crop.
func (p *Peer) Read(crop frame.Frame) (Reading, error) {
	var r Reading
	err := p.ask(request{Do: "read"}, crop, &r)
	return r, err
}

// Box is one face that the package's detector claims, px.
type Box struct {
	X, Y, Width, Height float64
	Score               float64
}

// Detect runs the detector; inputSize is the side of its input in pixels.
func (p *Peer) Detect(picture frame.Frame, inputSize int, threshold float64) ([]Box, error) {
	var r struct{ Faces []Box }
	err := p.ask(request{Do: "detect", InputSize: inputSize, Threshold: threshold}, picture, &r)
	return r.Faces, err
}

// Times is how long the package took for one frame, in milliseconds. Upload,
// which makes a tensor of the frame's bytes, is in none of the others.
type Times struct {
	Found      bool
	Upload     float64
	Total      float64 // the three in one call, as the package's readme does it
	Detect     float64
	Landmarks  float64
	Expression float64
}

// Analyze runs detection, landmarks and expression in one call.
func (p *Peer) Analyze(picture frame.Frame, inputSize int, threshold float64) (Times, error) {
	var t Times
	err := p.ask(request{Do: "analyze", InputSize: inputSize, Threshold: threshold}, picture, &t)
	return t, err
}

// Stages runs detection, landmarks and expression one by one.
func (p *Peer) Stages(picture frame.Frame, inputSize int, threshold float64) (Times, error) {
	var t Times
	err := p.ask(request{Do: "stages", InputSize: inputSize, Threshold: threshold}, picture, &t)
	return t, err
}

// ask sends a request with its picture and reads the answer into v.
func (p *Peer) ask(r request, picture frame.Frame, v any) error {
	r.Width, r.Height = picture.Width, picture.Height
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("interop: %w", err)
	}
	if _, err := p.in.Write(append(append(line, '\n'), rgb(picture.Pix)...)); err != nil {
		return fmt.Errorf("interop: send a picture to Node: %w", err)
	}
	if err := p.answer(v); err != nil {
		return fmt.Errorf("interop: %s: %w", r.Do, err)
	}
	return nil
}

// answer reads one line of JSON into v.
func (p *Peer) answer(v any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no answer from Node: %w", err)
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(line, &failed); err != nil {
		return fmt.Errorf("no JSON from Node: %q: %w", line, err)
	}
	if failed.Error != "" {
		return errors.New(failed.Error)
	}
	return json.Unmarshal(line, v)
}

// rgb returns a copy of packed BGR pixels as packed RGB.
func rgb(bgr []byte) []byte {
	out := make([]byte, len(bgr))
	for i := 0; i+2 < len(bgr); i += 3 {
		out[i], out[i+1], out[i+2] = bgr[i+2], bgr[i+1], bgr[i]
	}
	return out
}
