package study

import "time"

// Question is one question of the screening.
type Question struct {
	Field
	Pass string // condition on the answers so far under which somebody takes part; "" = any answer
	// Bands, if there are any, are kept in place of the answer; without any, only
	// whether Pass held.
	Bands []Band
	// Override is the reference of the ethics approval under which who fails takes part
	// all the same; "" = nobody does.
	Override string
}

// Band is a range of whole numbers that stands for all numbers in it.
type Band struct {
	Name     string
	Min, Max int // inclusive
}

// What is kept of a question without bands.
const (
	Passed     = "pass"
	Failed     = "fail"
	Overridden = "override" // it failed, and takes part under Question.Override
)

// Judgement is what becomes of the answers on a sheet.
type Judgement struct {
	// Kept are the answers as they may be written down: of a screening the bands, or
	// Passed, Failed and Overridden.
	Kept Answers
	// Exit is the id of the sheet with which the session ends here; "" goes on.
	Exit string
	// Why says in a few words what led to Exit: "consent", "screening: age". "" goes on.
	Why string
}

// Quota says how many usable sessions are wanted.
type Quota struct {
	Total int // 0 = no quota
	Cells []Cell
}

// Cell is the quota of one band of one question.
type Cell struct {
	Question string `json:"question"`
	Band     string `json:"band"`
	Usable   int    `json:"usable"` // wanted
}

// Retain is how long each class of data is kept; 0 = no limit is stated.
type Retain struct {
	FaceVideo, Traces time.Duration // from the end of the session
	Identity          time.Duration // from the payment of the participant
}

// Rules say which sessions are usable, and what is said about them.
type Rules struct {
	UsableShare   float64 `json:"usable_share"`      // of the time of each stimulus, for each required modality
	FaceConf      float64 `json:"face_conf"`         // confidence from which a face counts
	Reshow        float64 `json:"reshow_if_below"`   // share below which a stimulus is to be shown again
	MaxSyncMs     float64 `json:"max_sync_error_ms"` // bound on the error of time of each required stream
	NeedsFace     bool    `json:"needs_face"`
	NeedsGaze     bool    `json:"needs_gaze"`
	NeedsEDA      bool    `json:"needs_eda"`
	MaxUnusable   int     `json:"max_unusable"`     // so many stimuli may miss UsableShare
	MaxGazeErrDeg float64 `json:"max_gaze_err_deg"` // of the accepted calibration; 0 = any
}

// Devices is what has to be there before a session begins.
type Devices struct {
	CameraMinFPS             float64
	GazeMinHz                float64
	EDAMinHz                 float64
	EDARangeUS               [2]float64 // skin conductance of a good contact
	NeedsCamera, NeedsGaze   bool
	NeedsEDA                 bool
	CameraDriver, GazeDriver string // "" or "auto" = any
	EDADriver                string
}

// Analysis is what the study wants to find out, said before the data are there.
type Analysis struct {
	Primary        []string // at most five indicators; locked with the first sealed session
	Compare        string   // "brand", "tag", "stimulus"
	FDR            float64
	Show           int // usable people from which a group is shown
	CompareN, Rank int
}
