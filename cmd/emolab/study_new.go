package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"emolab/studies/stimulus"
	"emolab/studies/study"
	"emolab/studies/study/conditions"
	"emolab/studies/study/ident"
)

type studyNewCmd struct {
	Dir        string `arg:"" optional:"" help:"The folder of the new study. It is made if it is not there. Default: this one." default:"." type:"path"`
	ID         string `name:"id" help:"Id of the study; a part of file names." placeholder:"ID"`
	Title      string `help:"Title of the study." placeholder:"TEXT"`
	Languages  string `help:"Languages of the participants' pages, the first for whoever chooses none." placeholder:"fr,en"`
	Stimuli    string `help:"Folder of the videos, below the study's folder." placeholder:"FOLDER"`
	Conditions string `help:"A PsychoPy table of conditions (.csv, .tsv), to take the videos from." type:"existingfile" placeholder:"FILE"`
	Camera     *bool  `help:"The study needs a camera." negatable:""`
	Gaze       *bool  `help:"The study needs an eye tracker." negatable:""`
	EDA        *bool  `name:"eda" help:"The study needs skin conductance." negatable:""`
	FaceVideo  *bool  `help:"Participants are asked whether the video of the face may be kept." negatable:""`
	Screening  *bool  `help:"Questions decide who takes part." negatable:""`
	Yes        bool   `short:"y" help:"Do not ask; take what is suggested for what no flag says."`
}

// Help shows examples below the flags.
func (studyNewCmd) Help() string {
	return `Asks a few questions and writes study.yaml, with a comment at everything that can be
changed. Nothing that is there is ever written over.

Examples:
  emolab study new my-study
  emolab study new my-study --id walk-26 --languages fr,en --no-eda --yes
  emolab study new my-study --conditions psychopy/conditions.csv`
}

// studyFileName is what a study file is called.
const studyFileName = "study.yaml"

// Run is the command.
func (c *studyNewCmd) Run(a *app) error {
	file := filepath.Join(c.Dir, studyFileName)
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already, and nothing is written over: choose another folder, or edit it", file)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft, taken, err := c.draft(a)
	if err != nil {
		return err
	}
	folder := filepath.Join(c.Dir, filepath.FromSlash(draft.Folder))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, tag := range draft.Foreign() {
		if _, err := os.Lstat(wordsFile(c.Dir, tag)); err == nil {
			continue
		}
		if err := writeWords(a, c.Dir, tag); err != nil {
			return err
		}
	}
	originals, err := c.originals(draft, folder)
	if err != nil {
		return err
	}
	if err := create(file, study.Template(draft)); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "wrote %s\n", file)
	for _, s := range taken {
		fmt.Fprintf(a.out, "  %s\n", s)
	}
	c.next(a, file, folder, originals)
	return nil
}

// originalsFolder is where videos are put as they come, beside the folder of those that
// are shown.
const originalsFolder = "originals"

// originals makes the folder for videos as they come. It is the folder of the study's
// videos itself where that has some already, or where a table says what they are called.
func (c *studyNewCmd) originals(draft study.Draft, folder string) (string, error) {
	there, err := stimulus.Videos(folder)
	if err != nil {
		return "", err
	}
	if len(there) > 0 || len(draft.Stimuli) > 0 {
		return folder, nil
	}
	dir := filepath.Join(c.Dir, originalsFolder)
	return dir, os.MkdirAll(dir, 0o755)
}

// next says what comes next, so that it can be typed as it stands.
func (c *studyNewCmd) next(a *app, file, folder, originals string) {
	into := ""
	if originals != folder {
		into = "--into " + study.ShellQuoted(folder) + " "
	}
	file = study.ShellQuoted(file)
	fmt.Fprintf(a.out, "\nNext: put your videos, as they are, into %s\n", originals)
	fmt.Fprintf(a.out, "  emolab study import --convert %s%s    # makes those play that browsers do not\n", into, study.ShellQuoted(originals))
	fmt.Fprintf(a.out, "  emolab study lint %s\n  emolab study plan %s\n", file, file)
}

// create writes a file that is not there yet.
func create(file string, text []byte) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(text)
	return err
}

// draft asks for all that no flag says.
func (c *studyNewCmd) draft(a *app) (d study.Draft, taken []string, err error) {
	ask := asker{app: a, silent: c.Yes}
	abs, err := filepath.Abs(c.Dir)
	if err != nil {
		return d, nil, err
	}
	d.ID = ask.text(c.ID, "Id of the study, a part of file names", idOf(filepath.Base(abs)))
	if ask.err == nil && idOf(d.ID) != d.ID {
		return d, nil, fmt.Errorf("the id %q becomes a part of file names: use letters, digits, - _ and . only, for example %s", d.ID, idOf(d.ID))
	}
	d.Title = ask.text(c.Title, "Title", d.ID)
	d.Languages = strings.FieldsFunc(strings.ToLower(ask.text(c.Languages, "Languages of the participants' pages, the first for whoever chooses none", "en, fr")),
		func(r rune) bool { return r == ',' || r == ' ' })
	for _, tag := range d.Languages {
		if ask.err == nil && !study.IsLanguage(tag) {
			return d, nil, fmt.Errorf("%q is no language: use its tag, such as en, fr, de or pt-BR", tag)
		}
	}
	table := ask.text(c.Conditions, "A PsychoPy table of conditions to take the videos from (none)", "")
	suggested := "stimuli"
	if table != "" && ask.err == nil {
		read, err := conditions.ReadFile(table)
		if err != nil {
			return d, nil, err
		}
		taken = read.Taken
		for _, s := range read.Stimuli {
			d.Stimuli = append(d.Stimuli, study.DraftStimulus{ID: s.ID, File: ready(s.File), Brand: s.Brand, Tags: s.Tags})
		}
		if below, err := filepath.Rel(abs, filepath.Join(filepath.Dir(table), filepath.FromSlash(read.Folder))); err == nil && filepath.IsLocal(below) {
			suggested = filepath.ToSlash(below)
		}
	}
	d.Folder = ask.text(c.Stimuli, "Folder of the videos, below the study's folder", suggested)
	if ask.err == nil && !filepath.IsLocal(filepath.FromSlash(d.Folder)) {
		return d, nil, fmt.Errorf("the folder of the videos, %s, has to be below the study's folder, so that the study can be moved as a whole", d.Folder)
	}
	d.Camera = ask.agreed(c.Camera, "Is a camera needed, for the face?", true)
	d.Gaze = ask.agreed(c.Gaze, "Is an eye tracker needed?", false)
	d.EDA = ask.agreed(c.EDA, "Is skin conductance needed?", false)
	d.FaceVideo = d.Camera && ask.agreed(c.FaceVideo, "Shall participants be asked whether the video of the face may be kept?", false)
	d.Screening = ask.agreed(c.Screening, "Are there questions that decide who takes part?", true)
	return d, taken, ask.err
}

// asker asks one question after the other until one fails. Silent, it takes what is
// suggested.
type asker struct {
	app    *app
	silent bool
	err    error
}

// text returns what was given, or else an answer.
func (q *asker) text(given, question, suggested string) string {
	if given != "" || q.err != nil {
		return given
	}
	if q.silent {
		return suggested
	}
	if suggested != "" {
		question += " [" + suggested + "]"
	}
	answer, err := q.app.ask(question + ":")
	if err != nil {
		q.err = fmt.Errorf("%w (--yes takes what is suggested)", err)
	}
	if answer == "" {
		return suggested
	}
	return answer
}

// agreed returns what was given, or else an answer.
func (q *asker) agreed(given *bool, question string, suggested bool) bool {
	if given != nil {
		return *given
	}
	hint := "y/N"
	if suggested {
		hint = "Y/n"
	}
	for q.err == nil && !q.silent {
		answer, err := q.app.ask(question + " [" + hint + "]")
		if err != nil {
			q.err = fmt.Errorf("%w (--yes takes what is suggested)", err)
			break
		}
		switch strings.ToLower(answer) {
		case "":
			return suggested
		case "y", "yes", "o", "oui":
			return true
		case "n", "no", "non":
			return false
		}
		question = "Please answer y or n. " + strings.TrimPrefix(question, "Please answer y or n. ")
	}
	return suggested
}

// idOf makes an id of a folder's name.
func idOf(name string) string { return cmp.Or(ident.Of(name), "study") }

// ready is the file of a video once  study import --convert  has made it play: what is no
// .mp4 file is converted beside it.
func ready(file string) string {
	if path.Ext(file) == ".mp4" {
		return file
	}
	return path.Join(path.Dir(file), ident.Twin(file))
}
