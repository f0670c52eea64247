package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"emolab/studies/access"
	"emolab/studies/replay"
)

// Pictures of faces, areas of interest and heat maps.

func (c *Console) faceTimes(w http.ResponseWriter, r *http.Request) {
	times, err := c.replay.FaceTimes(r.Context(), r.PathValue("session"))
	given(w, struct {
		Times []float64 `json:"times_ms"`
	}{times}, err)
}

func (c *Console) facePicture(w http.ResponseWriter, r *http.Request) {
	n, ok := pathNumber(w, r, "n")
	if !ok {
		return
	}
	picture, err := c.replay.FacePicture(r.Context(), r.PathValue("session"), n)
	if err != nil {
		noReplay(w, err)
		return
	}
	writePicture(w, "image/jpeg", picture)
}

// writePicture answers with a picture that no browser keeps: whoever withdraws takes it
// back.
func writePicture(w http.ResponseWriter, kind string, picture []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(picture)))
	_, _ = w.Write(picture) // the reader is gone: nobody is left to tell
}

func (c *Console) heat(w http.ResponseWriter, r *http.Request) {
	n, ok := pathNumber(w, r, "presentation")
	if !ok {
		return
	}
	from, until, ok := window(w, r, "from_ms", "until_ms")
	if !ok {
		return
	}
	h, err := c.replay.Heat(r.Context(), r.PathValue("session"), n, from, until)
	writeHeat(w, h, err)
}

func (c *Console) heatOfAll(w http.ResponseWriter, r *http.Request) {
	from, until, ok := window(w, r, "from_s", "until_s")
	if !ok {
		return
	}
	h, err := c.replay.HeatOfAll(r.Context(), r.PathValue("stimulus"), from, until)
	writeHeat(w, h, err)
}

// window reads from when to when; what is missing is not bounded.
func window(w http.ResponseWriter, r *http.Request, fromName, untilName string) (from, until float64, ok bool) {
	q := query{values: r.URL.Query()}
	from, until = q.number(fromName, math.Inf(-1)), q.number(untilName, math.Inf(1))
	if q.wrong == "" && until < from {
		q.wrong = fmt.Sprintf("%s %g is before %s %g", untilName, until, fromName, from)
	}
	if q.wrong != "" {
		writeError(w, http.StatusBadRequest, q.wrong)
	}
	return from, until, q.wrong == ""
}

func writeHeat(w http.ResponseWriter, h replay.Heat, err error) {
	if err != nil {
		noReplay(w, err)
		return
	}
	w.Header().Set("X-Emolab-Fixations", strconv.Itoa(h.Fixations))
	w.Header().Set("X-Emolab-People", strconv.Itoa(h.People))
	w.Header().Set("X-Emolab-Sigma-Deg", strconv.FormatFloat(h.SigmaDeg, 'f', 2, 64))
	writePicture(w, "image/png", h.PNG)
}

func (c *Console) areas(w http.ResponseWriter, r *http.Request) {
	set, err := c.replay.Areas(r.Context(), r.PathValue("stimulus"))
	given(w, set, err)
}

func (c *Console) setAreas(w http.ResponseWriter, r *http.Request) {
	var change replay.AreaChange
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, replay.MaxAreaBytes))
	d.DisallowUnknownFields()
	err := d.Decode(&change)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the areas are too large: at most %d MB are read here; fewer keyframes will do, places between them are computed", replay.MaxAreaBytes>>20))
		return
	}
	if err != nil && !errors.Is(err, io.EOF) {
		writeError(w, http.StatusBadRequest, "the request is not the JSON that is expected here: "+err.Error())
		return
	}
	if change.Areas == nil {
		writeError(w, http.StatusBadRequest, "aois is missing: an empty list takes all areas away")
		return
	}
	set, err := c.replay.SetAreas(outlive(r), r.PathValue("stimulus"), change, access.Who(r.Context()).Name)
	given(w, set, err)
}

// areasFile offers a version of the areas as the file that study.yaml names.
func (c *Console) areasFile(w http.ResponseWriter, r *http.Request) {
	q := query{values: r.URL.Query()}
	version := q.count("version", -1)
	if q.wrong != "" || version < -1 {
		writeError(w, http.StatusBadRequest, "version is a whole number from 0, or left out for the latest")
		return
	}
	file, number, err := c.replay.AreasFile(r.Context(), r.PathValue("stimulus"), version)
	if err != nil {
		noReplay(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(fmt.Sprintf("%s.v%d.aoi.json", r.PathValue("stimulus"), number)))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(file) // the reader is gone: nobody is left to tell
}
