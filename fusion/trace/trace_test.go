package trace

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"emolab/fusion/action"
	"emolab/fusion/eda"
	"emolab/fusion/expression"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
)

const ms = time.Millisecond

var nan = math.NaN()

func channels(names ...string) []stream.Channel {
	var cs []stream.Channel
	for _, n := range names {
		cs = append(cs, stream.Channel{Name: n})
	}
	return cs
}

// The streams of the tests. Their channels are not in the trace's order, and
// some that the trace does not know are among them.
var (
	faceInfo = stream.Info{ID: "face", Kind: stream.Face, Channels: channels("box_x_px", "valence", "arousal",
		"face_found", "face_confidence", "p_neutral", "p_happy", "p_sad", "p_angry", "p_fearful", "p_disgusted", "p_surprised", "lm00_x_px")}
	gazeInfo = stream.Info{ID: "gaze", Kind: stream.Gaze, Rate: 50, Channels: channels("gaze_valid", "gaze_x", "gaze_y", "pupil_left_mm", "pupil_right_mm")}
	edaInfo  = stream.Info{ID: "eda", Kind: stream.EDA, Channels: channels("raw", "eda_us")}
	stimInfo = stream.Info{ID: "stimulus", Kind: stream.Stimulus, Channels: channels("presentation", "frame", "media_ns", "presented_frames", "rect_x", "rect_y", "rect_w", "rect_h")}
)

func at(d time.Duration, err time.Duration, values ...float64) stream.Sample {
	return stream.Sample{At: instant.Instant(time.Hour + d), Err: err, Values: values}
}

func aFace(d time.Duration) stream.Sample {
	s := at(d, 10*ms, 17, .5, .1, 1, .9, .1, .8, .02, .02, .02, .02, .02, 99)
	s.Seq, s.Tick, s.Arrival = 7, 8, 9
	return s
}

func aGaze(d time.Duration, x, y float64) stream.Sample { return at(d, 3*ms, 1, x, y, 3, 4) }

func anEDA(d time.Duration, us float64) stream.Sample { return at(d, 1*ms, 512, us) }

func aStimulus(d time.Duration, n, frame float64) stream.Sample {
	s := at(d, 2*ms, 0, nan, nan, nan, nan, nan, nan, nan)
	if n > 0 {
		s = at(d, 2*ms, n, frame, frame*40e6, frame+1, .25, 0, .5, 1)
	}
	s.Arrival = s.At
	return s
}

// row1 reads a row by name.
type row1 map[string]float64

func read(t *testing.T, s stream.Sample) row1 {
	t.Helper()
	info := Info()
	if len(s.Values) != len(info.Channels) {
		t.Fatalf("%d values, %d channels", len(s.Values), len(info.Channels))
	}
	r := row1{}
	for i, c := range info.Channels {
		r[c.Name] = s.Values[i]
	}
	return r
}

// want compares the named columns.
func (r row1) want(t *testing.T, want row1) {
	t.Helper()
	got := row1{}
	for k := range want {
		v, ok := r[k]
		if !ok {
			t.Fatalf("no column %q", k)
		}
		got[k] = v
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("row (- want, + got):\n%s", d)
	}
}

// recording is what Join joins, with the rows that tell what was on the screen.
type recording struct {
	Streams
	Stimulus []stream.Sample
	away     []stimulus.Span
}

func (r recording) join() []stream.Sample {
	r.Shown = stimulus.Course(stimInfo, r.Stimulus, r.away)
	return Join(r.Streams)
}

func whole() recording {
	in := recording{Streams: Streams{FaceInfo: faceInfo, GazeInfo: gazeInfo, EDAInfo: edaInfo}}
	in.Face = []stream.Sample{aFace(100 * ms), aFace(133 * ms), aFace(166 * ms)}
	in.Gaze = []stream.Sample{aGaze(85*ms, .1, .1), aGaze(105*ms, .5, .5), aGaze(125*ms, .75, .25), aGaze(145*ms, .9, .9), aGaze(165*ms, 0, 1)}
	in.EDA = []stream.Sample{anEDA(90*ms, 4), anEDA(110*ms, 5), anEDA(140*ms, 8), anEDA(180*ms, 4)}
	in.Stimulus = []stream.Sample{aStimulus(0, 0, 0), aStimulus(120*ms, 1, 0), aStimulus(160*ms, 1, 1)}
	in.Analysis = eda.Result{Tonic: []float64{1, 2, 3, 5}, Phasic: []float64{0, .1, .4, .2},
		Responses: []eda.Response{{Onset: in.Face[1].At.Add(ms)}}}
	in.Facial.Calibrated = true
	return in
}

func TestJoin(t *testing.T) {
	rows := whole().join()
	if len(rows) != 3 {
		t.Fatalf("%d rows of 3 frames", len(rows))
	}
	f := aFace(133 * ms)
	if r := rows[1]; r.Seq != 7 || r.Tick != 8 || r.Arrival != 9 || r.At != f.At {
		t.Errorf("a row is not at its frame: %+v", r)
	}
	read(t, rows[0]).want(t, row1{ // before the stimulus
		"presentation": 0, "frame": nan, "media_ns": nan, "gaze_x": nan, "gaze_y": nan, "gaze_valid": 1,
		"pupil_mm": 3.5, "eda_us": 4.5, "scl_us": 1.5, "scr_us": .05, "scr_onset": 0, "quality": 0,
	})
	read(t, rows[1]).want(t, row1{ // gaze at 125 ms is the nearest
		"presentation": 1, "frame": 0, "media_ns": 0, "gaze_x": 1, "gaze_y": .25, "gaze_valid": 1,
		"face_found": 1, "face_confidence": .9, "p_neutral": .1, "p_happy": .8, "p_surprised": .02, "valence": .5, "arousal": .1,
		"eda_us": 5 + 3*23.0/30, "scl_us": 2 + 23.0/30, "scr_onset": 1, "quality": 0,
	})
	read(t, rows[2]).want(t, row1{
		"presentation": 1, "frame": 1, "media_ns": 40e6, "gaze_x": -.5, "gaze_y": 1, "eda_us": 8 - 4*26.0/40, "scr_onset": 0, "quality": 0,
	})
	// 10 ms of the frame and 3 ms of the gaze, the worst of what was joined.
	if rows[0].Err != 13*ms {
		t.Errorf("bound %v, want 13ms", rows[0].Err)
	}
}

func TestJoinWithout(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*recording)
		quality Quality
		row     row1
	}{
		{"an eye tracker", func(s *recording) { s.Gaze, s.GazeInfo = nil, stream.Info{} }, NoGaze,
			row1{"gaze_x": nan, "gaze_y": nan, "gaze_valid": 0, "pupil_mm": nan, "frame": 0}},
		{"gaze near the frame", func(s *recording) { s.Gaze = s.Gaze[:1] }, GazeStale,
			row1{"gaze_x": nan, "gaze_valid": 0, "pupil_mm": nan}},
		{"valid gaze", func(s *recording) {
			for i := range s.Gaze {
				s.Gaze[i].Values = []float64{0, .5, .5, nan, 2.5}
			}
		}, GazeInvalid, row1{"gaze_x": nan, "gaze_valid": 0, "pupil_mm": 2.5}},
		{"a conductance sensor", func(s *recording) { s.EDA, s.EDAInfo, s.Analysis = nil, stream.Info{}, eda.Result{} }, NoEDA,
			row1{"eda_us": nan, "scl_us": nan, "scr_us": nan, "scr_onset": nan, "frame": 0}},
		{"conductance for more than a second", func(s *recording) {
			s.EDA[1].At = s.EDA[1].At.Add(-time.Second)
			s.EDA[2].At = s.EDA[1].At.Add(2 * eda.MaxGap)
			s.EDA[3].At = s.EDA[2].At.Add(ms)
			s.Analysis.Responses = nil
		}, EDAStale, row1{"eda_us": nan, "scr_onset": nan}},
		{"conductance in range", func(s *recording) { s.EDA[1].Values[1] = nan }, EDAInvalid, row1{"eda_us": nan, "scl_us": 2 + 23.0/30}},
		{"a split", func(s *recording) { s.Analysis = eda.Result{} }, EDAUnsplit, row1{"eda_us": 5 + 3*23.0/30, "scl_us": nan, "scr_onset": 0}},
		{"a stimulus row", func(s *recording) { s.Stimulus = s.Stimulus[2:] }, StimulusUnknown,
			row1{"presentation": nan, "frame": nan, "gaze_x": nan, "gaze_valid": 1}},
		{"the picture's place", func(s *recording) { s.Stimulus[1].Values[6] = nan }, StimulusUnknown,
			row1{"presentation": 1, "frame": 0, "gaze_x": nan, "gaze_valid": 1}},
		{"a face", func(s *recording) {
			v := slices.Repeat([]float64{nan}, len(faceInfo.Channels))
			v[3] = 0
			s.Face[1].Values = v
		}, NoFace, row1{"face_found": 0, "p_happy": nan, "valence": nan, "frame": 0, "gaze_x": 1}},
		{"a good clock", func(s *recording) { s.Gaze[2].Err = time.Second }, Imprecise, row1{"gaze_x": 1}},
		{"any bound at all", func(s *recording) { s.Gaze[2].Err, s.Face[1].Err = math.MaxInt64, math.MaxInt64 }, Imprecise, row1{"gaze_x": 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := whole()
			tt.change(&in)
			s := in.join()[1]
			r := read(t, s)
			r.want(t, tt.row)
			if got := Quality(r["quality"]); got != tt.quality {
				t.Errorf("quality %q, want %q", got.Words(), tt.quality.Words())
			}
			if s.Err <= 0 {
				t.Errorf("bound %v", s.Err)
			}
		})
	}
	if rows := Join(Streams{}); len(rows) != 0 {
		t.Errorf("%d rows of nothing", len(rows))
	}
}

func TestValidGazeIsPreferred(t *testing.T) {
	in := whole()
	in.Gaze[2].Values[0] = 0 // 125 ms, the nearest to 133; then 145 ms
	read(t, in.join()[1]).want(t, row1{"gaze_x": 1.3, "gaze_y": .9, "gaze_valid": 1, "quality": 0})
}

func TestLive(t *testing.T) {
	in := whole()
	l := NewLive([]stream.Info{stimInfo, edaInfo, gazeInfo, faceInfo})
	for _, c := range []stream.Chunk{
		{Stream: "stimulus", Samples: in.Stimulus},
		{Stream: "gaze", Samples: in.Gaze},
		{Stream: "eda", Samples: in.EDA},
		{Stream: "unknown", Samples: in.EDA},
	} {
		if rows := l.Add(c); rows != nil {
			t.Fatalf("%s makes rows", c.Stream)
		}
	}
	rows := l.Add(stream.Chunk{Stream: "face", Samples: in.Face})
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	// The latest values before each frame, though later ones are known already.
	read(t, rows[0]).want(t, row1{"presentation": 0, "gaze_valid": 1, "eda_us": 4, "scr_onset": 0, "quality": float64(NotFinal | NoNeutral | EDAUnsplit)})
	read(t, rows[1]).want(t, row1{"presentation": 1, "frame": 0, "gaze_x": 1, "gaze_y": .25, "eda_us": 5, "p_happy": .8, "quality": float64(NotFinal | NoNeutral | EDAUnsplit)})
	read(t, rows[2]).want(t, row1{"frame": 1, "gaze_x": -.5, "eda_us": 8, "quality": float64(NotFinal | NoNeutral | EDAUnsplit)})

	late := l.Add(stream.Chunk{Stream: "face", Samples: []stream.Sample{aFace(230 * ms), aFace(600 * ms)}})
	read(t, late[0]).want(t, row1{"frame": 1, "gaze_valid": 0, "eda_us": 4, "quality": float64(NotFinal | NoNeutral | EDAUnsplit | GazeStale)})
	read(t, late[1]).want(t, row1{"frame": 1, "eda_us": nan, "scr_onset": nan, "quality": float64(NotFinal | NoNeutral | GazeStale | EDAStale)})
}

// A reading that the device only repeated is passed over, in the middle as at the
// ends, and live; one that is missing for another reason marks the row.
func TestHeldReadingsArePassedOver(t *testing.T) {
	in := whole()
	in.EDAInfo.Channels = append(slices.Clone(in.EDAInfo.Channels), stream.Channel{Name: "eda_hold"})
	column := in.EDAInfo.Index("eda_us")
	hold := func(s stream.Sample, held float64) stream.Sample {
		s.Values = append(slices.Clone(s.Values), held)
		if held == 1 {
			s.Values[column] = nan
		}
		return s
	}
	measured := in.EDA
	in.EDA = []stream.Sample{
		hold(anEDA(80*ms, 0), 1), hold(measured[0], 0), hold(anEDA(98*ms, 0), 1), hold(anEDA(104*ms, 0), 1), hold(measured[1], 0),
		hold(measured[2], 0), hold(anEDA(160*ms, 0), 1), hold(measured[3], 0), hold(anEDA(190*ms, 0), 1),
	}
	in.Analysis.Tonic = []float64{nan, 1, nan, nan, 2, 3, nan, 5, nan}
	in.Analysis.Phasic = []float64{nan, 0, nan, nan, .1, .4, nan, .2, nan}
	rows := in.join()
	read(t, rows[0]).want(t, row1{"eda_us": 4.5, "scl_us": 1.5, "scr_us": .05, "quality": 0})
	read(t, rows[1]).want(t, row1{"eda_us": 5 + 3*23.0/30, "quality": 0})
	read(t, rows[2]).want(t, row1{"eda_us": 8 - 4*26.0/40, "quality": 0})

	live := NewLive([]stream.Info{faceInfo, in.EDAInfo})
	live.Add(stream.Chunk{Stream: in.EDAInfo.ID, Samples: in.EDA[:4]})
	row := live.Add(stream.Chunk{Stream: faceInfo.ID, Samples: in.Face[:1]})[0]
	read(t, row).want(t, row1{"eda_us": 4})

	for i := range in.EDA { // electrodes open: that is known
		in.EDA[i].Values[column+1] = 0
	}
	if q := Quality(read(t, in.join()[0])["quality"]); q&EDAInvalid == 0 {
		t.Errorf("quality %v of a row without conductance", q.Words())
	}
}

func TestLiveForgetsTheDisconnected(t *testing.T) {
	in := whole()
	l := NewLive([]stream.Info{stimInfo, gazeInfo, faceInfo})
	l.Add(stream.Chunk{Stream: "stimulus", Samples: in.Stimulus})
	l.Add(stream.Chunk{Stream: "gaze", Samples: in.Gaze})
	gone := []stream.Event{{Kind: stream.Disconnected, At: in.Face[2].At.Add(-ms)}}
	l.Add(stream.Chunk{Stream: "stimulus", Events: gone})
	l.Add(stream.Chunk{Stream: "gaze", Events: gone})
	rows := l.Add(stream.Chunk{Stream: "face", Samples: in.Face[1:]})
	// The page was there at 133 ms.
	read(t, rows[0]).want(t, row1{"presentation": 1, "frame": 0, "pupil_mm": nan, "quality": float64(NotFinal | NoNeutral | GazeStale | NoEDA)})
	read(t, rows[1]).want(t, row1{"presentation": nan, "frame": nan, "quality": float64(NotFinal | NoNeutral | GazeStale | NoEDA | StimulusUnknown)})
}

// Of a frame that was displayed and not told the row has the presentation, the gaze
// on it, and no frame; the same live, once the next frame was told.
func TestAFrameThatWasNotTold(t *testing.T) {
	in := whole()
	in.Stimulus = []stream.Sample{aStimulus(80*ms, 1, 0), aStimulus(110*ms, 1, 1), aStimulus(160*ms, 1, 3)}
	in.Stimulus[2].Values[3] = 4 // presented_frames, after 2
	untold := row1{"presentation": 1, "frame": nan, "media_ns": nan, "gaze_x": 1.3, "gaze_y": .9, "gaze_valid": 1}
	in.Face[1].At = in.Stimulus[1].At.Add(28 * ms) // between an equal share of 25 ms and the next frame
	row := in.join()[1]
	read(t, row).want(t, untold)
	if q := Quality(read(t, row)["quality"]); q != StimulusUnknown {
		t.Errorf("quality %q", q.Words())
	}
	l := NewLive([]stream.Info{stimInfo, gazeInfo, faceInfo})
	l.Add(stream.Chunk{Stream: "gaze", Samples: in.Gaze})
	l.Add(stream.Chunk{Stream: "stimulus", Samples: in.Stimulus})
	live := l.Add(stream.Chunk{Stream: "face", Samples: in.Face[1:2]})[0]
	untold["gaze_x"], untold["gaze_y"] = 1, .25 // the one before, not the nearest
	read(t, live).want(t, untold)
	if q := Quality(read(t, live)["quality"]); q != NotFinal|NoNeutral|NoEDA|StimulusUnknown {
		t.Errorf("live quality %q", q.Words())
	}
}

// While the page was gone nobody knows what was on the screen.
func TestJoinWhileThePageWasGone(t *testing.T) {
	in := whole()
	in.away = []stimulus.Span{{From: in.Face[1].At.Add(-ms)}}
	rows := in.join()
	read(t, rows[0]).want(t, row1{"presentation": 0, "quality": 0})
	read(t, rows[1]).want(t, row1{"presentation": nan, "frame": nan, "gaze_x": nan, "gaze_valid": 1, "quality": float64(StimulusUnknown)})
}

// A stimulus that is held for a minute must outlive the history of the others.
func TestLiveHoldsTheStimulus(t *testing.T) {
	l := NewLive([]stream.Info{stimInfo, faceInfo})
	l.Add(stream.Chunk{Stream: "stimulus", Samples: []stream.Sample{aStimulus(0, 2, 5)}})
	rows := l.Add(stream.Chunk{Stream: "face", Samples: []stream.Sample{aFace(time.Minute)}})
	read(t, rows[0]).want(t, row1{"presentation": 2, "frame": 5})
}

func TestLiveMarksARecognisedResponse(t *testing.T) {
	l := NewLive([]stream.Info{edaInfo, faceInfo})
	marked := 0
	for d := time.Duration(0); d < 6*time.Second; d += 10 * ms {
		us := 5.0
		if d > 2*time.Second {
			us += .5 * (d - 2*time.Second).Seconds()
		}
		l.Add(stream.Chunk{Stream: "eda", Samples: []stream.Sample{anEDA(d, us)}})
		if d%(30*ms) == 0 {
			for _, r := range l.Add(stream.Chunk{Stream: "face", Samples: []stream.Sample{aFace(d)}}) {
				if read(t, r)["scr_onset"] == 1 {
					marked++
					if d < 2*time.Second || d > 2500*ms+eda.Delay {
						t.Errorf("a response that begins at 2 s is recognised at %v", d)
					}
				}
			}
		}
	}
	if marked != 1 {
		t.Errorf("marked %d times, want once", marked)
	}
}

// A response that begins while the camera is away belongs to no frame: neither
// to the last one before nor to the first one after.
func TestResponsesWithoutAFrameAreNotMarked(t *testing.T) {
	in := whole()
	in.Face = []stream.Sample{aFace(0), aFace(5 * time.Second)}
	in.Analysis.Responses = []eda.Response{{Onset: in.Face[0].At.Add(3 * time.Second)}, {Onset: in.Face[1].At.Add(3 * time.Second)}}
	for i, r := range in.join() {
		if read(t, r)["scr_onset"] == 1 {
			t.Errorf("row %d claims a response that begins 3 s after it", i)
		}
	}

	l := NewLive([]stream.Info{edaInfo, faceInfo})
	for d := time.Duration(0); d < 10*time.Second; d += 10 * ms {
		us := 5 + .5*max(0, min(1, d.Seconds()-2))
		l.Add(stream.Chunk{Stream: "eda", Samples: []stream.Sample{anEDA(d, us)}})
	}
	for _, r := range l.Add(stream.Chunk{Stream: "face", Samples: []stream.Sample{aFace(10 * time.Second)}}) {
		if read(t, r)["scr_onset"] == 1 {
			t.Error("the first live row claims a response of 8 s before")
		}
	}
}

// The final trace must not depend on how its inputs are searched: the same as
// looking through all samples for each row.
func TestJoinFindsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, n int) (ds []time.Duration) {
			for range rapid.IntRange(0, n).Draw(t, name+"s") {
				ds = append(ds, time.Duration(rapid.IntRange(0, 1000).Draw(t, name))*ms)
			}
			slices.Sort(ds)
			return ds
		}
		in := recording{Streams: Streams{FaceInfo: faceInfo, GazeInfo: gazeInfo}}
		for _, d := range draw("frame", 40) {
			in.Face = append(in.Face, aFace(d))
		}
		for i, d := range draw("gaze", 60) {
			in.Gaze = append(in.Gaze, at(d, ms, 1, nan, nan, float64(i), nan))
		}
		for i, d := range draw("shown", 20) {
			in.Stimulus = append(in.Stimulus, aStimulus(d, 1, float64(i)))
		}
		info := Info()
		for i, r := range in.join() {
			t0 := in.Face[i].At
			nearest := time.Duration(math.MaxInt64)
			for _, g := range in.Gaze {
				nearest = min(nearest, g.At.Sub(t0).Abs())
			}
			pupil := r.Values[info.Index("pupil_mm")]
			if within := nearest <= 20*ms; within == math.IsNaN(pupil) {
				t.Fatalf("row %d: nearest gaze %v away, pupil %v", i, nearest, pupil)
			} else if within && in.Gaze[int(pupil)].At.Sub(t0).Abs() != nearest {
				t.Fatalf("row %d: gaze %v away joined, the nearest is %v away", i, in.Gaze[int(pupil)].At.Sub(t0).Abs(), nearest)
			}
			shown := nan
			for k, s := range in.Stimulus {
				if s.At <= t0 {
					shown = float64(k)
				}
			}
			if got := r.Values[info.Index("frame")]; got != shown && !(math.IsNaN(got) && math.IsNaN(shown)) {
				t.Fatalf("row %d: frame %v, in force is %v", i, got, shown)
			}
		}
	})
}

func TestInfoMatchesTheRow(t *testing.T) {
	info := Info()
	if info.Kind != stream.Trace || info.ID != ID || info.Clock != stream.HostClock {
		t.Errorf("%+v", info)
	}
	for name, place := range map[string]int{
		"presentation": presentation, "frame": frame, "media_ns": mediaNs, "face_found": faceFound, "p_neutral": pNeutral, "p_surprised": pSurprised, "valence": valence, "arousal": arousal,
		"yaw_deg": yawDeg, "pitch_deg": pitchDeg, "roll_deg": rollDeg, "pose_residual": poseResidual, "face_height_px": faceHeightPX, "ear_right": earRight, "ear_left": earLeft,
		"au01": au01, "au12": au12, "au43": au43, "au45": au45, "emfacs_surprised": emfacsSurprised, "emfacs_agreement": emfacsAgreement,
		"gaze_x": gazeX, "gaze_y": gazeY, "gaze_valid": gazeValid, "pupil_mm": pupilMM,
		"eda_us": edaUS, "scl_us": sclUS, "scr_us": scrUS, "scr_onset": scrOnset, "quality": quality,
	} {
		if info.Index(name) != place {
			t.Errorf("channel %s is at %d, its value at %d", name, info.Index(name), place)
		}
	}
	if len(info.Channels) != channelCount {
		t.Errorf("%d channels, %d values", len(info.Channels), channelCount)
	}
	for i, u := range action.Units() {
		if info.Index(u.Column) != au01+i {
			t.Errorf("%s is not at its place", u.Column)
		}
	}
	for i, name := range expression.Names() {
		if i != expression.Neutral && info.Index("emfacs_"+name) != emfacsHappy+i-1 {
			t.Errorf("the evidence for %s is not at its place", name)
		}
	}
	for i, name := range fromFace {
		if info.Index(name) != faceFound+i {
			t.Errorf("%s is not at its place", name)
		}
	}
}

func TestQualityInWords(t *testing.T) {
	var all Quality
	for i, m := range meanings() {
		if m.Bit != 1<<i {
			t.Errorf("bit %d of the table is %d: stored bits must not change", i, m.Bit)
		}
		all |= m.Bit
	}
	if got := len(all.Words()); got != len(meanings()) {
		t.Errorf("%d words for %d bits", got, len(meanings()))
	}
	if got := Quality(0).Words(); got != nil {
		t.Errorf("no fault is called %q", got)
	}
	if got := (GazeInvalid | 1<<30).Words(); len(got) != 2 || got[1] != "unknown bits 0x40000000" {
		t.Errorf("%q", got)
	}
}

// What was cut off and began anew later is not the presentation's any more.
func TestWhatWasCutOffCountsForNothing(t *testing.T) {
	in := whole()
	in.Stimulus = []stream.Sample{aStimulus(80*ms, 1, 0), aStimulus(120*ms, 1, 1), aStimulus(160*ms, 1, 0)}
	in.Stimulus[2].Values[3] = 1 // presented_frames: the browser counts from 1 again
	rows := in.join()
	cut := row1{"presentation": nan, "frame": nan, "media_ns": nan, "quality": float64(CutOff)}
	read(t, rows[0]).want(t, cut)
	read(t, rows[1]).want(t, cut)
	read(t, rows[1]).want(t, row1{"gaze_x": 1, "p_happy": .8}) // the rest of the row stands
	read(t, rows[2]).want(t, row1{"presentation": 1, "frame": 0, "media_ns": 0, "quality": 0})
}
