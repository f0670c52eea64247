package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"emolab/fusion/eda"
	"emolab/fusion/eda/cvx"
	"emolab/fusion/instant"
	"emolab/studies/table"
)

// edaReport is what is said of one recording of skin conductance.
type edaReport struct {
	File       string        `json:"file"`
	Version    string        `json:"emolab"`
	Notes      []string      `json:"read_as"`
	Parameters edaParameters `json:"parameters"`
	Summary    edaSummary    `json:"summary"`
	Responses  []edaResponse `json:"responses"`
	Events     []edaEvent    `json:"events,omitempty"`
	ToEvents   *edaToEvents  `json:"to_events,omitempty"`
	Pieces     []edaPiece    `json:"pieces"`
	Methods    string        `json:"methods"`
	Written    []string      `json:"written,omitempty"`

	rec    *recordingFile
	skin   table.Conductance
	result eda.Result
	warmth bool // the skin's temperature was there
}

type edaParameters struct {
	Method      string  `json:"method"`
	Scoring     string  `json:"scoring"`
	RateHz      float64 `json:"rate_hz"`
	ThresholdUS float64 `json:"threshold_us"`
	FineUS      float64 `json:"fine_threshold_us"`
	WindowFromS float64 `json:"window_from_s"`
	WindowToS   float64 `json:"window_until_s"`
	SensorMaxUS num     `json:"sensor_max_us"`
}

type edaSummary struct {
	FromS        float64        `json:"from_s"`
	UntilS       float64        `json:"until_s"`
	ValidS       num            `json:"valid_s"`
	Valid        num            `json:"valid_share"`
	Enough       bool           `json:"valid_enough"`
	Artefacts    map[string]num `json:"artefact_shares"`
	ResolutionUS num            `json:"resolution_us"`
	SCL          num            `json:"scl_us"`
	SCLOutside   num            `json:"scl_outside_us"`
	Rate         edaRate        `json:"nonspecific"`
	Fine         edaRate        `json:"nonspecific_fine"`
	Area         num            `json:"phasic_area_us_s"`
	Symp         num            `json:"edasymp_us2"`
	SympShare    num            `json:"edasymp_share"`
	SympSegments int            `json:"edasymp_segments"`
	SympS        float64        `json:"edasymp_s"`
	NonResponder bool           `json:"non_responder"`
}

type edaRate struct {
	ThresholdUS  float64 `json:"threshold_us"`
	N            int     `json:"n"`
	Flagged      int     `json:"n_flagged"`
	PerMinute    num     `json:"per_minute"`
	Amplitude    num     `json:"mean_amplitude_us"`
	Max          num     `json:"max_amplitude_us"`
	Rise         num     `json:"mean_rise_s"`
	HalfRecovery num     `json:"mean_half_recovery_s"`
}

type edaResponse struct {
	Onset        float64  `json:"onset_s"`
	Peak         float64  `json:"peak_s"`
	Amplitude    num      `json:"amplitude_us"`
	Rise         num      `json:"rise_s"`
	Slope        num      `json:"steepest_us_s"`
	HalfRecovery num      `json:"half_recovery_s"`
	Flags        []string `json:"flags,omitempty"`
}

type edaEvent struct {
	At      float64  `json:"event_s"`
	Name    string   `json:"name,omitempty"`
	N       num      `json:"responses"` // as the next four null where an artefact lies there
	Latency num      `json:"latency_s"`
	First   num      `json:"first_amplitude_us"`
	Sum     num      `json:"sum_amplitude_us"`
	Max     num      `json:"max_amplitude_us"`
	Tonic   num      `json:"tonic_us"`
	ISCR    num      `json:"iscr_us_s"`
	Flags   []string `json:"flags,omitempty"`
}

type edaToEvents struct {
	Magnitude num `json:"mean_magnitude_us"`
	Amplitude num `json:"mean_amplitude_us"`
	N         int `json:"events"` // without those with an artefact
	Invalid   int `json:"events_with_artefact"`
	Responded int `json:"events_with_response"`
}

type edaPiece struct {
	From      float64 `json:"from_s"`
	Until     float64 `json:"until_s"`
	Method    string  `json:"method"`
	Instead   string  `json:"instead_because,omitempty"`
	RateHz    num     `json:"model_rate_hz"`
	Objective num     `json:"objective"`
	Gap       num     `json:"duality_gap"`
	Converged *bool   `json:"converged,omitempty"`
	Tau1      num     `json:"tau1_s"`
	Tau2      num     `json:"tau2_s"`
}

// newEDAReport gathers everything that is said.
func newEDAReport(c *edaAnalyzeCmd, file string, rec *recordingFile, skin table.Conductance, events []event, r eda.Result) edaReport {
	nan := num(math.NaN())
	out := edaReport{File: file, Version: version, Notes: rec.notes, rec: rec, skin: skin, result: r, warmth: c.Temperature != ""}
	out.Parameters = edaParameters{
		Method: c.Method, Scoring: r.Scoring.String(), RateHz: r.Rate, ThresholdUS: r.ThresholdUS, FineUS: r.FineUS,
		WindowFromS: c.window.From.Seconds(), WindowToS: c.window.Until.Seconds(), SensorMaxUS: nan,
	}
	if c.SensorMax > 0 {
		out.Parameters.SensorMaxUS = num(c.SensorMax)
	}
	at := make([]instant.Instant, len(events))
	for i, e := range events {
		at[i] = e.at
	}
	out.Summary = edaSummaryOf(rec, r, r.Summary(eda.Stretch{Events: at, Window: c.window}))
	for _, x := range r.Responses {
		out.Responses = append(out.Responses, edaResponse{
			rec.seconds(x.Onset), rec.seconds(x.Peak), num(x.AmplitudeUS), num(x.RiseS), num(x.SlopeUSS), num(x.HalfRecoveryS), x.Flags.Names(),
		})
	}
	related := r.Related(at, c.window)
	for i, x := range related {
		e := edaEvent{
			rec.seconds(x.Event), events[i].name, num(x.N), num(x.LatencyS), num(x.FirstUS), num(x.SumUS), num(x.MaxUS), num(x.TonicUS), num(x.ISCR), x.Flags.Names(),
		}
		if x.Flags&eda.Invalid != 0 { // a 0 would say that nothing came
			e.N, e.Latency, e.First, e.Sum, e.Max = nan, nan, nan, nan, nan
		}
		out.Events = append(out.Events, e)
	}
	if len(related) > 0 {
		m, amplitude, n, responded := eda.Magnitude(related)
		out.ToEvents = &edaToEvents{num(m), num(amplitude), n, len(related) - n, responded}
	}
	for _, p := range r.Pieces {
		q := edaPiece{From: rec.seconds(p.From), Until: rec.seconds(p.Until), Instead: p.Err, RateHz: nan, Objective: nan, Gap: nan, Tau1: nan, Tau2: nan}
		if p.Method != 0 {
			q.Method = p.Method.String()
		}
		if m := p.Model; m != nil {
			q.RateHz = num(m.Rate)
			if p.Method == eda.CVX {
				q.Objective, q.Gap, q.Converged = num(m.Objective), num(m.Gap), &m.Converged
			} else {
				q.Tau1, q.Tau2 = num(m.Tau1S), num(m.Tau2S)
			}
		}
		out.Pieces = append(out.Pieces, q)
	}
	out.Methods = out.methods(len(events) > 0)
	return out
}

func edaSummaryOf(rec *recordingFile, r eda.Result, s eda.Summary) edaSummary {
	rate := func(x eda.Rate) edaRate {
		return edaRate{x.ThresholdUS, x.N, x.Flagged, num(x.PerMinute), num(x.AmplitudeUS), num(x.MaxUS), num(x.RiseS), num(x.HalfRecoveryS)}
	}
	out := edaSummary{
		FromS: rec.axis.Seconds(0), UntilS: rec.axis.Seconds(len(rec.at) - 1), ValidS: num(s.ValidS), Valid: num(s.Valid), Enough: s.Enough,
		Artefacts: map[string]num{}, ResolutionUS: num(r.StepUS), SCL: num(s.SCLUS), SCLOutside: num(s.SCLOutsideUS),
		Rate: rate(s.Responses), Fine: rate(s.Fine), Area: num(s.AreaUSS),
		Symp: num(s.Sympathetic.PowerUS2), SympShare: num(s.Sympathetic.Normalised), SympSegments: s.Sympathetic.Segments, SympS: s.Sympathetic.UsedS, NonResponder: s.NonResponder,
	}
	if r.Method == eda.HighPass {
		out.Area = num(math.NaN()) // what a high-pass leaves swings around zero
	}
	for _, a := range s.Artefacts {
		if a.Share > 0 {
			out.Artefacts[a.Flag.String()] = num(a.Share)
		}
	}
	return out
}

// print writes the report for people.
func (r *edaReport) print(w io.Writer) error {
	fmt.Fprintln(w, r.File)
	for _, n := range r.Notes {
		paragraph(w, "  ", n)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	s := r.Summary
	row := func(name, value string) { fmt.Fprintf(t, "  %s\t%s\n", name, value) }
	row("Valid", fmt.Sprintf("%s %% of %.1f s", show(100*float64(s.Valid), "%.1f"), s.UntilS-s.FromS))
	for _, f := range eda.EveryFlag() {
		if share, ok := s.Artefacts[f.String()]; ok {
			row("  "+f.String(), show(100*float64(share), "%.1f %%"))
		}
	}
	row("Level (SCL)", fmt.Sprintf("%s µS, outside responses %s µS", show(float64(s.SCL), "%.3f"), show(float64(s.SCLOutside), "%.3f")))
	kind := "Non-specific responses"
	if len(r.Events) == 0 {
		kind = "Responses"
	}
	for _, x := range []edaRate{s.Rate, s.Fine} {
		label := fmt.Sprintf("%s >= %g µS", kind, x.ThresholdUS)
		if r.result.Scoring == eda.Relative {
			label = kind + ", NeuroKit's rule"
		}
		text := "none"
		if x.N > 0 {
			text = fmt.Sprintf("%d, %s a minute; mean amplitude %s µS, largest %s µS, rise %s s, half recovery %s s", x.N, show(float64(x.PerMinute), "%.2f"),
				show(float64(x.Amplitude), "%.3f"), show(float64(x.Max), "%.3f"), show(float64(x.Rise), "%.2f"), show(float64(x.HalfRecovery), "%.2f"))
		}
		row(label, text)
		if x.Flagged > 0 {
			row("", fmt.Sprintf("%d more touch an artefact and do not count", x.Flagged))
		}
		if r.result.Scoring == eda.Relative {
			break
		}
	}
	if r.result.Method != eda.HighPass {
		row("Area of the phasic part", show(float64(s.Area), "%.3f µS·s"))
	}
	symp := "none: it needs 64 s without an artefact"
	if s.SympSegments > 0 {
		symp = fmt.Sprintf("%s µS², %s of all power above 0.01 Hz; %d %s of 64 s, %.0f s used", show(float64(s.Symp), "%.4g"), show(float64(s.SympShare), "%.3f"),
			s.SympSegments, oneOrMany(s.SympSegments, "window", "windows"), s.SympS)
	}
	row("EDASymp", symp)
	if e := r.ToEvents; e != nil {
		row("Responses to events", fmt.Sprintf("%d of %d events; mean amplitude %s µS, magnitude %s µS", e.Responded, e.N, show(float64(e.Amplitude), "%.3f"), show(float64(e.Magnitude), "%.3f")))
		if e.Invalid > 0 {
			row("", fmt.Sprintf("%d more %s in an artefact and %s not count", e.Invalid, oneOrMany(e.Invalid, "lies", "lie"), oneOrMany(e.Invalid, "does", "do")))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	r.warn(w)
	fmt.Fprintln(w, "\nMethods")
	paragraph(w, "  ", r.Methods)
	for _, name := range r.Written {
		fmt.Fprintln(w, "wrote", name)
	}
	return nil
}

// levelsApart is by how much of the measured level the tonic one may differ: more
// means that the method does not fit the signal.
const levelsApart = 0.25

// warn says what a reader must know before using the numbers.
func (r *edaReport) warn(w io.Writer) {
	if tonic, outside := float64(r.Summary.SCL), float64(r.Summary.SCLOutside); math.Abs(tonic-outside) > levelsApart*outside {
		paragraph(w, "  ", fmt.Sprintf("Mind: the tonic level is %.2f µS, the signal outside responses %.2f µS: the method does not fit this signal; look at the picture, and try --method highpass.", tonic, outside))
	}
	if !r.Summary.Enough {
		paragraph(w, "  ", fmt.Sprintf("Mind: less than %.0f %% of the recording is valid; leave it out of averages, or say why not.", 100*eda.EnoughShare))
	}
	if r.Summary.NonResponder {
		paragraph(w, "  ", fmt.Sprintf("Mind: no response of %g µS in the whole recording: a non-responder, if this was a whole session with working electrodes.", r.Parameters.ThresholdUS))
	}
	for _, p := range r.Pieces {
		if p.Instead != "" {
			paragraph(w, "  ", fmt.Sprintf("Mind: %.1f s to %.1f s: %s.", p.From, p.Until, p.Instead))
		}
		if p.Converged != nil && !*p.Converged {
			paragraph(w, "  ", fmt.Sprintf("Mind: %.1f s to %.1f s: the solver did not converge, the duality gap left is %.2g.", p.From, p.Until, float64(p.Gap)))
		}
	}
}

// methods is a paragraph for a paper.
func (r *edaReport) methods(events bool) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+" ", args...) }
	res := r.result
	say("Skin conductance (%.1f s at %.4g Hz) was analysed with Emolab %s.", r.Summary.UntilS-r.Summary.FromS, res.Rate, version)
	say("Gaps of up to %g s were interpolated linearly%s.", eda.MaxGap.Seconds(), map[bool]string{
		true: fmt.Sprintf("; longer ones parted the recording into %d pieces, which were analysed by themselves", len(res.Pieces)),
	}[len(res.Pieces) > 1])
	for _, m := range []eda.Method{eda.CVX, eda.CDA, eda.Median, eda.HighPass} {
		if text := splitMethod(res, m); text != "" {
			b.WriteString(text + " ")
		}
	}
	b.WriteString(scoringMethod(res) + " ")
	if events {
		say("Responses with an onset %g to %g s after an event were taken as responses to it; magnitude counts events without a response as zero, amplitude leaves them out (Boucsein et al., 2012). All others are called non-specific; their rate counts the valid time outside these windows.", r.Parameters.WindowFromS, r.Parameters.WindowToS)
	} else {
		say("No events were given, so all responses count as non-specific; their rate counts the valid time.")
	}
	temperature := ""
	if r.warmth {
		temperature = ", at a skin temperature outside 30 to 40 °C"
	}
	full := "where it stayed at its highest value"
	if r.Parameters.SensorMaxUS > 0 {
		full = fmt.Sprintf("at the sensor's maximum of %g µS", r.Parameters.SensorMaxUS)
	}
	say("Samples were excluded as artefacts outside 0.05 to 60 µS, at slopes beyond 10 µS/s below 0.35 Hz%s, and within 5 s of these (Kleckner et al., 2018), at slopes beyond 10 µS/s below 3 Hz, where the signal did not change (SD < 0.0001 µS over 5 s), %s, and after falls of more than 20 %% within 1 s;", temperature, full)
	say("%.1f %% of the recording remained.", 100*float64(r.Summary.Valid))
	say("The level outside responses is the mean of the measured signal without the time from each response's onset to its half recovery (or to the next onset).")
	if r.Summary.SympSegments > 0 {
		say("EDASymp is the power between 0.045 and 0.25 Hz (Posada-Quintero et al., 2016) of the valid signal at 2 Hz, high-passed at 0.01 Hz (Butterworth, order 2, zero phase), by Welch's method: Blackman windows of 64 s without their mean, half overlapping, from the beginning of each stretch without artefacts (%d %s, %.0f s; what is left at the end of a stretch is not used, so the value depends on where it begins).",
			r.Summary.SympSegments, oneOrMany(r.Summary.SympSegments, "window", "windows"), r.Summary.SympS)
	}
	return strings.TrimSpace(b.String())
}

// splitMethod says how the level was told from the fast part in the pieces that
// were split by m; "" where none was.
func splitMethod(r eda.Result, m eda.Method) string {
	var rate, seconds float64
	var taus []string
	n := 0
	for _, p := range r.Pieces {
		if p.Method != m {
			continue
		}
		n++
		seconds += p.Until.Sub(p.From).Seconds()
		if p.Model != nil {
			rate = p.Model.Rate
			taus = append(taus, fmt.Sprintf("%.2f and %.2f s", p.Model.Tau1S, p.Model.Tau2S))
		}
	}
	if n == 0 {
		return ""
	}
	of := "Tonic and phasic components"
	if n < len(r.Pieces) {
		of = fmt.Sprintf("In %d of the pieces (%.1f s), tonic and phasic components", n, seconds)
	}
	switch m {
	case eda.CVX:
		return of + fmt.Sprintf(" were separated by convex optimisation (cvxEDA; Greco et al., 2016) on means at %.4g Hz, with time constants of %g and %g s, knots every %g s, alpha = %g and gamma = %g, solved to a relative duality gap of %g.",
			rate, cvx.DefaultSlowS, cvx.DefaultFastS, cvx.DefaultKnotS, cvx.DefaultAlpha, cvx.DefaultGamma, cvx.DefaultGap)
	case eda.CDA:
		return of + fmt.Sprintf(" were separated by continuous decomposition analysis (Benedek & Kaernbach, 2010) on means at %.4g Hz, with optimised time constants of %s.", rate, strings.Join(taus, "; "))
	case eda.Median:
		return of + " are, after a low-pass filter (Butterworth, order 4, 3 Hz, zero phase), the running median over 4 s and the rest."
	}
	return of + fmt.Sprintf(" are, after a low-pass filter (Butterworth, order 4, 3 Hz, zero phase), the outputs of a low-pass and a high-pass Butterworth filter of order 2 at %g Hz without phase shift (Makowski et al., 2021).", eda.LevelHz)
}

func scoringMethod(r eda.Result) string {
	switch r.Scoring {
	case eda.Relative:
		return "Responses are peaks of the phasic component with at least 10 % of the largest prominence (NeuroKit2's method \"neurokit\"; Makowski et al., 2021); this threshold is relative, and one large response hides small ones."
	case eda.OnPhasic:
		return fmt.Sprintf("Responses were scored from trough to peak in the phasic component with an amplitude of at least %g µS.", r.ThresholdUS)
	}
	return fmt.Sprintf("Responses were scored from trough to peak in the signal below 1 Hz (Butterworth, order 2, zero phase) with an amplitude of at least %g µS; the filter smears a sharp beginning, so their onsets lie 0.25 to 0.45 s before it (on simulated responses).", r.ThresholdUS)
}

func sortEvents(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return int(min(1, max(-1, a.at-b.at))) })
}
