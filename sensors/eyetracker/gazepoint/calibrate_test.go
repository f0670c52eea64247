package gazepoint_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/fusion/stream"
	"emolab/sensors/eyetracker/gazepoint"
	"emolab/sensors/serialtest"
)

// calibrated is what came of a Calibrate in another goroutine.
type calibrated struct {
	gazepoint.Calibration
	steps []gazepoint.Step
	err   error
}

// calibrate calls Calibrate and yields what comes of it.
func calibrate(ctx context.Context, s *gazepoint.Source, o gazepoint.CalibrationOptions) <-chan calibrated {
	done := make(chan calibrated, 1)
	go func() {
		var c calibrated
		o.Progress = func(s gazepoint.Step) { c.steps = append(c.steps, s) }
		c.Calibration, c.err = s.Calibrate(ctx, o)
		done <- c
	}()
	return done
}

// outcome waits for it.
func outcome(t *testing.T, done <-chan calibrated) calibrated {
	t.Helper()
	select {
	case c := <-done:
		return c
	case <-time.After(serialtest.Deadline):
		t.Fatal("the calibration does not end")
	}
	return calibrated{}
}

// say answers a command: what is expected, and what comes back.
type say struct{ want, answer string }

func (s say) on(far *serialtest.Port) {
	far.Take([]byte(s.want + "\r\n"))
	if s.answer != "" {
		far.Send([]byte(s.answer + "\r\n"))
	}
}

// connected is a tracker that is connected and sends records.
func connected(t *testing.T) (*serialtest.Port, *gazepoint.Source, *serialtest.Recording) {
	t.Helper()
	far := serialtest.Open(t)
	s := source(far.Path())
	got := serialtest.Record(t, s)
	begin(t, far, got)
	return far, s, got
}

// A whole calibration of two points, byte by byte, with the tracker's own quirks.
func TestCalibrationTranscript(t *testing.T) {
	t.Parallel()
	far, s, got := connected(t)
	done := calibrate(context.Background(), s, gazepoint.CalibrationOptions{
		Points: []gazepoint.Target{{X: .5, Y: .1}, {X: .25, Y: 1}}, Delay: 250 * time.Millisecond, Show: true})
	for _, line := range []say{
		{`<SET ID="CALIBRATE_CLEAR" />`, `<ACK ID="CALIBRATE_CLEAR" PTS="0" />`},
		{`<SET ID="CALIBRATE_ADDPOINT" X="0.5" Y="0.1" />`, `<ACK ID="CALIBRATE_ADDPOINT" PTS="1" X1="0.50000" Y1="0.10000" />`},
		{`<SET ID="CALIBRATE_ADDPOINT" X="0.25" Y="1" />`, `<ACK ID="CALIBRATE_ADDPOINT" PTS="2" X1="0.50000" Y1="0.10000" X2="0.25000" Y2="1.00000" />`},
		{`<SET ID="CALIBRATE_DELAY" VALUE="0.25" />`, `<ACK ID="CALIBRATE_DELAY" VALUE="0.25" />`},
		{`<SET ID="CALIBRATE_TIMEOUT" VALUE="1.25" />`, `<ACK ID="CALIBRATE_TIMEOUT" VALUE="1.25" />`},
		{`<SET ID="CALIBRATE_SHOW" STATE="1" />`, `<ACK ID="CALIBRATE_SHOW" STATE="1" />`},
		{`<SET ID="CALIBRATE_START" STATE="1" />`, `<ACK ID="CALIBRATE_START" STATE ="1" />
<CAL ID="CALIB_START_PT" PT="1" CALX="0.5000" CALY="0.1000" />
<CAL ID="CALIB_RESULT_PT" PT="1" CALX="0.5000" CALY="0.1000" />>
<CAL ID=" CALIB_START_PT" PT="2" CALX="0.2500" CALY="1.0000" />
<CAL ID=" CALIB_RESULT_PT"PT="2"CALX="0.2500"CALY="1.0000" />
<CAL ID="CALIB_RESULT" CALX1="0.50000" CALY1="0.10000" LX1="0.502" LY1="0.103" LV1="1" RX1="0.515" RY1="0.109" RV1="1" CALX2="0.25" CALY2="1.0" LX2="0.1" LY2="0.2" LV2="0" RX2="0.26" RY2="0.99" RV2="1" />>`},
		{`<GET ID="CALIBRATE_RESULT_SUMMARY" />`, `<ACK ID="CALIBRATE_RESULT_SUMMARY" AVE_ERROR="19.43" VALID_POINTS="2" />`},
		{`<SET ID="CALIBRATE_SHOW" STATE="0" />`, `<ACK ID="CALIBRATE_SHOW" STATE="0" />`},
	} {
		line.on(far)
	}
	c := outcome(t, done)
	if c.err != nil {
		t.Fatal(c.err)
	}
	first, second := gazepoint.Target{X: .5, Y: .1}, gazepoint.Target{X: .25, Y: 1}
	want := gazepoint.Calibration{MeanErrorPx: 19.43, ValidPoints: 2, Points: []gazepoint.PointResult{
		{Target: first, Left: gazepoint.EyeResult{X: .502, Y: .103, Valid: true}, Right: gazepoint.EyeResult{X: .515, Y: .109, Valid: true}},
		{Target: second, Left: gazepoint.EyeResult{X: .1, Y: .2}, Right: gazepoint.EyeResult{X: .26, Y: .99, Valid: true}},
	}}
	if d := cmp.Diff(want, c.Calibration); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]gazepoint.Step{{Point: 1, Target: first, Begins: true}, {Point: 1, Target: first}, {Point: 2, Target: second, Begins: true}, {Point: 2, Target: second}}, c.steps); d != "" {
		t.Error(d)
	}
	got.AwaitEvents(stream.Marker, 2)
	marks := got.Events(stream.Marker)
	if !strings.Contains(marks[0].Detail, `both eyes at 1 of 2 points [{"x":0.5,"y":0.1,"left":{"x":0.502,`) || !strings.Contains(marks[1].Detail, "19.43 px, 2 valid") {
		t.Errorf("markers %v", marks)
	}
}

// An answer that is lost makes a point be listed twice: the list is written anew.
func TestCalibrationListsPointsAnew(t *testing.T) {
	t.Parallel()
	far, s, _ := connected(t)
	done := calibrate(context.Background(), s, gazepoint.CalibrationOptions{Points: []gazepoint.Target{{X: .5, Y: .5}}})
	add := `<SET ID="CALIBRATE_ADDPOINT" X="0.5" Y="0.5" />`
	for _, line := range []say{
		{`<SET ID="CALIBRATE_CLEAR" />`, `<ACK ID="CALIBRATE_CLEAR" PTS="0" />`},
		{add, `<ACK ID="CALIBRATE_ADDP`},
		{add, `<ACK ID="CALIBRATE_ADDPOINT" PTS="2" X1="0.5" Y1="0.5" X2="0.5" Y2="0.5" />`},
		{`<SET ID="CALIBRATE_CLEAR" />`, `<ACK ID="CALIBRATE_CLEAR" PTS="0" />`},
		{add, `<ACK ID="CALIBRATE_ADDPOINT" PTS="1" X1="0.5" Y1="0.5" />`},
		{`<SET ID="CALIBRATE_DELAY" VALUE="0.5" />`, `<NACK ID="CALIBRATE_DELAY" />`},
		{`<SET ID="CALIBRATE_START" STATE="0" />`, ``},
		{`<SET ID="CALIBRATE_SHOW" STATE="0" />`, ``},
	} {
		line.on(far)
	}
	if c := outcome(t, done); c.err == nil || !strings.Contains(c.err.Error(), "refuses CALIBRATE_DELAY") {
		t.Errorf("%v, want what was refused", c.err)
	}
}

// begun is a calibration that has begun.
func begun(t *testing.T, ctx context.Context, far *serialtest.Port, s *gazepoint.Source) <-chan calibrated {
	t.Helper()
	done := calibrate(ctx, s, gazepoint.CalibrationOptions{})
	for _, id := range []string{`RESET"`, `DELAY" VALUE="0.5"`, `TIMEOUT" VALUE="1.25"`, `SHOW" STATE="0"`, `START" STATE="1"`} {
		say{fmt.Sprintf(`<SET ID="CALIBRATE_%s />`, id), fmt.Sprintf(`<ACK ID="CALIBRATE_%s />`, id)}.on(far)
	}
	return done
}

func TestCalibrationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	far, s, _ := connected(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := begun(t, ctx, far, s)
	if _, err := s.Calibrate(ctx, gazepoint.CalibrationOptions{}); !errors.Is(err, gazepoint.ErrBusy) {
		t.Errorf("a second calibration: %v, want ErrBusy", err)
	}
	cancel()
	far.Take([]byte("<SET ID=\"CALIBRATE_START\" STATE=\"0\" />\r\n"))
	if c := outcome(t, done); !errors.Is(c.err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", c.err)
	}
	// The tracker can be calibrated again.
	again := begun(t, context.Background(), far, s)
	far.Unplug()
	if c := outcome(t, again); !errors.Is(c.err, gazepoint.ErrInterrupted) {
		t.Errorf("%v, want ErrInterrupted", c.err)
	}
}

func TestCalibrationNeedsATracker(t *testing.T) {
	t.Parallel()
	s := source("/dev/null")
	if _, err := s.Calibrate(context.Background(), gazepoint.CalibrationOptions{}); !errors.Is(err, gazepoint.ErrNotConnected) {
		t.Errorf("%v, want ErrNotConnected", err)
	}
	for _, o := range []gazepoint.CalibrationOptions{
		{Delay: -1}, {Timeout: -1}, {Points: make([]gazepoint.Target, gazepoint.MaxPoints+1)}, {Points: []gazepoint.Target{{X: 1.1}}}, {Points: []gazepoint.Target{{Y: math.NaN()}}},
	} {
		if _, err := s.Calibrate(context.Background(), o); err == nil || errors.Is(err, gazepoint.ErrNotConnected) {
			t.Errorf("%+v: %v, want what is wrong with it", o, err)
		}
	}
}
