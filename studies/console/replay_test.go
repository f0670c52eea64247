package console

import (
	"encoding/binary"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"emolab/studies/access"
	"emolab/studies/replay"
	"emolab/studies/session"
)

// PROTOCOL.md says where each byte is.
func TestRowsByteByByte(t *testing.T) {
	nan := float32(math.NaN())
	b := rowsMessage(replay.Rows{Thinned: true, Times: []float64{1.5, 2.5, 60_000}, Columns: [][]float32{{1, nan, -3}, {4, 5, 6}}})
	le := binary.LittleEndian
	if len(b) != 16+3*8+2*3*4 || string(b[:4]) != "EMOR" || b[4] != 1 || b[5] != 0 || le.Uint16(b[6:]) != 2 || le.Uint32(b[8:]) != 3 || le.Uint32(b[12:]) != 1 {
		t.Fatalf("%d bytes begin with % x", len(b), b[:16])
	}
	if v := math.Float64frombits(le.Uint64(b[32:])); v != 60_000 {
		t.Errorf("the last time is %g", v)
	}
	if v := math.Float32frombits(le.Uint32(b[44:])); v == v {
		t.Errorf("what was not measured is %g", v)
	}
	if v := math.Float32frombits(le.Uint32(b[52:])); v != 4 {
		t.Errorf("the second column begins with %g", v)
	}
	if b := rowsMessage(replay.Rows{}); len(b) != 16 {
		t.Errorf("nothing takes %d bytes", len(b))
	}
}

// What makes no sense is refused in words before anything is read.
func TestReplayRefusesNonsense(t *testing.T) {
	l := startLab(t, Options{Replay: &film{}})
	for path, words := range map[string]string{
		"/columns/trace?points=many":      `points is "many"`,
		"/columns/trace?from_ms=NaN":      `from_ms is "NaN"`,
		"/columns/trace?until_ms=1e999":   `until_ms is`,
		"/columns/trace?from_ms=0x":       `from_ms is "0x"`,
		"/shown/one":                      `"one" is no number`,
		"/shown/-1":                       `"-1" is no number`,
		"/face/1.5":                       `"1.5" is no number`,
		"/heatmap/x":                      `"x" is no number`,
		"/heatmap/1?from_ms=9&until_ms=3": "until_ms 3 is before from_ms 9",
		"/heatmap/1?from_ms=99999999999999999999999999999999999999999999999e999": "from_ms is",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+"/api/replay/"+filmedSession+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp := l.request(t, r)
		got, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(strings.ReplaceAll(string(got), `\"`, `"`), words) {
			t.Errorf("%s: %d %s, %v", path, resp.StatusCode, got, err)
		}
	}
	for path, body := range map[string]string{
		"/api/aois/silk": `{"base_version": 0}`,
		"/api/replay/" + filmedSession + "/annotations":          `{"from_ms": "soon"}`,
		"/api/replay/" + filmedSession + "/annotations/x/remove": `{}`,
	} {
		if code, text := l.post(t, path, body); code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// Pictures are what they say they are, and no browser keeps them.
func TestReplayedPictures(t *testing.T) {
	l := startLab(t, Options{Replay: &film{}})
	for path, want := range map[string][2]string{
		"/face/3":    {"image/jpeg", string(drawnFace(3. / framesASecond))},
		"/heatmap/1": {"image/png", string(drawnHeat())},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+"/api/replay/"+filmedSession+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp := l.request(t, r)
		got, err := io.ReadAll(resp.Body)
		h := resp.Header
		if err != nil || resp.StatusCode != http.StatusOK || h.Get("Content-Type") != want[0] || h.Get("Cache-Control") != "no-store" || string(got) != want[1] {
			t.Errorf("%s: %d, %s, %s, %d bytes, %v", path, resp.StatusCode, h.Get("Content-Type"), h.Get("Cache-Control"), len(got), err)
		}
	}
}

// A lab without replays says so, and one of a blind study shows none to its operators.
func TestReplayIsNotForEverybody(t *testing.T) {
	ask := func(l *lab, role access.Role) int {
		c := l.Console
		answered := 0
		c.sighted(func(http.ResponseWriter, *http.Request) { answered = http.StatusOK })(
			status(func(code int) { answered = code }), request(t, role))
		return answered
	}
	if code := ask(startLab(t, Options{}), access.Admin); code != http.StatusNotFound {
		t.Errorf("without replays: %d", code)
	}
	l := startLab(t, Options{Replay: &film{}})
	if code := ask(l, access.Operator); code != http.StatusOK {
		t.Errorf("of an open study the operator gets %d", code)
	}
	l.operator.change(func(s *session.Status) { s.BlindByStudy = true })
	for role, want := range map[access.Role]int{access.Operator: http.StatusForbidden, access.Analyst: http.StatusOK, access.Admin: http.StatusOK} {
		if code := ask(l, role); code != want {
			t.Errorf("of a blind study the %s gets %d, want %d", role, code, want)
		}
	}
	l.operator.change(func(s *session.Status) { s.BlindByStudy, s.Blind = false, true })
	for role, want := range map[access.Role]int{access.Operator: http.StatusForbidden, access.Analyst: http.StatusOK, access.Admin: http.StatusForbidden} {
		if code := ask(l, role); code != want {
			t.Errorf("while the console is blind the %s gets %d, want %d", role, code, want)
		}
	}
}

// request is one by somebody with a role.
func request(t *testing.T, role access.Role) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(access.With(t.Context(), access.Holder{Name: "test", Role: role}), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// status is a writer that notes the status.
type status func(code int)

func (s status) Header() http.Header         { return http.Header{} }
func (s status) Write(b []byte) (int, error) { return len(b), nil }
func (s status) WriteHeader(code int)        { s(code) }

// A table of annotations holds no formula of a spreadsheet.
func TestCellsAreWords(t *testing.T) {
	for words, want := range map[string]string{"": "", "laughs": "laughs", "=1+1": "'=1+1", "-": "'-", "@x": "'@x", "a=b": "a=b"} {
		if got := plainCell(words); got != want {
			t.Errorf("%q became %q", words, got)
		}
	}
}
