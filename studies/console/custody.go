package console

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"emolab/studies/session"
)

// What is done about data when their session is over.

// holder tells whose a withdrawal code is, and what would be erased.
func (c *Console) holder(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Code string `json:"code"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	holder, err := c.operator.Holder(r.Context(), strings.TrimSpace(req.Code))
	if err != nil {
		c.answer(w, "", err)
		return
	}
	writeJSON(w, http.StatusOK, holder)
}

// slip makes another withdrawal code for a session. It is in this answer and nowhere else.
func (c *Console) slip(w http.ResponseWriter, r *http.Request) {
	id, ok := sessionID(w, r)
	if !ok {
		return
	}
	slip, err := c.operator.GiveCode(outlive(r), id)
	if err != nil {
		c.answer(w, "", err)
		return
	}
	writeJSON(w, http.StatusOK, slip)
}

// receipt offers one file of the folder of receipts, as bundle does of bundles.
func (c *Console) receipt(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	root, err := os.OpenRoot(c.receipts)
	if err != nil {
		writeError(w, http.StatusNotFound, "there is no receipt yet")
		return
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("no receipt %q here", name))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		writeError(w, http.StatusNotFound, fmt.Sprintf("%q is not a receipt", name))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, name, info.ModTime(), f)
}

func (c *Console) overdue(w http.ResponseWriter, r *http.Request) {
	list, err := c.operator.Overdue(r.Context())
	if err != nil {
		c.answer(w, "", err)
		return
	}
	if list == nil {
		list = []session.Overdue{}
	}
	writeJSON(w, http.StatusOK, list)
}

// purge erases what is past its date, if it is as many items as were looked at.
func (c *Console) purge(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Items int `json:"items"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	if req.Items <= 0 {
		writeError(w, http.StatusBadRequest, "items is missing: how many are to be erased, as GET /api/overdue lists them")
		return
	}
	done, err := c.operator.PurgeOverdue(outlive(r), req.Items)
	c.hub.nudge()
	if err != nil {
		c.answer(w, "", err)
		return
	}
	writeJSON(w, http.StatusOK, done)
}
