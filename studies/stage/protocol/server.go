package protocol

import (
	"emolab/studies/session"
	"emolab/studies/study"
)

// The messages of the server.
type (
	// Ping asks for the page's clock.
	Ping struct {
		ID int64 `json:"id"`
	}
	// Library names the clips of the study, so that they can be loaded before a
	// session begins.
	Library struct {
		Clips     []Clip   `json:"clips"`
		Corner    string   `json:"corner"`    // where clips are shown small, for a light sensor; "" = large, in the middle
		Languages []string `json:"languages"` // of the study, the first for whoever chooses none
	}
	// Plan is what is to be shown, from step From on.
	Plan struct {
		Run   int    `json:"run"` // numbers the plans sent; messages about a plan name it
		From  int    `json:"from"`
		Steps []Step `json:"steps"`
		Clips []Clip `json:"clips"`
		// Corner and Languages are those of Library.
		Corner    string   `json:"corner"`
		Languages []string `json:"languages"`
		Sheets    []Sheet  `json:"sheets"`
		// Skip are the steps that are passed over, in order, until another list comes.
		Skip       []int `json:"skip"`
		PhoneFrame bool  `json:"phone_frame"` // clips stand in an upright frame, 9:16, all of one size
		// Conducted says that Conduct follows every step-began.
		Conducted bool `json:"conducted"`
	}
	// Go accepts the answer to a step. The page goes on with the next step after it
	// that is not in Skip.
	Go struct {
		Run  int   `json:"run"`
		Step int   `json:"step"`
		Skip []int `json:"skip"`
	}
	// Again does not accept the answer to a step: something on the sheet is missing or
	// cannot be. The page stays there.
	Again struct {
		Run    int    `json:"run"`
		Step   int    `json:"step"`
		Reason string `json:"reason"`
	}
	// Left accepts that the participant stops the session. The page cuts what it shows
	// and goes on with the first step that is not in Skip.
	Left struct {
		Run  int   `json:"run"`
		Skip []int `json:"skip"`
	}
	// Conduct says what a simulated participant does in a step. Pages of others leave
	// it alone. Without anything to do the step takes its course; a sheet is answered
	// with the least that it demands.
	Conduct struct {
		Run     int           `json:"run"`
		Step    int           `json:"step"`
		AfterMs float64       `json:"after_ms"` // from when the step began
		Answer  bool          `json:"answer"`   // answers the sheet with Fill, or declines with No
		Fill    study.Answers `json:"fill"`
		No      bool          `json:"no"`
		Leave   bool          `json:"leave"`
		Swipe   bool          `json:"swipe"`
		PauseMs float64       `json:"pause_ms"` // 0 = does not pause
		// Language is what the page is read in from here on; "" leaves it as it is.
		Language string `json:"language"`
	}
	// Receipt is what stands on a receipt sheet.
	Receipt struct {
		Run     int             `json:"run"`
		Step    int             `json:"step"`
		Receipt session.Receipt `json:"receipt"`
		QR      [][]bool        `json:"qr"` // of the code: rows from the top, true is dark; null without a code
	}
	// Begin starts the plan.
	Begin struct {
		Run int `json:"run"`
	}
	// Stop ends the plan at once; the page blanks and answers with Stopped.
	Stop struct {
		Run int `json:"run"`
	}
	// Target moves the target of a step that the server leads to a place.
	Target struct {
		Run  int   `json:"run"`
		Step int   `json:"step"`
		ID   int64 `json:"id"` // names the request: Shown has it too
		Place
	}
	// Cue asks something of the participant, in the page's own words for Key.
	Cue struct {
		Run  int    `json:"run"`
		Step int    `json:"step"`
		ID   int64  `json:"id"`
		Key  string `json:"key"`
		Code string `json:"code,omitempty"` // the participant's, shown large while they wait for the experimenter
	}
	// Ask asks something that no sheet of the study does: whether the code is the
	// participant's, before the first step, and how many tones they hear.
	Ask struct {
		Run   int    `json:"run"`
		Step  int    `json:"step"` // BeforeFirst, or a step that the server leads
		ID    int64  `json:"id"`
		Kind  string `json:"kind"` // session.AskCode or session.AskSound
		Code  string `json:"code"`
		Tones int    `json:"tones"`
		Tries int    `json:"tries"` // answers before this that were not the right one
	}
	// Finish ends a step that the server leads; the page answers with StepEnded. It goes
	// on with the next step after it that is not in Skip.
	Finish struct {
		Run  int   `json:"run"`
		Step int   `json:"step"`
		Skip []int `json:"skip"`
	}
	// Over says that the plan has been shown to its end.
	Over struct {
		Run     int    `json:"run"`
		Outcome string `json:"outcome"` // OverComplete, OverDeclined or OverLeft
	}
	// Refused ends a connection. Busy means that another page holds the stage,
	// and that a Hello with take_over would get it.
	Refused struct {
		Busy   bool   `json:"busy"`
		Reason string `json:"reason"`
	}
)

// BeforeFirst is the Step of what is asked before the first step.
const BeforeFirst = -1

// Place is a point of the screen, in fractions of its width and height.
type Place struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Clip is one stimulus for a page.
type Clip struct {
	ID         string  `json:"id"`
	URL        string  `json:"url"`
	SHA256     string  `json:"sha256"`
	Width      int     `json:"width"`  // px
	Height     int     `json:"height"` // px
	DurationMs float64 `json:"duration_ms"`
}

// Step is one step of a plan for a page.
type Step struct {
	Index        int          `json:"index"`
	Action       study.Action `json:"action"`
	DurationMs   float64      `json:"duration_ms"`
	Stimulus     string       `json:"stimulus"`
	Presentation int          `json:"presentation"`
	Sheet        string       `json:"sheet"`     // id: of a fill step, else ""
	Skippable    bool         `json:"skippable"` // of a clip that the participant may swipe away
}

// Sheet is one page of words and fields, with the hash of its words by language.
type Sheet struct {
	study.Sheet
	Hashes map[string]string `json:"sha256"`
}

// How a plan can end: the values of Over.Outcome.
const (
	OverComplete = "complete" // it was shown to its end
	OverDeclined = "declined" // the participant does not take part
	OverLeft     = "left"     // the participant stopped the session
)
