package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"emolab/studies/study"
)

// Sheets are the pages of a study, with all that can be answered on them.
type Sheets struct {
	Languages []string      `json:"languages"` // the first is that of who does not choose
	Sheets    []study.Sheet `json:"sheets"`
}

// keepSheets writes the pages of a study beside its file: what its answers mean cannot be
// told from the file alone, which names others for texts and forms.
func keepSheets(ctx context.Context, tx *sql.Tx, st *study.Study) error {
	if len(st.Sheets) == 0 {
		return nil
	}
	pages, err := json.Marshal(Sheets{st.Languages, st.Sheets})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE study SET sheets = ? WHERE hash = ? AND sheets = ''", string(pages), st.Hash)
	return err
}

// Sheets returns the pages of the study that a session was made with. A study that was
// made without any has none.
func (s *Store) Sheets(ctx context.Context, id string) (Sheets, error) {
	var kept Sheets
	var pages string
	err := s.read.QueryRowContext(ctx, "SELECT y.sheets FROM session s JOIN study y ON y.hash = s.study_hash WHERE s.id = ?", id).Scan(&pages)
	if err == nil && pages != "" {
		err = json.Unmarshal([]byte(pages), &kept)
	}
	if err != nil {
		return Sheets{}, fmt.Errorf("store: read the pages of session %s: %w", id, explain(missing(err)))
	}
	return kept, nil
}
