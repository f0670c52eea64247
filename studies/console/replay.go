package console

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"emolab/studies/access"
	"emolab/studies/replay"
)

// Replay shows sessions that are over, and keeps what is said of them. replay.Player
// implements it.
type Replay interface {
	Session(ctx context.Context, sessionID string) (replay.Session, error)
	Columns(ctx context.Context, sessionID, stream string, c replay.Cut) (replay.Rows, error)
	Shown(ctx context.Context, sessionID string, presentation int) ([]replay.Shown, error)
	Events(ctx context.Context, sessionID string) (replay.Events, error)

	Annotations(ctx context.Context, sessionID string) ([]replay.Annotation, error)
	Annotate(ctx context.Context, sessionID string, r replay.Remark, by string) (replay.Annotation, error)
	RemoveAnnotation(ctx context.Context, sessionID string, id int, by string) error

	FaceTimes(ctx context.Context, sessionID string) ([]float64, error)
	FacePicture(ctx context.Context, sessionID string, n int) ([]byte, error)

	Areas(ctx context.Context, stimulus string) (replay.AreaSet, error)
	SetAreas(ctx context.Context, stimulus string, c replay.AreaChange, by string) (replay.AreaSet, error)
	AreasFile(ctx context.Context, stimulus string, version int) (file []byte, number int, err error)
	Heat(ctx context.Context, sessionID string, presentation int, fromMs, untilMs float64) (replay.Heat, error)
	HeatOfAll(ctx context.Context, stimulus string, fromS, untilS float64) (replay.Heat, error)
}

// replayRoutes are the routes of what is done with sessions that are over.
func (c *Console) replayRoutes() []route {
	const read = false // whoever works with what is over needs no pen
	return []route{
		{"GET /replay", access.Replay, read, c.replayPage},
		{"GET /replay/{session}", access.Replay, read, c.replayPage},
		{"GET /api/replay/{session}", access.Replay, read, c.sighted(c.replaySession)},
		{"GET /api/replay/{session}/columns/{stream}", access.Replay, read, c.sighted(c.replayColumns)},
		{"GET /api/replay/{session}/shown/{presentation}", access.Replay, read, c.sighted(c.replayShown)},
		{"GET /api/replay/{session}/events", access.Replay, read, c.sighted(c.replayEvents)},
		{"GET /api/replay/{session}/annotations.csv", access.Export, read, c.sighted(c.annotationsFile)},
		{"GET /api/replay/{session}/face", access.Replay, read, c.sighted(c.faceTimes)},
		{"GET /api/replay/{session}/face/{n}", access.Replay, read, c.sighted(c.facePicture)},
		{"GET /api/replay/{session}/heatmap/{presentation}", access.Replay, read, c.sighted(c.heat)},
		{"GET /api/heatmap/{stimulus}", access.Replay, read, c.sighted(c.heatOfAll)},
		{"GET /api/aois/{stimulus}", access.Replay, read, c.sighted(c.areas)},
		{"GET /api/aois/{stimulus}/file", access.Replay, read, c.sighted(c.areasFile)},
		{"POST /api/aois/{stimulus}", access.Annotate, read, c.sighted(c.setAreas)},
		{"POST /api/replay/{session}/annotations", access.Annotate, read, c.sighted(c.annotate)},
		{"POST /api/replay/{session}/annotations/{id}/remove", access.Annotate, read, c.sighted(c.removeAnnotation)},
	}
}

// sighted keeps from who is kept blind what would end that.
func (c *Console) sighted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if c.replay == nil {
			writeError(w, http.StatusNotFound, "this lab replays no sessions")
			return
		}
		if why := c.mayNotSee(access.Who(r.Context())); why != "" {
			writeError(w, http.StatusForbidden, why)
			return
		}
		next(w, r)
	}
}

func (c *Console) replayPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, web, "web/replay/index.html")
}

// noReplay answers why something of a replay cannot be had.
func noReplay(w http.ResponseWriter, err error) {
	var why *replay.Refusal
	code := http.StatusInternalServerError
	if errors.As(err, &why) {
		code = map[replay.Why]int{replay.Absent: http.StatusNotFound, replay.Unfit: http.StatusBadRequest, replay.Conflict: http.StatusConflict}[why.Why]
	}
	writeError(w, code, err.Error())
}

// given answers with what was asked for, or why it cannot be had.
func given(w http.ResponseWriter, v any, err error) {
	if err != nil {
		noReplay(w, err)
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func (c *Console) replaySession(w http.ResponseWriter, r *http.Request) {
	s, err := c.replay.Session(r.Context(), r.PathValue("session"))
	given(w, s, err)
}

func (c *Console) replayEvents(w http.ResponseWriter, r *http.Request) {
	e, err := c.replay.Events(r.Context(), r.PathValue("session"))
	given(w, e, err)
}

func (c *Console) replayShown(w http.ResponseWriter, r *http.Request) {
	n, ok := pathNumber(w, r, "presentation")
	if !ok {
		return
	}
	frames, err := c.replay.Shown(r.Context(), r.PathValue("session"), n)
	given(w, struct {
		Frames []replay.Shown `json:"frames"`
	}{frames}, err)
}

func (c *Console) replayColumns(w http.ResponseWriter, r *http.Request) {
	q := query{values: r.URL.Query()}
	cut := replay.Cut{FromMs: q.number("from_ms", math.NaN()), UntilMs: q.number("until_ms", math.NaN()), Points: q.count("points", replay.DefaultPoints)}
	if names := q.get("columns"); names != "" {
		cut.Columns = strings.Split(names, ",")
	}
	if q.wrong != "" {
		writeError(w, http.StatusBadRequest, q.wrong)
		return
	}
	rows, err := c.replay.Columns(r.Context(), r.PathValue("session"), r.PathValue("stream"), cut)
	if err != nil {
		noReplay(w, err)
		return
	}
	b := rowsMessage(rows)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // the reader is gone: nobody is left to tell
}

func (c *Console) annotate(w http.ResponseWriter, r *http.Request) {
	var remark replay.Remark
	if !readJSON(w, r, &remark) {
		return
	}
	a, err := c.replay.Annotate(outlive(r), r.PathValue("session"), remark, access.Who(r.Context()).Name)
	given(w, a, err)
}

func (c *Console) removeAnnotation(w http.ResponseWriter, r *http.Request) {
	n, ok := pathNumber(w, r, "id")
	if !ok || !readJSON(w, r, &struct{}{}) {
		return
	}
	given(w, struct{}{}, c.replay.RemoveAnnotation(outlive(r), r.PathValue("session"), n, access.Who(r.Context()).Name))
}

// annotationsFile offers the annotations of a session as a table: a bundle has those only
// that there were when it was made.
func (c *Console) annotationsFile(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("session")
	all, err := c.replay.Annotations(r.Context(), id)
	if err != nil {
		noReplay(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(id+"-annotations.csv"))
	w.Header().Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	defer out.Flush()
	rows := [][]string{{"id", "from_ms", "until_ms", "label", "text", "by", "made_utc", "removed_by", "removed_utc"}}
	for _, a := range all {
		until, removed := "", ""
		if a.UntilMs != nil {
			until = milliseconds(*a.UntilMs)
		}
		if !a.RemovedUTC.IsZero() {
			removed = a.RemovedUTC.Format(time.RFC3339)
		}
		rows = append(rows, []string{strconv.Itoa(a.ID), milliseconds(a.FromMs), until, plainCell(a.Label), plainCell(a.Text), plainCell(a.By),
			a.MadeUTC.Format(time.RFC3339), plainCell(a.RemovedBy), removed})
	}
	_ = out.WriteAll(rows) // the reader is gone: nobody is left to tell
}

// milliseconds writes a time to the microsecond.
func milliseconds(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// plainCell keeps words from being taken for a formula by a spreadsheet.
func plainCell(words string) string {
	if strings.ContainsAny(words[:min(1, len(words))], "=+-@\t\r") {
		return "'" + words
	}
	return words
}

// pathNumber reads a whole number from the path, and answers the request when it cannot.
func pathNumber(w http.ResponseWriter, r *http.Request, name string) (int, bool) {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil || n < 0 {
		writeError(w, http.StatusBadRequest, fmt.Sprintf("%.40q is no number of a %s", r.PathValue(name), name))
		return 0, false
	}
	return n, true
}

// query reads numbers of a request, and keeps what is wrong with the first that cannot be
// read.
type query struct {
	values map[string][]string
	wrong  string
}

func (q *query) get(name string) string {
	if v := q.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// number reads a finite number; otherwise where it is missing.
func (q *query) number(name string, otherwise float64) float64 {
	text := q.get(name)
	if text == "" {
		return otherwise
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		q.fail(name, text)
		return otherwise
	}
	return v
}

// count reads a whole number.
func (q *query) count(name string, otherwise int) int {
	text := q.get(name)
	if text == "" {
		return otherwise
	}
	v, err := strconv.Atoi(text)
	if err != nil {
		q.fail(name, text)
		return otherwise
	}
	return v
}

func (q *query) fail(name, text string) {
	if q.wrong == "" {
		q.wrong = fmt.Sprintf("%s is %.40q: give a number", name, text)
	}
}
