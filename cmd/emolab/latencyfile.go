package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"emolab/calibration/latency"
)

const (
	// maxLatencyFile bounds what is read: a measurement with its residuals has a few
	// kilobytes.
	maxLatencyFile = 1 << 20 // bytes
	// stampForm names the measurements of before by when they were made.
	stampForm = "20060102-150405"
)

// latencyFile is where the latency of a display or a camera is kept in a data
// folder.
func latencyFile(dir string, kind latency.Kind) string {
	return filepath.Join(dir, "calibration", string(kind)+".json")
}

// loadLatency reads the latency that was measured last; nil when none was.
func loadLatency(dir string, kind latency.Kind) (*latency.Measured, error) {
	m, err := readLatency(latencyFile(dir, kind), kind)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return m, err
}

// readLatency reads a file that saveLatency wrote.
func readLatency(path string, kind latency.Kind) (*latency.Measured, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLatencyFile+1))
	if err != nil {
		return nil, err
	}
	advice := fmt.Sprintf("measure again with `emolab calibrate %s`, or delete the file", kind)
	if len(text) > maxLatencyFile {
		return nil, fmt.Errorf("%s has more than %d bytes and is no measured latency: %s", path, maxLatencyFile, advice)
	}
	var m latency.Measured
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s cannot be read as a measured latency: %w: %s", path, err, advice)
	}
	if err := m.Check(kind); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", path, err, advice)
	}
	return &m, nil
}

// saveLatency keeps a measurement in a data folder and returns its file. The one of
// before stays beside it under the time at which it was made.
func saveLatency(dir string, m latency.Measured) (string, error) {
	path := latencyFile(dir, m.Kind)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if err := keepOld(path, m.Kind); err != nil {
		return "", err
	}
	if err := writeFile(path, bytesOf(append(text, '\n'))); err != nil {
		return "", err
	}
	return path, nil
}

// keepOld copies a measurement to a file named by its time.
func keepOld(path string, kind latency.Kind) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var when time.Time
	if m, err := readLatency(path, kind); err == nil {
		when = m.MeasuredAt
	} else if info, err := os.Stat(path); err == nil {
		when = info.ModTime() // it is damaged, but somebody may want to look at it
	}
	stem := filepath.Join(filepath.Dir(path), string(kind)+"-"+when.UTC().Format(stampForm))
	for n := 1; ; n++ {
		kept := stem + ".json"
		if n > 1 {
			kept = fmt.Sprintf("%s-%d.json", stem, n)
		}
		same, err := os.ReadFile(kept)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return writeFile(kept, bytesOf(old))
		case err != nil:
			return err
		case bytes.Equal(same, old):
			return nil
		}
	}
}

// bytesOf writes a text.
func bytesOf(text []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}
}
