package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/neutral"
	"emolab/capture/face"
	"emolab/capture/face/offline"
	"emolab/capture/picture"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
)

type faceCmd struct {
	Analyze faceAnalyzeCmd `cmd:"" help:"Read films and pictures: expression, action units, pose, blinks, one row a frame."`
}

// detectorFlags choose the nets.
type detectorFlags struct {
	Detector     string `help:"Which net finds faces: tiny (embedded), or yunet once installed (emolab models install yunet)." enum:"tiny,yunet" default:"tiny"`
	DetectorSize int    `help:"Side of the detector's input in pixels, a multiple of 32. Larger finds smaller faces. Default: the detector's own." placeholder:"N"`
}

// analyzer loads the nets. mirror averages each face's expression with that of
// its mirror image.
func (f detectorFlags) analyzer(mirror bool) (*face.Analyzer, error) {
	o, err := faceOptions(f.Detector)
	if err != nil {
		return nil, err
	}
	o.DetectorSize, o.NoMirror = f.DetectorSize, !mirror
	return face.NewAnalyzer(o)
}

// faceAnalyzeCmd reads files.
type faceAnalyzeCmd struct {
	Files []string `arg:"" name:"file" help:"Films and pictures." type:"existingfile"`
	Out   string   `help:"Folder for the tables, one a file. \"-\" prints the table of a single file." default:"." type:"path" placeholder:"DIR"`
	JSON  bool     `help:"Write JSON instead of CSV." name:"json"`
	CSV   bool     `help:"Write CSV. This is the default." name:"csv"`
	Names string   `help:"Whose column names: emolab, openface or imotions." enum:"emolab,openface,imotions" default:"emolab"`
	Marks bool     `help:"Add the 68 landmarks to Emolab's own columns." name:"landmarks"`
	Sheet int      `help:"Also write a contact sheet of N pictures of each file, with what was found drawn in. It shows the face." placeholder:"N"`

	Neutral string `help:"The stretch with the face at rest, in seconds, as 0-3. Default: the calmest one is looked for." placeholder:"FROM-TO"`
	Smooth  int    `help:"Smooth the table's expressions by a running median over N frames, an odd number. The window lies around its frame: nothing is late." default:"1" placeholder:"N"`
	Mirror  bool   `help:"Read each face and its mirror image, and average the expression: steadier." default:"true" negatable:""`
	detectorFlags
	Jobs int `help:"Files read at once. Default: one a processor." placeholder:"N"`

	importFlags
}

// Help shows examples below the flags.
func (faceAnalyzeCmd) Help() string {
	return `Each file gives a table with one row a frame (FILE.face.csv) and one of its blinks
and bouts of expression (FILE.events.csv).

Examples:
  emolab face analyze interview.mp4 --sheet 24
  emolab face analyze clips/*.mp4 --out tables --names openface --jobs 2
  emolab face analyze portrait.jpg --out - --json
  emolab face analyze P07.mp4 --study study.yaml --participant P07`
}

// Run is the command.
func (c *faceAnalyzeCmd) Run(a *app) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	if c.Out != "-" {
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return err
		}
	}
	into, err := c.importFlags.open(a, c.Files)
	if err != nil {
		return err
	}
	defer into.close()

	shown := newSummary(a, c.Out == "-")
	progress := newFilesBar(a.err, len(c.Files))
	group, ctx := errgroup.WithContext(a.ctx)
	files := make(chan int)
	group.Go(func() error {
		defer close(files)
		for i := range c.Files {
			select {
			case files <- i:
			case <-ctx.Done():
				return nil
			}
		}
		return nil
	})
	results := make([]outcome, len(c.Files))
	for range c.workers() {
		group.Go(func() error {
			an, err := c.analyzer(c.Mirror)
			if err != nil {
				return err
			}
			defer an.Close()
			for i := range files {
				results[i] = c.one(ctx, a, an, c.Files[i], o, into, func(done, total int64) { progress.set(i, done, total) })
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	progress.finish()
	if err != nil {
		return err
	}
	return shown.print(results)
}

func (c *faceAnalyzeCmd) workers() int {
	n := c.Jobs
	if n <= 0 {
		n = runtime.NumCPU()
	}
	return min(n, len(c.Files))
}

// options checks the flags that kong cannot.
func (c *faceAnalyzeCmd) options() (offline.Options, error) {
	o := offline.Options{Thumbnails: c.Sheet, Smooth: c.Smooth}
	switch {
	case c.Out == "-" && len(c.Files) > 1:
		return o, usagef("--out - prints one table, and %d files are named: give a folder", len(c.Files))
	case c.Out == "-" && c.Sheet > 0:
		return o, usagef("--sheet writes a file: give a folder with --out")
	case c.CSV && c.JSON:
		return o, usagef("--csv and --json: choose one")
	case c.Smooth < 1 || c.Smooth%2 == 0:
		return o, usagef("--smooth %d: must be an odd number of frames, 1 for none", c.Smooth)
	case c.Marks && c.Names != string(offline.Emolab):
		return o, usagef("--landmarks is for Emolab's own names: openface always has them, imotions never")
	case c.Sheet < 0:
		return o, usagef("--sheet %d: must be a number of pictures", c.Sheet)
	}
	if seen := map[string]string{}; c.Out != "-" {
		for _, f := range c.Files {
			if other, twice := seen[filepath.Base(f)]; twice {
				return o, usagef("%s and %s would write the same table: read them into two folders", other, f)
			}
			seen[filepath.Base(f)] = f
		}
	}
	if c.Neutral == "" {
		return o, nil
	}
	from, until, err := parseStretch(c.Neutral)
	if err != nil {
		return o, err
	}
	o.Neutral = neutral.Options{From: offline.Start.Add(from), Until: offline.Start.Add(until)}
	return o, nil
}

// outcome is what became of one file.
type outcome struct {
	file    string
	written []string
	session string // where it was imported
	err     error

	// Of the result, which itself is too large to be kept for each file.
	frames, faces, blinks int
	neutral, course       string
	remarks               []string
	incomplete            error // the table is there, but not of the whole file
}

// estimateSlack is how much longer a film may announce itself than it is: many
// only estimate their number of frames.
const estimateSlack = time.Second

// summarise keeps what the summary needs of a result.
func (o *outcome) summarise(r *offline.Result, f detectorFlags) {
	o.frames, o.course = len(r.Rows), course(r)
	for _, row := range r.Facial.Rows {
		if row.Found {
			o.faces++
		}
	}
	for _, e := range r.Facial.Events {
		if e.Kind == facial.Blink {
			o.blinks++
		}
	}
	if o.faces == 0 && f.Detector == face.DetectorTiny && f.DetectorSize == 0 {
		o.remarks = append(o.remarks, "no face was found: the embedded detector is for one face before a camera; small and turned ones are found with --detector yunet (emolab models install yunet)")
	}
	switch n := r.Neutral; {
	case picture.Known(r.File):
		o.neutral = "-"
	case n == nil:
		o.neutral = "not found"
		if o.faces > 0 {
			o.remarks = append(o.remarks, fmt.Sprintf("the action units are empty: %v; name a moment at rest with --neutral FROM-TO, half a second or longer", r.NoNeutral))
		}
	default:
		o.neutral = fmt.Sprintf("%.1f-%.1f s", offline.Seconds(n.From), offline.Seconds(n.Until))
	}
	if r.Unread > 0 {
		o.incomplete = fmt.Errorf("%d frames could not be read, the first because: %w", r.Unread, r.Reason)
	}
	if r.FPS > 0 && float64(r.Missing) > r.FPS*estimateSlack.Seconds() {
		o.incomplete = fmt.Errorf("breaks off %d frames before its announced end: it is damaged or still being written; the table holds what there is", r.Missing)
	}
}

// one reads one file and writes its tables. An error of one file does not stop
// the others.
func (c *faceAnalyzeCmd) one(ctx context.Context, a *app, an *face.Analyzer, file string, o offline.Options, into *importer, progress func(done, total int64)) outcome {
	out := outcome{file: file}
	r, err := offline.Analyze(ctx, file, an, o, progress)
	if err != nil {
		out.err = err
		return out
	}
	if out.written, err = c.write(a.out, &r); err != nil {
		out.err = err
		return out
	}
	if into != nil {
		if out.session, err = into.add(ctx, &r); err != nil {
			out.err = err
			return out
		}
	}
	out.summarise(&r, c.detectorFlags)
	return out
}

// write writes the tables of one result and returns their names.
func (c *faceAnalyzeCmd) write(stdout io.Writer, r *offline.Result) ([]string, error) {
	columns := offline.Columns(r, offline.Names(c.Names), c.Marks)
	table, ending := offline.WriteCSV, ".face.csv"
	if c.JSON {
		table, ending = offline.WriteJSON, ".face.json"
	}
	if c.Out == "-" {
		return nil, table(stdout, r, columns)
	}
	base := filepath.Join(c.Out, filepath.Base(r.File))
	written := []string{base + ending}
	if err := writeFile(base+ending, func(w io.Writer) error { return table(w, r, columns) }); err != nil {
		return nil, err
	}
	if !picture.Known(r.File) && !c.JSON {
		written = append(written, base+".events.csv")
		if err := writeFile(base+".events.csv", func(w io.Writer) error { return offline.WriteEvents(w, r) }); err != nil {
			return nil, err
		}
	}
	if c.Sheet > 0 {
		written = append(written, base+".sheet.png")
		if err := offline.WriteSheet(base+".sheet.png", r); err != nil {
			return nil, err
		}
	}
	return written, nil
}

// writeFile writes a file whole or not at all: under another name first.
func writeFile(name string, write func(io.Writer) error) (err error) {
	// Not os.CreateTemp, whose files are their owner's alone whatever the umask.
	f, err := os.OpenFile(filepath.Join(filepath.Dir(name), ".emolab-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

// filesBar adds up the progress of several files.
type filesBar struct {
	mu    sync.Mutex
	bar   *bar
	files int
	done  []float64 // share of each file
}

const filesBarSteps = 1000 // per file

func newFilesBar(w io.Writer, files int) *filesBar {
	return &filesBar{bar: newBar(w, files*filesBarSteps, "reading"), files: files, done: make([]float64, files)}
}

func (b *filesBar) set(file int, done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if total > 0 {
		b.done[file] = float64(done) / float64(total)
	}
	var sum float64
	for _, d := range b.done {
		sum += d
	}
	doing := "reading"
	if b.files > 1 {
		doing = fmt.Sprintf("reading %d files", b.files)
	}
	b.bar.set(int(sum*filesBarSteps), b.files*filesBarSteps, doing)
}

func (b *filesBar) finish() { b.bar.finish() }

// summary prints what was found, a line a file.
type summary struct{ out io.Writer }

// newSummary prints to standard error where the table has standard output.
func newSummary(a *app, piped bool) summary {
	if piped {
		return summary{a.err}
	}
	return summary{a.out}
}

func (s summary) print(results []outcome) error {
	var failed []error
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if slices.ContainsFunc(results, func(o outcome) bool { return o.err == nil }) {
		fmt.Fprintln(w, "FILE\tFRAMES\tFACE\tNEUTRAL FACE\tBLINKS\tEXPRESSION")
	}
	for _, o := range results {
		if o.err != nil {
			failed = append(failed, o.err)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f%%\t%s\t%d\t%s\n", filepath.Base(o.file), o.frames,
			100*float64(o.faces)/float64(o.frames), o.neutral, o.blinks, o.course)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, o := range results {
		for _, f := range o.written {
			fmt.Fprintln(s.out, "wrote", f)
		}
		if o.session != "" {
			fmt.Fprintf(s.out, "%s is session %s\n", filepath.Base(o.file), o.session)
		}
		for _, text := range o.remarks {
			fmt.Fprintf(s.out, "%s: %s\n", filepath.Base(o.file), text)
		}
		if o.incomplete != nil {
			failed = append(failed, fmt.Errorf("%s: %w", o.file, o.incomplete))
		}
	}
	return errors.Join(failed...)
}

// course says which expressions a film shows one after the other.
func course(r *offline.Result) string {
	if len(r.Facial.Rows) == 1 {
		row := r.Facial.Rows[0]
		if !row.Found {
			return "no face"
		}
		return fmt.Sprintf("%s %.2f", expression.Names()[row.Expression.Top()], row.Expression[row.Expression.Top()])
	}
	runs := offline.Course(r)
	const most = 6
	var words []string
	for i, run := range runs {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(runs)-most))
			break
		}
		words = append(words, fmt.Sprintf("%s %.1f-%.1f s", run.Name, run.From, run.Until))
	}
	if len(words) == 0 {
		return "no face"
	}
	return strings.Join(words, ", ")
}
