package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/studies/store"
)

// printGaze says of a session how its gaze was calibrated, how far off it was, and what
// was decided about it; and what the check of the skin conductance gave.
func printGaze(out io.Writer, d *store.Detail) error {
	for _, g := range d.Segments {
		if g.ScreenAssumed {
			fmt.Fprintf(out, "screen: %s, assumed: degrees are as right as that is (screen: in lab.yaml)\n", screenWords(g))
			break
		}
	}
	current := ""
	for _, v := range d.Derivations {
		if v.Current {
			current = v.Name
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	head := "\nCHECK\tSTEP\tROUND\tRESULT\n"
	for _, c := range d.Calibrations {
		if c.Derivation != current || c.Step == nil && c.Kind != "gaze-drift" {
			continue
		}
		words, err := calibrationWords(c)
		if err != nil {
			return fmt.Errorf("session %s: calibration %d of %s: %w", d.ID, c.N, c.Derivation, err)
		}
		name := c.Kind
		if len(d.Segments) > 1 {
			name = fmt.Sprintf("%s, segment %d", c.Kind, c.Segment+1)
		}
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\n", head, name, ordinal(c.Step), ordinal(c.Round), words)
		head = ""
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, v := range d.Decisions {
		fmt.Fprintf(out, "step %d, round %d: %s, %s", v.Step+1, v.Round+1, v.Choice, v.How)
		if v.Reason != "" {
			fmt.Fprintf(out, ": %s", v.Reason)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// correctedBy says what the gaze of a derivation is corrected by: the residuals of the
// calibrations, in order of time.
func correctedBy(d *store.Detail, derivation string) string {
	var all []string
	for _, c := range d.Calibrations {
		if c.Derivation == derivation && c.Kind == "gaze" && c.Used {
			all = append(all, "±"+inDegrees(c.Residual))
		}
	}
	if len(all) == 0 {
		return "as delivered"
	}
	return strings.Join(all, ", ")
}

// ordinal counts from 1 what is counted from 0; "-" where there is none.
func ordinal(n *int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n + 1)
}

func screenWords(g store.Segment) string {
	return fmt.Sprintf("%g x %g mm at %g mm", g.Screen.WidthMM, g.Screen.HeightMM, g.Screen.DistanceMM)
}

// calibrationWords says in words what a calibration, a validation or a check gave.
func calibrationWords(c store.Calibration) (string, error) {
	var refused struct {
		Refused string `json:"refused"`
	}
	if err := json.Unmarshal(c.Value, &refused); err != nil || refused.Refused != "" {
		return refused.Refused, err
	}
	switch c.Kind {
	case "gaze":
		var v gaze.Calibration
		if err := json.Unmarshal(c.Value, &v); err != nil {
			return "", err
		}
		used := "not used"
		if c.Used {
			used = "used"
		}
		return fmt.Sprintf("%s, %d targets, residual %.2f deg, cross-validated %.2f deg; %s", v.Model, len(v.Points), v.MeanDeg, v.CVDeg, used), nil
	case "gaze-validation":
		var v gaze.Validation
		if err := json.Unmarshal(c.Value, &v); err != nil {
			return "", err
		}
		return fmt.Sprintf("accuracy %s, worst point %s, precision %s RMS-S2S and %s SD, %.0f %% lost, %d of %d points",
			inDegrees(v.MeanDeg), inDegrees(v.MaxDeg), inDegrees(v.RMSS2SDeg), inDegrees(v.SDDeg), 100*v.Loss, len(v.Points), len(v.Points)+len(v.Missed)), nil
	case "gaze-drift":
		var v gaze.Drift
		if err := json.Unmarshal(c.Value, &v); err != nil {
			return "", err
		}
		words := fmt.Sprintf("%s on average at %d crosses, %s at most", inDegrees(v.MeanDeg), len(v.Crosses), inDegrees(v.MaxDeg))
		if v.Trend != nil {
			words += fmt.Sprintf(", %.3f deg a minute", v.Trend.DegPerMin)
		}
		return words, nil
	case "conductance-check":
		var v conductance.Readiness
		if err := json.Unmarshal(c.Value, &v); err != nil {
			return "", err
		}
		return readinessWords(v), nil
	}
	return "", nil
}

func inDegrees(v float64) string {
	if math.IsNaN(v) {
		return "- deg"
	}
	return fmt.Sprintf("%.2f deg", v)
}

func readinessWords(v conductance.Readiness) string {
	words := []string{string(v.Level)}
	if v.LevelUS != nil {
		words = append(words, fmt.Sprintf("level %.2f µS", *v.LevelUS))
	}
	if v.SlopeUSPerMin != nil {
		words = append(words, fmt.Sprintf("slope %+.2f µS a minute", *v.SlopeUSPerMin))
	}
	if v.Breath != nil {
		words = append(words, fmt.Sprintf("deep breath answered after %.1f s with %.2f µS", v.Breath.LatencyS, v.Breath.AmplitudeUS))
	} else {
		words = append(words, "no answer to a deep breath")
	}
	return strings.Join(words, ", ")
}
