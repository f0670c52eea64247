package table

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// AxisOptions overrule how the time of the rows is found. The zero value
// overrules nothing.
type AxisOptions struct {
	Column string  // name or number; "" = found out
	Unit   string  // s, ms, us, ns, min; "" = found out
	Rate   float64 // Hz: count the rows instead of reading times; 0 = read times
	// MinHz and MaxHz are between which rates a recording can have: they decide a
	// unit that the file does not name.
	MinHz, MaxHz float64
}

// Axis is when the rows were taken.
type Axis struct {
	Rows  []int   // the rows of the table that have a time of their own, in order
	At    []int64 // ns since the first of Rows
	Start float64 // s, the time of the first row on the file's own clock
	Rate  float64 // Hz, from the steps that are regular
	// Irregular is the share of steps that are not within half a step of the
	// usual one; LongestGap is the longest step in s.
	Irregular, LongestGap float64
	Column                string // its label; "" where rows were counted
	Unit                  string
	Notes                 []string
}

// Duration from the first sample to the last, in s.
func (a *Axis) Duration() float64 {
	if len(a.At) == 0 {
		return 0
	}
	return float64(a.At[len(a.At)-1]-a.At[0]) / 1e9
}

// Pick takes the rows of the axis out of a column.
func (a *Axis) Pick(values []float64) []float64 {
	out := make([]float64, len(a.Rows))
	for i, r := range a.Rows {
		out[i] = values[r]
	}
	return out
}

const (
	// irregularShare is from which share of irregular steps on it is said.
	irregularShare = 0.01
	// doubledShare is up to which share of rows may bear the time of the row
	// before: some programs write a row for each event besides those of samples.
	doubledShare = 0.2
	maxSeconds   = 9e9 // what nanoseconds in an int64 can count
)

// Axis finds the column of times, its unit and the rate.
//
// A unit that the name does not say is the one that gives a rate between MinHz
// and MaxHz. Rows without a time are left out; of rows with the same time only
// that with most numbers is kept, else the first. Both are said. A time that goes back is an error.
func (t *Table) Axis(o AxisOptions) (Axis, error) {
	if o.Rate == 0 && o.Column == "" && t.rate > 0 {
		a := t.counted(t.rate)
		a.Start = t.start
		return a, nil
	}
	if o.Rate > 0 {
		a := t.counted(o.Rate)
		a.Notes = append(a.Notes, fmt.Sprintf("time: the rows are counted, at %g Hz as given", o.Rate))
		return a, nil
	}
	c, err := t.timeColumn(o)
	if err != nil {
		return Axis{}, err
	}
	if err := t.numbers(c); err != nil {
		return Axis{}, err
	}
	return t.axis(c, o)
}

// counted gives the rows times by their number.
func (t *Table) counted(rate float64) Axis {
	a := Axis{Rate: rate, Rows: make([]int, t.Rows), At: make([]int64, t.Rows), LongestGap: 1 / rate}
	for i := range a.Rows {
		a.Rows[i], a.At[i] = i, int64(math.Round(float64(i)/rate*1e9))
	}
	return a
}

// timeColumn finds the column of times.
func (t *Table) timeColumn(o AxisOptions) (*Column, error) {
	if o.Column != "" {
		return t.Find(o.Column)
	}
	var fits []fit[*Column]
	for i := range t.Columns {
		c := &t.Columns[i]
		if score := timeScore(c); score > 0 {
			fits = append(fits, fit[*Column]{c, score, c.Label()})
		}
	}
	f, ok, err := best(t.File, "the time", "--time", fits)
	if err != nil {
		return nil, err
	}
	if ok {
		return f.what, nil
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name == "" && len(t.Columns) > 1 && rises(c) {
			fits = append(fits, fit[*Column]{c, 1, c.Label()})
		}
	}
	if f, ok, err = best(t.File, "the time", "--time", fits); err != nil {
		return nil, err
	}
	if ok {
		return f.what, nil
	}
	return nil, fmt.Errorf("%s: no column looks like times (%s): name it with --time COLUMN, or give the rate with --rate HZ to count the rows", t.File, t.list())
}

// timeScore tells how much a column's name and cells look like times.
func timeScore(c *Column) int {
	if !c.numeric() {
		return 0
	}
	name := words(c.nameAndUnit())
	if has(name, "duration", "diff", "delta", "reaction", "rt", "response", "event", "offset", "end", "stop", "local", "utc", "trial", "media", "video", "stimulus") {
		return 0
	}
	_, united := unitOf(c.nameAndUnit(), timeUnits)
	bonus := 0
	if united {
		bonus = 1
	}
	whole := strings.Join(words(c.Name), " ")
	switch {
	case has(name, "recording") && has(name, "time", "timestamp"):
		return 8 + bonus
	case has(name, "time", "timestamp", "timestamps", "zeit", "temps", "tiempo") || strings.HasPrefix(whole, "time stamp"):
		return 6 + bonus
	case len(name) > 0 && name[0] == "t" && (len(name) == 1 || united):
		return 6 + bonus
	case c.Clock:
		return 4
	case len(name) > 0 && united && allIn(name, timeUnits) && c.Name != "":
		return 3 // "ms", "seconds"
	case has(name, "onset", "elapsed"):
		return 2
	}
	return 0
}

func allIn(name []string, known map[string]unit) bool {
	return !slices.ContainsFunc(name, func(w string) bool { _, ok := known[w]; return !ok })
}

// rises tells whether every number is larger than the one before.
func rises(c *Column) bool {
	before, n := math.Inf(-1), 0
	for _, v := range c.Values {
		if math.IsNaN(v) {
			continue
		}
		if v <= before {
			return false
		}
		before = v
		n++
	}
	return n > 2
}

// axis reads the times of a column.
func (t *Table) axis(c *Column, o AxisOptions) (Axis, error) {
	a := Axis{Column: c.Label()}
	var times []float64
	without, doubled := 0, 0
	for row, v := range c.Values {
		switch {
		case math.IsNaN(v):
			without++
		case len(times) > 0 && v == times[len(times)-1]:
			doubled++
			if kept := &a.Rows[len(a.Rows)-1]; t.filled(row) > t.filled(*kept) {
				*kept = row // the one before was that of an event, without a sample
			}
		case len(times) > 0 && v < times[len(times)-1]:
			return a, fmt.Errorf("%s line %d, %s: the time goes back from %v to %v: cut the file where the recording starts anew, or count the rows with --rate HZ", t.File, t.Line(row), c.named(), times[len(times)-1], v)
		default:
			times, a.Rows = append(times, v), append(a.Rows, row)
		}
	}
	if len(times) < 3 {
		return a, fmt.Errorf("%s, %s: holds %d different times; a recording needs more", t.File, c.named(), len(times))
	}
	if float64(doubled) > doubledShare*float64(len(c.Values)) {
		return a, fmt.Errorf("%s, %s: %d of %d rows have the time of the row before (the first on line %d): the stamps are too coarse to tell the samples apart; count the rows with --rate HZ", t.File, c.named(), doubled, len(c.Values), t.firstDoubled(c))
	}
	steps := make([]float64, len(times)-1)
	for i := range steps {
		steps[i] = times[i+1] - times[i]
	}
	sorted := slices.Clone(steps)
	slices.Sort(sorted)
	median := sorted[len(sorted)/2]
	u, said, err := t.timeUnit(c, median, o)
	if err != nil {
		return a, err
	}
	a.Unit = u.name
	if math.Abs(times[0]*u.factor) > maxSeconds || math.Abs(times[len(times)-1]*u.factor) > maxSeconds {
		return a, fmt.Errorf("%s, %s: a time of %v %s is beyond all clocks: choose the unit with --time-unit", t.File, c.named(), times[len(times)-1], u.name)
	}
	a.Start = times[0] * u.factor
	a.At = make([]int64, len(times))
	for i, v := range times {
		a.At[i] = int64(math.Round((v - times[0]) * u.factor * 1e9))
	}
	sum, n := 0.0, 0
	for _, s := range steps {
		if math.Abs(s-median) <= median/2 {
			sum += s
			n++
		}
	}
	a.Rate = 1 / (sum / float64(n) * u.factor)
	a.Irregular = 1 - float64(n)/float64(len(steps))
	a.LongestGap = sorted[len(sorted)-1] * u.factor
	a.say(c, said, without, doubled)
	return a, nil
}

// filled is how many numbers a row has.
func (t *Table) filled(row int) (n int) {
	for i := range t.Columns {
		if !math.IsNaN(t.Columns[i].Values[row]) {
			n++
		}
	}
	return n
}

func (t *Table) firstDoubled(c *Column) int {
	for row := 1; row < len(c.Values); row++ {
		if c.Values[row] == c.Values[row-1] {
			return t.Line(row)
		}
	}
	return 0
}

// timeUnit finds the unit of a column of times with that median step, and why.
func (t *Table) timeUnit(c *Column, step float64, o AxisOptions) (unit, string, error) {
	if o.Unit != "" {
		u, ok := timeUnits[strings.Join(words(o.Unit), "")]
		if !ok {
			return u, "", fmt.Errorf("%q is no unit of time: s, ms, us, ns or min", o.Unit)
		}
		return u, "as given", nil
	}
	if c.Clock {
		return timeUnits["s"], "from dates or times of day", nil
	}
	if u, ok := unitOf(c.nameAndUnit(), timeUnits); ok {
		if rate := 1 / (step * u.factor); rate < o.MinHz/4 || rate > o.MaxHz*4 {
			return u, "", fmt.Errorf("%s, %s: by its name in %s, which would be %.4g samples a second: give the right unit with --time-unit", t.File, c.named(), u.name, rate)
		}
		return u, "by its name", nil
	}
	var fits []unit
	for _, name := range [...]string{"s", "ms", "us", "ns"} {
		u := timeUnits[name]
		if rate := 1 / (step * u.factor); rate >= o.MinHz && rate < o.MaxHz {
			fits = append(fits, u)
		}
	}
	if len(fits) != 1 {
		return unit{}, "", fmt.Errorf("%s, %s: its unit is not named, and a step of %v fits no recording of %g to %g Hz (or several): give it with --time-unit s, ms, us or ns", t.File, c.named(), step, o.MinHz, o.MaxHz)
	}
	return fits[0], fmt.Sprintf("because a step of %.4g %s gives a plausible rate", step, fits[0].name), nil
}

// say puts the axis in words.
func (a *Axis) say(c *Column, why string, without, doubled int) {
	note := func(format string, args ...any) { a.Notes = append(a.Notes, fmt.Sprintf(format, args...)) }
	note("time: %s in %s (%s), %.4g Hz, %.1f s", c.Label(), a.Unit, why, a.Rate, a.Duration())
	if a.Irregular > irregularShare {
		note("time: irregular, %.1f %% of the steps are not the usual one; the longest is %.3g s", 100*a.Irregular, a.LongestGap)
	} else if a.LongestGap*a.Rate > 1.5 {
		note("time: the longest gap is %.3g s", a.LongestGap)
	}
	if without > 0 {
		note("time: %d rows have none and were left out", without)
	}
	if doubled > 0 {
		note("time: %d rows have that of the row before and were left out", doubled)
	}
}

// Seconds is the time of sample i on the file's own clock, in s.
func (a *Axis) Seconds(i int) float64 { return a.Start + float64(a.At[i])/1e9 }

// Cut keeps the samples from one time to another, in s on the file's own clock,
// both included. It is an error when nothing is left.
func (a *Axis) Cut(from, until float64) error {
	first, last := 0, len(a.At)
	for first < last && a.Seconds(first) < from {
		first++
	}
	for last > first && a.Seconds(last-1) > until {
		last--
	}
	if n := last - first; n < 3 {
		return fmt.Errorf("%s there %s: the recording goes from %s s to %s s on its own clock", stretch(from, until), plural(n, "is 1 sample", fmt.Sprintf("are %d samples", n)), Clock(a.Seconds(0)), Clock(a.Seconds(len(a.At)-1)))
	}
	if first > 0 || last < len(a.At) {
		a.Notes = append(a.Notes, fmt.Sprintf("time: cut to %s s until %s s", Clock(a.Seconds(first)), Clock(a.Seconds(last-1))))
	}
	a.Rows, a.At = a.Rows[first:last], a.At[first:last]
	return nil
}

// stretch puts its bounds in words.
func stretch(from, until float64) string {
	switch {
	case math.IsInf(from, -1):
		return fmt.Sprintf("until %s s", Clock(until))
	case math.IsInf(until, 1):
		return fmt.Sprintf("from %s s on", Clock(from))
	}
	return fmt.Sprintf("from %s s to %s s", Clock(from), Clock(until))
}
