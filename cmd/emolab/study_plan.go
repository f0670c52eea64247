package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"emolab/studies/outlook"
	"emolab/studies/study"
)

// mostPlanned bounds how many people are planned at once; their orders are all kept.
const mostPlanned = 10_000

// usuallyPlanned is for how many people a study without a quota is planned.
const usuallyPlanned = 60

type studyPlanCmd struct {
	File         string `arg:"" optional:"" help:"The study file. Default: study.yaml here." type:"existingfile"`
	Participants *int   `help:"How many people. Default: the study's quota, or 60 without one." placeholder:"N"`
	All          bool   `help:"Print a line for each person, also where several get the same order."`
	CSV          bool   `name:"csv" help:"Print every presentation of everybody as CSV." xor:"form"`
	JSON         bool   `help:"Print JSON." xor:"form"`
}

// Help shows examples below the flags.
func (studyPlanCmd) Help() string {
	return `The orders are those that the people will really get, if nobody drops out: whoever
comes next gets the order with the fewest usable sessions. Orders are numbered from 0,
as in the data (row). People with the same order stand in one line; --all gives each a
line. A video in brackets is a filler; one with a question mark depends on the answers.

The length assumes 200 words a minute for reading and 4 to 30 s an answer. The power
assumes that a third of the compared differences are real, and medium or large; it tells a
hopeless plan from a good one, and no more.

Examples:
  emolab study plan study.yaml
  emolab study plan study.yaml --participants 30
  emolab study plan study.yaml --csv > orders.csv`
}

// Run is the command.
func (c *studyPlanCmd) Run(a *app) error {
	if n := c.Participants; n != nil && (*n < 1 || *n > mostPlanned) {
		return usagef("--participants %d: 1 to %d", *n, mostPlanned)
	}
	if c.File == "" {
		var err error
		if c.File, err = studyHere(); err != nil {
			return err
		}
	}
	s, err := study.Load(c.File)
	if err != nil {
		return err
	}
	o := outlook.Of(s, c.people(s))
	switch {
	case c.JSON:
		return printJSON(a.out, o)
	case c.CSV:
		return writeOrders(a.out, o)
	}
	return printOutlook(a.out, o, c.All)
}

// people is for how many people is planned.
func (c *studyPlanCmd) people(s *study.Study) int {
	switch {
	case c.Participants != nil:
		return *c.Participants
	case s.Quota.Total > 0:
		return min(s.Quota.Total, mostPlanned)
	}
	return usuallyPlanned
}

// printOutlook writes what follows from the orders in words, and the orders as a table.
func printOutlook(w io.Writer, o outlook.Outlook, all bool) error {
	title := o.Study
	if o.Title != "" {
		title = fmt.Sprintf("%s (%s)", o.Title, o.Study)
	}
	if o.Rows > 0 {
		fmt.Fprintf(w, "%s: %d orders, filled evenly\n\n", title, o.Rows)
	} else {
		fmt.Fprintf(w, "%s\n\n", title)
	}
	for _, line := range o.Words() {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PERSON\tORDER\tMINUTES\tVIDEOS IN ORDER")
	for _, g := range inLines(o.People, all) {
		p := g[0]
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%s\n", numbers(g), orderOf(g), p.PlanS/60, shownInOrder(p.Shown))
	}
	return t.Flush()
}

// inLines are the people of each line of the table: those who see the same in the same
// order, or each by themselves.
func inLines(people []outlook.Person, all bool) [][]outlook.Person {
	var lines [][]outlook.Person
	at := map[string]int{} // line of what is shown
	for _, p := range people {
		shown := fmt.Sprint(p.PlanS, p.Shown)
		i, known := at[shown]
		if !known || all {
			i, at[shown] = len(lines), len(lines)
			lines = append(lines, nil)
		}
		lines[i] = append(lines[i], p)
	}
	return lines
}

// orderOf is the number of the order that people share; "-" where each has their own
// number, and the orders turn out to be the same.
func orderOf(people []outlook.Person) string {
	for _, p := range people {
		if p.Row != people[0].Row {
			return "-"
		}
	}
	return strconv.Itoa(people[0].Row)
}

// mostNumbers is how many people are named in a line: as many as the first 60 fill with
// two orders.
const mostNumbers = 30

// numbers names people: "1, 9, 17", or "1 to 60".
func numbers(people []outlook.Person) string {
	first, last := people[0].Number, people[len(people)-1].Number
	if len(people) > 2 && last-first == len(people)-1 {
		return fmt.Sprintf("%d to %d", first, last)
	}
	var b strings.Builder
	for k, p := range people {
		if k == mostNumbers && len(people) > mostNumbers+1 {
			fmt.Fprintf(&b, " and %d more (--all has each)", len(people)-k)
			break
		}
		if k > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(p.Number))
	}
	return b.String()
}

// mostVideos is how many videos of one person stand in a line.
const mostVideos = 24

// shownInOrder are the videos of one person, the blocks parted by a bar.
func shownInOrder(shown []outlook.Shown) string {
	var b strings.Builder
	for k, v := range shown {
		if k == mostVideos && len(shown) > mostVideos+1 {
			fmt.Fprintf(&b, " ... and %d more (--csv has all)", len(shown)-k)
			break
		}
		switch {
		case k > 0 && v.Block != shown[k-1].Block:
			b.WriteString(" | ")
		case k > 0:
			b.WriteByte(' ')
		}
		name := v.Stimulus
		if v.Filler {
			name = "(" + name + ")"
		}
		if v.Depends {
			name += "?"
		}
		b.WriteString(name)
	}
	return b.String()
}

// writeOrders writes a line for every presentation.
func writeOrders(w io.Writer, o outlook.Outlook) error {
	if _, err := io.WriteString(w, "person,row,presentation,block,stimulus,filler,depends_on_answers,duration_s\n"); err != nil {
		return err
	}
	var line cells
	for _, p := range o.People {
		for k, v := range p.Shown {
			line.text(strconv.Itoa(p.Number))
			line.text(strconv.Itoa(p.Row))
			line.text(strconv.Itoa(k + 1))
			line.text(v.Block)
			line.text(v.Stimulus)
			line.yes(v.Filler)
			line.yes(v.Depends)
			line.number(v.DurationS, 3)
			if err := line.end(w); err != nil {
				return err
			}
		}
	}
	return nil
}
