package evaluation

import (
	"math"

	"emolab/fusion/expression"
)

// Report is the result of an evaluation. All shares but Found are of the
// pictures in which a face was found; what no face was found in is counted
// beside them.
type Report struct {
	Models   string `json:"models"`   // the nets, as face.Analyzer names them
	Pictures int    `json:"pictures"` // labelled pictures, broken ones included
	// Broken are the files that could not be read.
	Broken []Broken `json:"broken"`
	// Ignored counts what was left out of the set, by the reason.
	Ignored map[string]int `json:"ignored"`
	// Found is the share of the readable pictures in which a face was found.
	Found    Share `json:"found"`
	Accuracy Share `json:"accuracy"`
	// BalancedAccuracy is the mean of the recalls of the classes that occur.
	BalancedAccuracy float64 `json:"balanced_accuracy"`
	// Kappa is Cohen's; null where it is not defined.
	Kappa   *float64 `json:"kappa"`
	Classes []Class  `json:"classes"`
	// Confusion counts pictures: rows are the labels, columns what was read, both
	// in the order of Classes.
	Confusion [][]int `json:"confusion"`
}

// Broken is a file that could not be read.
type Broken struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// Class is how one expression fared.
type Class struct {
	Name      string `json:"name"`
	Pictures  int    `json:"pictures"`  // labelled so, readable
	NoFace    int    `json:"no_face"`   // of them, no face found
	Recall    Share  `json:"recall"`    // of those labelled so, read so
	Precision Share  `json:"precision"` // of those read so, labelled so
}

// Score reckons the report of outcomes. Models names what read them.
func Score(set Set, outcomes []Outcome, models string) Report {
	r := Report{Models: models, Pictures: len(outcomes), Broken: []Broken{}, Ignored: set.Ignored}
	for _, name := range expression.Names() {
		r.Classes = append(r.Classes, Class{Name: name})
		r.Confusion = append(r.Confusion, make([]int, expression.Count))
	}
	readable, found, right := 0, 0, 0
	for _, o := range outcomes {
		if o.Err != nil {
			r.Broken = append(r.Broken, Broken{o.File, o.Err.Error()})
			continue
		}
		readable++
		r.Classes[o.Class].Pictures++
		if !o.Found {
			r.Classes[o.Class].NoFace++
			continue
		}
		found++
		read := o.Expression.Top()
		r.Confusion[o.Class][read]++
		if read == o.Class {
			right++
		}
	}
	r.Found, r.Accuracy = wilson(found, readable), wilson(right, found)
	occurring := 0
	for c := range r.Classes {
		labelled, read := 0, 0
		for other := range r.Classes {
			labelled += r.Confusion[c][other]
			read += r.Confusion[other][c]
		}
		r.Classes[c].Recall = wilson(r.Confusion[c][c], labelled)
		r.Classes[c].Precision = wilson(r.Confusion[c][c], read)
		if labelled > 0 {
			occurring++
			r.BalancedAccuracy += r.Classes[c].Recall.Value
		}
	}
	if occurring > 0 {
		r.BalancedAccuracy /= float64(occurring)
	}
	if k := kappa(r.Confusion); !math.IsNaN(k) {
		r.Kappa = &k
	}
	return r
}
