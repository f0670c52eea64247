package main

import (
	"math"
	"math/rand/v2"
	"strconv"

	"emolab/fusion/script"
	"emolab/studies/session"
	"emolab/studies/study"
)

// respondent answers a study's sheets as one simulated person would.
type respondent struct {
	person   script.Person
	language string
}

// skipsOptional is how often a field that need not be answered is left empty.
const skipsOptional = .2

// fill answers every field of a sheet that is no screening: felt is what the person
// felt during the stimulus it is about, occasion the number of that presentation.
// The same person answers the same sheet on the same occasion in the same way.
func (r respondent) fill(sheet study.Sheet, felt script.Feeling, occasion int) study.Answers {
	answers := study.Answers{}
	for _, f := range sheet.Fields {
		chance := r.person.Chance(sheet.ID+"/"+f.ID, occasion)
		if !f.Required && f.Type != study.ScopeField && chance.Float64() < skipsOptional {
			continue
		}
		for _, key := range f.Keys() {
			answers[key] = r.answer(f, key, felt, occasion, chance)
		}
	}
	return answers
}

// answer is what the person answers to one key of a field.
func (r respondent) answer(f study.Field, key string, felt script.Feeling, occasion int, chance *rand.Rand) string {
	pleasant := r.person.Valence(felt, key, occasion)
	switch f.Type {
	case study.ScopeField:
		return yesOrNo(r.allows(f, chance))
	case study.YesNo:
		return yesOrNo(chance.IntN(2) == 0)
	case study.Integer:
		low, high := f.Min, f.Max
		return strconv.Itoa(low + chance.IntN(max(high-low, 0)+1))
	case study.Choice:
		if len(f.Options) == 0 {
			return ""
		}
		return f.Options[chance.IntN(len(f.Options))].Value
	case study.SAM:
		if f.Dimension == "arousal" {
			return rated(r.person.Arousal(felt, key, occasion), 1, f.Points)
		}
		return rated(pleasant, 1, f.Points)
	case study.AffectGrid:
		if key == f.ID+study.GridArousal {
			return rated(r.person.Arousal(felt, key, occasion), 1, f.Points)
		}
		return rated(pleasant, 1, f.Points)
	case study.Likert:
		return rated(pleasant, 1, f.Points)
	case study.VAS:
		return rated(pleasant, 0, study.VASHigh)
	case study.FreeText:
		return r.remark(chance)
	}
	return ""
}

// allows tells whether the person agrees to a scope of consent.
func (r respondent) allows(f study.Field, chance *rand.Rand) bool {
	switch {
	case f.Required:
		return true
	case f.ID == session.FaceVideo:
		return r.person.Video
	}
	return chance.IntN(2) == 0
}

// remark is what the person writes into a field for free text.
func (r respondent) remark(chance *rand.Rand) string {
	remarks := map[string][]string{
		"fr": {"Les couleurs m'ont plu.", "Un peu rapide à mon goût.", "Rien de particulier."},
		"en": {"I liked the colours.", "A little fast for me.", "Nothing in particular."},
	}[r.language]
	if remarks == nil {
		remarks = []string{"42 ✓"} // in no language, and in no plain ASCII either
	}
	return remarks[chance.IntN(len(remarks))]
}

func yesOrNo(yes bool) string {
	if yes {
		return study.Yes
	}
	return study.No
}

// rated is the point of a scale that stands for said, which is -1 to 1.
func rated(said float64, low, high int) string {
	span := float64(max(high-low, 0))
	return strconv.Itoa(low + int(math.Round((said+1)/2*span)))
}
