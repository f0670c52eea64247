package study

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"emolab/studies/study/ident"
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

func (f folder) names(dir string) []string { return FilesOf(f.file(dir)) }

// FilesOf are the names of the files of a folder, hidden ones left out; none where it
// cannot be read.
func FilesOf(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

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
// file's name without its ending is its id; measureStimulus refuses those that are none,
// so that all are named at once.
func findStimuli(dir, folder string) ([]listing, error) {
	full := filepath.Join(dir, filepath.FromSlash(folder))
	entries, err := os.ReadDir(full)
	if err != nil {
		return nil, fmt.Errorf("the folder of the stimuli: %w", err)
	}
	var found []listing
	for _, e := range entries {
		if id, isMP4 := strings.CutSuffix(e.Name(), ".mp4"); isMP4 && !e.IsDir() {
			found = append(found, listing{id: id, file: e.Name()})
		}
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("%s holds no .mp4 file. Bring your videos there with:  emolab study import --convert --into %s  and the folder where they are", full, ShellQuoted(full))
	case len(found) > maxStimuli:
		return nil, fmt.Errorf("%s holds %d .mp4 files; a study has 1 to %d", full, len(found), maxStimuli)
	}
	return found, nil
}

// measureStimulus measures a listed video.
func (d document) measureStimulus(l listing, from source) (Stimulus, error) {
	file := path.Join(d.folder, l.file)
	if !d.listed && !word.MatchString(l.id) {
		return Stimulus{}, d.unnamed(file, from)
	}
	m, err := from.measure(file)
	if err != nil {
		return m, fmt.Errorf("stimulus %s: %w", l.id, d.unusable(file, from, err))
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

// unnamed says what to do about a video whose name is no id.
func (d document) unnamed(file string, from source) error {
	dir, name := path.Split(file)
	full := func(name string) string { return filepath.Join(from.String(), filepath.FromSlash(dir), name) }
	twin := ident.Twin(name)
	if slices.Contains(from.names(dir), twin) {
		return fmt.Errorf("%s: the name is no id (letters, digits, - _ . only), and %s lies beside it: if that was made of it, move %s out of this folder, else rename it", full(name), twin, ShellQuoted(name))
	}
	return fmt.Errorf("%s: the name is no id (letters, digits, - _ . only): rename it with  mv -n %s %s", full(name), ShellQuoted(full(name)), ShellQuoted(full(twin)))
}

// unusable says what to do about a video that cannot be measured: where the one that was
// made of it lies beside it, nothing has to be converted any more.
func (d document) unusable(file string, from source, err error) error {
	dir, name := path.Split(file)
	twin := ident.Twin(name)
	switch there := from.names(dir); {
	case slices.Contains(there, twin) && d.listed:
		return fmt.Errorf("%s cannot be used, but %s, made of it, lies beside it: write  file: %s", name, twin, twin)
	case slices.Contains(there, twin):
		return fmt.Errorf("%s cannot be used, but %s, made of it, lies beside it: move %s out of this folder", name, twin, ShellQuoted(name))
	case errors.Is(err, fs.ErrNotExist):
		return absent(file, from)
	}
	return err
}

// absent says that there is no such file, and which one may be meant.
func absent(file string, from source) error {
	dir, name := path.Split(file)
	return fmt.Errorf("there is no file %s; %s", filepath.Join(from.String(), filepath.FromSlash(file)),
		Nearest(name, from.names(dir)))
}

// mostNamed is how many files of a folder are named where none is like the one that was
// looked for.
const mostNamed = 8

// Nearest says which of the files of a folder may be meant by a name that none has.
func Nearest(name string, files []string) string {
	// An ending that both have is no likeness, and another one no difference.
	stem := func(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
	best := nearest(stem(name), each(files, func(f string) field { return field{key: stem(f)} }))
	switch i := slices.IndexFunc(files, func(f string) bool { return stem(f) == best }); {
	case best != "":
		return fmt.Sprintf("did you mean %s?", files[i])
	case len(files) == 0:
		return "its folder is empty, or not there"
	case len(files) > mostNamed:
		return fmt.Sprintf("there are %s and %d others", strings.Join(files[:mostNamed], ", "), len(files)-mostNamed)
	}
	return "there is " + strings.Join(files, ", ")
}
