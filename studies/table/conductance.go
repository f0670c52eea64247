package table

import (
	"fmt"
	"math"
	"strings"
)

// Conductance is skin conductance as a table holds it.
type Conductance struct {
	US     []float64 // µS, one a row of the axis, NaN = missing
	Column string    // its label
	Unit   string    // as it stands in the file
	Notes  []string
}

// Conductance finds the column of skin conductance and its unit, and converts it
// to µS. column and unit overrule what is found where they are not "".
//
// A unit that the name does not say is taken for µS where the values are as skin
// has them, and said; whole numbers of a converter are refused, because only the
// device's maker knows what they mean.
func (t *Table) Conductance(a *Axis, column, unit string) (Conductance, error) {
	c, err := t.conductanceColumn(a, column)
	if err != nil {
		return Conductance{}, err
	}
	if err := t.numbers(c); err != nil {
		return Conductance{}, err
	}
	raw := a.Pick(c.Values)
	u, why, err := t.conductanceUnit(c, raw, unit)
	if err != nil {
		return Conductance{}, err
	}
	out := Conductance{US: make([]float64, len(raw)), Column: c.Label(), Unit: u.name}
	resistance := strings.HasSuffix(u.name, "Ω")
	infinite := 0
	for i, v := range raw {
		switch {
		case !resistance:
			out.US[i] = v * u.factor
		case v > 0:
			out.US[i] = u.factor / v
		default:
			out.US[i] = math.NaN()
			if !math.IsNaN(v) {
				infinite++
			}
		}
	}
	out.Notes = append(out.Notes, fmt.Sprintf("skin conductance: %s in %s (%s)", c.Label(), u.name, why))
	if resistance {
		out.Notes = append(out.Notes, "skin conductance: converted from resistance, µS = 1/MΩ")
	}
	if infinite > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("skin conductance: %d resistances of 0 or less are taken as missing", infinite))
	}
	return out, nil
}

func (t *Table) conductanceColumn(a *Axis, column string) (*Column, error) {
	if column != "" {
		return t.Find(column)
	}
	var fits []fit[*Column]
	var left []*Column // numeric columns that are not the time
	for i := range t.Columns {
		c := &t.Columns[i]
		if !c.numeric() || a.Column == c.Label() {
			continue
		}
		left = append(left, c)
		if score := conductanceScore(c); score > 0 {
			fits = append(fits, fit[*Column]{c, score, c.Label()})
		}
	}
	f, ok, err := best(t.File, "the skin conductance", "--value", fits)
	if err != nil {
		return nil, err
	}
	if ok {
		return f.what, nil
	}
	if len(left) == 1 {
		return left[0], nil
	}
	return nil, fmt.Errorf("%s: no column is named like skin conductance (%s): name it with --value COLUMN", t.File, t.list())
}

// conductanceScore tells how much a column's name looks like skin conductance
// as measured; what a program derived from it scores less or nothing.
func conductanceScore(c *Column) int {
	name := words(c.nameAndUnit())
	whole := strings.Join(name, " ")
	if has(name, "phasic", "tonic", "scr", "scrs", "peak", "peaks", "onset", "onsets", "marker", "event", "flag", "range", "amplitude", "amplitudes", "risetime", "recovery", "recoverytime", "height", "driver", "derivative", "diff", "time", "quality", "valid", "temperature", "temp") {
		return 0
	}
	score := 0
	switch {
	case has(name, "eda", "gsr", "electrodermal", "galvanic"), strings.Contains(whole, "skin conductance"), strings.Contains(whole, "skinconductance"):
		score = 10
	case has(name, "conductance", "sc", "scl"):
		score = 8
	case has(name, "us", "usiemens", "microsiemens", "umho"):
		score = 6
	case has(name, "resistance") && has(name, "skin"), has(name, "kohm", "kohms"):
		score = 4
	}
	if score == 0 {
		return 0
	}
	if has(name, "us", "usiemens", "microsiemens", "cal", "calibrated") {
		score += 3
	}
	if has(name, "clean", "cleaned", "filtered", "smoothed", "z", "normalized", "normalised") {
		score -= 2 // the raw signal is to be preferred
	}
	if has(name, "resistance", "kohm", "kohms", "ohm", "ohms", "uncal") {
		score -= 5
	}
	return score
}

const (
	// skinLowUS and skinHighUS bound what is taken for µS without being named so:
	// what Kleckner et al. (2018) hold for valid. Resistance in kΩ mostly lies above.
	skinLowUS, skinHighUS = 0.05, 60
	// highShare is the share of values above skinHighUS from which on they are
	// not taken for µS.
	highShare = 0.2
	adcMax    = 1 << 24 // no converter for skin conductance has more bits
)

func (t *Table) conductanceUnit(c *Column, raw []float64, given string) (unit, string, error) {
	if given != "" {
		u, ok := conductanceUnits[strings.Join(words(given), "")]
		if !ok {
			return u, "", fmt.Errorf("%q is no unit of conductance or resistance: uS, nS, mS, S, ohm, kohm or Mohm", given)
		}
		return u, "as given", nil
	}
	if u, ok := unitOf(c.nameAndUnit(), conductanceUnits); ok {
		return u, "by its name", nil
	}
	sorted := present(raw)
	median, top := quantile(sorted, 0.5), quantile(sorted, 1)
	skin := median >= skinLowUS && median <= skinHighUS && quantile(sorted, 1-highShare) <= skinHighUS
	if whole(sorted) && top > skinHighUS && top < adcMax {
		return unit{}, "", fmt.Errorf("%s, %s: whole numbers up to %g look like the raw counts of a converter, not like microsiemens: convert them by the device's formula, or give --unit if they have one", t.File, c.named(), top)
	}
	if has(words(c.Name), "resistance") || !skin {
		return unit{}, "", fmt.Errorf("%s, %s: its unit is not named, and values of %.4g to %.4g (median %.4g) are not what skin has in microsiemens, 0.05 to 60: give it with --unit uS, nS, S, kohm or ohm", t.File, c.named(), quantile(sorted, 0), top, median)
	}
	return conductanceUnits["us"], fmt.Sprintf("assumed: the median of %.3g is what skin has; --unit says otherwise", median), nil
}

// whole tells whether all numbers are whole.
func whole(values []float64) bool {
	for _, v := range values {
		if v != math.Trunc(v) {
			return false
		}
	}
	return len(values) > 0
}
