package eyetribe

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	// documented has the fields of the API's description, in its order.
	documented = `{"category":"tracker","statuscode":200,"values":{"frame":{"timestamp":"2014-04-15 15:28:46.628","time":219168,"fix":true,"state":7,` +
		`"raw":{"x":640,"y":512},"avg":{"x":650,"y":500},` +
		`"lefteye":{"raw":{"x":641,"y":511},"avg":{"x":651,"y":501},"psize":26.01,"pcenter":{"x":0.33,"y":0.37}},` +
		`"righteye":{"raw":{"x":639,"y":513},"avg":{"x":649,"y":499},"psize":26.94,"pcenter":{"x":0.49,"y":0.37}}}}}`
	// lost has the form that servers send: keys in order, numbers with a point, and
	// a smoothed point of one eye that is not yet 0.
	lost = `{"category":"tracker","request":"get","statuscode":200,"values":{"frame":{"avg":{"x":0.0,"y":0.0},"fix":false,` +
		`"lefteye":{"avg":{"x":3.0,"y":0.0},"pcenter":{"x":0.0,"y":0.0},"psize":0.0,"raw":{"x":0.0,"y":0.0}},"raw":{"x":0.0,"y":0.0},` +
		`"righteye":{"avg":{"x":0.0,"y":0.0},"pcenter":{"x":0.0,"y":0.0},"psize":0.0,"raw":{"x":0.0,"y":0.0}},"state":16,"time":604571264,"timestamp":"2019-09-12 13:53:54.304"}}}`
)

func parseFrame(object string) (Frame, error) {
	_, v, err := decode([]byte(object))
	if err != nil {
		return Frame{}, err
	}
	if v.Frame == nil {
		return Frame{}, fmt.Errorf("no frame in %s", object)
	}
	return v.Frame.parse()
}

func TestFrame(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		object string
		want   Frame
		gaze   bool
	}{
		{documented, Frame{219168, 7, 640, 512, 26.01, 26.94}, true},
		{lost, Frame{604571264, 16, 0, 0, nan, nan}, false},
		{strings.Replace(documented, `"state":7`, `"state":6`, 1), Frame{219168, 6, 640, 512, 26.01, 26.94}, false},
		{strings.Replace(documented, `"raw":{"x":640,"y":512}`, `"raw":{"x":0,"y":0}`, 1), Frame{219168, 7, 0, 0, 26.01, 26.94}, false},
		{strings.Replace(documented, `"psize":26.01,`, ``, 1), Frame{219168, 7, 640, 512, nan, 26.94}, true},
		{strings.Replace(documented, `"raw":{"x":640,"y":512}`, `"raw":{"x":-12.5,"y":2000}`, 1), Frame{219168, 7, -12.5, 2000, 26.01, 26.94}, true},
	} {
		got, err := parseFrame(c.object)
		if err != nil {
			t.Errorf("%s: %v", c.object, err)
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateNaNs()); d != "" || got.Gaze() != c.gaze {
			t.Errorf("gaze %v, want %v; %s", got.Gaze(), c.gaze, d)
		}
	}
}

func TestFrameRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{`"time":219168,`, ``}, {`219168`, `-1`}, {`219168`, `219168.5`}, {`219168`, `1e300`}, {`219168`, `"219168"`}, {`219168`, `null`},
		{`"state":7,`, ``}, {`"state":7`, `"state":-7`}, {`"state":7`, `"state":4294967296`},
		{`"x":640,`, ``}, {`"x":640`, `"x":640000`}, {`"x":640`, `"x":[640]`}, {`"raw":{"x":640,"y":512},`, ``},
		{`26.01`, `-26`}, {`26.01`, `2601`}, {`26.94`, `"big"`}, {`"fix":true`, `"fix":`}, {`"category":"tracker",`, ``},
	} {
		if f, err := parseFrame(strings.Replace(documented, c[0], c[1], 1)); err == nil {
			t.Errorf("%s for %s: %+v, want an error", c[1], c[0], f)
		}
	}
}

// A request that failed is explained in words where numbers are expected.
func TestExplanation(t *testing.T) {
	for object, want := range map[string]string{
		`{"category":"tracker","request":"set","statuscode":400,"values":{"statusmessage":"puss, not such value exists","version":"only integers are supported"}}`: "puss, not such value exists",
		`{"category":"tracker","request":"get","statuscode":500,"values":{"statusmessage":"failed","framerate":"no tracker"}}`:                                     "failed",
		`{"category":"tracker","request":"set","statuscode":500}`:                                                                                                  "no reason given",
		`{"category":"tracker","request":"set","statuscode":500,"values":[1]}`:                                                                                     "no reason given",
	} {
		m, _, err := decode([]byte(object))
		if err != nil || m.explanation() != want {
			t.Errorf("%s: %q, %v, want %q", object, m.explanation(), err, want)
		}
	}
}

func TestSequence(t *testing.T) {
	type step struct{ ms, at int64 } // time and arrival; at 0 = as the time
	for _, c := range []struct {
		name                             string
		steps                            []step
		accepted, lost, damaged, rebased int
	}{
		{"steady", []step{{1000, 0}, {1033, 0}, {1067, 0}, {1100, 0}}, 4, 0, 0, 0},
		{"jitter", []step{{1000, 0}, {1028, 0}, {1071, 0}, {1095, 0}}, 4, 0, 0, 0},
		{"lost", []step{{967, 0}, {1000, 0}, {1133, 0}, {1167, 0}}, 4, 3, 0, 0},
		{"isolated between two holes", []step{{1000, 0}, {1033, 0}, {1133, 0}, {1267, 0}, {1300, 0}}, 5, 5, 0, 0},
		{"one twice", []step{{1000, 0}, {1033, 0}, {1033, 1034}, {1067, 0}}, 3, 0, 1, 0},
		{"a piece twice", []step{{1000, 0}, {1033, 0}, {1067, 0}, {1000, 1068}, {1033, 1068}, {1067, 1068}, {1100, 0}}, 4, 0, 3, 0},
		{"damaged time", []step{{1000, 0}, {1033, 0}, {9067, 1067}, {1100, 0}, {1133, 0}}, 4, 1, 1, 0},
		{"time a little ahead", []step{{1000, 0}, {1033, 0}, {1467, 1067}, {1100, 0}, {1133, 0}}, 4, 1, 1, 0},
		{"two damaged in a row", []step{{1000, 0}, {1033, 0}, {9067, 1067}, {71100, 1100}, {1133, 0}, {1167, 0}}, 4, 2, 2, 0},
		{"damaged first", []step{{91000, 1000}, {1033, 0}, {1067, 0}, {1100, 0}}, 3, 0, 1, 0},
		{"began anew", []step{{89967, 0}, {90000, 0}, {10, 90033}, {43, 90067}, {77, 90100}}, 5, 0, 0, 1},
		{"leapt ahead", []step{{1000, 0}, {1033, 0}, {91000, 1067}, {91033, 1100}}, 4, 0, 0, 1},
		{"held up", []step{{967, 0}, {1000, 0}, {1033, 5000}, {1067, 5000}, {1100, 5000}}, 5, 0, 0, 0},
		{"long silence", []step{{967, 0}, {1000, 0}, {61000, 0}, {61033, 0}}, 4, 1799, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hearer{sequence: sequence{rate: 30}}
			for _, s := range c.steps {
				if s.at == 0 {
					s.at = s.ms
				}
				h.take(Frame{TimeMS: s.ms}, arrival(s.at))
			}
			lost := 0
			for _, e := range h.all {
				lost += int(e.Lost)
			}
			if len(h.all) != c.accepted || lost != c.lost || h.damaged != c.damaged || h.rebased != c.rebased {
				t.Errorf("accepted %d, lost %d, damaged %d, rebased %d; want %d, %d, %d, %d",
					len(h.all), lost, h.damaged, h.rebased, c.accepted, c.lost, c.damaged, c.rebased)
			}
		})
	}
}
