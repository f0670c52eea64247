package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"emolab/studies/session"
	"emolab/studies/study"
)

// What the row of a whole sheet says.
const (
	answered = "answered"
	declined = "declined"
)

// decimal is an answer that is a number.
var decimal = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,15})?$`)

// Answer keeps what the participant answered on one sheet, and the text that was read.
// The bands of a screening go to the registry of participants as well.
func (r *recorder) Answer(ctx context.Context, a session.Answer) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		if err := addText(ctx, tx, a.TextSHA256, a.Language, a.Text); err != nil {
			return err
		}
		if err := r.answer(ctx, tx, a); err != nil || a.Kind != study.ScreeningSheet {
			return err
		}
		return keepBands(ctx, tx, r.id)
	})
	if err != nil {
		return fmt.Errorf("store: session %s: keep the answers on %s: %w", r.id, a.Sheet, err)
	}
	return nil
}

// answer writes the row of the sheet and those of its values.
func (r *recorder) answer(ctx context.Context, tx *sql.Tx, a session.Answer) error {
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(n) + 1, 0) FROM answer WHERE session_id = ?", r.id).Scan(&n); err != nil {
		return err
	}
	var presentation, at any // none, and before the recording
	if a.Presentation > 0 {
		presentation = a.Presentation
	}
	if a.At != 0 && r.recording() {
		at = int64(a.At)
	}
	when := sql.NullString{String: wall(a.Wall), Valid: !a.Wall.IsZero()} // NULL: now
	row := func(item, value string, number, ms any) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO answer (session_id, n, segment, step, sheet, kind, item, value, number, stimulus, presentation,
			response_ms, language, text_sha256, at_ns, at_utc, how) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, `+utcNow+`), ?)`,
			r.id, n, r.in(), a.Step, a.Sheet, a.Kind, item, value, number, a.Stimulus, presentation, ms, a.Language, a.TextSHA256, at, when, a.How)
		return err
	}
	whole := answered
	if a.Declined {
		whole = declined
	}
	if err := row("", whole, nil, nil); err != nil {
		return err
	}
	for _, item := range slices.Sorted(maps.Keys(a.Values)) {
		if item == "" {
			return errors.New("an answer has no name")
		}
		value := a.Values[item]
		var number, ms any // it is none, and not measured
		if decimal.MatchString(value) {
			number, _ = strconv.ParseFloat(value, 64) // of what matches it cannot fail
		}
		if t, ok := a.ResponseMs[item]; ok {
			ms = t
		}
		if err := row(item, value, number, ms); err != nil {
			return err
		}
	}
	return nil
}

// addText keeps a text that was read, once. Its hash is checked, because it is what a
// consent refers to.
func addText(ctx context.Context, tx *sql.Tx, hash, language, words string) error {
	if words == "" {
		return nil
	}
	if sum := sha256.Sum256([]byte(words)); hex.EncodeToString(sum[:]) != hash {
		return fmt.Errorf("the text that was read does not have the hash %s that its answer names", hash)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO text (sha256, language, words) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", hash, language, words)
	return err
}

// Answer is what a participant answered on one sheet.
type Answer struct {
	Segment int `json:"segment"` // that it was given in; -1 before the recording
	session.Answer
}

const answerQuery = `SELECT n, coalesce(segment, -1), step, sheet, kind, item, value, stimulus, coalesce(presentation, 0), response_ms,
	language, text_sha256, coalesce(at_ns, 0), at_utc, how FROM answer WHERE session_id = ? ORDER BY n, item`

// Answers returns the participant's answers, sheet by sheet in the order in which they
// were given. Their Text is left out: Texts has it.
func (s *Store) Answers(ctx context.Context, id string) ([]Answer, error) {
	out, err := answersOf(ctx, s.read, id)
	if err != nil {
		return nil, fmt.Errorf("store: session %s: read its answers: %w", id, explain(err))
	}
	return out, nil
}

// answersOf reads the answers. The row of the whole sheet comes before those of its values.
func answersOf(ctx context.Context, q querier, id string) ([]Answer, error) {
	rows, err := q.QueryContext(ctx, answerQuery, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Answer{}
	last := none
	for rows.Next() {
		var v Answer
		var n int
		var item, value, at string
		var ms sql.NullFloat64
		if err := rows.Scan(&n, &v.Segment, &v.Step, &v.Sheet, &v.Kind, &item, &value, &v.Stimulus, &v.Presentation, &ms,
			&v.Language, &v.TextSHA256, &v.At, &at, &v.How); err != nil {
			return nil, err
		}
		if n != last {
			if v.Wall, err = parseWall(at); err != nil {
				return nil, err
			}
			v.Values, v.ResponseMs = study.Answers{}, map[string]float64{}
			out, last = append(out, v), n
		}
		of := &out[len(out)-1]
		if item == "" {
			of.Declined = value == declined
			continue
		}
		of.Values[item] = value
		if ms.Valid {
			of.ResponseMs[item] = ms.Float64
		}
	}
	return out, rows.Err()
}

// answersSoFar reads the answers of a session that is continued.
func answersSoFar(ctx context.Context, tx *sql.Tx, id string) ([]session.Answer, error) {
	all, err := answersOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	var out []session.Answer
	for _, a := range all {
		out = append(out, a.Answer)
	}
	return out, nil
}

// Text is something that participants read.
type Text struct {
	SHA256   string `json:"sha256"` // of Words, hex
	Language string `json:"language"`
	Words    string `json:"words"`
}

// readTexts picks the hashes of the texts that were read in session ?1.
const readTexts = "(SELECT text_sha256 FROM answer WHERE session_id = ?1 UNION SELECT text_sha256 FROM consent WHERE session_id = ?1)"

// Texts returns what the participant of a session read, each once.
func (s *Store) Texts(ctx context.Context, id string) ([]Text, error) {
	return list(ctx, s, id, "SELECT sha256, language, words FROM text WHERE sha256 IN "+readTexts+" ORDER BY sha256",
		func(row scanner, v *Text) error { return row.Scan(&v.SHA256, &v.Language, &v.Words) })
}

// keepBands writes into the registry what the screenings of a session's participant came
// to, of each question the latest answer.
func keepBands(ctx context.Context, tx *sql.Tx, id string) error {
	var code string
	if err := tx.QueryRowContext(ctx, "SELECT participant FROM session WHERE id = ?", id).Scan(&code); err != nil {
		return missing(err)
	}
	return writeBands(ctx, tx, code)
}

func writeBands(ctx context.Context, tx *sql.Tx, code string) error {
	rows, err := tx.QueryContext(ctx, `SELECT a.item, a.value FROM answer a JOIN session s ON s.id = a.session_id
		WHERE s.participant = ? AND a.kind = ? AND a.item <> '' ORDER BY s.run, s.id, a.n`, code, study.ScreeningSheet)
	if err != nil {
		return err
	}
	defer rows.Close()
	bands := study.Answers{}
	for rows.Next() {
		var item, value string
		if err := rows.Scan(&item, &value); err != nil {
			return err
		}
		bands[item] = value
	}
	if err := rows.Err(); err != nil {
		return err
	}
	words, err := json.Marshal(bands)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE participant SET bands = ? WHERE code = ?", string(words), code)
	return err
}
