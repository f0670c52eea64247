package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"emolab/fusion/instant"
	"emolab/studies/table"
)

// tableFlags say how a table from elsewhere is to be read, where it cannot be
// found out.
type tableFlags struct {
	Time      string   `help:"Column of times, by name or number. Default: found by name." placeholder:"COLUMN" group:"How the file is read"`
	TimeUnit  string   `help:"Unit of the times: s, ms, us, ns or min. Default: by the name, or by what gives a plausible rate." placeholder:"UNIT" group:"How the file is read"`
	Rate      float64  `help:"Count the rows at so many Hz instead of reading times." placeholder:"HZ" group:"How the file is read"`
	From      *float64 `help:"Leave out what is before, in seconds on the file's own clock; where that begins later than the file is long (Unix time), seconds after its first sample do too." placeholder:"SECONDS" group:"How the file is read"`
	Until     *float64 `help:"Leave out what is after, counted as --from is." placeholder:"SECONDS" group:"How the file is read"`
	Separator string   `help:"What parts the cells: comma, semicolon, tab, blank or bar. Default: found out." enum:",comma,semicolon,tab,blank,bar" default:"" placeholder:"NAME" group:"How the file is read"`
	Decimal   string   `help:"Decimal sign: point or comma. Default: found out." enum:",point,comma" default:"" placeholder:"NAME" group:"How the file is read"`
}

var separators = map[string]byte{"comma": ',', "semicolon": ';', "tab": '\t', "blank": ' ', "bar": '|'}

// check refuses what kong cannot.
func (f tableFlags) check() error {
	switch {
	case f.Rate < 0 || math.IsInf(f.Rate, 0) || math.IsNaN(f.Rate):
		return usagef("--rate %g: must be a rate in Hz", f.Rate)
	case f.Rate > 0 && f.Time != "":
		return usagef("--rate counts the rows and --time reads their times: choose one")
	}
	if from, until := f.stretch(); !(from < until) {
		return usagef("--from %g --until %g: the stretch is empty", from, until)
	}
	return nil
}

// stretch is what is kept, in s on the file's own clock.
func (f tableFlags) stretch() (from, until float64) {
	from, until = math.Inf(-1), math.Inf(1)
	if f.From != nil {
		from = *f.From
	}
	if f.Until != nil {
		until = *f.Until
	}
	return from, until
}

// recordingFile is a table with the times of its rows.
type recordingFile struct {
	*table.Table
	axis   table.Axis
	length float64           // of the file, s, before it was cut
	at     []instant.Instant // since the file's first row
	notes  []string
}

// open reads a table. minHz and maxHz are the rates that such a recording has.
func (f tableFlags) open(path string, minHz, maxHz float64, progress func(done, total int64)) (*recordingFile, error) {
	t, err := table.Open(path, table.Options{Separator: separators[f.Separator], Decimal: f.Decimal, Progress: progress})
	if err != nil {
		return nil, err
	}
	axis, err := t.Axis(table.AxisOptions{Column: f.Time, Unit: f.TimeUnit, Rate: f.Rate, MinHz: minHz, MaxHz: maxHz})
	if err != nil {
		return nil, err
	}
	length := axis.Duration()
	from, until := f.stretch()
	if axis.SinceFirst(length, from, until) {
		from, until = axis.Start+from, axis.Start+until
		axis.Notes = append(axis.Notes, "time: --from and --until are counted from the first sample, because the file's clock begins at "+table.Clock(axis.Start)+" s")
	}
	if err := axis.Cut(from, until); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &recordingFile{Table: t, axis: axis, length: length, at: make([]instant.Instant, len(axis.At))}
	for i, ns := range axis.At {
		r.at[i] = instant.Instant(ns)
	}
	r.notes = append(append(r.notes, t.Notes...), axis.Notes...)
	return r, nil
}

// instant turns seconds on the file's own clock into an instant.
func (r *recordingFile) instant(seconds float64) instant.Instant {
	return instant.Instant(math.Round((seconds - r.axis.Start) * 1e9))
}

// seconds is the inverse of instant.
func (r *recordingFile) seconds(at instant.Instant) float64 { return r.axis.Start + float64(at)/1e9 }

// outputs are the files that a command writes of one table.
type outputs struct {
	dir     string // "" = none
	base    string
	written []string
}

func newOutputs(dir, path string) outputs {
	base := filepath.Base(path)
	base = strings.TrimSuffix(base, ".gz")
	return outputs{dir: dir, base: strings.TrimSuffix(base, filepath.Ext(base))}
}

// write writes DIR/BASE.ENDING, or the file of that name where it is not "";
// nothing where neither is wanted.
func (o *outputs) write(name, ending string, write func(io.Writer) error) error {
	if name != "" {
		if err := writeFile(name, write); err != nil {
			return err
		}
		o.written = append(o.written, name)
	}
	if o.dir == "" {
		return nil
	}
	name = filepath.Join(o.dir, o.base+ending)
	if err := writeFile(name, write); err != nil {
		return err
	}
	o.written = append(o.written, name)
	return nil
}

// num is a number in JSON; what is not known is null.
type num float64

// MarshalJSON writes the number.
func (n num) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// cells writes one line of a CSV; numbers that are not known are empty.
type cells struct {
	buf []byte
	n   int
}

func (c *cells) text(s string) {
	c.sep()
	if strings.ContainsAny(s, ",\"\n\r") {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	c.buf = append(c.buf, s...)
}

// number with so many decimals; -1 = as many as it has.
func (c *cells) number(v float64, decimals int) {
	c.sep()
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		c.buf = strconv.AppendFloat(c.buf, v, 'f', decimals, 64)
	}
}

// yes writes 1 or 0.
func (c *cells) yes(is bool) {
	if is {
		c.text("1")
	} else {
		c.text("0")
	}
}

func (c *cells) sep() {
	if c.n++; c.n > 1 {
		c.buf = append(c.buf, ',')
	}
}

// end writes the line.
func (c *cells) end(w io.Writer) error {
	c.buf = append(c.buf, '\n')
	_, err := w.Write(c.buf)
	c.buf, c.n = c.buf[:0], 0
	return err
}

// show prints a number for people; "-" where it is not known.
func show(v float64, format string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// paragraph breaks a text into lines that a terminal shows whole.
func paragraph(w io.Writer, indent, text string) {
	const width = 92
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) >= width && line != indent {
			fmt.Fprintln(w, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(w, line)
}
