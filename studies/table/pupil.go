package table

import (
	"fmt"
	"strings"
)

// pupils finds the diameter or area of the pupils; a file without them is fine.
// given names the columns: one, or left and right parted by a comma; "-" = none.
func (t *Table) pupils(g *Gaze, a *Axis, given string) error {
	if given == "-" {
		return nil
	}
	names := strings.Split(given, ",")
	if given != "" && len(names) != len(g.Eyes) {
		return fmt.Errorf("--pupil names %d columns, there is gaze of %d: give one for each", len(names), len(g.Eyes))
	}
	for i := range g.Eyes {
		e := &g.Eyes[i]
		var c *Column
		var err error
		if given != "" {
			c, err = t.Find(names[i])
		} else {
			c, err = t.pupilColumn(e.Eye)
		}
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		if err := t.numbers(c); err != nil {
			return err
		}
		e.Pupil = a.Pick(c.Values)
		unit := "no unit named"
		if has(words(c.nameAndUnit()), "mm", "millimeter", "millimetre", "pupilmm", "lpmm", "rpmm") {
			e.PupilUnit, unit = "mm", "mm"
		}
		g.Notes = append(g.Notes, fmt.Sprintf("pupil: %s (%s)", c.Label(), unit))
	}
	return nil
}

// pupilColumn finds an eye's pupil; nil where there is none.
func (t *Table) pupilColumn(eye Eye) (*Column, error) {
	var fits []fit[*Column]
	for i := range t.Columns {
		c := &t.Columns[i]
		if !c.numeric() {
			continue
		}
		name := words(c.nameAndUnit())
		if !has(name, "pupil", "pupils", "lpupil", "rpupil", "lpd", "rpd", "lpmm", "rpmm", "pupildiameter", "diameter", "pupilsize", "pupillefteye", "pupilright", "pupilleft") ||
			has(name, "x", "y", "z", "pos", "position", "valid", "validity", "velocity", "confidence", "lpupilx", "scale", "timestamp") {
			continue
		}
		side := Both
		switch {
		case has(name, "l", "left", "lpupil", "lpd", "lpmm", "pupilleft"):
			side = Left
		case has(name, "r", "right", "rpupil", "rpd", "rpmm", "pupilright"):
			side = Right
		}
		if side != eye {
			continue
		}
		score := 1
		if has(name, "mm", "lpmm", "rpmm") {
			score = 2
		}
		fits = append(fits, fit[*Column]{c, score, c.Label()})
	}
	f, _, err := best(t.File, "the pupil", "--pupil", fits)
	return f.what, err
}
