package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Modality is one of the ways in which a participant is measured.
type Modality string

// The modalities.
const (
	Face Modality = "face"
	Gaze Modality = "gaze"
	EDA  Modality = "eda"
)

// kind is that of the streams that measure it.
func (m Modality) kind() stream.Kind {
	switch m {
	case Face:
		return stream.Face
	case Gaze:
		return stream.Gaze
	}
	return stream.EDA
}

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

// staying is for how many of its usual intervals a sample stands at most: what is missing
// for longer than one sample was not measured.
const staying = 2

// measured is for how long of each presentation samples stand that are good: each from
// its instant until the next one's.
func measured(samples []stream.Sample, good func(values []float64) bool, shown []presented) map[int]time.Duration {
	out := map[int]time.Duration{}
	longest := staying * usualInterval(samples)
	k := 0
	for i, s := range samples {
		until := s.At.Add(longest)
		if i+1 < len(samples) {
			until = min(until, samples[i+1].At)
		}
		for k < len(shown) && shown[k].until <= s.At {
			k++
		}
		if !good(s.Values) {
			continue
		}
		for _, p := range shown[k:] {
			if p.from >= until {
				break
			}
			if d := min(until, p.until).Sub(max(s.At, p.from)); d > 0 {
				out[p.number] += d
			}
		}
	}
	return out
}

// usualInterval is the median time between samples.
func usualInterval(samples []stream.Sample) time.Duration {
	if len(samples) < 2 {
		return 0
	}
	gaps := make([]time.Duration, 0, len(samples)-1)
	for i := 1; i < len(samples); i++ {
		gaps = append(gaps, max(0, samples[i].At.Sub(samples[i-1].At)))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// sumUsable says for how much of each presentation of a segment its streams are good,
// while they are still there.
func (f *final) sumUsable(faceConf float64) {
	shown := presentations(f.course, f.end())
	add := func(m Modality, good map[int]time.Duration) {
		lasted := map[int]time.Duration{}
		for _, p := range shown {
			lasted[p.number] += p.until.Sub(p.from)
		}
		for number, long := range lasted {
			f.usable = append(f.usable, Usable{Presentation: number, Modality: m, Seconds: long.Seconds(), UsableS: min(good[number], long).Seconds()})
		}
	}
	if a := f.first(stream.Face); a != nil {
		found, confidence := a.info.Index("face_found"), a.info.Index("face_confidence")
		add(Face, measured(a.samples, func(v []float64) bool { return v[found] == 1 && v[confidence] >= faceConf }, shown))
	}
	if a := f.first(stream.Gaze); a != nil {
		valid := a.info.Index("gaze_valid")
		add(Gaze, measured(a.samples, func(v []float64) bool { return v[valid] == 1 }, shown))
	}
	if a := f.first(stream.EDA); a != nil {
		good := map[int]time.Duration{}
		for _, v := range f.summaries {
			if v.Stream == a.info.ID && v.Presentation > 0 && !math.IsNaN(v.ValidS) {
				good[v.Presentation] += time.Duration(v.ValidS * float64(time.Second))
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
