package console

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"emolab/studies/access"
)

// The page that makes a browser's camera the lab's, and what is behind it. It has a door
// of its own, apart from the console's and the participant's.

//go:embed web/camera
var cameraPage embed.FS

// Camera is the place for the camera of a browser. capture/peer implements it.
type Camera interface {
	// Answer answers an offer of WebRTC by a browser, which calls its camera device.
	Answer(ctx context.Context, offer, device string) (answer string, err error)
}

// cameraPath is where the page is.
const cameraPath = "/camera"

// CameraToken makes of the lab's token the one that opens the camera's page and nothing
// else: whoever has that tablet in the hand cannot open the console.
func CameraToken(token string) string { return derived(token, "camera") }

// newCameraGate is the gate of the camera's page, who is nobody at a console.
func newCameraGate(token string) gate {
	g := screenGate(CameraToken(token), access.Holder{Name: "camera", Role: access.Camera})
	g.shut = CheckToken(token) != nil // as shut as the console's
	return g
}

// cameraRoutes is everything that is answered behind the camera's door.
func (c *Console) cameraRoutes() []route {
	files, err := fs.Sub(cameraPage, "web/camera")
	if err != nil {
		panic(err) // "web/camera" is a valid path
	}
	const read = false
	page := func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "index.html") }
	return []route{
		{"GET /camera", anybody, read, page},
		{"GET /camera/{$}", anybody, read, http.RedirectHandler(cameraPath, http.StatusPermanentRedirect).ServeHTTP},
		{"GET /camera/", anybody, read, http.StripPrefix("/camera/", http.FileServerFS(files)).ServeHTTP},
		{"POST /api/camera", access.Film, read, c.offerCamera},
	}
}

// cameraDoor answers /camera and what its page asks for.
func (c *Console) cameraDoor() http.Handler {
	mux := c.muxOf(c.cameraRoutes())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
		// Alone in its process, the page has a clock of 5 µs, otherwise one of 100.
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	})
}

// offerCamera takes a browser's camera.
func (c *Console) offerCamera(w http.ResponseWriter, r *http.Request) {
	var req struct {
		description
		Device string `json:"device"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	answer, err := c.camera.Answer(r.Context(), req.SDP, req.Device)
	if err != nil {
		writeError(w, http.StatusConflict, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, description{answer})
}
