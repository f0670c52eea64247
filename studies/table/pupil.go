package table

import (
	"fmt"
	"strings"
)

// pupils finds the diameter or area of the pupils; a file without them is fine.
// given names the columns: one, or left and right parted by a comma; "-" = none.
// One gaze of both eyes may have the pupils of each.
func (t *Table) pupils(g *Gaze, a *Axis, given string) error {
	if given == "-" {
		return nil
	}
	found, err := t.pupilColumns(g, given)
	if err != nil {
		return err
	}
	for _, f := range found {
		if err := t.numbers(f.column); err != nil {
			return err
		}
		p := Pupil{Eye: f.eye, Size: a.Pick(f.column.Values)}
		unit, why := f.column.pupilUnit(p.Size)
		p.Unit = unit
		g.Pupils = append(g.Pupils, p)
		g.Notes = append(g.Notes, fmt.Sprintf("pupil: %s (%s)", f.column.Label(), why))
	}
	return nil
}

// pupilOf is the column of an eye's pupil.
type pupilOf struct {
	eye    Eye
	column *Column
}

// pupilColumns are those that were named, else those of the eyes that have a gaze,
// else of each eye.
func (t *Table) pupilColumns(g *Gaze, given string) (found []pupilOf, err error) {
	if given != "" {
		names := strings.Split(given, ",")
		eyes := []Eye{Left, Right}
		switch {
		case len(names) == 1 && len(g.Eyes) == 1:
			eyes = []Eye{g.Eyes[0].Eye}
		case len(names) != 2:
			return nil, fmt.Errorf("--pupil names %d columns: give one, or two for the left and the right eye", len(names))
		}
		for i, name := range names {
			c, err := t.Find(strings.TrimSpace(name))
			if err != nil {
				return nil, err
			}
			found = append(found, pupilOf{eyes[i], c})
		}
		return found, nil
	}
	add := func(eye Eye) error {
		c, err := t.pupilColumn(eye)
		if err == nil && c != nil {
			found = append(found, pupilOf{eye, c})
		}
		return err
	}
	for _, e := range g.Eyes {
		if err := add(e.Eye); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 && g.Eyes[0].Eye == Both {
		for _, eye := range []Eye{Left, Right} {
			if err := add(eye); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// Diameters in mm that pupils have. Trackers that give pixels or an area give more.
const smallestPupil, largestPupil = 1, 10

// pupilUnit is "mm" where the column says so, or is a diameter with values that
// only millimetres have; and why.
func (c *Column) pupilUnit(size []float64) (unit, why string) {
	name := words(c.nameAndUnit())
	if has(name, "mm", "millimeter", "millimetre", "pupilmm", "lpmm", "rpmm") {
		return "mm", "mm"
	}
	sorted := present(size)
	for len(sorted) > 0 && sorted[0] <= 0 { // 0 or -1 is missing
		sorted = sorted[1:]
	}
	low, high := quantile(sorted, .02), quantile(sorted, .98)
	if has(name, "diameter", "pupildiameter") && low >= smallestPupil && high <= largestPupil {
		return "mm", fmt.Sprintf("assumed to be mm: a diameter from %.3g to %.3g", low, high)
	}
	return "", "no unit named"
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
