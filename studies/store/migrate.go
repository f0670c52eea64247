package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// migrations are the steps from an empty file to the present schema, in the
// order of their names. A released step is never edited: a change is a new step.
//
//go:embed migrations/*.sql
var migrations embed.FS

// steps returns the SQL of the migrations in order.
func steps() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	out := make([]string, len(names))
	for i, name := range names {
		b, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[i] = string(b)
	}
	return out, nil
}

// version reads how many migrations the file has had.
func version(ctx context.Context, db *sql.DB) (int, error) {
	var v int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return v, nil
}

// migrate brings the schema up to date, one transaction for each step. db has one
// connection.
func migrate(ctx context.Context, db *sql.DB) error {
	all, err := steps()
	if err != nil {
		return err
	}
	from, err := version(ctx, db)
	if err != nil {
		return err
	}
	if from > len(all) {
		return newer(from, len(all))
	}
	if from == len(all) {
		return nil
	}
	// A table that others refer to can be made anew only while nobody looks, and SQLite
	// stops looking only outside of a transaction. Each step is looked at when it is over.
	if _, err := db.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return err
	}
	for i := from; i < len(all); i++ {
		if err := inTx(ctx, db, func(tx *sql.Tx) error { return step(ctx, tx, i+1, all[i]) }); err != nil {
			return fmt.Errorf("bring the schema to version %d: %w", i+1, err)
		}
	}
	_, err = db.ExecContext(ctx, "PRAGMA foreign_keys = ON")
	return err
}

// step runs the step that leads to a version.
func step(ctx context.Context, tx *sql.Tx, to int, statements string) error {
	if _, err := tx.ExecContext(ctx, statements); err != nil {
		return err
	}
	var table, parent string
	err := tx.QueryRowContext(ctx, `SELECT "table", parent FROM pragma_foreign_key_check LIMIT 1`).Scan(&table, &parent)
	if err == nil {
		return fmt.Errorf("rows of %s refer to rows of %s that are not there", table, parent)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", to))
	return err
}

// current refuses a file whose schema is not the present one.
func current(ctx context.Context, db *sql.DB) error {
	all, err := steps()
	if err != nil {
		return err
	}
	v, err := version(ctx, db)
	if err != nil {
		return err
	}
	switch {
	case v > len(all):
		return newer(v, len(all))
	case v < len(all):
		return fmt.Errorf("the file has schema version %d, this program reads %d; open it once with `emolab serve` to bring it up to date", v, len(all))
	}
	return nil
}

func newer(have, know int) error {
	return fmt.Errorf("the file has schema version %d, this program knows up to %d; use a newer emolab", have, know)
}

// Schema returns the version of the schema that this program writes.
func Schema() (int, error) {
	all, err := steps()
	return len(all), err
}
