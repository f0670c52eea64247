package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// fakePeer answers offers as capture/peer would.
type fakePeer struct{ asked []string }

func (f *fakePeer) answer(what string) (string, error) {
	f.asked = append(f.asked, what)
	if strings.HasPrefix(what, "bad") {
		return "", errors.New("this is no offer")
	}
	return "answer", nil
}

type fakePicture struct{ fakePeer }

func (f *fakePicture) Answer(_ context.Context, offer, look string, still func() bool) (string, error) {
	if !still() {
		return "", errors.New("may look no more")
	}
	return f.answer(offer + " " + look)
}

type fakeCamera struct{ fakePeer }

func (f *fakeCamera) Answer(_ context.Context, offer, device string) (string, error) {
	return f.answer(offer + " " + device)
}

func TestPictureIsAskedFor(t *testing.T) {
	picture := new(fakePicture)
	with, without := startLab(t, Options{Picture: picture}), startLab(t, Options{})
	for _, c := range []struct {
		lab    *lab
		body   string
		status int
		want   string
	}{
		{with, `{"sdp":"offer","look":"box"}`, http.StatusOK, `{"sdp":"answer"}`},
		{with, `{"sdp":"bad","look":"box"}`, http.StatusUnprocessableEntity, "this is no offer"},
		{with, `{"sdp":`, http.StatusBadRequest, "error"},
		{without, `{"sdp":"offer","look":"box"}`, http.StatusOK, `{"none":"there is no live picture`},
	} {
		status, body := asked(t, c.lab.server, "/api/picture", testToken, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d with %q", c.body, status, body, c.status, c.want)
		}
	}
	if len(picture.asked) != 2 || picture.asked[0] != "offer box" {
		t.Errorf("asked for %q", picture.asked)
	}
}

// The camera's page opens with its own token and opens nothing else.
func TestCameraHasADoorOfItsOwn(t *testing.T) {
	camera := new(fakeCamera)
	var noted []string
	l := startLab(t, Options{Camera: camera, Audit: func(_ context.Context, e Entry) error {
		noted = append(noted, e.Who+" "+e.Action+" "+e.Outcome)
		return nil
	}})
	none := startLab(t, Options{})
	token := CameraToken(testToken)
	offer := `{"sdp":"offer","device":"tablet"}`
	for _, c := range []struct {
		lab         *lab
		path, token string
		status      int
	}{
		{l, "/api/camera", token, http.StatusOK},
		{l, "/api/camera", testToken, http.StatusUnauthorized},
		{l, "/api/camera", StageToken(testToken), http.StatusUnauthorized},
		{l, "/api/camera", "", http.StatusUnauthorized},
		{l, "/api/picture", token, http.StatusUnauthorized},
		{l, "/api/session/stop", token, http.StatusUnauthorized},
		{none, "/api/camera", token, http.StatusUnauthorized}, // no such door
	} {
		if status, body := asked(t, c.lab.server, c.path, c.token, offer); status != c.status {
			t.Errorf("%s with token %q: %d %s, want %d", c.path, c.token, status, body, c.status)
		}
	}
	if len(camera.asked) != 1 || camera.asked[0] != "offer tablet" {
		t.Errorf("asked %q", camera.asked)
	}
	if status, _ := asked(t, l.server, "/api/camera", token, `{"sdp":"bad","device":""}`); status != http.StatusConflict {
		t.Errorf("a camera that is refused: %d", status)
	}

	for path, kind := range map[string]string{"/camera": "text/html", "/camera/camera.js": "text/javascript", "/camera/camera.css": "text/css"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		h := resp.Header
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), kind) ||
			!strings.Contains(h.Get("Permissions-Policy"), "camera=(self)") || h.Get("Content-Security-Policy") != policy {
			t.Errorf("%s: %d with %v", path, resp.StatusCode, h)
		}
	}
	l.server.Close() // it waits for what is being answered
	if want := []string{"camera POST /api/camera 200", "camera POST /api/camera 409"}; !slices.Equal(noted, want) {
		t.Errorf("noted is %q, want %q", noted, want)
	}
}

// asked posts a request with a token, and returns what is answered.
func asked(t *testing.T, server *httptest.Server, path, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer strings.Builder
	if err := resp.Write(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer.String()
}
