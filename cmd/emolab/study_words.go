package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"emolab/studies/study"
	"emolab/studies/wording"
)

type studyWordsCmd struct {
	Language []string `arg:"" help:"Languages, by their tags: de, it, pt-BR." placeholder:"LANGUAGE"`
	Dir      string   `help:"The study's folder. Default: this one." default:"." type:"existingdir" placeholder:"DIR"`
}

// Help shows an example below the flags.
func (studyWordsCmd) Help() string {
	return `Writes the English words of the participant's pages into words/LANGUAGE.yaml beside the
study file, to be translated there. Nothing that is there is ever written over. How much
is still English says  emolab study lint.

Example:
  emolab study words de --dir my-study`
}

// Run is the command.
func (c *studyWordsCmd) Run(a *app) error {
	for _, tag := range c.Language {
		switch {
		case !study.IsLanguage(tag):
			return usagef("%q is no language: use its tag, such as de, it or pt-BR", tag)
		case slices.Contains(wording.Languages(), tag):
			return usagef("the words in %q are built in", tag)
		}
	}
	for _, tag := range c.Language {
		if err := writeWords(a, c.Dir, tag); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  and in study.yaml:  languages: [en, %s]  and  words: {%s: %s}\n", tag, tag, study.WordsFile(tag))
	}
	return nil
}

// wordsFile is where a study's folder has the words of a language.
func wordsFile(dir, language string) string {
	return filepath.Join(dir, filepath.FromSlash(study.WordsFile(language)))
}

// writeWords writes the words of a language that are to be translated, below a study's
// folder.
func writeWords(a *app, dir, language string) error {
	file := wordsFile(dir, language)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	err := create(file, wording.Template(language))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and nothing is written over: emolab study lint says what it lacks", file)
	}
	if err == nil {
		fmt.Fprintf(a.out, "wrote %s: English words, to be translated there\n", file)
	}
	return err
}
