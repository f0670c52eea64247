package withdrawal

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"emolab/studies/session"
	"emolab/studies/store"
)

// The classes of data that are kept for a time of their own.
const (
	FaceVideoClass = string(store.FaceVideos) // the files of the video of the face
	TracesClass    = string(store.Traces)     // samples, answers, what was derived of them, and bundles
	IdentityClass  = "identity"               // names, in a vault of their own (package identity)
)

// Due is one class of data of one session that is past its date.
type Due struct {
	store.Due
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Words says what it is: of who did not take part nothing was recorded.
func (d Due) Words() string {
	if d.Class == store.Traces && d.State == session.Declined {
		return "answers of who did not take part"
	}
	return Words(string(d.Class))
}

// Purged is what a purge erased. It names nobody, so that it may be kept.
type Purged struct {
	At         time.Time `json:"at"`
	Classes    []Class   `json:"classes"`
	Recipients []string  `json:"recipients"` // who was given bundles, to be told
	Beside     []string  `json:"beside"`     // files that stay: see session.Erasure; no report names them
	// Scrubbed tells whether what the rows held is overwritten, too; else the next start of
	// emolab does that.
	Scrubbed bool `json:"scrubbed"`
}

// Class is what was erased of one class of data.
type Class struct {
	Class    string    `json:"class"`
	Sessions int       `json:"sessions"` // or names
	Rows     int64     `json:"rows"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	First    time.Time `json:"first"` // when the first of them was due
	Last     time.Time `json:"last"`
}

// videoFolder holds the kept video of the face, a folder for each session.
const videoFolder = "video"

// Due lists what is past its date, by the promise that was made to each participant: that
// of the study file that the session was made with. It is safe beside a recording.
func (e *Eraser) Due(ctx context.Context, now time.Time) ([]Due, error) {
	past, err := e.store.Due(ctx, now)
	if err != nil {
		return nil, err
	}
	lying, err := e.lying(ctx, past)
	if err != nil {
		return nil, err
	}
	due := make([]Due, 0, len(past))
	for _, d := range past {
		f := lying[part{d.Session, d.Class}]
		if len(f.files)+len(f.folders) == 0 && !d.Noted {
			continue // agreed to, and never made
		}
		due = append(due, Due{Due: d, Files: len(f.files), Bytes: f.bytes})
	}
	return due, nil
}

// part is one class of data of one session.
type part struct {
	session string
	class   store.Class
}

// lying finds the files of all that is due, in one walk through the data folder. Video is
// what lies in its folder, all else is of the traces.
func (e *Eraser) lying(ctx context.Context, due []store.Due) (map[part]found, error) {
	ids := make([]string, len(due))
	for i, d := range due {
		ids[i] = d.Session
	}
	things, err := e.look(ctx, e.dir, ids)
	if err != nil {
		return nil, err
	}
	video := filepath.Join(e.dir, videoFolder)
	out := map[part]found{}
	for _, t := range things {
		class := store.Traces
		if contains(video, t.path) {
			class = store.FaceVideos
		}
		if t.renamed && len(t.of) > 1 { // several sessions in one zip, not all of which may be due
			t.beside = true
		}
		for _, id := range t.of {
			f := out[part{id, class}]
			f.take(t)
			out[part{id, class}] = f
		}
	}
	return out, nil
}

// Video erases the files of a session's kept video of the face. Their rows stay: they
// say how much there was.
func (e *Eraser) Video(ctx context.Context, sessionID string, progress session.Progress) error {
	if progress == nil {
		progress = func(int, int, string) {}
	}
	things, err := e.look(ctx, filepath.Join(e.dir, videoFolder), []string{sessionID})
	if err != nil {
		return err
	}
	return all(things).remove(ctx, progress)
}

// Purge erases what is due. Files go first: if it is cut off, what is left is still due,
// and the next purge ends it; what it returns beside an error is erased. Nothing may record or export meanwhile.
func (e *Eraser) Purge(ctx context.Context, due []Due, progress session.Progress) (Purged, error) {
	if progress == nil {
		progress = func(int, int, string) {}
	}
	p := Purged{At: e.wall().UTC(), Classes: []Class{}, Recipients: []string{}, Beside: []string{}}
	past := make([]store.Due, len(due))
	for i, d := range due {
		past[i] = d.Due
	}
	lying, err := e.lying(ctx, past)
	if err != nil {
		return p, fmt.Errorf("purge: %w", err)
	}
	for i, d := range due {
		progress(i, len(due), "erasing "+Words(string(d.Class)))
		rows, err := e.purge(ctx, d, lying[part{d.Session, d.Class}], &p)
		if err != nil {
			return p, fmt.Errorf("purge %s of session %s: %w", d.Class, d.Session, err)
		}
		p.Count(string(d.Class), rows, d.Files, d.Bytes, d.Until)
	}
	if err := e.store.Scrub(ctx); err != nil {
		return p, err
	}
	p.Scrubbed = true
	return p, nil
}

// purge erases one class of a session, of which f lies in the data folder.
func (e *Eraser) purge(ctx context.Context, d Due, f found, p *Purged) (int64, error) {
	if d.Class == store.Traces {
		exports, err := e.store.Exports(ctx, d.Session)
		if err != nil {
			return 0, err
		}
		participant, err := e.store.ParticipantOf(ctx, d.Session)
		if err != nil {
			return 0, err
		}
		var elsewhere pending
		if err := elsewhere.followBundles(e.dir, participant, exports, &f); err != nil {
			return 0, err
		}
		for _, who := range elsewhere.Tombstone.Recipients {
			if !slices.Contains(p.Recipients, who) {
				p.Recipients = append(p.Recipients, who)
			}
		}
	}
	for _, path := range f.beside {
		if !slices.Contains(p.Beside, path) {
			p.Beside = append(p.Beside, path)
		}
	}
	if err := f.remove(ctx, func(int, int, string) {}); err != nil {
		return 0, err
	}
	return e.store.ErasePart(ctx, d.Session, d.Class)
}

// Count adds one session, or one name, that was due at that time.
func (p *Purged) Count(class string, rows int64, files int, bytes int64, due time.Time) {
	at := slices.IndexFunc(p.Classes, func(c Class) bool { return c.Class == class })
	if at < 0 {
		p.Classes = append(p.Classes, Class{Class: class, First: due, Last: due})
		at = len(p.Classes) - 1
	}
	c := &p.Classes[at]
	c.Sessions, c.Rows, c.Files, c.Bytes = c.Sessions+1, c.Rows+rows, c.Files+files, c.Bytes+bytes
	if due.Before(c.First) {
		c.First = due
	}
	if due.After(c.Last) {
		c.Last = due
	}
}

// KeepReport writes what a purge erased into the data folder, and returns where.
func (e *Eraser) KeepReport(p Purged) (string, error) {
	path := filepath.Join(e.dir, receiptsDir, "purge-"+p.At.UTC().Format("20060102-150405")+".txt")
	if err := writeWhole(path, func(w io.Writer) error { return report.Execute(w, p) }); err != nil {
		return "", fmt.Errorf("all is erased, but the report could not be written: %w", err)
	}
	return path, nil
}

// Words says what a class of data is.
func Words(class string) string {
	switch class {
	case FaceVideoClass:
		return "video of the face"
	case TracesClass:
		return "recordings, answers and bundles"
	case IdentityClass:
		return "names"
	}
	return strings.ReplaceAll(class, "_", " ")
}

var report = template.Must(template.New("purge").Funcs(template.FuncMap{"words": Words, "amount": amount, "day": func(t time.Time) string { return t.UTC().Format(time.DateOnly) }}).Parse(
	`PURGE OF {{.At.UTC.Format "2006-01-02 15:04"}} UTC

Data that were past the date up to which they may be kept were erased.
{{range .Classes}}
{{words .Class}}
  {{if eq .Class "identity"}}people{{else}}sessions{{end}}    {{.Sessions}}, due from {{day .First}} to {{day .Last}}
{{if .Rows}}  rows        {{.Rows}}
{{end}}{{if .Files}}  files       {{.Files}} ({{amount .Bytes}})
{{end}}{{else}}
Nothing was due.
{{end}}{{if .Recipients}}
Bundles were given to others before. They have to be told to erase theirs:
{{range .Recipients}}  [ ] {{.}}
{{end}}{{end}}
{{if .Scrubbed}}Rows and files were overwritten.{{else}}Files were overwritten. Rows were deleted; what they held is overwritten at the
next start of emolab.{{end}} Drives that move data around by themselves (SSDs) may
hold old blocks for a while; backups of the data folder are not reached.
`))
