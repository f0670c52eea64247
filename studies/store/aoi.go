package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrNewerAreas says that somebody has changed areas of interest meanwhile.
var ErrNewerAreas = errors.New("somebody has saved a newer version meanwhile")

// AreaVersion is a version of the areas of interest of one video, in a file as study.yaml
// takes it.
type AreaVersion struct {
	Version int // from 1
	Areas   []byte
	Note    string
	By      string
	Made    time.Time
}

// AreaVersions returns the versions of the areas on the video with that hash, the oldest
// first.
func (s *Store) AreaVersions(ctx context.Context, sha256 string) ([]AreaVersion, error) {
	var out []AreaVersion
	err := s.each(ctx, "SELECT version, areas, note, made_by, made_utc FROM aoi_set WHERE sha256 = ? ORDER BY version", []any{sha256}, func(row scanner) error {
		var v AreaVersion
		var made string
		err := row.Scan(&v.Version, &v.Areas, &v.Note, &v.By, &made)
		if err == nil {
			v.Made, err = parseWall(made)
		}
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: read areas of interest: %w", explain(err))
	}
	return out, nil
}

// AddAreas adds the version that follows base, which must be the latest: else
// ErrNewerAreas.
func (s *Store) AddAreas(ctx context.Context, sha256 string, base int, v AreaVersion) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var latest int
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM aoi_set WHERE sha256 = ?", sha256).Scan(&latest); err != nil {
			return err
		}
		if latest != base {
			return ErrNewerAreas
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO aoi_set (sha256, version, areas, note, made_by, made_utc) VALUES (?, ?, ?, ?, ?, "+utcNow+")",
			sha256, base+1, string(v.Areas), v.Note, v.By)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save areas of interest: %w", err)
	}
	return nil
}
