package main

import (
	"io"
	"math"
	"path/filepath"
	"strings"

	"emolab/fusion/eda"
	fig "emolab/studies/figure" // bench.go has a type figure
)

// write writes the files that were asked for.
func (r *edaReport) write(c *edaAnalyzeCmd, o outputs) error {
	if o.dir != "" || c.CSV != "" {
		if err := o.write(c.CSV, ".eda.csv", r.samples); err != nil {
			return err
		}
	}
	format := fig.PNG
	if c.Picture != "" {
		f, err := fig.FormatOf(c.Picture)
		if err != nil {
			return err
		}
		format = f
	}
	if c.Picture != "" {
		alone := outputs{}
		if err := alone.write(c.Picture, "", func(w io.Writer) error { return r.figure().Write(w, format) }); err != nil {
			return err
		}
		o.written = append(o.written, alone.written...)
	}
	if o.dir != "" {
		for _, f := range []struct {
			ending string
			write  func(io.Writer) error
		}{
			{".responses.csv", r.responseTable},
			{".eda.png", func(w io.Writer) error { return r.figure().Write(w, fig.PNG) }},
			{".methods.txt", func(w io.Writer) error { paragraph(w, "", r.Methods); return nil }},
		} {
			if err := o.write("", f.ending, f.write); err != nil {
				return err
			}
		}
		if len(r.Events) > 0 {
			if err := o.write("", ".related.csv", r.eventTable); err != nil {
				return err
			}
		}
		r.Written = append(o.written, filepath.Join(o.dir, o.base+".eda.json"))
		if err := o.write("", ".eda.json", func(w io.Writer) error { return printJSON(w, r) }); err != nil {
			return err
		}
	}
	r.Written = o.written
	return nil
}

// samples is the table of samples.
func (r *edaReport) samples(w io.Writer) error {
	header := "t_s,eda_us,tonic_us,phasic_us"
	if r.result.Driver != nil {
		header += ",driver"
	}
	return lineWriter(w, header+",flags", len(r.rec.at), func(c *cells, i int) {
		c.number(r.rec.axis.Seconds(i), 6)
		c.number(r.skin.US[i], 6)
		c.number(r.result.Tonic[i], 6)
		c.number(r.result.Phasic[i], 6)
		if r.result.Driver != nil {
			c.number(r.result.Driver[i], 6)
		}
		c.text(strings.Join(r.result.Flags[i].Names(), ";"))
	})
}

func (r *edaReport) responseTable(w io.Writer) error {
	return lineWriter(w, "onset_s,peak_s,amplitude_us,rise_s,steepest_us_s,half_recovery_s,flags", len(r.Responses), func(c *cells, i int) {
		x := r.Responses[i]
		c.number(x.Onset, 4)
		c.number(x.Peak, 4)
		for _, v := range []num{x.Amplitude, x.Rise, x.Slope, x.HalfRecovery} {
			c.number(float64(v), 5)
		}
		c.text(strings.Join(x.Flags, ";"))
	})
}

func (r *edaReport) eventTable(w io.Writer) error {
	return lineWriter(w, "event_s,name,responses,latency_s,first_amplitude_us,sum_amplitude_us,max_amplitude_us,tonic_us,iscr_us_s,flags", len(r.Events), func(c *cells, i int) {
		x := r.Events[i]
		c.number(x.At, 4)
		c.text(x.Name)
		c.number(float64(x.N), 0)
		for _, v := range []num{x.Latency, x.First, x.Sum, x.Max, x.Tonic, x.ISCR} {
			c.number(float64(v), 5)
		}
		c.text(strings.Join(x.Flags, ";"))
	})
}

// figure is the picture of the recording.
func (r *edaReport) figure() fig.EDA {
	f := fig.EDA{
		Title: filepath.Base(r.File), US: r.skin.US, Tonic: r.result.Tonic, Phasic: r.result.Phasic, Driver: r.result.Driver,
		Method: r.Parameters.Method, DriverUnit: "µS",
	}
	if r.result.Method == eda.CVX {
		f.DriverUnit = "µS/s"
	}
	f.At = make([]float64, len(r.rec.at))
	for i := range f.At {
		f.At[i] = r.rec.axis.Seconds(i)
	}
	for _, x := range r.result.Responses {
		f.Onsets = append(f.Onsets, r.rec.seconds(x.Onset))
		f.Peaks = append(f.Peaks, r.rec.seconds(x.Peak))
	}
	for _, e := range r.Events {
		f.Events = append(f.Events, e.At)
	}
	for i := 0; i < len(f.At); i++ {
		if r.result.Flags[i]&eda.Invalid == 0 {
			continue
		}
		first := i
		for i+1 < len(f.At) && r.result.Flags[i+1]&eda.Invalid != 0 {
			i++
		}
		f.Invalid = append(f.Invalid, fig.Span{From: f.At[first], Until: f.At[i]})
	}
	return f
}

// writeSummaries writes one line a recording, for statistics over people.
func writeSummaries(name string, reports []edaReport) error {
	return writeFile(name, func(w io.Writer) error {
		return lineWriter(w, "file,from_s,until_s,valid_share,valid_enough,scl_us,scl_outside_us,responses,responses_per_minute,mean_amplitude_us,responses_fine,responses_fine_per_minute,mean_amplitude_fine_us,phasic_area_us_s,edasymp_us2,edasymp_share,edasymp_segments,edasymp_s,non_responder,events,events_with_artefact,events_with_response,mean_event_magnitude_us,mean_event_amplitude_us", len(reports), func(c *cells, i int) {
			r, s := reports[i], reports[i].Summary
			c.text(filepath.Base(r.File))
			c.number(s.FromS, 3)
			c.number(s.UntilS, 3)
			c.number(float64(s.Valid), 4)
			c.yes(s.Enough)
			c.number(float64(s.SCL), 5)
			c.number(float64(s.SCLOutside), 5)
			for _, x := range []edaRate{s.Rate, s.Fine} {
				c.number(float64(x.N), 0)
				c.number(float64(x.PerMinute), 4)
				c.number(float64(x.Amplitude), 5)
			}
			c.number(float64(s.Area), 5)
			c.number(float64(s.Symp), -1)
			c.number(float64(s.SympShare), 5)
			c.number(float64(s.SympSegments), 0)
			c.number(s.SympS, 0)
			c.yes(s.NonResponder)
			e := edaToEvents{Magnitude: num(math.NaN()), Amplitude: num(math.NaN())}
			if r.ToEvents != nil {
				e = *r.ToEvents
			}
			c.number(float64(e.N), 0)
			c.number(float64(e.Invalid), 0)
			c.number(float64(e.Responded), 0)
			c.number(float64(e.Magnitude), 5)
			c.number(float64(e.Amplitude), 5)
		})
	})
}
