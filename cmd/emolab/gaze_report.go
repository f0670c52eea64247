package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/fusion/aoi"
	"emolab/fusion/eyemovement"
	"emolab/fusion/heatmap"
	"emolab/fusion/instant"
	"emolab/fusion/pupil"
)

// gazeReport is what is said of one recording of gaze.
type gazeReport struct {
	File       string         `json:"file"`
	Version    string         `json:"emolab"`
	Notes      []string       `json:"read_as"`
	Parameters gazeParameters `json:"parameters"`
	Summary    gazeSummary    `json:"summary"`
	Areas      []gazeArea     `json:"areas,omitempty"`
	Entropy    *gazeEntropy   `json:"transitions,omitempty"`
	Pupil      *gazePupil     `json:"pupil,omitempty"`
	Events     []gazeEvent    `json:"events"`
	Methods    string         `json:"methods"`
	Written    []string       `json:"written,omitempty"`

	rec    *recordedGaze
	events []eyemovement.Event
	detail *eyemovement.Details // nil = not by the adaptive algorithm
	heat   heatmap.Map
	frame  eyemovement.Frame
	areas  *aoi.Report    // nil = no areas of interest
	on     map[int]string // area of each fixation, by the event's index
}

type gazeParameters struct {
	Method     string             `json:"method"`
	Algorithm  string             `json:"algorithm"`
	RateHz     float64            `json:"rate_hz"`
	Screen     eyemovement.Screen `json:"screen"`
	ScreenPX   []float64          `json:"screen_px,omitempty"`
	Assumed    bool               `json:"screen_assumed"`
	Adaptive   *gazeAdaptive      `json:"adaptive,omitempty"`
	Still      bool               `json:"still"`
	Velocity   num                `json:"threshold_deg_s"`
	Dispersion num                `json:"dispersion_deg"`
	Lambda     num                `json:"lambda"`
	MinMS      num                `json:"min_fixation_ms"`
	HeatDeg    float64            `json:"heat_sigma_deg"`
}

// gazeAdaptive are the parameters of the adaptive algorithm.
type gazeAdaptive struct {
	GridHz          float64 `json:"grid_hz"`
	NoiseDegS       num     `json:"noise_deg_s"`
	ModelRateHz     float64 `json:"model_rate_hz"`
	ModelNoiseDegS  float64 `json:"model_noise_deg_s"`
	PursuitDegS     num     `json:"pursuit_deg_s"` // null: no pursuit is told
	PursuitWindowMS num     `json:"pursuit_window_ms"`
	PursuitMinMS    num     `json:"pursuit_min_ms"`
	BlinkMinMS      float64 `json:"blink_min_ms"`
	BlinkMaxMS      float64 `json:"blink_max_ms"`
	BlinkJoinMS     float64 `json:"blink_join_ms"`
	BlinkBeforeMS   float64 `json:"blink_before_ms"`
	BlinkAfterMS    float64 `json:"blink_after_ms"`
	LidDegS         float64 `json:"lid_deg_s"`
}

func newGazeAdaptive(d eyemovement.Details) *gazeAdaptive {
	ms := func(t time.Duration) float64 { return t.Seconds() * 1e3 }
	a := &gazeAdaptive{
		GridHz: d.RateHz, NoiseDegS: num(d.NoiseDegS), ModelRateHz: d.ModelRateHz, ModelNoiseDegS: d.ModelNoiseDegS,
		PursuitDegS: num(d.Slow.ThresholdDegS), PursuitWindowMS: num(ms(d.Slow.Window)), PursuitMinMS: num(ms(d.Slow.Min)),
		BlinkMinMS: ms(d.Blink.Min), BlinkMaxMS: ms(d.Blink.Max), BlinkJoinMS: ms(d.Blink.Join),
		BlinkBeforeMS: ms(d.Blink.Before), BlinkAfterMS: ms(d.Blink.After), LidDegS: d.Blink.LidDegS,
	}
	if d.Still {
		a.PursuitDegS, a.PursuitWindowMS, a.PursuitMinMS = num(math.NaN()), num(math.NaN()), num(math.NaN())
	}
	return a
}

type gazeSummary struct {
	LastedS       float64 `json:"lasted_s"`
	Missing       num     `json:"missing_share"`
	Fixations     int     `json:"fixations"`
	FixationS     num     `json:"mean_fixation_s"`
	MedianS       num     `json:"median_fixation_s"`
	PerSecond     num     `json:"fixations_per_s"`
	Saccades      int     `json:"saccades"`
	SaccadeDeg    num     `json:"mean_saccade_deg"`
	PeakDegS      num     `json:"mean_peak_deg_s"`
	Blinks        int     `json:"blinks"`
	FixationShare num     `json:"fixation_share"`
	SaccadeShare  num     `json:"saccade_share"`
	PursuitShare  num     `json:"pursuit_share"`
	PSOShare      num     `json:"pso_share"`
	BlinkShare    num     `json:"blink_share"`
	RMSS2SDeg     num     `json:"precision_rms_s2s_deg"`
	SDDeg         num     `json:"precision_sd_deg"`
	BCEADeg2      num     `json:"bcea68_deg2"`
	Microsaccades int     `json:"microsaccades"`
	// K is the mean coefficient K of each third of the recording; over all it is 0.
	K [3]num `json:"coefficient_k_thirds"`
}

// gazeArea is how an area was looked at; a look is a fixation or a pursuit.
type gazeArea struct {
	Name       string `json:"name"`
	Seen       bool   `json:"seen"`
	FirstS     num    `json:"time_to_first_look_s"`
	FirstLast  num    `json:"first_look_s"`
	Before     int    `json:"looks_before"`
	ToFixation num    `json:"time_to_first_fixation_s"`
	Looks      int    `json:"looks"`
	Fixations  int    `json:"fixations"`
	LookedS    num    `json:"looked_s"`
	FixatedS   num    `json:"fixated_s"`
	DwellS     num    `json:"dwell_s"`
	Share      num    `json:"looked_share"`
	Visits     int    `json:"visits"`
	Revisits   int    `json:"revisits"`
	MeanVisit  num    `json:"mean_visit_s"`
}

type gazeEntropy struct {
	Names      []string `json:"names"` // the areas, then elsewhere
	Counts     [][]int  `json:"counts"`
	Stationary num      `json:"stationary_entropy_bits"`
	Transition num      `json:"transition_entropy_bits"`
}

type gazePupil struct {
	Unit  string `json:"unit"`
	Mean  num    `json:"mean"`
	SD    num    `json:"sd"`
	Valid num    `json:"valid_share"` // measured, or interpolated over a short gap
	// Baseline is the median before the onset, Change how much larger the mean is
	// after it; null without an onset.
	Baseline num `json:"baseline"`
	Change   num `json:"change"`
}

type gazeEvent struct {
	Class      string  `json:"class"`
	From       float64 `json:"from_s"`
	Until      float64 `json:"until_s"`
	First      int     `json:"first_sample"`
	Last       int     `json:"last_sample"`
	X          num     `json:"x"` // fractions of the screen
	Y          num     `json:"y"`
	Amplitude  num     `json:"amplitude_deg"`
	Peak       num     `json:"peak_deg_s"`
	Mean       num     `json:"mean_deg_s"`
	Dispersion num     `json:"dispersion_deg"`
	K          num     `json:"coefficient_k"` // of a fixation that a saccade follows
	Area       string  `json:"area,omitempty"`
}

// newGazeReport gathers everything that is said. adaptive is nil where a published
// algorithm found the events.
func newGazeReport(c *gazeAnalyzeCmd, file string, rec *recordedGaze, events []eyemovement.Event, adaptive *eyemovement.Details) (gazeReport, error) {
	out := gazeReport{File: file, Version: version, rec: rec, events: events, detail: adaptive, on: map[int]string{}}
	out.Parameters = c.parameters(rec, adaptive)
	var err error
	looks := eyemovement.Cut(rec.gaze, rec.geometry.screen, events, pursuitPiece)
	out.heat, err = heatmap.Person(looks, rec.geometry.screen, heatmap.Options{SigmaDeg: heatmap.SigmaDeg(c.Error)})
	if err != nil {
		return out, fmt.Errorf("%s: heat map: %w", file, err)
	}
	out.Parameters.HeatDeg = out.heat.SigmaDeg
	out.Summary = out.summary()
	out.frame = rec.geometry.frame(c.shown)
	if c.areas != nil {
		out.measure(*c.areas, looks, rec.at[0]+instant.Instant(c.Onset*1e9))
	}
	if rec.pupil != nil {
		out.Pupil = newGazePupil(rec, c.Onset)
	}
	ambient := eyemovement.CoefficientK(events)
	k := map[instant.Instant]float64{}
	for _, a := range ambient {
		k[a.From] = a.K
	}
	first, lasted := rec.at[0], rec.at[len(rec.at)-1].Sub(rec.at[0])+1
	for i := range out.Summary.K {
		third := func(n int) instant.Instant { return first.Add(lasted * time.Duration(n) / 3) }
		out.Summary.K[i] = num(eyemovement.MeanK(ambient, third(i), third(i+1)))
	}
	for i, e := range events {
		own, known := k[e.From]
		if !known {
			own = math.NaN()
		}
		out.Events = append(out.Events, gazeEvent{
			e.Class.String(), rec.seconds(e.From), rec.seconds(e.Until), e.First, e.Last, num(e.X), num(e.Y),
			num(e.AmplitudeDeg), num(e.PeakDegS), num(e.MeanDegS), num(e.DispersionDeg), num(own), out.on[i],
		})
	}
	out.Notes = rec.notes
	out.Methods = out.methods()
	return out, nil
}

// parameters are those of the method that was used.
func (c *gazeAnalyzeCmd) parameters(rec *recordedGaze, adaptive *eyemovement.Details) gazeParameters {
	nan := num(math.NaN())
	p := gazeParameters{Method: c.Method, RateHz: rec.axis.Rate, Screen: rec.geometry.screen, Assumed: rec.geometry.assumed, Velocity: nan, Dispersion: nan, Lambda: nan, MinMS: nan}
	if rec.geometry.px[0] > 0 {
		p.ScreenPX = rec.geometry.px[:]
	}
	or := func(given, usual float64) num {
		if given > 0 {
			return num(given)
		}
		return num(usual)
	}
	switch c.Method {
	case "ivt", "ivt-ocumen":
		o := c.ivt(rec.axis.Rate)
		p.Algorithm, p.Velocity, p.MinMS = "I-VT", num(o.ThresholdDegS), num(o.MinFixation.Seconds()*1e3)
	case "idt":
		p.Algorithm, p.Dispersion, p.MinMS = "I-DT", or(c.Dispersion, 1), or(c.MinFixation, 100)
	case "ek":
		p.Algorithm, p.Lambda = "Engbert-Kliegl", or(c.Lambda, 6)
	default:
		p.Algorithm, p.Still, p.Adaptive = eyemovement.AdaptiveVersion, adaptive.Still, newGazeAdaptive(*adaptive)
	}
	return p
}

// summary counts and measures. Precision is that of the fixations.
func (r *gazeReport) summary() gazeSummary {
	g, s := r.rec.gaze, r.rec.geometry.screen
	m := eyemovement.Summarise(g, r.events, r.rec.axis.Rate)
	out := gazeSummary{
		LastedS: m.Lasted.Seconds(), Missing: num(m.Missing), Fixations: m.Fixations, FixationS: num(m.FixationS), MedianS: num(m.FixationMedianS), PerSecond: num(m.FixationsPerS),
		Saccades: m.Saccades, SaccadeDeg: num(m.SaccadeDeg), PeakDegS: num(m.PeakDegS), Blinks: m.Blinks,
		FixationShare: num(m.FixationShare), SaccadeShare: num(m.SaccadeShare), PursuitShare: num(m.PursuitShare), PSOShare: num(m.PSOShare), BlinkShare: num(m.BlinkShare),
		Microsaccades: len(eyemovement.Microsaccades(r.events, eyemovement.MicrosaccadeOptions{})),
	}
	var s2s, sd, bcea []float64
	for _, e := range r.events {
		if e.Class != eyemovement.Fixation {
			continue
		}
		within := eyemovement.Gaze{At: g.At[e.First : e.Last+1], X: g.X[e.First : e.Last+1], Y: g.Y[e.First : e.Last+1]}
		s2s = append(s2s, eyemovement.RMSS2S(within, s))
		sd = append(sd, eyemovement.SD(within, s))
		bcea = append(bcea, eyemovement.BCEA(within, s, eyemovement.BCEAShare))
	}
	out.RMSS2SDeg, out.SDDeg, out.BCEADeg2 = num(middle(s2s)), num(middle(sd)), num(middle(bcea))
	return out
}

// pursuitPiece is how long a piece of pursuit is taken to be in one place: one
// that is followed at 10 deg/s has moved by the width of the fovea then.
const pursuitPiece = 100 * time.Millisecond

// measure measures the areas of interest from the stimulus' onset on.
func (r *gazeReport) measure(set aoi.Set, looks []eyemovement.Event, onset instant.Instant) {
	last := r.rec.at[len(r.rec.at)-1]
	m := aoi.Measure(set, looks, aoi.Exposure{From: onset, Until: last + 1, Frame: r.frame})
	r.areas = &m
	names := make([]string, 0, len(m.Areas)+1)
	seconds := func(d time.Duration, known bool) num {
		if !known {
			return num(math.NaN())
		}
		return num(d.Seconds())
	}
	for _, a := range m.Areas {
		names = append(names, a.Name)
		r.Areas = append(r.Areas, gazeArea{
			Name: a.Name, Seen: a.Seen, FirstS: seconds(a.ToFirst, a.Seen), FirstLast: seconds(a.First, a.Seen), Before: a.Before, ToFixation: seconds(a.ToFixation, a.Fixations > 0), Looks: a.Looks, Fixations: a.Fixations,
			LookedS: num(a.Looked.Seconds()), FixatedS: num(a.Fixated.Seconds()), DwellS: num(a.Dwell.Seconds()), Share: num(a.LookedShare), Visits: a.Visits, Revisits: a.Revisits, MeanVisit: seconds(a.MeanVisit(), a.Visits > 0),
		})
	}
	r.Entropy = &gazeEntropy{append(names, "elsewhere"), m.Transitions, num(m.StationaryEntropy), num(m.TransitionEntropy)}
	for i, e := range r.events {
		// A pursuit may cross several areas: it is counted, but bears no name.
		if e.Class != eyemovement.Fixation || e.From < onset || math.IsNaN(e.X) || math.IsNaN(e.Y) {
			continue
		}
		middle := e.From.Sub(onset) + e.Until.Sub(e.From)/2
		x, y := r.frame.Inside(e.X, e.Y)
		if k := set.At(x, y, middle); k != aoi.None {
			r.on[i] = set.Areas[k].Name
		}
	}
}

// print writes the report for people.
func (r *gazeReport) print(w io.Writer) error {
	fmt.Fprintln(w, r.File)
	for _, n := range r.Notes {
		paragraph(w, "  ", n)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	s := r.Summary
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	percent := func(share num) string { return show(100*float64(share), "%.1f %%") }
	row("Lasted", "%.1f s, %s of it missing", s.LastedS, percent(s.Missing))
	row("Fixations", "%d, %s a second; mean %s s, median %s s", s.Fixations, show(float64(s.PerSecond), "%.2f"), show(float64(s.FixationS), "%.3f"), show(float64(s.MedianS), "%.3f"))
	row("Saccades", "%d; mean amplitude %s deg, mean peak %s deg/s", s.Saccades, show(float64(s.SaccadeDeg), "%.2f"), show(float64(s.PeakDegS), "%.0f"))
	if r.Parameters.Method == "ek" {
		row("  microsaccades", "%d (up to 1 deg)", s.Microsaccades)
	}
	row("Blinks", "%d", s.Blinks)
	row("Time", "fixation %s, pursuit %s, saccade %s, oscillation after it %s, blink %s, the rest has no class", percent(s.FixationShare), percent(s.PursuitShare), percent(s.SaccadeShare), percent(s.PSOShare), percent(s.BlinkShare))
	row("Precision", "RMS-S2S %s deg, SD %s deg, BCEA %s deg² (median of the fixations)", show(float64(s.RMSS2SDeg), "%.3f"), show(float64(s.SDDeg), "%.3f"), show(float64(s.BCEADeg2), "%.3f"))
	if slices.ContainsFunc(s.K[:], func(k num) bool { return !math.IsNaN(float64(k)) }) {
		row("Coefficient K", "%s, %s, %s by thirds of the recording (above 0 focal, below ambient)", show(float64(s.K[0]), "%.2f"), show(float64(s.K[1]), "%.2f"), show(float64(s.K[2]), "%.2f"))
	}
	if p := r.Pupil; p != nil {
		row("Pupil", "%s %s (SD %s), %s measured or interpolated over short gaps", show(float64(p.Mean), "%.4g"), p.Unit, show(float64(p.SD), "%.3g"), percent(p.Valid))
		if !math.IsNaN(float64(p.Baseline)) {
			row("  from the onset", "%s %s from a baseline of %s", show(float64(p.Change), "%+.3g"), p.Unit, show(float64(p.Baseline), "%.4g"))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := r.printAreas(w); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nMethods")
	paragraph(w, "  ", r.Methods)
	for _, name := range r.Written {
		fmt.Fprintln(w, "wrote", name)
	}
	return nil
}

func (r *gazeReport) printAreas(w io.Writer) error {
	if r.Entropy == nil {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  AREA\tFIRST LOOK\tFIRST FIXATION\tLOOKS\tFIXATIONS\tLOOKED\tDWELL\tVISITS")
	for _, a := range r.Areas {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d\t%d\t%s\t%s\t%d\n", a.Name, show(float64(a.FirstS), "after %.3f s"), show(float64(a.ToFixation), "after %.3f s"), a.Looks, a.Fixations, show(float64(a.LookedS), "%.3f s"), show(float64(a.DwellS), "%.3f s"), a.Visits)
	}
	return t.Flush()
}

// methods is a paragraph for a paper.
func (r *gazeReport) methods() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+" ", args...) }
	p := r.Parameters
	eyes := "one gaze"
	if r.rec.left != nil {
		eyes = "the mean of both eyes, or the one that was there"
	}
	say("Gaze (%.1f s at %.4g Hz, %s) was analysed with Emolab %s; angles are between lines of sight to a screen of %g x %g mm at %g mm%s.", r.Summary.LastedS, p.RateHz, eyes, version,
		p.Screen.WidthMM, p.Screen.HeightMM, p.Screen.DistanceMM, map[bool]string{true: " (assumed)"}[p.Assumed])
	switch p.Method {
	case "ivt", "ivt-ocumen":
		o := eyemovement.Tobii2012()
		preset := "Olsen, 2012"
		if p.Method == "ivt-ocumen" {
			o, preset = eyemovement.Ocumen(), "defaults of Tobii Ocumen"
		}
		say("Fixations were found by velocity (I-VT; %s): gaps up to %d ms filled linearly, velocity over %d ms, threshold %g deg/s, fixations at most %d ms and %g deg apart merged, those below %g ms discarded.", preset,
			o.MaxGap.Milliseconds(), o.Window.Milliseconds(), float64(p.Velocity), o.MergeGap.Milliseconds(), o.MergeDeg, float64(p.MinMS))
	case "idt":
		say("Fixations were found by dispersion (I-DT; Salvucci & Goldberg, 2000): at most %g deg wide plus high for at least %g ms, with one number of degrees per pixel.", float64(p.Dispersion), float64(p.MinMS))
	case "ek":
		say("Saccades were found by velocity against the noise of each axis (Engbert & Kliegl, 2003; Engbert & Mergenthaler, 2006): lambda = %g, at least 6 ms%s; the rest are fixations.", float64(p.Lambda), map[bool]string{true: ", in both eyes at once"}[r.rec.left != nil])
	default:
		say("Fixations, saccades, post-saccadic oscillations%s and blinks were found by Emolab's adaptive classifier (%s)%s. %s", map[bool]string{false: ", smooth pursuit"}[p.Still], p.Algorithm,
			map[bool]string{true: ", without pursuit as the stimulus did not move"}[p.Still], *r.detail)
	}
	say("Coefficient K is that of Krejtz et al. (2016), standardised over the recording. Precision is the median over fixations of RMS-S2S, SD and BCEA (68 %%). The heat map is the duration of fixations, and of pursuit in pieces of at most %d ms, under a Gaussian with an SD of %.2f deg.", pursuitPiece.Milliseconds(), p.HeatDeg)
	if r.Pupil != nil {
		say("Pupil size was cleaned after Kret and Sjak-Shie (2019): range, dilation speed (16 MAD), 50 ms around gaps, trend line (16 MAD, 4 passes), islands, gaps up to 250 ms interpolated, 4 Hz low-pass.")
		if !math.IsNaN(float64(r.Pupil.Baseline)) {
			say("The median of the %d ms before the onset was subtracted as baseline (Mathôt et al., 2018).", pupil.DefaultBaseline.Milliseconds())
		}
	}
	if r.Entropy != nil {
		say("Looks are fixations and pursuits. A fixation, or piece of pursuit, lies on the front-most, then smallest area of interest that holds its centre at the middle of its time.")
		if r.frame != (eyemovement.Frame{}) {
			say("The stimulus was %.1f %% as wide and %.1f %% as high as the screen, in its middle.", 100*r.frame.Width, 100*r.frame.Height)
		}
	}
	return strings.TrimSpace(b.String())
}

// newGazePupil sums up the pupil; onset is in seconds after the first sample, 0 =
// none.
func newGazePupil(rec *recordedGaze, onset float64) *gazePupil {
	size := rec.pupil.Size
	mean, sd := meanAndSD(size)
	p := &gazePupil{rec.pupilUnit, num(mean), num(sd), num(rec.pupil.Valid), num(math.NaN()), num(math.NaN())}
	if onset == 0 {
		return p
	}
	at := rec.at[0] + instant.Instant(onset*1e9)
	first, _ := slices.BinarySearch(rec.at, at)
	if baseline, ok := pupil.Baseline(rec.at, size, at, 0); ok {
		after, _ := meanAndSD(size[first:])
		p.Baseline, p.Change = num(baseline), num(after-baseline)
	}
	return p
}

// meanAndSD of the values that are there.
func meanAndSD(v []float64) (mean, sd float64) {
	var sum, squares, n float64
	for _, x := range v {
		if !math.IsNaN(x) {
			sum += x
			n++
		}
	}
	mean = sum / n
	for _, x := range v {
		if !math.IsNaN(x) {
			squares += (x - mean) * (x - mean)
		}
	}
	return mean, math.Sqrt(squares / (n - 1))
}

// middle is the median of the values that are there; NaN without any.
func middle(v []float64) float64 {
	kept := v[:0:0]
	for _, x := range v {
		if !math.IsNaN(x) {
			kept = append(kept, x)
		}
	}
	if len(kept) == 0 {
		return math.NaN()
	}
	slices.Sort(kept)
	return kept[len(kept)/2]
}
