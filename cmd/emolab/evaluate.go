package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"emolab/capture/face"
	"emolab/capture/face/evaluation"
	"emolab/capture/picture"
)

// modelsEvalCmd measures how well the nets read labelled pictures.
type modelsEvalCmd struct {
	Set      string `arg:"" help:"A folder with one folder of pictures an expression (neutral, happy, sad, angry, fearful, disgusted, surprised, or usual synonyms), or a CSV table with the columns file and label." type:"path"`
	Detector string `help:"What finds the faces: tiny, or yunet where it is installed." enum:"tiny,yunet" default:"tiny"`
	Picture  string `help:"Draw the confusion table into this SVG file." type:"path" placeholder:"FILE"`
	JSON     bool   `help:"Print JSON."`
}

// Help shows examples below the flags.
func (modelsEvalCmd) Help() string {
	return `Examples:
  emolab models eval pictures/
  emolab models eval labels.csv --detector yunet --picture confusion.svg --json`
}

// Run is the command.
func (c *modelsEvalCmd) Run(a *app) error {
	if c.Picture != "" && !strings.EqualFold(filepath.Ext(c.Picture), ".svg") {
		return usagef("--picture %s: the picture is drawn as SVG, name it so", c.Picture)
	}
	set, err := evaluation.Open(c.Set)
	if err != nil {
		return err
	}
	options, err := faceOptions(c.Detector)
	if err != nil {
		return err
	}
	report, err := evaluate(a, set, options)
	if err != nil {
		return err
	}
	if c.Picture != "" {
		file, err := os.Create(c.Picture)
		if err != nil {
			return err
		}
		if err := errors.Join(report.WriteSVG(file), file.Close()); err != nil {
			return fmt.Errorf("%s: %w", c.Picture, err)
		}
	}
	write := report.WriteText
	if c.JSON {
		write = func(w io.Writer) error { return printJSON(w, report) }
	}
	if err := write(a.out); err != nil {
		return err
	}
	if report.Found.Of == 0 {
		return fmt.Errorf("%s: none of its %d pictures can be read", c.Set, report.Pictures)
	}
	return nil
}

// evaluate reads the set with an analyzer a core.
func evaluate(a *app, set evaluation.Set, options face.Options) (report evaluation.Report, err error) {
	var readers []evaluation.Reader
	models := ""
	for range min(runtime.NumCPU(), len(set.Pictures)) {
		analyzer, failed := face.NewAnalyzer(options)
		if failed != nil {
			return evaluation.Report{}, failed
		}
		defer func() { err = errors.Join(err, analyzer.Close()) }()
		readers, models = append(readers, analyzer), analyzer.Models()
	}
	progress := newBar(a.err, len(set.Pictures), "reading pictures")
	defer progress.finish()
	var drawing sync.Mutex // the readers tell of their progress at once
	outcomes, err := evaluation.Run(a.ctx, set, readers, picture.Read, func(done, total int) {
		drawing.Lock()
		defer drawing.Unlock()
		progress.set(done, total, "reading pictures")
	})
	if err != nil {
		return evaluation.Report{}, err
	}
	return evaluation.Score(set, outcomes, models), nil
}
