package main

import (
	"fmt"

	"emolab/studies/study"
)

type studyLintCmd struct {
	File []string `arg:"" optional:"" help:"Study files. Default: study.yaml here." type:"existingfile"`
	JSON bool     `help:"Print JSON."`
}

// Help shows examples below the flags.
func (studyLintCmd) Help() string {
	return `Says in words what is wrong with a study, and what may not be meant: contradictions,
missing texts and files, orders that cannot be even, quotas that do not add up. Ends with 1
if something has to be changed before the study can run, with 0 if there are only warnings
and notes.

Examples:
  emolab study lint study.yaml
  emolab study lint study.yaml --json`
}

// fault is a finding of the linter with its file.
type fault struct {
	File string `json:"file"`
	study.Finding
}

// Run is the command.
func (c *studyLintCmd) Run(a *app) error {
	if len(c.File) == 0 {
		file, err := studyHere()
		if err != nil {
			return err
		}
		c.File = []string{file}
	}
	all := []fault{}
	for _, file := range c.File {
		for _, f := range study.Lint(file) {
			all = append(all, fault{file, f})
		}
	}
	wrong := 0
	for _, f := range all {
		if f.Severity == study.Error {
			wrong++
		}
		if !c.JSON {
			fmt.Fprintln(a.out, f)
		}
	}
	if c.JSON {
		if err := printJSON(a.out, all); err != nil {
			return err
		}
	} else if len(all) == 0 {
		fmt.Fprintln(a.out, "nothing to find fault with")
	}
	switch wrong {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("one thing has to be changed before the study can run")
	}
	return fmt.Errorf("%d things have to be changed before the study can run", wrong)
}

// String is a finding as editors understand it: file, line, what.
func (f fault) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", f.File, f.Severity, f.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Severity, f.Text)
}
