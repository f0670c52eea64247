package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"emolab/studies/access"
	"emolab/studies/session"
)

// What the experimenter does about participants, beside recording them.

func (c *Console) begin(w http.ResponseWriter, r *http.Request) {
	var b session.Beginning
	if readJSON(w, r, &b) {
		c.answer(w, "", c.operator.Begin(b))
	}
}

func (c *Console) cohort(w http.ResponseWriter, r *http.Request) {
	now, err := c.operator.Cohort(r.Context())
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	if c.operator.Blinded() {
		now = maskedCohort(now, c.words())
	}
	if !access.Who(r.Context()).Role.May(access.Replay) {
		now.People = []session.Person{} // who only watches is told how many, not who
	}
	answer := struct {
		session.Cohort
		Due      int    `json:"due"`       // items past their date; 0 while a session runs
		DueError string `json:"due_error"` // why that cannot be told
	}{Cohort: now}
	overdue, err := c.operator.Overdue(r.Context())
	if err != nil && !errors.Is(err, session.ErrBusy) {
		answer.DueError = err.Error()
	}
	answer.Due = len(overdue)
	writeJSON(w, http.StatusOK, answer)
}

// withdraw erases a participant: whoever holds the receipt with that code, or that of a
// session. With either the participant's code has to be given too, so that a slip
// of the hand erases nobody.
func (c *Console) withdraw(w http.ResponseWriter, r *http.Request) {
	var req struct {
		SessionID   string `json:"session_id"`
		Participant string `json:"participant"`
		Code        string `json:"code"` // of the receipt
	}
	if !readJSON(w, r, &req) {
		return
	}
	if code := strings.TrimSpace(req.Code); code != "" {
		if req.SessionID != "" {
			writeError(w, http.StatusBadRequest, "give the receipt's code or a session, not both")
			return
		}
		holder, err := c.operator.Holder(r.Context(), code)
		if err != nil {
			c.answer(w, "", err)
			return
		}
		if strings.TrimSpace(req.Participant) != holder.Participant {
			writeError(w, http.StatusUnprocessableEntity, fmt.Sprintf("that is the code of participant %s: give theirs, to erase all of their sessions", holder.Participant))
			return
		}
		erased, err := c.operator.WithdrawByCode(outlive(r), code)
		c.erased(w, erased, err)
		return
	}
	all, err := c.operator.Sessions(r.Context())
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	i := slices.IndexFunc(all, func(s session.Summary) bool { return s.ID == req.SessionID })
	if i < 0 {
		writeError(w, http.StatusNotFound, fmt.Sprintf("no session %q", req.SessionID))
		return
	}
	if strings.TrimSpace(req.Participant) != all[i].Participant {
		writeError(w, http.StatusUnprocessableEntity, fmt.Sprintf("type the participant's code (%s) to erase all of their sessions", all[i].Participant))
		return
	}
	erased, err := c.operator.Withdraw(outlive(r), req.SessionID)
	c.erased(w, erased, err)
}

// erased tells what a withdrawal erased.
func (c *Console) erased(w http.ResponseWriter, erased session.Erasure, err error) {
	c.hub.nudge()
	if err != nil {
		c.answer(w, "", err)
		return
	}
	writeJSON(w, http.StatusOK, erased)
}

func (c *Console) move(w http.ResponseWriter, r *http.Request) {
	var req struct {
		SessionID   string `json:"session_id"`
		Participant string `json:"participant"`
		Reason      string `json:"reason"`
	}
	if readJSON(w, r, &req) {
		c.answer(w, req.SessionID, c.operator.Move(outlive(r), req.SessionID, strings.TrimSpace(req.Participant), strings.TrimSpace(req.Reason)))
	}
}

func (c *Console) judge(w http.ResponseWriter, r *http.Request) {
	var req struct {
		SessionID string `json:"session_id"`
		Usable    bool   `json:"usable"`
		Reason    string `json:"reason"`
	}
	if readJSON(w, r, &req) {
		c.answer(w, req.SessionID, c.operator.Judge(outlive(r), req.SessionID, req.Usable, strings.TrimSpace(req.Reason)))
	}
}
