package study

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads a study file, finds its stimuli, and measures each: hash, size,
// duration, frame times. Errors name the file and, for the study file, the line.
func Load(file string) (*Study, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("study: read %s: %w", file, err)
	}
	doc, err := parseDocument(file, text)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	dir := filepath.Dir(file)
	if !doc.listed {
		if doc.stimuli, err = findStimuli(dir, doc.folder); err != nil {
			return nil, fmt.Errorf("study: %w", err)
		}
	}

	s := &Study{
		ID: doc.id, Title: doc.title, Seed: doc.seed, FaceVideo: doc.video,
		Before: doc.before, Block: doc.block, After: doc.after, Gaze: doc.gaze,
		Dir: dir, Canonical: doc.canonical(),
	}
	for _, l := range doc.stimuli {
		m, err := measureStimulus(dir, doc.folder, l)
		if err != nil {
			if l.line > 0 {
				err = fmt.Errorf("%s:%d: %w", file, l.line, err)
			}
			return nil, fmt.Errorf("study: %w", err)
		}
		s.Stimuli = append(s.Stimuli, m)
	}
	s.Hash = hash(s.Canonical, s.Stimuli)
	return s, nil
}

// Stimulus returns the stimulus with an id.
func (s *Study) Stimulus(id string) (Stimulus, bool) {
	i := slices.IndexFunc(s.Stimuli, func(m Stimulus) bool { return m.ID == id })
	if i < 0 {
		return Stimulus{}, false
	}
	return s.Stimuli[i], true
}

// findStimuli lists the .mp4 files of a folder in the order of their names. A
// file's name without its ending is its id.
func findStimuli(dir, folder string) ([]listing, error) {
	full := filepath.Join(dir, filepath.FromSlash(folder))
	entries, err := os.ReadDir(full)
	if err != nil {
		return nil, fmt.Errorf("the folder of the stimuli: %w", err)
	}
	var found []listing
	for _, e := range entries {
		id, isMP4 := strings.CutSuffix(e.Name(), ".mp4")
		if e.IsDir() || !isMP4 {
			continue
		}
		if !word.MatchString(id) {
			return nil, fmt.Errorf("%s: the name is no id (letters, digits, - _ . only): rename the file, or name it under stimuli.list with an id", filepath.Join(full, e.Name()))
		}
		found = append(found, listing{id: id, file: e.Name()})
	}
	if len(found) == 0 || len(found) > maxStimuli {
		return nil, fmt.Errorf("%s holds %d .mp4 files; a study has 1 to %d", full, len(found), maxStimuli)
	}
	return found, nil
}

func measureStimulus(dir, folder string, l listing) (Stimulus, error) {
	s := Stimulus{ID: l.id, File: path.Join(folder, l.file), Brand: l.brand, Tags: l.tags}
	full := filepath.Join(dir, filepath.FromSlash(s.File))
	f, err := os.Open(full)
	if err != nil {
		return s, fmt.Errorf("stimulus %s: %w", l.id, err)
	}
	defer f.Close()

	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return s, fmt.Errorf("stimulus %s: read %s: %w", l.id, full, err)
	}
	s.SHA256 = hex.EncodeToString(sum.Sum(nil))

	v, err := readMP4(f, size)
	if err != nil {
		return s, fmt.Errorf("%s: %w", full, err)
	}
	s.Width, s.Height = v.width, v.height
	s.BT709 = v.bt709()
	s.Duration, s.FrameTimes = v.duration, v.times
	return s, nil
}

// hash is SHA-256 over the canonical form and one line "sha256  id" for each
// stimulus, so that a study with a re-encoded clip is another study.
func hash(canonical []byte, stimuli []Stimulus) string {
	h := sha256.New()
	h.Write(canonical)
	for _, s := range stimuli {
		fmt.Fprintf(h, "%s  %s\n", s.SHA256, s.ID)
	}
	return hex.EncodeToString(h.Sum(nil))
}
