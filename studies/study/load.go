package study

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads a study file with all that belongs to it, finds its stimuli, and measures
// each: hash, size, duration, frame times. Errors name the file and, for the study file,
// the line.
func Load(file string) (*Study, error) {
	d, err := readDocument(file)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	s, err := d.build(folder(filepath.Dir(file)))
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	return s, nil
}

// LoadLinted is Load, and tells what Lint finds in the same file. The videos are read
// once.
func LoadLinted(file string) (*Study, []Finding, error) {
	d, err := readDocument(file)
	if err != nil {
		return nil, nil, fmt.Errorf("study: %w", err)
	}
	s, p, err := d.printed(folder(filepath.Dir(file)))
	if err != nil {
		return nil, nil, fmt.Errorf("study: %w", err)
	}
	return s, d.findings(s, p), nil
}

// readDocument reads a study file, and looks which stimuli there are where it lists none.
func readDocument(file string) (document, error) {
	text, err := readBounded(file, maxFile)
	if err != nil {
		return document{}, err
	}
	d, err := parseDocument(file, text)
	if err == nil && !d.listed {
		d.stimuli, err = findStimuli(filepath.Dir(file), d.folder)
	}
	return d, err
}

// folder is the folder of a study file, as the source of what belongs to it.
type folder string

func (f folder) file(name string) string { return filepath.Join(string(f), filepath.FromSlash(name)) }

func (f folder) read(name string, most int64) ([]byte, error) { return readBounded(f.file(name), most) }

func (f folder) measure(name string) (Stimulus, error) { return Measure(f.file(name)) }

func (f folder) String() string { return string(f) }

// readBounded reads a file of at most so many bytes, and one byte more of a longer one.
func readBounded(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return text, nil
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

// measureStimulus measures a listed video.
func (d document) measureStimulus(l listing, from source) (Stimulus, error) {
	file := path.Join(d.folder, l.file)
	m, err := from.measure(file)
	if err != nil {
		return m, fmt.Errorf("stimulus %s: %w", l.id, err)
	}
	m.ID, m.File, m.Brand, m.Tags, m.Filler = l.id, file, l.brand, l.tags, l.filler
	m.AOIs, m.Moments = l.aois, l.moments
	for _, t := range l.moments {
		if t[1] > m.Duration {
			return m, fmt.Errorf("stimulus %s: the brand moment from %s to %s lies beyond the clip's end at %s", l.id, t[0], t[1], m.Duration)
		}
	}
	return m, nil
}
