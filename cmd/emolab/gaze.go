package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"emolab/fusion/aoi"
	"emolab/fusion/eyemovement"
	"emolab/fusion/pupil"
	fig "emolab/studies/figure" // bench.go has a type figure
	"emolab/studies/table"
)

type gazeCmd struct {
	Analyze gazeAnalyzeCmd `cmd:"" help:"Analyse gaze of any laboratory's table: fixations, saccades, pursuit, blinks, areas of interest, pupil."`
}

// gazeAnalyzeCmd reads files of gaze.
type gazeAnalyzeCmd struct {
	Files []string `arg:"" name:"file" help:"Tables: CSV, TSV, semicolons with decimal commas, gzip; one recording a file. A folder stands for all tables in it." type:"path"`

	Method      string  `help:"How events are found: adaptive (our default), ivt (Tobii 2012), ivt-ocumen, idt or ek (Engbert and Kliegl)." enum:"adaptive,ivt,ivt-ocumen,idt,ek" default:"adaptive"`
	Still       bool    `help:"What was looked at did not move: what would be pursuit is fixation."`
	Velocity    float64 `help:"Threshold of ivt in degrees a second. Default: 30." placeholder:"DEG/S"`
	Dispersion  float64 `help:"Greatest extent of a fixation of idt in degrees. Default: 1." placeholder:"DEG"`
	Lambda      float64 `help:"Threshold of ek in multiples of the noise. Default: 6." placeholder:"N"`
	MinFixation float64 `help:"Shortest fixation of ivt and idt in ms. Default: 60 and 100." placeholder:"MS"`

	ScreenPX   string  `help:"Resolution of the screen. Default: of the JSON file beside the table, if there is one." name:"screen-px" placeholder:"WxH" group:"Geometry"`
	ScreenMM   string  `help:"Visible size of the screen. Default: of that file, else a diagonal of 24 inches is assumed and said." name:"screen-mm" placeholder:"WxH" group:"Geometry"`
	DistanceMM float64 `help:"From the eyes to the screen. Default: of that file, else 650 is assumed and said." name:"distance-mm" placeholder:"D" group:"Geometry"`

	X     string `help:"Column of x, for one gaze." placeholder:"COLUMN" group:"How the file is read"`
	Y     string `help:"Column of y." placeholder:"COLUMN" group:"How the file is read"`
	LX    string `help:"Column of the left eye's x." name:"lx" placeholder:"COLUMN" group:"How the file is read"`
	LY    string `help:"Column of the left eye's y." name:"ly" placeholder:"COLUMN" group:"How the file is read"`
	RX    string `help:"Column of the right eye's x." name:"rx" placeholder:"COLUMN" group:"How the file is read"`
	RY    string `help:"Column of the right eye's y." name:"ry" placeholder:"COLUMN" group:"How the file is read"`
	Unit  string `help:"Unit of the gaze: px, fractions (0..1), deg (from the screen's centre) or mm (from its upper left corner). Default: by name or values." enum:",px,fractions,deg,mm" default:"" placeholder:"UNIT" group:"How the file is read"`
	Pupil string `help:"Column of the pupil, or LEFT,RIGHT; - for none. Default: found by name." placeholder:"COLUMN" group:"How the file is read"`
	Valid string `help:"Column of validity and its value for good rows, or LEFT=V,RIGHT=V; - for none. Default: found out." placeholder:"COLUMN=VALUE" group:"How the file is read"`
	tableFlags

	AOI   string  `help:"Areas of interest, JSON as fusion/aoi/FORMAT.md describes." name:"aoi" type:"existingfile" placeholder:"FILE" group:"What was looked at"`
	Shown string  `help:"Size of the stimulus, in any unit: it was shown as large as it fits, in the middle of the screen. Areas lie on it. Default: it filled the screen." name:"stimulus-size" placeholder:"WxH" group:"What was looked at"`
	Onset float64 `help:"When the stimulus began, in seconds after the first sample: moving areas count from there." placeholder:"SECONDS" group:"What was looked at"`
	Error float64 `help:"Mean error of the tracker's validation in degrees: it widens the heat map." placeholder:"DEG" group:"What was looked at"`

	Score  bool     `help:"Compare with people's labels in the files (columns label_RATER): Cohen's kappa per stimulus and rater, beside ivt, idt and ek. What is fitted is fitted on one half of the recordings and scored on the other, both ways round."`
	Labels []string `help:"Columns of labels. Default: those named label or label_RATER." placeholder:"COLUMN"`

	Out     string `help:"Folder for everything: events, samples and areas as CSV, all as JSON, the picture, the methods paragraph; gaze.summary.csv with a line a file; of several files also the group's heat map and areas." type:"path" placeholder:"DIR"`
	CSV     string `help:"Write the events into this CSV file." name:"csv" type:"path" placeholder:"FILE"`
	Picture string `help:"Draw the recording into this .png or .svg file." type:"path" placeholder:"FILE"`
	JSON    bool   `help:"Print JSON instead of text." name:"json"`

	screenPX, screenMM, shown [2]float64
	areas                     *aoi.Set
}

// Help shows examples below the flags.
func (gazeAnalyzeCmd) Help() string {
	return `Prints a summary, what was found out about the file, and a paragraph for the methods
section with every parameter. Files are written only where --out, --csv or --picture say.
Of several files those that cannot be read are told at the end; the others go on.

The screen's geometry decides what a degree is. It comes from the flags, or from a JSON
file beside the table with {"geometry": {"screen_w_mm", "screen_h_mm", "view_dist_mm",
"res_x", "res_y"}}, the
resolution also from columns of the table that state it.

Examples:
  emolab gaze analyze P07.csv --screen-px 1920x1080 --screen-mm 531x299 --distance-mm 650
  emolab gaze analyze P07.tsv --out results --aoi clip01.aoi.json
  emolab gaze analyze P07.csv --method ivt --velocity 40 --picture P07.png
  emolab gaze analyze labelled/ --score
  emolab gaze analyze gazepoint.csv --unit fractions --valid BPOGV=1 --json`
}

// Rates in Hz that recordings of gaze have.
const gazeMinHz, gazeMaxHz = 15, 2500

// Run is the command.
func (c *gazeAnalyzeCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	files, err := c.listed()
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o755); err != nil {
			return err
		}
	}
	if c.Score {
		return c.score(a, files)
	}
	progress := newFilesBar(a.err, len(files))
	var reports []gazeReport
	failed := failures{of: len(files)}
	for i, file := range files {
		r, err := c.one(a.ctx, file, func(share float64) { progress.set(i, int64(share*1000), 1000) })
		if a.ctx.Err() != nil {
			progress.finish()
			return a.ctx.Err()
		}
		if err != nil {
			failed.add(file, err)
			continue
		}
		reports = append(reports, r)
	}
	progress.finish()
	if len(reports) == 0 {
		return failed.err()
	}
	return errors.Join(c.tell(a.out, reports, len(files)), failed.err())
}

// tell writes what is of all files, and prints the reports of those that could be
// read.
func (c *gazeAnalyzeCmd) tell(w io.Writer, reports []gazeReport, files int) (err error) {
	var written, notes []string
	if c.Out != "" {
		if len(reports) > 1 {
			if written, notes, err = c.writeGroup(reports); err != nil {
				return err
			}
		}
		name := filepath.Join(c.Out, "gaze.summary.csv")
		if err := writeGazeSummaries(name, reports); err != nil {
			return err
		}
		written = append(written, name)
	}
	if c.JSON {
		if files == 1 {
			return printJSON(w, reports[0])
		}
		return printJSON(w, reports)
	}
	for i := range reports {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := reports[i].print(w); err != nil {
			return err
		}
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
	for _, name := range written {
		fmt.Fprintln(w, "wrote", name)
	}
	return nil
}

// check refuses what kong cannot.
func (c *gazeAnalyzeCmd) check() error {
	if err := c.tableFlags.check(); err != nil {
		return err
	}
	for _, f := range []struct {
		flag string
		v    float64
	}{{"velocity", c.Velocity}, {"dispersion", c.Dispersion}, {"lambda", c.Lambda}, {"min-fixation", c.MinFixation}, {"distance-mm", c.DistanceMM}, {"error", c.Error}, {"onset", c.Onset}} {
		if !(f.v >= 0) || math.IsInf(f.v, 1) {
			return usagef("--%s %g: must be above 0", f.flag, f.v)
		}
	}
	for _, f := range []struct {
		flag    string
		set     bool
		methods string
	}{
		{"--velocity", c.Velocity > 0, "ivt ivt-ocumen"}, {"--dispersion", c.Dispersion > 0, "idt"},
		{"--lambda", c.Lambda > 0, "ek"}, {"--min-fixation", c.MinFixation > 0, "ivt ivt-ocumen idt"}, {"--still", c.Still, "adaptive"},
	} {
		if f.set && !strings.Contains(" "+f.methods+" ", " "+c.Method+" ") {
			return usagef("%s is for --method %s, not for %s", f.flag, strings.ReplaceAll(f.methods, " ", " and "), c.Method)
		}
	}
	if c.Picture != "" {
		if _, err := fig.FormatOf(c.Picture); err != nil {
			return usagef("--picture %v", err)
		}
	}
	if c.Score && (c.CSV != "" || c.Picture != "" || c.AOI != "") {
		return usagef("--score compares with labels: it writes no --csv, --picture or --aoi")
	}
	var err error
	if c.screenPX, err = sizeFlag("--screen-px", c.ScreenPX); err != nil {
		return err
	}
	if c.screenMM, err = sizeFlag("--screen-mm", c.ScreenMM); err != nil {
		return err
	}
	if c.shown, err = sizeFlag("--stimulus-size", c.Shown); err != nil {
		return err
	}
	if c.AOI != "" {
		f, err := os.Open(c.AOI)
		if err != nil {
			return err
		}
		defer f.Close()
		set, err := aoi.Parse(f, c.AOI)
		if err != nil {
			return err
		}
		c.areas = &set
	}
	return nil
}

// sizeFlag reads WxH; zeros where nothing was given.
func sizeFlag(flag, text string) ([2]float64, error) {
	if text == "" {
		return [2]float64{}, nil
	}
	w, h, ok := strings.Cut(strings.ToLower(text), "x")
	fw, errW := strconv.ParseFloat(w, 64)
	fh, errH := strconv.ParseFloat(h, 64)
	const most = 100000 // px or mm
	if !ok || errW != nil || errH != nil || !(fw > 0) || !(fh > 0) || fw > most || fh > most {
		return [2]float64{}, usagef("%s %s: give width and height as 1920x1080", flag, text)
	}
	return [2]float64{fw, fh}, nil
}

// listed replaces folders by the tables in them.
func (c *gazeAnalyzeCmd) listed() ([]string, error) {
	files, err := tablesIn(c.Files)
	if err != nil {
		return nil, err
	}
	if len(files) > 1 && (c.CSV != "" || c.Picture != "") {
		return nil, usagef("--csv and --picture name one file, and %d are to be read: give a folder with --out", len(files))
	}
	seen := map[string]string{}
	for _, f := range files {
		base := newOutputs("", f).base
		if other, twice := seen[base]; twice && c.Out != "" {
			return nil, usagef("%s and %s would write the same files: read them into two folders", other, f)
		}
		seen[base] = f
	}
	return files, nil
}

// recordedGaze is a table of gaze on its screen.
type recordedGaze struct {
	*recordingFile
	gaze        eyemovement.Gaze // of both eyes together
	left, right *eyemovement.Gaze
	geometry    geometry
	pupil       *pupil.Result // nil = no pupil
	pupilUnit   string
	columns     table.Gaze
}

// read reads one file of gaze.
func (c *gazeAnalyzeCmd) read(file string, progress func(done, total int64)) (*recordedGaze, error) {
	rec, err := c.open(file, gazeMinHz, gazeMaxHz, progress)
	if err != nil {
		return nil, err
	}
	side, err := table.ReadSidecar(file)
	if err != nil {
		return nil, err
	}
	geo := c.geometry(side, rec.Table)
	g, err := rec.Gaze(&rec.axis, table.GazeOptions{
		X: c.X, Y: c.Y, LX: c.LX, LY: c.LY, RX: c.RX, RY: c.RY, Unit: c.Unit, Pupil: c.Pupil, Valid: c.Valid,
		ScreenX: geo.px[0], ScreenY: geo.px[1],
	})
	if err != nil {
		return nil, err
	}
	if err := geo.check(file, g.Unit); err != nil {
		return nil, err
	}
	r := &recordedGaze{recordingFile: rec, geometry: geo, columns: g}
	rec.notes = append(append(rec.notes, g.Notes...), geo.notes...)
	if err := r.place(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r.cleanPupil()
	return r, nil
}

// place brings the gaze to fractions of the screen and joins both eyes.
func (r *recordedGaze) place() error {
	var eyes []eyemovement.Gaze
	for _, e := range r.columns.Eyes {
		g := eyemovement.Gaze{At: r.at, X: make([]float64, len(e.X)), Y: make([]float64, len(e.Y))}
		for i := range e.X {
			g.X[i], g.Y[i] = r.geometry.fractions(r.columns.Unit, e.X[i], e.Y[i])
			if r.columns.Upward {
				g.Y[i] = 1 - g.Y[i]
			}
		}
		if err := g.Check(); err != nil {
			return err
		}
		eyes = append(eyes, g)
	}
	r.gaze = eyes[0]
	if len(eyes) == 2 {
		r.left, r.right = &eyes[0], &eyes[1]
		r.gaze = eyemovement.Average(eyes[0], eyes[1])
		r.notes = append(r.notes, "gaze: the mean of both eyes, or the one that is there")
	}
	there, beside := 0, 0
	for i := range r.gaze.X {
		if !r.gaze.Valid(i) {
			continue
		}
		there++
		if x, y := r.gaze.X[i], r.gaze.Y[i]; math.Abs(x-.5) > .5+besideScreen || math.Abs(y-.5) > .5+besideScreen {
			beside++
		}
	}
	if there == 0 {
		return errors.New("no sample has a gaze")
	}
	if share := float64(beside) / float64(there); share > besideShare {
		r.notes = append(r.notes, fmt.Sprintf("gaze: MIND: %.0f %% of it lies beside the screen: are resolution, unit and columns right?", 100*share))
	}
	return nil
}

// Gaze that lies farther beside the screen than a tenth of it, in more than a
// twentieth of the samples, is more than the error of a tracker.
const besideScreen, besideShare = 0.1, 0.05

// cleanPupil cleans the pupil where there is one.
func (r *recordedGaze) cleanPupil() {
	var of [2][]float64 // left, right
	unit := ""
	for i, p := range r.columns.Pupils {
		side := 0
		if p.Eye == table.Right {
			side = 1
		}
		of[side] = p.Size
		if i == 0 || unit == p.Unit {
			unit = p.Unit
		} else {
			unit = "" // of two units: neither
		}
	}
	if of[0] == nil && of[1] == nil {
		return
	}
	p := pupil.Clean(r.at, of[0], of[1], pupil.Options{Arbitrary: unit != "mm"})
	r.pupil, r.pupilUnit = &p, "a.u."
	if unit != "" {
		r.pupilUnit = unit
	}
}

// one reads, analyses and writes one file.
func (c *gazeAnalyzeCmd) one(ctx context.Context, file string, progress func(share float64)) (gazeReport, error) {
	rec, err := c.read(file, func(done, total int64) { progress(readShare * float64(done) / float64(max(total, 1))) })
	if err != nil {
		return gazeReport{}, err
	}
	if err := ctx.Err(); err != nil {
		return gazeReport{}, err
	}
	still := c.Still || rec.geometry.still
	var events []eyemovement.Event
	var adaptive *eyemovement.Details
	if c.Method == "adaptive" {
		found, details := eyemovement.ClassifyDetailed(rec.gaze, rec.geometry.screen, eyemovement.Options{Rate: rec.axis.Rate, Still: still})
		events, adaptive = found, &details
	} else {
		events = c.find(rec)
	}
	progress(analysedShare)
	r, err := newGazeReport(c, file, rec, events, adaptive)
	if err != nil {
		return gazeReport{}, err
	}
	if err := r.write(c, newOutputs(c.Out, file)); err != nil {
		return gazeReport{}, err
	}
	progress(1)
	return r, nil
}

// find finds the events by the chosen method of those that were published.
func (c *gazeAnalyzeCmd) find(r *recordedGaze) []eyemovement.Event {
	rate, shortest := r.axis.Rate, time.Duration(c.MinFixation*1e6)
	switch c.Method {
	case "idt":
		return eyemovement.IDT(r.gaze, r.geometry.flat(), eyemovement.IDTOptions{Rate: rate, DispersionDeg: c.Dispersion, MinFixation: shortest})
	case "ek":
		o := eyemovement.EKOptions{Rate: rate, Lambda: c.Lambda}
		if r.left != nil {
			return eyemovement.EngbertKlieglBinocular(*r.left, *r.right, r.geometry.flat(), o)
		}
		return eyemovement.EngbertKliegl(r.gaze, r.geometry.flat(), o)
	}
	return eyemovement.IVT(r.gaze, r.geometry.screen, c.ivt(rate))
}

// ivt is the preset with what the flags change.
func (c *gazeAnalyzeCmd) ivt(rate float64) eyemovement.IVTOptions {
	o := eyemovement.Tobii2012()
	if c.Method == "ivt-ocumen" {
		o = eyemovement.Ocumen()
	}
	o.Rate = rate
	if c.Velocity > 0 {
		o.ThresholdDegS = c.Velocity
	}
	if c.MinFixation > 0 {
		o.MinFixation = time.Duration(c.MinFixation * 1e6)
	}
	return o
}
