package main

import (
	"io"
	"math"
	"path/filepath"

	"emolab/fusion/eyemovement"
	fig "emolab/studies/figure" // bench.go has a type figure
)

// write writes the files that were asked for.
func (r *gazeReport) write(c *gazeAnalyzeCmd, o outputs) error {
	if err := o.write(c.CSV, ".events.csv", r.eventTable); err != nil {
		return err
	}
	if c.Picture != "" {
		format, err := fig.FormatOf(c.Picture)
		if err != nil {
			return err
		}
		if err := writeFile(c.Picture, func(w io.Writer) error { return r.figure(c).Write(w, format) }); err != nil {
			return err
		}
		o.written = append(o.written, c.Picture)
	}
	if o.dir != "" {
		for _, f := range []struct {
			ending string
			write  func(io.Writer) error
		}{
			{".gaze.csv", r.samples},
			{".gaze.png", func(w io.Writer) error { return r.figure(c).Write(w, fig.PNG) }},
			{".methods.txt", func(w io.Writer) error { paragraph(w, "", r.Methods); return nil }},
		} {
			if err := o.write("", f.ending, f.write); err != nil {
				return err
			}
		}
		if len(r.Areas) > 0 {
			if err := o.write("", ".areas.csv", r.areaTable); err != nil {
				return err
			}
		}
		r.Written = append(o.written, filepath.Join(o.dir, o.base+".gaze.json"))
		if err := o.write("", ".gaze.json", func(w io.Writer) error { return printJSON(w, r) }); err != nil {
			return err
		}
	}
	r.Written = o.written
	return nil
}

func (r *gazeReport) eventTable(w io.Writer) error {
	return lineWriter(w, "class,from_s,until_s,duration_s,first_sample,last_sample,x,y,amplitude_deg,peak_deg_s,mean_deg_s,dispersion_deg,coefficient_k,area", len(r.Events), func(c *cells, i int) {
		e := r.Events[i]
		c.text(e.Class)
		c.number(e.From, 6)
		c.number(e.Until, 6)
		c.number(e.Until-e.From, 6)
		c.number(float64(e.First), 0)
		c.number(float64(e.Last), 0)
		for _, v := range []num{e.X, e.Y, e.Amplitude, e.Peak, e.Mean, e.Dispersion, e.K} {
			c.number(float64(v), 5)
		}
		c.text(e.Area)
	})
}

func (r *gazeReport) samples(w io.Writer) error {
	labels := eyemovement.Labels(r.events, r.rec.gaze.Len())
	header := "t_s,x,y,class"
	if r.rec.pupil != nil {
		header += ",pupil,pupil_origin"
	}
	return lineWriter(w, header, len(labels), func(c *cells, i int) {
		c.number(r.rec.axis.Seconds(i), 6)
		c.number(r.rec.gaze.X[i], 6)
		c.number(r.rec.gaze.Y[i], 6)
		c.text(labels[i].String())
		if p := r.rec.pupil; p != nil {
			c.number(p.Size[i], 4)
			c.text(p.Origin[i].String())
		}
	})
}

func (r *gazeReport) areaTable(w io.Writer) error {
	return lineWriter(w, "area,seen,time_to_first_look_s,first_look_s,looks_before,time_to_first_fixation_s,looks,fixations,looked_s,fixated_s,dwell_s,looked_share,visits,revisits,mean_visit_s", len(r.Areas), func(c *cells, i int) {
		a := r.Areas[i]
		c.text(a.Name)
		c.yes(a.Seen)
		c.number(float64(a.FirstS), 4)
		c.number(float64(a.FirstLast), 4)
		c.number(float64(a.Before), 0)
		c.number(float64(a.ToFixation), 4)
		c.number(float64(a.Looks), 0)
		c.number(float64(a.Fixations), 0)
		c.number(float64(a.LookedS), 4)
		c.number(float64(a.FixatedS), 4)
		c.number(float64(a.DwellS), 4)
		c.number(float64(a.Share), 5)
		c.number(float64(a.Visits), 0)
		c.number(float64(a.Revisits), 0)
		c.number(float64(a.MeanVisit), 4)
	})
}

// writeGazeSummaries writes one line a recording, for statistics over people.
func writeGazeSummaries(name string, reports []gazeReport) error {
	return writeFile(name, func(w io.Writer) error {
		return lineWriter(w, "file,lasted_s,missing_share,fixations,fixations_per_s,mean_fixation_s,median_fixation_s,saccades,mean_saccade_deg,mean_peak_deg_s,blinks,fixation_share,pursuit_share,saccade_share,pso_share,blink_share,precision_rms_s2s_deg,precision_sd_deg,bcea68_deg2,coefficient_k_1,coefficient_k_2,coefficient_k_3,mean_pupil,pupil_unit,pupil_valid_share,pupil_baseline,pupil_change", len(reports), func(c *cells, i int) {
			r, s := reports[i], reports[i].Summary
			c.text(filepath.Base(r.File))
			c.number(s.LastedS, 3)
			c.number(float64(s.Missing), 4)
			c.number(float64(s.Fixations), 0)
			for _, v := range []num{s.PerSecond, s.FixationS, s.MedianS} {
				c.number(float64(v), 4)
			}
			c.number(float64(s.Saccades), 0)
			c.number(float64(s.SaccadeDeg), 4)
			c.number(float64(s.PeakDegS), 2)
			c.number(float64(s.Blinks), 0)
			for _, v := range []num{s.FixationShare, s.PursuitShare, s.SaccadeShare, s.PSOShare, s.BlinkShare, s.RMSS2SDeg, s.SDDeg, s.BCEADeg2} {
				c.number(float64(v), 4)
			}
			for _, k := range s.K {
				c.number(float64(k), 4)
			}
			nan := num(math.NaN())
			p := gazePupil{Mean: nan, Valid: nan, Baseline: nan, Change: nan}
			if r.Pupil != nil {
				p = *r.Pupil
			}
			c.number(float64(p.Mean), 4)
			c.text(p.Unit)
			c.number(float64(p.Valid), 4)
			c.number(float64(p.Baseline), 4)
			c.number(float64(p.Change), 4)
		})
	})
}

// figure is the picture of the recording.
func (r *gazeReport) figure(c *gazeAnalyzeCmd) fig.Gaze {
	f := r.screenFigure(c)
	f.Title = filepath.Base(r.File)
	f.X, f.Y, f.PupilUnit = r.rec.gaze.X, r.rec.gaze.Y, r.rec.pupilUnit
	f.Heat = fig.Heat{Columns: r.heat.Columns, Rows: r.heat.Rows, Values: r.heat.Values}
	f.At = make([]float64, len(r.rec.at))
	for i := range f.At {
		f.At[i] = r.rec.axis.Seconds(i)
	}
	for _, class := range eyemovement.Labels(r.events, r.rec.gaze.Len()) {
		f.Class = append(f.Class, class.String())
	}
	for _, e := range r.events {
		if e.Class == eyemovement.Fixation {
			f.Fixations = append(f.Fixations, fig.Fixation{X: e.X, Y: e.Y, Duration: e.Until.Sub(e.From).Seconds()})
		}
	}
	if r.rec.pupil != nil {
		f.Pupil = r.rec.pupil.Size
	}
	return f
}

// screenFigure is the screen and the areas on it. A moving area cannot be drawn
// in one picture: it is as it first appears.
func (r *gazeReport) screenFigure(c *gazeAnalyzeCmd) fig.Gaze {
	s := r.rec.geometry.screen
	f := fig.Gaze{Width: s.WidthMM, Height: s.HeightMM, Unit: "mm"}
	if px := r.rec.geometry.px; px[0] > 0 {
		f.Width, f.Height, f.Unit = px[0], px[1], "px"
	}
	if c.areas == nil {
		return f
	}
	for _, a := range c.areas.Areas {
		area := fig.Area{Name: a.Name}
		for _, p := range a.Outline(a.Keyframes[0].At) {
			x, y := r.frame.OnScreen(p.X, p.Y)
			area.X, area.Y = append(area.X, x), append(area.Y, y)
		}
		f.Areas = append(f.Areas, area)
	}
	return f
}
