// Package action estimates facial action units (FACS) from the geometry of a
// face's landmarks, relative to the same person's neutral face.
package action

import (
	"emolab/fusion/expression"
	"emolab/fusion/landmark"
)

// Count is the number of action units estimated.
const Count = 18

// Grade says how far geometry alone can be trusted for an action unit.
type Grade string

// The grades.
const (
	Good Grade = "A" // the unit moves landmarks by much, and little else does
	Fair Grade = "B" // it moves them, but so do others
	Weak Grade = "C" // it shows in wrinkles and bulges, which landmarks do not see
)

// Unit describes one action unit.
type Unit struct {
	Number int    // of FACS
	Name   string // of FACS: "Lip corner puller"
	Column string // in tables and exports: "au12"
	Grade  Grade
	Note   string // what it is measured from, and what else moves that; one sentence
}

// Units returns the action units in their order: 1, 2, 4, 5, 6, 7, 9, 10, 12,
// 14, 15, 17, 20, 23, 24, 25, 26, 43.
func Units() [Count]Unit { return [Count]Unit{} }

// Intensities are those of Units, 0 absent to 1 as strong as it gets; NaN where
// nothing can be said.
type Intensities [Count]float64

// FeatureCount is the number of measures of a face.
const FeatureCount = 32

// Features are a face's measures in parts of the distance between the eyes, or
// ratios.
type Features [FeatureCount]float64

// Measure takes the measures of a face seen from the front (headpose.Frontal).
func Measure(front *landmark.Face) Features { return Features{} }

// Neutral is a person's face at rest, which action units are measured from.
type Neutral struct {
	Features Features `json:"features"` // median of each
	Scale    Features `json:"scale"`    // spread of each at rest: 1.4826 MAD, with a floor
}

// Intensities estimates the action units of a face with the measures f.
func (n *Neutral) Intensities(f *Features) Intensities { return Intensities{} }

// EMFACS returns how much the action units speak for each expression, 0 to 1
// each, Neutral being what is left: 1 - the largest of the others. It is not a
// distribution.
func EMFACS(au *Intensities) [expression.Count]float64 { return [expression.Count]float64{} }
