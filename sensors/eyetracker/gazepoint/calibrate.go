package gazepoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

const (
	// connectedWithin is how long Calibrate waits for a tracker that is connected
	// and done with its commands.
	connectedWithin = 2 * time.Second
	// calibrationGrace is how much longer than its delay and timeout a point may
	// take, and how long the tracker may compute the result.
	calibrationGrace = 5 * time.Second
	// maxSteps bounds the steps that wait to be looked at: two a point, and as many
	// again for a calibration that was repeated by hand.
	maxSteps = 4 * MaxPoints
	// listAttempts is how often the list of points is written anew when its count
	// does not come out right.
	listAttempts = 3
)

// What can come of a calibration besides a result. Test with errors.Is.
var (
	ErrNotConnected = errors.New("gazepoint: calibrate: the tracker is not connected")
	ErrBusy         = errors.New("gazepoint: calibrate: another calibration is under way")
	ErrNoResult     = errors.New("gazepoint: calibrate: no answer in time: check the tracker's own window")
	ErrInterrupted  = errors.New("gazepoint: calibrate: the connection ended")
)

// job is one calibration, on its way from who wants it to who speaks.
type job struct {
	ctx   context.Context // of who wants it
	o     CalibrationOptions
	steps chan Step
	done  chan outcome // one place: whoever speaks never waits
}

type outcome struct {
	calibration Calibration
	err         error
}

// Calibrate has the tracker calibrate itself on the participant, over the
// connection that Run holds, and returns its result. The records go on
// meanwhile; the tracker's clock begins anew, which begins a new epoch. The
// result is entered in the stream as Marker events as well.
//
// It fails with ErrNotConnected, ErrBusy, ErrNoResult, ErrInterrupted, ctx's
// error, or one that names the command that the tracker refused.
func (s *Source) Calibrate(ctx context.Context, o CalibrationOptions) (Calibration, error) {
	o, err := o.complete()
	if err != nil {
		return Calibration{}, err
	}
	if !s.calibrating.TryLock() {
		return Calibration{}, ErrBusy
	}
	defer s.calibrating.Unlock()
	j := &job{ctx: ctx, o: o, steps: make(chan Step, maxSteps), done: make(chan outcome, 1)}
	absent := time.NewTimer(connectedWithin)
	defer absent.Stop()
	select {
	case s.jobs <- j:
	case <-absent.C:
		return Calibration{}, ErrNotConnected
	case <-ctx.Done():
		return Calibration{}, ctx.Err()
	}
	for {
		select {
		case step := <-j.steps:
			j.tell(step)
		case r := <-j.done: // always comes: the job ends with ctx or the connection
			for len(j.steps) > 0 {
				j.tell(<-j.steps)
			}
			return r.calibration, r.err
		}
	}
}

func (j *job) tell(s Step) {
	if j.o.Progress != nil {
		j.o.Progress(s)
	}
}

// calibrate does a job. speaking ends with the connection.
func (d *dialogue) calibrate(speaking context.Context, w io.Writer, j *job) outcome {
	ctx, end := context.WithCancel(j.ctx)
	defer end()
	defer context.AfterFunc(speaking, end)()
	c, err := d.runCalibration(ctx, w, j)
	if err != nil {
		// Leave the tracker as it was; a failing goodbye has no one left to tell.
		_, _ = w.Write(disable("CALIBRATE_START").text)
	}
	_, _ = w.Write(disable("CALIBRATE_SHOW").text)
	switch {
	case err == nil:
		return outcome{calibration: c}
	case j.ctx.Err() != nil:
		return outcome{err: fmt.Errorf("gazepoint: calibrate: %w", j.ctx.Err())}
	case speaking.Err() != nil:
		return outcome{err: ErrInterrupted}
	}
	return outcome{err: err}
}

func (d *dialogue) runCalibration(ctx context.Context, w io.Writer, j *job) (Calibration, error) {
	if err := d.listPoints(ctx, w, j.o.Points); err != nil {
		return Calibration{}, err
	}
	show := "0"
	if j.o.Show {
		show = "1"
	}
	for _, c := range []command{
		set("CALIBRATE_DELAY", "VALUE", decimal(j.o.Delay.Seconds())),
		set("CALIBRATE_TIMEOUT", "VALUE", decimal(j.o.Timeout.Seconds())),
		set("CALIBRATE_SHOW", "STATE", show),
	} {
		if _, err := d.demand(ctx, w, c); err != nil {
			return Calibration{}, err
		}
	}
	for len(d.calibrations) > 0 {
		<-d.calibrations // of one that was made by hand
	}
	if _, err := d.demand(ctx, w, enable("CALIBRATE_START")); err != nil {
		return Calibration{}, err
	}
	points, err := d.followCalibration(ctx, j)
	if err != nil {
		return Calibration{}, err
	}
	c := Calibration{Points: points, MeanErrorPx: math.NaN(), ValidPoints: -1}
	summary := get("CALIBRATE_RESULT_SUMMARY")
	summary.optional = true // the result is there
	a, err := d.ask(ctx, w, summary)
	if err != nil {
		return Calibration{}, err
	}
	if a.ok {
		// What cannot be read of it is not stated; it is counted where it is heard.
		c.MeanErrorPx, c.ValidPoints, _ = parseSummary(a.values)
	}
	return c, nil
}

// listPoints tells the tracker which points to use.
func (d *dialogue) listPoints(ctx context.Context, w io.Writer, points []Target) error {
	if points == nil {
		_, err := d.demand(ctx, w, set("CALIBRATE_RESET"))
		return err
	}
	for range listAttempts {
		if whole, err := d.listOnce(ctx, w, points); whole || err != nil {
			return err
		}
	}
	return errors.New("gazepoint: calibrate: the tracker counts its calibration points otherwise than told: is another program using it?")
}

// listOnce writes the list of points. An answer that is lost on the way makes a
// point be added twice; the tracker's count tells, and it is not whole.
func (d *dialogue) listOnce(ctx context.Context, w io.Writer, points []Target) (whole bool, err error) {
	if _, err := d.demand(ctx, w, set("CALIBRATE_CLEAR")); err != nil {
		return false, err
	}
	for i, p := range points {
		a, err := d.demand(ctx, w, set("CALIBRATE_ADDPOINT", "X", decimal(p.X), "Y", decimal(p.Y)))
		if err != nil {
			return false, err
		}
		if string(a.values.Value("PTS")) != strconv.Itoa(i+1) {
			return false, nil
		}
	}
	return true, nil
}

// followCalibration passes the steps on until the result comes.
func (d *dialogue) followCalibration(ctx context.Context, j *job) ([]PointResult, error) {
	patience := j.o.Delay + j.o.Timeout + calibrationGrace
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case c := <-d.calibrations:
			if c.result != nil {
				return c.result, nil
			}
			select {
			case j.steps <- c.step:
			default: // nobody looks at that many
			}
			late.Reset(patience)
		case <-late.C:
			return nil, ErrNoResult
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
