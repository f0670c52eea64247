package bundle

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"emolab/studies/session"
	"emolab/studies/store"
)

// manifest is the bundle's list of contents, manifest.json.
type manifest struct {
	Format      string `json:"format"`
	Session     string `json:"session"`
	Participant string `json:"participant"`
	Study       string `json:"study"`
	StudyHash   string `json:"study_hash"`
	// StudyVersion counts the versions of the study file, from 1.
	StudyVersion int  `json:"study_version"`
	Simulated    bool `json:"simulated"`
	// Reason says why the plan was not shown to its end; empty when it was.
	Reason string `json:"reason"`
	// Begun counts the steps of the plan that began, of Steps in all.
	Begun int `json:"steps_begun"`
	Steps int `json:"steps"`
	// Run counts the sessions of the participant, from 1.
	Run int `json:"run"`
	// Usable says whether the session counts, by the study's rules or by a person's word;
	// null: nobody has said. Why says why not.
	Usable *bool  `json:"usable"`
	Why    string `json:"usable_why"`
	// Scopes are what the participant allows, by the latest answers.
	Scopes []string `json:"scopes"`
	// Recipient is whom this bundle was made for; empty when nobody was named.
	Recipient string `json:"recipient"`

	Software string `json:"software"` // that recorded the session
	Created  string `json:"created_utc"`
	// FaceFramesWritten counts the pictures of the participant that were written
	// to the disk: frames of face video, kept under consent beside the study's
	// file. None of them is in the bundle.
	FaceFramesWritten int64 `json:"face_frames_written"`
	// FaceVideoErased is when the face video was erased because the date up to which it
	// might be kept was past; absent: it was not. How many frames it had is not known then.
	FaceVideoErased string `json:"face_video_erased_utc,omitempty"`
	Files           []file `json:"files"`

	created time.Time
}

// file is one member of the bundle in the manifest.
type file struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows"` // of a table, without its header; 0 for other files
	About  string `json:"about"`
}

func manifestOf(d store.Detail, recipient string, created time.Time) manifest {
	m := manifest{
		Format: Format, Session: d.ID, Participant: d.Participant,
		Study: d.Study.ID, StudyHash: d.Study.Hash, StudyVersion: d.Study.Version, Simulated: d.Simulated,
		Reason:   d.Reason,
		Software: d.Software, Created: created.UTC().Format(time.RFC3339), created: created,
		FaceFramesWritten: facesWritten(d),
		Run:               d.Run, Usable: d.Usable, Why: d.UsableWhy,
		Scopes: allowed(d.Consents), Recipient: recipient,
	}
	m.Begun, m.Steps = d.Plan.Place(d.Reached)
	if !d.VideoErased.IsZero() {
		m.FaceVideoErased = d.VideoErased.UTC().Format(time.RFC3339)
	}
	return m
}

// allowed are the scopes whose latest answer is yes, in order. That the notice was read
// allows nothing.
func allowed(consents []store.Consent) []string {
	granted := map[string]bool{}
	for _, c := range consents {
		granted[c.Scope] = c.Granted
	}
	maps.DeleteFunc(granted, func(scope string, yes bool) bool { return !yes || scope == session.Notice })
	return append([]string{}, slices.Sorted(maps.Keys(granted))...)
}

// indented is a value as JSON for people, with a line end.
func indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}
