package study

import "time"

// Part is one part of the flow. Exactly one of its kinds is set.
type Part struct {
	Action   Action        // Calibrate, Validate, Breath, Camera: once
	Rest     time.Duration // of a Rest or Fixation between blocks, with Action
	Sheets   []string      // Fill steps, one after the other: consent, screening, forms, debrief
	Baseline *Baseline
	Block    *BlockPart
	Branch   *Branch
}

// Baseline is the rest before the first stimulus.
type Baseline struct {
	Fixation time.Duration // for skin conductance to settle
	Neutral  time.Duration // for the face at rest; 0 = none
}

// BlockPart is a run of trials.
type BlockPart struct {
	Name    string
	Method  string   // order.Fixed, Random, Latin, Williams
	Over    []string // ids of the stimuli that are ordered
	Filler  string   // id; "" = none
	Every   int      // so many trials come between two fillers
	Repeats int      // the whole block so often, from 1
	Trial   []TrialPart
}

// TrialPart is one step of a trial.
type TrialPart struct {
	Action    Action
	Duration  time.Duration // of Fixation and Rest
	Skippable bool          // of Play
	Sheets    []string      // of Fill: the scales, in order
}

// Branch is a choice between two ways, by the answers so far.
type Branch struct {
	If         string
	Then, Else []Part
}
