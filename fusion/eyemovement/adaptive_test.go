package eyemovement_test

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"emolab/fusion/eyemovement"
	"emolab/fusion/eyemovement/agreement"
	"emolab/fusion/eyemovement/eyetest"
)

var fit = flag.Bool("fit", false, "fit models.json anew to the reference recordings (some minutes)")

// worse returns a recording as a slower and noisier tracker would have had it:
// every k-th sample, with independent noise of so many degrees on each axis.
func worse(r eyetest.Recording, every int, noiseDeg float64) eyetest.Recording {
	random := rand.New(rand.NewPCG(uint64(every), uint64(noiseDeg*1e6)))
	w, h := r.Screen.Flat()
	q := r
	q.Gaze, q.RA, q.MN, q.Rate = eyemovement.Gaze{}, nil, nil, r.Rate/float64(every)
	for i := 0; i < r.Gaze.Len(); i += every {
		q.Gaze.At = append(q.Gaze.At, r.Gaze.At[i])
		q.Gaze.X = append(q.Gaze.X, r.Gaze.X[i]+random.NormFloat64()*noiseDeg/w)
		q.Gaze.Y = append(q.Gaze.Y, r.Gaze.Y[i]+random.NormFloat64()*noiseDeg/h)
		q.RA, q.MN = append(q.RA, r.RA[i]), append(q.MN, r.MN[i])
	}
	return q
}

// at returns recordings at about the given rate and noise.
func at(all []eyetest.Recording, rate, noiseDeg float64) []eyetest.Recording {
	var out []eyetest.Recording
	for _, r := range all {
		out = append(out, worse(r, max(1, int(math.Round(r.Rate/rate))), noiseDeg))
	}
	return out
}

// fitted fits a model to what both raters marked in those recordings that are
// picked by their place.
func fitted(t *testing.T, all []eyetest.Recording, rate float64, pick func(i int) bool) *eyemovement.Model {
	t.Helper()
	var marked []eyemovement.Marked
	for i, r := range all {
		if pick(i) {
			for _, l := range [][]eyemovement.Class{r.RA, r.MN} {
				marked = append(marked, eyemovement.Marked{Gaze: r.Gaze, Screen: r.Screen, Labels: l})
			}
		}
	}
	m, err := eyemovement.FitModel(t.Context(), marked, eyemovement.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.Rate = rate
	return m
}

// What models.json has: every rate with every noise. 0.03 degrees are a tower, 0.1
// and 0.3 good and ordinary trackers below the screen, 1 a webcam.
var (
	modelRates = []float64{500, 250, 125, 62.5, 31.25}
	modelNoise = []float64{0, .03, .1, .3, 1}
)

func TestModels(t *testing.T) {
	if *fit {
		all := eyetest.Read(t, "andersson_*")
		var models []*eyemovement.Model
		for _, rate := range modelRates {
			for _, noise := range modelNoise {
				m := fitted(t, at(all, rate, noise), rate, func(int) bool { return true })
				m.Round(5)
				models = append(models, m)
				t.Logf("%v Hz, %v degrees: %.1f °/s", rate, noise, m.Noise)
			}
		}
		b, err := json.Marshal(models)
		if err == nil {
			err = os.WriteFile("models.json", append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(eyemovement.Models()); !*fit && n != len(modelRates)*len(modelNoise) {
		t.Errorf("models.json has %d models, want %d: fit them anew (-fit)", n, len(modelRates)*len(modelNoise))
	}
}

// score judges what sort gives each recording.
func score(stimulus, who, against string, all []eyetest.Recording, sort func(i int, r eyetest.Recording) []eyemovement.Event) *agreement.Score {
	s := agreement.NewScore(stimulus, who, against)
	for i, r := range all {
		if r.Stimulus != stimulus && stimulus != "all" {
			continue
		}
		labels := map[string][]eyemovement.Class{"RA": r.RA, "MN": r.MN}[against]
		if err := s.Add(eyemovement.Labels(sort(i, r), r.Gaze.Len()), labels); err != nil {
			panic(err)
		}
	}
	return s
}

// The models of the program find what people marked at every rate and noise,
// and from 60 Hz on more of it than I-VT does; at 30 Hz a saccade is one sample.
// They were fitted to these recordings: how such models do on others is measured
// by `emolab gaze analyze --score`.
func TestAdaptiveAtEveryRateAndNoise(t *testing.T) {
	all := eyetest.Read(t, "andersson_*")
	for _, rate := range modelRates {
		for _, noise := range modelNoise {
			bad := at(all, rate, noise)
			ours := score("all", "adaptive", "RA", bad, adaptive)
			ivt := score("all", "I-VT", "RA", bad, func(_ int, r eyetest.Recording) []eyemovement.Event {
				return eyemovement.IVT(r.Gaze, r.Screen, eyemovement.Tobii2012())
			})
			t.Logf("%6.2f Hz, %4.2f degrees: saccade %.2f (I-VT %.2f), fixation or pursuit %.2f (%.2f), pso %.2f", rate, noise,
				ours.Kappa(eyemovement.Saccade), ivt.Kappa(eyemovement.Saccade), ours.Kappa(slow()...), ivt.Kappa(slow()...), ours.Kappa(eyemovement.PSO))
			if rate < 60 {
				continue
			}
			if o, i := ours.Kappa(eyemovement.Saccade), ivt.Kappa(eyemovement.Saccade); o < i {
				t.Errorf("%v Hz, %v degrees: saccades %.3f, I-VT has %.3f", rate, noise, o, i)
			}
			if o, i := ours.Kappa(slow()...), ivt.Kappa(slow()...); o < i {
				t.Errorf("%v Hz, %v degrees: fixation or pursuit %.3f, I-VT has %.3f", rate, noise, o, i)
			}
		}
	}
}

// Recordings of another tracker at 1 kHz, of other people looking at another
// thing, marked by another rater: the models were not fitted to these. REMoDNaV
// has saccades .779 and .731.
func TestAdaptiveOnRecordingsItWasNotFittedTo(t *testing.T) {
	for _, r := range eyetest.Read(t, "lookatpoint_*") {
		s := score("all", "adaptive", "RA", []eyetest.Recording{r}, func(_ int, r eyetest.Recording) []eyemovement.Event {
			return eyemovement.Classify(r.Gaze, r.Screen, eyemovement.Options{Still: true})
		})
		t.Logf("%s: fixation %.3f, saccade %.3f, pso %.3f", r.Name, s.Kappa(eyemovement.Fixation), s.Kappa(eyemovement.Saccade), s.Kappa(eyemovement.PSO))
		for c, floor := range map[eyemovement.Class]float64{eyemovement.Fixation: .8, eyemovement.Saccade: .8, eyemovement.PSO: .6} {
			if k := s.Kappa(c); k < floor {
				t.Errorf("%s: %v %.3f, want %.2f", r.Name, c, k, floor)
			}
		}
	}
}

func adaptive(_ int, r eyetest.Recording) []eyemovement.Event {
	return eyemovement.Classify(r.Gaze, r.Screen, eyemovement.Options{})
}

func slow() []eyemovement.Class {
	return []eyemovement.Class{eyemovement.Fixation, eyemovement.Pursuit}
}
