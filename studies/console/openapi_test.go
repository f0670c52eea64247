package console

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/goccy/go-yaml"

	"emolab/studies/replay"
	"emolab/studies/session"
)

var update = flag.Bool("update", false, "write the types into openapi.yaml")

// generated is where the part of openapi.yaml begins that is made from the Go types.
const generated = "  # From here on: the Go types as JSON. go test ./studies/console -run OpenAPI -update\n  schemas:\n"

// described are the types that the paths of openapi.yaml refer to.
var described = []any{
	session.Status{}, session.Summary{}, session.Cohort{}, session.Erasure{}, session.Holder{}, session.Slip{}, session.Overdue{},
	session.Purge{}, session.Request{}, session.Beginning{}, session.Mark{}, session.KnownError{}, session.NotReadyError{},
	penState{}, Entry{},
	replay.Session{}, replay.Events{}, replay.Shown{}, replay.Annotation{}, replay.Remark{},
	replay.AreaSet{}, replay.AreaChange{},
}

// typesAsYAML describes those types.
func typesAsYAML(t *testing.T) string {
	t.Helper()
	all := schemas{}
	for _, v := range described {
		all.of(reflect.TypeOf(v))
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.JSONToYAML(b)
	if err != nil {
		t.Fatal(err)
	}
	var indented strings.Builder
	for line := range strings.Lines(string(text)) {
		indented.WriteString("    " + line)
	}
	return indented.String()
}

// player is a lab that has everything to be replayed.
type player struct{ film }

func (*player) Annotations(context.Context, string) ([]replay.Annotation, error) {
	return []replay.Annotation{{ID: 1, Label: "laughs"}}, nil
}
func (*player) FaceTimes(context.Context, string) ([]float64, error)     { return []float64{0, 33.3}, nil }
func (*player) FacePicture(context.Context, string, int) ([]byte, error) { return drawnFace(0), nil }
func (*player) Heat(context.Context, string, int, float64, float64) (replay.Heat, error) {
	return replay.Heat{PNG: drawnHeat(), Fixations: 4}, nil
}
func (*player) HeatOfAll(context.Context, string, float64, float64) (replay.Heat, error) {
	return replay.Heat{PNG: drawnHeat(), Fixations: 12, People: 3}, nil
}
func (*player) Areas(_ context.Context, stimulus string) (replay.AreaSet, error) {
	return replay.AreaSet{Stimulus: stimulus, Areas: []json.RawMessage{json.RawMessage(`{"name": "dress"}`)}}, nil
}
func (*player) SetAreas(_ context.Context, stimulus string, c replay.AreaChange, by string) (replay.AreaSet, error) {
	return replay.AreaSet{Stimulus: stimulus, Version: 1, Areas: c.Areas, History: []replay.AreaVersion{{Version: 1, By: by, Note: c.Note}}}, nil
}
func (*player) AreasFile(context.Context, string, int) ([]byte, int, error) {
	return []byte(`{"format": "emolab-aoi/1"}`), 1, nil
}

func loadOpenAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// The file names every type as it is.
func TestOpenAPITypesAreTheServers(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	paths, types, found := strings.Cut(string(text), generated)
	if !found {
		t.Fatalf("openapi.yaml has no line %q", generated)
	}
	want := typesAsYAML(t)
	if types == want {
		return
	}
	if !*update {
		t.Fatal("the types of openapi.yaml are not the server's: go test ./studies/console -run OpenAPI -update")
	}
	if err := os.WriteFile("openapi.yaml", []byte(paths+generated+want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every route of the API is in the file with who may ask for it, and nothing else is.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	described := map[string]string{}
	for path, item := range loadOpenAPI(t).Paths.Map() {
		for method, op := range item.Operations() {
			pen := ""
			if op.Extensions["x-pen"] == true {
				pen = " with the pen"
			}
			described[method+" "+path] = fmt.Sprint(op.Extensions["x-permission"]) + pen
		}
	}
	l := startLab(t, Options{})
	for _, r := range slices.Concat(l.routes(), l.cameraRoutes()) {
		method, path, _ := strings.Cut(r.pattern, " ")
		if !strings.HasPrefix(path, "/api/") && path != "/metrics" {
			continue // pages, and the WebSocket of PROTOCOL.md
		}
		want := string(r.may)
		if r.pen {
			want += " with the pen"
		}
		if got := described[method+" "+path]; got != want {
			t.Errorf("%s: openapi.yaml says %q, the server %q", r.pattern, got, want)
		}
		delete(described, r.pattern)
	}
	for route := range described {
		t.Errorf("openapi.yaml describes %s, which nobody answers", route)
	}
}

// PROTOCOL.md names every route, and all that the messages hold.
func TestProtocolNamesAllThereIs(t *testing.T) {
	b, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	l := startLab(t, Options{})
	for _, r := range slices.Concat(l.routes(), l.cameraRoutes()) {
		method, path, _ := strings.Cut(r.pattern, " ")
		if !strings.HasPrefix(path, "/api/") && path != "/metrics" {
			continue
		}
		path = wildcard.ReplaceAllStringFunc(path, func(w string) string { return strings.ToUpper(strings.Trim(w, "{}")) })
		if !regexp.MustCompile("`" + regexp.QuoteMeta(method+" "+path) + "[`? ]").MatchString(text) {
			t.Errorf("it does not say what %s %s is", method, path)
		}
	}
	for _, message := range []any{hello{}, report{}, penState{}, session.Status{}, session.Readiness{}, session.Confirmed{}, Entry{}} {
		of := reflect.TypeOf(message)
		for i := range of.NumField() {
			key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !regexp.MustCompile("[`\"]" + "(status\\.)?" + regexp.QuoteMeta(key) + "[`\"]").MatchString(text) {
				t.Errorf("it does not say what %q of a %s is", key, of.Name())
			}
		}
	}
}

// tokenFor is the token that opens a path.
func tokenFor(path string) string {
	if path == "/api/camera" {
		return CameraToken(testToken)
	}
	return testToken
}

// The server answers as the file says: each example of a request is sent, and the answer
// held against its description.
func TestOpenAPIIsTrue(t *testing.T) {
	doc := loadOpenAPI(t)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	l := startLab(t, Options{Bundles: t.TempDir(), Receipts: t.TempDir(), Replay: &player{}, Camera: new(fakeCamera)})
	l.operator.unheeded()
	l.operator.mu.Lock()
	l.operator.status.State, l.operator.status.SessionID = session.Recording, "s1"
	l.operator.sessions = []session.Summary{{ID: "s1", Participant: "P-1", State: session.Sealed}}
	l.operator.mu.Unlock()
	absent := map[string]string{ // what this lab has not, and so answers in words
		"/api/bundles/{name}":  "no bundle was made",
		"/api/receipts/{name}": "nobody has withdrawn",
		"/api/overdue":         "a session runs",
		"/api/pen":             "only pages have the pen",
	}
	asked := 0
	paths := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, op := range paths[path].Operations() {
			t.Run(method+" "+path, func(t *testing.T) {
				asked++
				at := path
				for _, p := range op.Parameters {
					if p.Value.In == "path" {
						at = strings.ReplaceAll(at, "{"+p.Value.Name+"}", fmt.Sprint(p.Value.Example))
					}
				}
				var body []byte
				if op.RequestBody != nil {
					media := op.RequestBody.Value.Content.Get("application/json")
					if media == nil || media.Example == nil {
						t.Fatal("the request has no example")
					}
					if body, err = json.Marshal(media.Example); err != nil {
						t.Fatal(err)
					}
				}
				request := func(base string) *http.Request {
					r, err := http.NewRequestWithContext(t.Context(), method, base+at, bytes.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					if body != nil {
						r.Header.Set("Content-Type", "application/json")
					}
					return r
				}
				described := request("http://127.0.0.1:8800") // the server that the file names
				route, params, err := router.FindRoute(described)
				if err != nil {
					t.Fatal(err)
				}
				in := &openapi3filter.RequestValidationInput{Request: described, PathParams: params, Route: route,
					Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
				if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
					t.Errorf("the example is not what the file describes: %v", err)
				}
				resp := l.requestAs(t, tokenFor(path), request(l.server.URL))
				got, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				if why := absent[path]; (resp.StatusCode != http.StatusOK) != (why != "") {
					t.Errorf("%d %s; absent: %q", resp.StatusCode, got, why)
				}
				if op.Responses.Status(resp.StatusCode) == nil {
					t.Fatalf("status %d is not described: %s", resp.StatusCode, got)
				}
				out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header}
				if err := openapi3filter.ValidateResponse(t.Context(), out.SetBodyBytes(got)); err != nil {
					t.Errorf("%d %s\n%v", resp.StatusCode, got, err)
				}
			})
		}
	}
	if asked == 0 {
		t.Error("nothing was asked")
	}
}
