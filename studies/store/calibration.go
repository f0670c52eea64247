package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"emolab/fusion/instant"
)

// Kinds of calibration.
const (
	kindNeutral     = "neutral"           // the face at rest
	kindGaze        = "gaze"              // where the eyes are from what the tracker says
	kindValidation  = "gaze-validation"   // how far off the gaze is, at other points than those
	kindDrift       = "gaze-drift"        // how far off it is at the crosses, and how that grows
	kindConductance = "conductance-check" // whether the electrodes show what they should
)

// Calibration is something fitted, or found out, that derived rows are measured from
// or judged by.
type Calibration struct {
	Derivation string          `json:"derivation"`
	N          int             `json:"n"` // number in the derivation, from 1
	Segment    int             `json:"segment"`
	Stream     string          `json:"stream"` // of the device; "" for neutral
	Kind       string          `json:"kind"`   // neutral, gaze, gaze-validation, gaze-drift, conductance-check
	Step       *int            `json:"step"`   // of the plan; nil where it belongs to none
	Round      *int            `json:"round"`  // of the step, from 0: it grows with each redo
	Used       bool            `json:"used"`   // whether rows of the derivation are made with it
	Value      json.RawMessage `json:"value"`
	Residual   float64         `json:"residual"` // of neutral in parts of the distance between the eyes, of gaze in degrees; NaN: there is none
	From       instant.Instant `json:"from_ns"`
	Until      instant.Instant `json:"until_ns"`
	Software   string          `json:"software"`
	Created    time.Time       `json:"created"`
}

// MarshalJSON writes the calibration; a residual that is not there is null.
func (c Calibration) MarshalJSON() ([]byte, error) {
	type plain Calibration // without this method
	return json.Marshal(struct {
		plain
		Residual any `json:"residual"`
	}{plain(c), number(c.Residual)})
}

// writeCalibrations writes those of one derivation, numbered in their order.
func writeCalibrations(ctx context.Context, tx *sql.Tx, id, derivation, software string, all []Calibration) error {
	for i, c := range all {
		if _, err := tx.ExecContext(ctx, `INSERT INTO calibration (session_id, derivation, n, segment, stream, kind, step, round, used, value, residual, from_ns, until_ns, software, created_utc)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+utcNow+`)`,
			id, derivation, i+1, c.Segment, c.Stream, c.Kind, c.Step, c.Round, c.Used, string(c.Value), number(c.Residual),
			int64(c.From), int64(c.Until), software); err != nil {
			return fmt.Errorf("write the calibration %s: %w", c.Kind, err)
		}
	}
	return nil
}

func (s *Store) loadCalibrations(ctx context.Context, d *Detail) error {
	return s.each(ctx, `SELECT derivation, n, segment, stream, kind, step, round, used, value, residual, from_ns, until_ns, software, created_utc
		FROM calibration WHERE session_id = ? ORDER BY derivation, n`, []any{d.ID}, func(row scanner) error {
		var c Calibration
		var value, created string
		var residual sql.NullFloat64
		if err := row.Scan(&c.Derivation, &c.N, &c.Segment, &c.Stream, &c.Kind, &c.Step, &c.Round, &c.Used, &value, &residual,
			&c.From, &c.Until, &c.Software, &created); err != nil {
			return err
		}
		c.Value, c.Residual = json.RawMessage(value), float(residual)
		var err error
		c.Created, err = parseWall(created)
		d.Calibrations = append(d.Calibrations, c)
		return err
	})
}
