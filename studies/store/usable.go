package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
)

// Modality is one of the ways in which a participant is measured.
type Modality = usable.Modality

// The modalities.
const (
	Face = usable.Face
	Gaze = usable.Gaze
	EDA  = usable.EDA
)

// Usable says for how much of a presentation one modality was measured.
type Usable struct {
	Presentation int      `json:"presentation"`
	Modality     Modality `json:"modality"`
	Seconds      float64  `json:"seconds"`  // for which it was on the screen
	UsableS      float64  `json:"usable_s"` // of them measured: a face of the asked confidence, valid gaze, valid skin conductance
	Share        float64  `json:"share"`    // UsableS of Seconds
}

const usableQuery = `SELECT presentation, modality, seconds, usable_s, share FROM usable
	WHERE session_id = ? AND derivation = ? ORDER BY presentation, modality`

func scanUsable(row scanner, v *Usable) error {
	return row.Scan(&v.Presentation, &v.Modality, &v.Seconds, &v.UsableS, &v.Share)
}

// Usability says for how much of each presentation a session was measured, by its
// current derivation. Modalities without a device have no rows.
func (s *Store) Usability(ctx context.Context, id string) ([]Usable, error) {
	return list(ctx, s, id, `SELECT u.presentation, u.modality, u.seconds, u.usable_s, u.share FROM usable u
		JOIN session s ON s.id = u.session_id AND s.trace_derivation = u.derivation WHERE u.session_id = ? ORDER BY u.presentation, u.modality`, scanUsable)
}

// sumUsable says for how much of each presentation of a segment its streams are good,
// while they are still there.
func (f *final) sumUsable(faceConf float64) {
	shown := usable.Presentations(f.course, f.end())
	add := func(m Modality, good map[int]time.Duration) {
		for number, long := range usable.Lasted(shown) {
			f.usable = append(f.usable, Usable{Presentation: number, Modality: m, Seconds: long.Seconds(), UsableS: min(good[number], long).Seconds()})
		}
	}
	if a := f.first(stream.Face); a != nil {
		add(Face, usable.Measured(usable.FaceRule(a.info, faceConf).Read(a.samples), shown))
	}
	if a := f.first(stream.Gaze); a != nil {
		add(Gaze, usable.Measured(usable.GazeRule(a.info).Read(a.samples), shown))
	}
	if a := f.first(stream.EDA); a != nil {
		good := map[int]time.Duration{}
		for _, v := range f.summaries {
			if v.Stream == a.info.ID && v.Presentation > 0 {
				good[v.Presentation] += usable.Conductance(v.Summary)
			}
		}
		add(EDA, good)
	}
}

// end is the latest instant of anything that is joined: what was still on the screen was
// there until then.
func (f *final) end() instant.Instant {
	var end instant.Instant
	for _, a := range f.streams {
		if n := len(a.samples); n > 0 {
			end = max(end, a.samples[n-1].At)
		}
	}
	return end
}

// usables are those of all segments. What was shown in two of them is added up.
func (d *derived) usables() []Usable {
	var out []Usable
	for _, f := range d.segments {
		for _, u := range f.usable {
			k := slices.IndexFunc(out, func(v Usable) bool { return v.Presentation == u.Presentation && v.Modality == u.Modality })
			if k < 0 {
				out = append(out, u)
				continue
			}
			out[k].Seconds += u.Seconds
			out[k].UsableS += u.UsableS
		}
	}
	for i := range out {
		if out[i].Seconds > 0 {
			out[i].Share = out[i].UsableS / out[i].Seconds
		}
	}
	return out
}

func writeUsable(ctx context.Context, tx *sql.Tx, id, name string, d *derived) error {
	for _, u := range d.usables() {
		if _, err := tx.ExecContext(ctx, "INSERT INTO usable (session_id, derivation, presentation, modality, seconds, usable_s, share) VALUES (?, ?, ?, ?, ?, ?, ?)",
			id, name, u.Presentation, u.Modality, u.Seconds, u.UsableS, u.Share); err != nil {
			return fmt.Errorf("write what is usable: %w", err)
		}
	}
	return nil
}
