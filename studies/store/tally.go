package store

import (
	"context"

	"emolab/studies/session"
)

// tallyQuery tells, for each person and each stimulus that they were shown in a sealed
// session, whether they count for it: their session is usable, and each modality that the
// study needs was measured for enough of one of its showings.
const tallyQuery = `SELECT p.stimulus, x.brand, max(s.usable IS 1 AND NOT EXISTS (
		SELECT 1 FROM (VALUES ('face', '$.needs_face'), ('gaze', '$.needs_gaze'), ('eda', '$.needs_eda')) AS need
		WHERE coalesce(json_extract(y.rules, need.column2), 0) AND NOT EXISTS (
			SELECT 1 FROM usable u WHERE u.session_id = s.id AND u.derivation = s.trace_derivation AND u.presentation = p.number
				AND u.modality = need.column1 AND u.share >= json_extract(y.rules, '$.usable_share')))), s.participant
	FROM session s JOIN study y ON y.hash = s.study_hash
	JOIN presentation p ON p.session_id = s.id
	JOIN stimulus x ON x.study_hash = s.study_hash AND x.id = p.stimulus
	WHERE s.plan_row >= 0 AND s.state = 'sealed' AND NOT coalesce(json_extract(s.plan, '$.steps[' || p.step || '].filler'), 0)
		AND EXISTS (SELECT 1 FROM usable u WHERE u.session_id = s.id AND u.derivation = s.trace_derivation AND u.presentation = p.number AND u.seconds > 0)
	GROUP BY p.stimulus, x.brand, s.participant ORDER BY x.brand, p.stimulus, s.participant`

// tally counts people by stimulus and by brand. A person counts for a brand when they do
// for one of its stimuli.
func (s *Store) tally(ctx context.Context) (videos, brands []session.Tally, err error) {
	videos, brands = []session.Tally{}, []session.Tally{}
	type place struct{ brand, participant string }
	seen := map[place]bool{} // person and brand -> they count for it
	err = s.each(ctx, tallyQuery, nil, func(row scanner) error {
		var stimulus, brand, participant string
		var usable bool
		if err := row.Scan(&stimulus, &brand, &usable, &participant); err != nil {
			return err
		}
		videos = counted(videos, stimulus, 1, usable)
		at := place{brand, participant}
		was, known := seen[at]
		if brand == "" || known && (was || !usable) {
			return nil
		}
		shown := 1
		if known {
			shown = 0
		}
		brands = counted(brands, brand, shown, usable)
		seen[at] = usable
		return nil
	})
	return videos, brands, err
}

// counted adds people to the tally of a name; names come one after the other.
func counted(all []session.Tally, name string, shown int, usable bool) []session.Tally {
	if n := len(all); n == 0 || all[n-1].Name != name {
		all = append(all, session.Tally{Name: name})
	}
	t := &all[len(all)-1]
	t.Shown += shown
	if usable {
		t.Usable++
	}
	return all
}
