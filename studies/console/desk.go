package console

import (
	"net/http"
	"strings"
	"time"

	"emolab/studies/session"
)

// What the experimenter does while a participant sits there, beside starting and
// stopping.

// maxShelf bounds for how long an alarm can be put aside: nobody forgets it for a day.
const maxShelf = time.Hour

func (c *Console) again(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Presentation int `json:"presentation"`
	}
	if readJSON(w, r, &req) {
		c.answer(w, "", c.operator.ShowAgain(req.Presentation))
	}
}

func (c *Console) mark(w http.ResponseWriter, r *http.Request) {
	var m session.Mark
	if !readJSON(w, r, &m) {
		return
	}
	if m.Text = strings.TrimSpace(m.Text); m.Source == "" {
		m.Source = "console"
	}
	c.answer(w, "", c.operator.Mark(m))
}

func (c *Console) acknowledge(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ID string `json:"id"`
	}
	if readJSON(w, r, &req) {
		c.answer(w, "", c.operator.Acknowledge(req.ID))
	}
}

func (c *Console) shelve(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ID      string  `json:"id"`
		Minutes float64 `json:"minutes"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	how := time.Duration(req.Minutes * float64(time.Minute))
	if how <= 0 || how > maxShelf {
		writeError(w, http.StatusBadRequest, "minutes is above 0 and at most 60")
		return
	}
	c.answer(w, "", c.operator.Shelve(req.ID, how))
}

func (c *Console) blind(w http.ResponseWriter, r *http.Request) {
	var req struct {
		On     bool   `json:"on"`
		Reason string `json:"reason"`
	}
	if readJSON(w, r, &req) {
		c.answer(w, "", c.operator.Blind(req.On, strings.TrimSpace(req.Reason)))
	}
}
