package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"emolab/fusion/aoi"
	"emolab/studies/store"
	"emolab/studies/study"
)

const (
	// MaxAreaBytes bounds a file of areas, as a study does.
	MaxAreaBytes = 8 << 20
	// maxVersions bounds the versions of one video: somebody who saves every minute of a
	// month of work makes fewer.
	maxVersions = 10000
	maxNote     = 300 // characters
)

// AreaSet is a version of the areas of interest on a video.
type AreaSet struct {
	Stimulus string            `json:"stimulus"`
	Version  int               `json:"version"` // 0 = as the study's own file has them, or none
	Areas    []json.RawMessage `json:"aois"`    // as in the file (fusion/aoi, FORMAT.md)
	History  []AreaVersion     `json:"history"` // the oldest first; version 0 is not among them
}

// AreaVersion tells of a version.
type AreaVersion struct {
	Version int       `json:"version"`
	By      string    `json:"by"`
	MadeUTC time.Time `json:"made_utc"`
	Note    string    `json:"note"`
}

// AreaChange is a version that is to be made.
type AreaChange struct {
	Base  int               `json:"base_version"` // that it was made of
	Areas []json.RawMessage `json:"aois"`
	Note  string            `json:"note"` // why; may be empty
}

// areaFile is a file of areas, with each area as it was written.
type areaFile struct {
	Format   string            `json:"format"`
	Stimulus string            `json:"stimulus,omitempty"`
	Areas    []json.RawMessage `json:"areas"`
}

// Areas returns the latest areas of a stimulus of the lab's study.
func (p *Player) Areas(ctx context.Context, stimulus string) (AreaSet, error) {
	m, err := p.clipOf(stimulus)
	if err != nil {
		return AreaSet{}, err
	}
	return p.areas(ctx, m, -1)
}

// areas returns a version of the areas of a stimulus; -1: the latest.
func (p *Player) areas(ctx context.Context, m study.Stimulus, version int) (AreaSet, error) {
	set := AreaSet{Stimulus: m.ID, Areas: []json.RawMessage{}, History: []AreaVersion{}}
	all, err := p.store.AreaVersions(ctx, m.SHA256)
	if err != nil {
		return set, err
	}
	for _, v := range all {
		set.History = append(set.History, AreaVersion{v.Version, v.By, v.Made, v.Note})
	}
	if version < 0 {
		version = len(all)
	}
	set.Version = version
	var text []byte
	switch {
	case version > len(all):
		return set, refuse(Absent, fmt.Sprintf("the areas of %s have no version %d: the latest is %d", m.ID, version, len(all)))
	case version > 0:
		text = all[version-1].Areas // without holes, from 1
	case m.AOIs == "":
		return set, nil
	default:
		if text, err = p.ownAreas(m); err != nil {
			return set, err
		}
	}
	var file areaFile
	if err := json.Unmarshal(text, &file); err != nil {
		return set, fmt.Errorf("read version %d of the areas of %s: %w", version, m.ID, err)
	}
	if file.Areas != nil {
		set.Areas = file.Areas
	}
	return set, nil
}

// ownAreas reads the file that the study itself names.
func (p *Player) ownAreas(m study.Stimulus) ([]byte, error) {
	f, err := os.Open(filepath.Join(p.study.Dir, filepath.FromSlash(m.AOIs)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(Absent, "the study's own areas of "+m.ID+" are not where it has them: "+m.AOIs+" was moved since the study was loaded")
	}
	if err != nil {
		return nil, fmt.Errorf("the study's own areas of %s: %w", m.ID, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxAreaBytes))
	if err != nil {
		return nil, fmt.Errorf("the study's own areas of %s: %w", m.ID, err)
	}
	if _, err := aoi.Parse(bytes.NewReader(text), m.AOIs); err != nil {
		return nil, refuse(Conflict, "the study's own areas of "+m.ID+" cannot be read: "+err.Error())
	}
	return text, nil
}

// SetAreas saves a new version of the areas of a stimulus, and returns it.
func (p *Player) SetAreas(ctx context.Context, stimulus string, c AreaChange, by string) (AreaSet, error) {
	m, err := p.clipOf(stimulus)
	if err != nil {
		return AreaSet{}, err
	}
	c.Note = strings.TrimSpace(c.Note)
	if !utf8.ValidString(c.Note) || utf8.RuneCountInString(c.Note) > maxNote {
		return AreaSet{}, refuse(Unfit, fmt.Sprintf("a note has at most %d characters", maxNote))
	}
	text, err := fileOf(m, c.Areas)
	if err != nil {
		return AreaSet{}, err
	}
	if c.Base < 0 || c.Base >= maxVersions {
		return AreaSet{}, refuse(Unfit, fmt.Sprintf("base_version is 0 to %d", maxVersions-1))
	}
	err = p.store.AddAreas(ctx, m.SHA256, c.Base, store.AreaVersion{Areas: text, Note: c.Note, By: by})
	if errors.Is(err, store.ErrNewerAreas) {
		return AreaSet{}, refuse(Conflict, fmt.Sprintf("the areas of %s are not at version %d any more: somebody has saved others meanwhile. Load them, and put your changes on top", m.ID, c.Base))
	}
	if err != nil {
		return AreaSet{}, err
	}
	return p.areas(ctx, m, -1)
}

// AreasFile returns a version of the areas of a stimulus, -1 the latest, as a file for
// study.yaml, and its number.
func (p *Player) AreasFile(ctx context.Context, stimulus string, version int) ([]byte, int, error) {
	m, err := p.clipOf(stimulus)
	if err != nil {
		return nil, 0, err
	}
	set, err := p.areas(ctx, m, version)
	if err != nil {
		return nil, 0, err
	}
	text, err := fileOf(m, set.Areas)
	return text, set.Version, err
}

// fileOf writes a file of areas, after looking whether it can be read.
func fileOf(m study.Stimulus, areas []json.RawMessage) ([]byte, error) {
	if areas == nil {
		areas = []json.RawMessage{}
	}
	text, err := json.MarshalIndent(areaFile{aoi.Format, filepath.Base(m.File), areas}, "", "  ")
	if err != nil {
		return nil, refuse(Unfit, "the areas are not JSON: "+err.Error())
	}
	if len(text) > MaxAreaBytes {
		return nil, refuse(Unfit, fmt.Sprintf("the areas take %d MB: at most %d; fewer keyframes will do, places between them are computed", len(text)>>20, MaxAreaBytes>>20))
	}
	if _, err := aoi.Parse(bytes.NewReader(text), m.ID); err != nil {
		return nil, refuse(Unfit, err.Error())
	}
	return append(text, '\n'), nil
}

// clipOf finds a stimulus of the lab's study.
func (p *Player) clipOf(id string) (study.Stimulus, error) {
	if p.study != nil {
		if i := slices.IndexFunc(p.study.Stimuli, func(m study.Stimulus) bool { return m.ID == id }); i >= 0 {
			return p.study.Stimuli[i], nil
		}
	}
	return study.Stimulus{}, refuse(Absent, fmt.Sprintf("the study that this lab runs has no stimulus %q", id))
}
