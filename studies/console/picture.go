package console

import (
	"context"
	"net/http"
)

// Picture shows the participant live, to whoever offers to look. It sends nothing that
// was not recorded since RecordingSince, and all blurred while Blinded. capture/peer
// implements it.
type Picture interface {
	// Answer answers an offer of WebRTC. look is "clear", "box" or "blurred". The picture
	// ends when the browser goes away, or when still says no more that it may look.
	Answer(ctx context.Context, offer, look string, still func() bool) (answer string, err error)
}

// description is an offer or an answer of WebRTC.
type description struct {
	SDP string `json:"sdp"`
}

// unpictured says that a lab shows no live picture, and why. It is an answer like any
// other: a lab without a camera has nothing wrong with it.
type unpictured struct {
	None string `json:"none"`
}

// watchPicture begins a live picture of the participant.
func (c *Console) watchPicture(w http.ResponseWriter, r *http.Request) {
	var req struct {
		description
		Look string `json:"look"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	if c.picture == nil {
		writeJSON(w, http.StatusOK, unpictured{"there is no live picture: this lab has no camera, or this emolab was built without the video codec"})
		return
	}
	watching := outlive(r)
	answer, err := c.picture.Answer(r.Context(), req.SDP, req.Look, func() bool { return still(watching) })
	if err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, description{answer})
}
