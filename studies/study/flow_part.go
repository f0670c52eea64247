package study

import "time"

// Part is one part of the flow. Exactly one of its kinds is set.
type Part struct {
	Action   Action        // Calibrate, Validate, Breath, Camera or Begin: once; or Rest, Fixation
	Duration time.Duration // of a Rest or Fixation between blocks, with Action
	Sheets   []string      // Fill steps, one after the other: consent, screening, forms, debrief
	Baseline *Baseline
	Block    *BlockPart
	Branch   *Branch
}

// Baseline is the rest before the first stimulus.
type Baseline struct {
	Fixation time.Duration // for skin conductance to settle; 0 = none
	Neutral  time.Duration // for the face at rest; 0 = none
}

// BlockPart is a run of trials.
type BlockPart struct {
	Name    string
	Method  string   // order.Fixed, Random, Latin, Williams; "" = order.Fixed
	Over    []string // ids of the stimuli that are ordered; none = all
	InTurn  bool     // rows are gone through in turn, whatever became of the sessions before
	Filler  string   // id; "" = none
	Every   int      // so many trials come between two fillers
	Repeats int      // the whole block so often; 0 = once
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
