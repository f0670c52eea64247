package session

import (
	"time"

	"emolab/studies/study"
)

// Cohort is how far a study has come.
type Cohort struct {
	Rows   []RowCount `json:"rows"`
	Cells  []CellNow  `json:"cells"`
	Usable int        `json:"usable"` // people with a usable session, as a quota counts
	Wanted int        `json:"wanted"` // of them; 0 = no quota
	People []Person   `json:"people"` // by code
	// Videos and Brands count the people of sealed sessions, by what they were shown.
	Videos []Tally `json:"videos"`
	Brands []Tally `json:"brands"`
	// Withdrawn counts people; Declined, Dropped and Unusable count sessions.
	Withdrawn int `json:"withdrawn"`
	Declined  int `json:"declined"`
	Dropped   int `json:"dropped"` // stopped by the participant
	Unusable  int `json:"unusable"`
}

// Tally counts people by one thing that they were shown.
type Tally struct {
	Name   string `json:"name"`
	Usable int    `json:"usable"` // of whom enough was measured during it, in a session that counts
	Shown  int    `json:"shown"`
}

// RowCount is how often an order has been used.
type RowCount struct {
	Row    int `json:"row"`
	Usable int `json:"usable"`
	Open   int `json:"open"` // may still become usable: prepared, recording, recovered
	Other  int `json:"other"`
}

// CellNow is a cell of the quota and how far it is filled.
type CellNow struct {
	study.Cell
	Have int `json:"have"` // people with a usable session or one that may become so
	Open int `json:"open"` // of those, who has only the latter
}

// Person is one participant in the registry.
type Person struct {
	Code     string        `json:"code"`
	Bands    study.Answers `json:"bands"` // of the screening, as kept
	Sessions []Standing    `json:"sessions"`
}

// Standing is what one session counts for.
type Standing struct {
	Session string    `json:"session"`
	State   State     `json:"state"`
	Row     int       `json:"row"`
	Run     int       `json:"run"` // of the participant, from 1
	Started time.Time `json:"started"`
	Usable  *bool     `json:"usable"` // nil = not judged
	Why     string    `json:"why"`    // it is not usable, or was declined
}
