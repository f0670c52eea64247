package withdrawal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"emolab/studies/shred"
	"emolab/studies/store"
)

// Outdated is what became of the bundles of a session that no longer say what the study's
// file says.
type Outdated struct {
	Erased []string // files in the data folder
	// Left are files elsewhere, for somebody to delete; and Recipients those who were
	// given one.
	Left, Recipients []string
}

// ClearOutdated erases those bundles of a session in the data folder dir that are marked
// as stale, so that nobody is given one that names a former participant. A file that is
// not what was exported stays as it is.
func ClearOutdated(ctx context.Context, s *store.Store, dir, sessionID string) (Outdated, error) {
	exports, err := s.Exports(ctx, sessionID)
	if err != nil {
		return Outdated{}, fmt.Errorf("withdrawal: %w", err)
	}
	var o Outdated
	var failed []error
	for _, x := range exports {
		if x.Stale == "" {
			continue
		}
		if x.Recipient != "" && !slices.Contains(o.Recipients, x.Recipient) {
			o.Recipients = append(o.Recipients, x.Recipient)
		}
		switch {
		case !is(x.Path, x.SHA256):
		case !contains(dir, x.Path):
			if !slices.Contains(o.Left, x.Path) {
				o.Left = append(o.Left, x.Path)
			}
		default:
			if err := shred.File(ctx, x.Path); err != nil {
				failed = append(failed, fmt.Errorf("withdrawal: a bundle that is out of date is still there: %w; delete %s by hand", err, x.Path))
				continue
			}
			o.Erased = append(o.Erased, x.Path)
		}
	}
	return o, errors.Join(failed...)
}
