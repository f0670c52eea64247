package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"emolab/studies/stimulus"
	"emolab/studies/store"
	"emolab/studies/study"
	"emolab/studies/study/ident"
)

// studyImportCmd measures the videos that a study is to show, and mends them.
type studyImportCmd struct {
	Videos  []string `arg:"" optional:"" help:"Videos, or folders of them." type:"path" name:"video" placeholder:"VIDEO"`
	Study   string   `help:"Measure the videos of this study." type:"existingfile" placeholder:"FILE"`
	Into    string   `help:"Copy what plays into this folder, by names that a study file takes for ids." type:"path" placeholder:"FOLDER"`
	Convert bool     `help:"Convert what browsers do not play, with ffmpeg: into that folder, else beside the video. Nothing is overwritten."`
	Data    string   `help:"With --study: keep the measures in the study's database in this data folder." type:"path" placeholder:"DIR"`
	JSON    bool     `help:"Print JSON: one object a video."`
}

// Help shows examples below the flags.
func (studyImportCmd) Help() string {
	return `Says of each video whether every browser plays it, and how long, loud and light it is,
how often it cuts, and whether it flashes so fast that it may bring on a fit. Browsers
do not say when they show no picture, or play no sound: this does, before day one.

Examples:
  emolab study import clips/                              measure a folder
  emolab study import phone/*.mov --convert --into clips  make them play, and collect them
  emolab study import --study study.yaml --data emolab-data`
}

// imported is what became of one video. What was not measured is nil.
type imported struct {
	File     string `json:"file"`
	From     string `json:"from,omitempty"` // the file that it was copied or converted from
	ID       string `json:"id"`
	Playable bool   `json:"playable"`
	Why      string `json:"why,omitempty"` // not playable, and what to do

	SHA256    string    `json:"sha256,omitempty"`
	Seconds   float64   `json:"duration_s,omitempty"`
	FPS       float64   `json:"fps_hz,omitempty"`
	Even      bool      `json:"even_frames"`
	Width     int       `json:"width_px,omitempty"`
	Height    int       `json:"height_px,omitempty"`
	Picture   string    `json:"picture_codec,omitempty"`
	Sound     string    `json:"sound_codec,omitempty"`
	Loudness  *float64  `json:"loudness_lufs"`
	TruePeak  *float64  `json:"true_peak_dbtp"`
	Light     *float64  `json:"luminance_mean"`
	Cuts      []float64 `json:"cuts_s"`
	Flashes   *int      `json:"flashes_in_worst_second"`
	FlashesAt *float64  `json:"flashes_at_s"`
	Notes     []string  `json:"notes,omitempty"`
}

// Run is the command.
func (c *studyImportCmd) Run(a *app) error {
	sources, st, err := c.sources()
	if err != nil {
		return err
	}
	m, err := c.measurer(a, st)
	if err != nil {
		return err
	}
	results, err := c.takeAll(a, m, sources)
	if err = errors.Join(err, m.close()); err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(a.out, results)
	} else {
		err = printImported(a.out, results, m.ffmpeg != nil)
	}
	refused := 0
	for _, r := range results {
		if !r.Playable {
			refused++
		}
	}
	if err == nil && refused > 0 {
		err = fmt.Errorf("%d of %d videos cannot be used as they are", refused, len(results))
	}
	return err
}

// takeAll takes one video after the other, and shows how far it is.
func (c *studyImportCmd) takeAll(a *app, m *measurer, sources []source) ([]imported, error) {
	if c.Convert && m.ffmpeg == nil {
		return nil, stimulus.ErrNoFFmpeg
	}
	if c.Into != "" {
		if err := os.MkdirAll(c.Into, 0o755); err != nil {
			return nil, err
		}
	}
	results := []imported{}
	sources = originalsFirst(sources)
	made := map[string]bool{} // files that were told of with what they were made of
	for i, src := range sources {
		if made[filepath.Clean(src.file)] {
			continue
		}
		b := newBar(a.err, 100, "")
		show := func(doing string) func(share float64) {
			return func(share float64) {
				b.set(int(100*share), 100, fmt.Sprintf("%d of %d: %s %s", i+1, len(sources), doing, filepath.Base(src.file)))
			}
		}
		r := c.take(a.ctx, m, src, show)
		b.finish()
		if r.From != "" {
			made[filepath.Clean(r.File)] = true
		}
		results = append(results, r)
		if a.ctx.Err() != nil {
			return nil, a.ctx.Err()
		}
	}
	return results, nil
}

// originalsFirst puts the videos that may be conversions of others after those.
func originalsFirst(sources []source) []source {
	twins := map[string]bool{}
	for _, src := range sources {
		twins[filepath.Join(filepath.Dir(src.file), ident.Twin(src.file))] = true
	}
	var first, then []source
	for _, src := range sources {
		if twins[filepath.Clean(src.file)] {
			then = append(then, src)
		} else {
			first = append(first, src)
		}
	}
	return append(first, then...)
}

// source is a video to be taken, with its id where a study has given it one.
type source struct{ file, id string }

// sources lists the videos that are asked for, and the study where one is.
func (c *studyImportCmd) sources() ([]source, *study.Study, error) {
	switch {
	case c.Study != "" && (len(c.Videos) > 0 || c.Into != "" || c.Convert):
		return nil, nil, usagef("--study measures the study's own videos as they are: leave the other videos, --into and --convert out")
	case c.Study == "" && len(c.Videos) == 0:
		return nil, nil, usagef("name videos or folders of them, or a study with --study")
	case c.Study == "" && c.Data != "":
		return nil, nil, usagef("--data keeps the measures of a study's videos: name the study with --study")
	}
	if c.Study != "" {
		st, err := study.Load(c.Study)
		if err != nil {
			return nil, nil, err
		}
		var out []source
		for _, s := range st.Stimuli {
			out = append(out, source{filepath.Join(st.Dir, filepath.FromSlash(s.File)), s.ID})
		}
		return out, st, nil
	}
	var out []source
	for _, name := range c.Videos {
		info, err := os.Stat(name)
		if err != nil {
			return nil, nil, err
		}
		files := []string{name}
		if info.IsDir() {
			if files, err = stimulus.Videos(name); err != nil {
				return nil, nil, err
			}
			if len(files) == 0 {
				return nil, nil, fmt.Errorf("%s holds no video", name)
			}
		}
		for _, f := range files {
			out = append(out, source{f, ident.Clip(f)})
		}
	}
	return out, nil, nil
}

// measurer opens the study's database where measures are to be kept.
func (c *studyImportCmd) measurer(a *app, st *study.Study) (*measurer, error) {
	if c.Data == "" {
		return newMeasurer(a.ctx, nil), nil
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	s, err := store.Open(a.ctx, databasePath(c.Data, st.ID))
	if err != nil {
		return nil, err
	}
	return newMeasurer(a.ctx, s), nil
}

// take measures one video, and copies or converts it where that is asked for.
func (c *studyImportCmd) take(ctx context.Context, m *measurer, src source, show func(doing string) func(float64)) imported {
	r := imported{File: src.file, ID: src.id}
	refuse := func(err error) imported {
		r.Why = strings.TrimPrefix(err.Error(), src.file+": ")
		return r
	}
	if info, err := os.Stat(src.file); err != nil {
		return refuse(err)
	} else if !info.Mode().IsRegular() {
		return refuse(errors.New("is no file"))
	}
	s, err := study.Measure(src.file)
	switch {
	case err == nil && c.Into != "":
		if s, err = c.collect(s, src); err != nil {
			return refuse(err)
		}
	case err != nil && c.Convert:
		done, err := m.ffmpeg.Convert(ctx, src.file, c.converted(src), show("convert"))
		if err != nil {
			return refuse(err)
		}
		s = done.Stimulus
		r.Notes = append(r.Notes, conversion(done))
	case err != nil && !stimulus.IsVideo(src.file):
		return refuse(fmt.Errorf("is no video, by its name: those end in .mp4, .mov, .webm and the like"))
	case err != nil:
		return refuse(err)
	}
	if s.File != src.file {
		r.File, r.From = s.File, src.file
	}
	r.Playable = true
	r.SHA256, r.Seconds, r.FPS, r.Even = s.SHA256, s.Duration.Seconds(), s.FPS(), s.Even()
	r.Width, r.Height, r.Picture, r.Sound = s.Width, s.Height, s.Codec, s.Sound
	progress := show("measure")
	known, _, err := m.measure(ctx, s, s.File, func(ctx context.Context, frames int) error {
		progress(float64(frames) / float64(len(s.FrameTimes)))
		return ctx.Err()
	})
	r.Loudness, r.TruePeak, r.Light = known.Loudness, known.TruePeak, known.Luminance
	r.Cuts, r.Flashes, r.FlashesAt = known.Cuts, known.Flashes, known.FlashesAt
	if err != nil {
		r.Notes = append(r.Notes, "not all of it could be measured: "+err.Error())
	}
	r.Notes = append(r.Notes, remarks(r)...)
	if c.Study == "" && c.Into == "" {
		r.Notes = append(r.Notes, inPlace(src.file, r.From != "")...)
	}
	return r
}

// conversion says what a conversion did.
func conversion(done stimulus.Converted) string {
	if done.Already {
		return "already converted"
	}
	what := []string{"converted"}
	if done.Kept {
		what[0] = "repacked, its picture as it was"
	}
	return strings.Join(append(what, done.Notes...), "; ")
}

// converted is the file that a conversion makes.
func (c *studyImportCmd) converted(src source) string {
	if c.Into != "" {
		return filepath.Join(c.Into, src.id+".mp4")
	}
	return filepath.Join(filepath.Dir(src.file), ident.Twin(src.file))
}

// collect copies a video that plays into the folder, unless it is there already.
func (c *studyImportCmd) collect(s study.Stimulus, src source) (study.Stimulus, error) {
	to := filepath.Join(c.Into, src.id+".mp4")
	if there, err := study.Measure(to); err == nil && there.SHA256 == s.SHA256 {
		s.File = to
		return s, nil
	}
	if err := copyNew(src.file, to); err != nil {
		return s, err
	}
	s.File = to
	return s, nil
}

// copyNew copies a file to a new one, which is there as a whole or not at all; it never
// overwrites.
func copyNew(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := stimulus.NewPart(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Drop()) }()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	err = out.Place(to)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is another video of the same name, and nothing is overwritten: rename one of them", to)
	}
	return err
}
