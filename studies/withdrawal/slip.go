package withdrawal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"emolab/studies/session"
)

// GiveCode makes another code for a session that does not run, and the page to be given
// to its participant. The code is kept nowhere; those of before go on to hold.
func (e *Eraser) GiveCode(ctx context.Context, sessionID string) (session.Slip, error) {
	d, err := e.store.Session(ctx, sessionID)
	if err != nil {
		return session.Slip{}, err
	}
	retain, err := e.store.Promised(ctx, sessionID)
	if err != nil {
		return session.Slip{}, err
	}
	code := NewCode()
	s := slip{At: e.wall(), Code: code.String(), Study: d.Study.Title, Session: sessionID}
	if s.Study == "" {
		s.Study = d.Study.ID
	}
	granted := map[string]bool{} // the latest answer holds
	for _, c := range d.Consents {
		if c.Scope != session.Notice {
			granted[c.Scope] = c.Granted
			if !slices.Contains(s.Scopes, c.Scope) {
				s.Scopes = append(s.Scopes, c.Scope)
			}
		}
	}
	s.Granted = granted
	for _, class := range []struct {
		name string
		keep time.Duration
		gone time.Time
	}{{session.Traces, retain.Traces, d.TracesErased}, {session.FaceVideo, retain.FaceVideo, d.VideoErased}} {
		if granted[class.name] && class.keep > 0 && class.gone.IsZero() && !d.Ended.IsZero() {
			s.Until = append(s.Until, limit{class.name, d.Ended.Add(class.keep)})
		}
	}
	var text strings.Builder
	if err := page.Execute(&text, s); err != nil {
		return session.Slip{}, fmt.Errorf("withdrawal: write the receipt: %w", err)
	}
	if err := e.store.GiveCode(ctx, sessionID, e.key.Hash(code)); err != nil {
		return session.Slip{}, err
	}
	return session.Slip{Code: s.Code, Text: text.String()}, nil
}

// slip is what stands on the page.
type slip struct {
	At                   time.Time
	Code, Study, Session string
	Scopes               []string // that were asked for, in their order
	Granted              map[string]bool
	Until                []limit
}

type limit struct {
	Class string
	Until time.Time
}

// scopeNames are the scopes that the program itself knows, in English and in French.
var scopeNames = map[string][2]string{
	session.Traces:    {"numbers about expression, gaze and skin conductance", "des nombres sur l'expression, le regard et la conductance cutanée"},
	session.FaceVideo: {"the video of your face", "la vidéo de votre visage"},
}

// scopeIn names a scope in a language: 0 is English, 1 is French.
func scopeIn(language int, scope string) string {
	if names, known := scopeNames[scope]; known {
		return names[language]
	}
	return scope
}

// page is plain text, to be printed; in both languages, as the receipt of a withdrawal is.
var page = template.Must(template.New("slip").Funcs(template.FuncMap{"in": scopeIn}).Parse(
	`YOUR RECEIPT                               {{.At.Format "2006-01-02"}}

{{.Study}}
Session {{.Session}}

  Your code           {{.Code}}

With this code you can have everything erased that is kept of you in this study, at any
time and without a reason: give it to the people who run the study. It is kept nowhere
else, so please keep this page. A code that you were given earlier goes on to hold.
{{if .Scopes}}
What you were asked:
{{range .Scopes}}  {{if index $.Granted .}}yes{{else}}no {{end}}  {{in 0 .}}
{{end}}{{end}}{{if .Until}}
How long it is kept:
{{range .Until}}  until {{.Until.Local.Format "2006-01-02"}}  {{in 0 .Class}}
{{end}}{{end}}

VOTRE REÇU                                 {{.At.Format "02/01/2006"}}

{{.Study}}
Séance {{.Session}}

  Votre code          {{.Code}}

Avec ce code vous pouvez faire effacer tout ce qui est conservé de vous dans cette étude,
à tout moment et sans donner de raison : remettez-le aux responsables de l'étude. Il
n'est conservé nulle part ailleurs : gardez cette page. Un code reçu auparavant reste
valable.
{{if .Scopes}}
Ce qui vous a été demandé :
{{range .Scopes}}  {{if index $.Granted .}}oui{{else}}non{{end}}  {{in 1 .}}
{{end}}{{end}}{{if .Until}}
Durée de conservation :
{{range .Until}}  jusqu'au {{.Until.Local.Format "02/01/2006"}}  {{in 1 .Class}}
{{end}}{{end}}`))
