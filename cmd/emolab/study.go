package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"emolab/studies/session"
	"emolab/studies/study"
)

type studyCmd struct {
	New    studyNewCmd    `cmd:"" help:"Ask a few questions and write a study file with comments."`
	Lint   studyLintCmd   `cmd:"" help:"Say in words what is wrong with a study file, and what may not be meant."`
	Import studyImportCmd `cmd:"" help:"Measure videos for a study, and convert what browsers cannot play."`
	Words  studyWordsCmd  `cmd:"" help:"Write the words of the pages in another language, to be translated."`
	Plan   studyPlanCmd   `cmd:"" help:"Say who will see what in which order, how long it takes, and what can be found."`
	Cohort studyCohortCmd `cmd:"" help:"Say how far a study has come: usable sessions by order and by quota, and who took part."`
	Purge  purgeCmd       `cmd:"" help:"Erase what is past the date up to which it may be kept, after showing it."`
}

// studyHere is the study file of this folder, for commands that were told no other.
func studyHere() (string, error) {
	if _, err := os.Stat(studyFileName); err != nil {
		return "", usagef("there is no %s here: name the study file, or write one with `emolab study new`", studyFileName)
	}
	return studyFileName, nil
}

type studyCohortCmd struct {
	storeFlags
	Study string `help:"The study file, for its quota. Default: what has been recorded is counted, and nothing is wanted." type:"existingfile" placeholder:"FILE"`
	JSON  bool   `help:"Print JSON."`
}

// Help shows examples below the flags.
func (studyCohortCmd) Help() string {
	return `A session is usable by the rules of its study, or by a person's word (in the console).
Who drops out leaves a place in the order that the next participant gets.

Examples:
  emolab study cohort --data emolab-data --study study.yaml
  emolab study cohort --json > cohort.json`
}

// Run is the command.
func (c *studyCohortCmd) Run(a *app) error {
	var quota study.Quota
	if c.Study != "" {
		s, err := study.Load(c.Study)
		if err != nil {
			return err
		}
		quota = s.Quota
	}
	s, err := c.view(a)
	if err != nil {
		return err
	}
	defer s.Close()
	cohort, err := s.Cohort(a.ctx, quota)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, cohort)
	}
	return printCohort(a.out, cohort)
}

// printCohort writes what a cohort is as tables.
func printCohort(w io.Writer, c session.Cohort) error {
	wanted := ""
	if c.Wanted > 0 {
		wanted = fmt.Sprintf(" of %d", c.Wanted)
	}
	fmt.Fprintf(w, "%d%s people have a usable session; %d sessions are not usable, %d were stopped by the participant, %d did not take part; people who withdrew: %d\n",
		c.Usable, wanted, c.Unusable, c.Dropped, c.Declined, c.Withdrawn)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(c.Cells) > 0 {
		fmt.Fprintln(t, "\nQUOTA\tUSABLE\tUNDER WAY\tWANTED")
		for _, cell := range c.Cells {
			fmt.Fprintf(t, "%s %s\t%d\t%d\t%d\n", cell.Question, cell.Band, cell.Have-cell.Open, cell.Open, cell.Usable)
		}
	}
	if len(c.Rows) > 0 {
		fmt.Fprintln(t, "\nORDER\tUSABLE\tUNDER WAY\tLOST")
		for _, r := range c.Rows {
			fmt.Fprintf(t, "%d\t%d\t%d\t%d\n", r.Row, r.Usable, r.Open, r.Other)
		}
	}
	if len(c.People) > 0 {
		fmt.Fprintln(t, "\nPARTICIPANT\tKEPT OF THE SCREENING\tRUN\tORDER\tSESSION\tSTATE\tUSABLE")
		for _, p := range c.People {
			for _, s := range p.Sessions {
				fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", p.Code, bands(p.Bands), s.Run, s.Row, s.Session, session.Summary{State: s.State, Reason: s.Why}.Standing(), standing(s))
			}
		}
	}
	return t.Flush()
}

// bands are the kept answers of a screening in the order of their questions' names.
func bands(kept study.Answers) string {
	var all []string
	for question, band := range kept {
		all = append(all, question+" "+band)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

// standing says whether a session counts, and why not.
func standing(s session.Standing) string {
	switch {
	case s.Usable == nil && s.Why == "":
		return "-"
	case s.Usable == nil:
		return s.Why
	case *s.Usable && s.Why == "":
		return "yes"
	case *s.Usable:
		return "yes: " + s.Why
	}
	return "no: " + s.Why
}
