package withdrawal

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"emolab/studies/bundle"
)

// A bundle that names a former participant does not stay in the data folder, and what lies
// elsewhere is told.
func TestOutdatedBundlesGo(t *testing.T) {
	t.Parallel()
	b := set(t)
	const ann = "Ann <ann@lab.example>"
	elsewhere, err := bundle.NewExporter(b.store, b.elsewhere).ExportTo(t.Context(), b.once.id, ann, nil)
	if err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(b.dir, "bundles", b.once.id+".zip")
	witness := filepath.Join(b.elsewhere, "witness")
	if err := os.Link(inside, witness); err != nil {
		t.Fatal(err)
	}
	if o, err := ClearOutdated(t.Context(), b.store, b.dir, b.once.id); err != nil || len(o.Erased)+len(o.Left)+len(o.Recipients) > 0 {
		t.Errorf("what is not out of date: %+v, %v", o, err)
	}
	if err := b.store.Move(t.Context(), b.once.id, "P7K2", "the code of the one before was typed"); err != nil {
		t.Fatal(err)
	}
	o, err := ClearOutdated(t.Context(), b.store, b.dir, b.once.id)
	if err != nil || !slices.Equal(o.Erased, []string{inside}) || !slices.Equal(o.Left, []string{elsewhere}) || !slices.Equal(o.Recipients, []string{ann}) {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := os.Stat(inside); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", inside, err)
	}
	if left, err := os.ReadFile(witness); err != nil || len(left) == 0 || slices.Max(left) != 0 {
		t.Errorf("its blocks still have its contents: %v", err)
	}
	if _, err := bundle.Verify(elsewhere); err != nil {
		t.Errorf("what lies elsewhere: %v", err)
	}
	if d, err := b.store.Session(t.Context(), b.once.id); err != nil || d.Bundle != "" {
		t.Errorf("the session still has the bundle %q, %v", d.Bundle, err)
	}

	// The bundle that takes its place stays.
	anew, err := bundle.NewExporter(b.store, filepath.Dir(inside)).Export(t.Context(), b.once.id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := ClearOutdated(t.Context(), b.store, b.dir, b.once.id); err != nil || len(o.Erased) > 0 {
		t.Errorf("once more: %+v, %v", o, err)
	}
	if d, err := b.store.Session(t.Context(), b.once.id); err != nil || d.Bundle != anew {
		t.Errorf("the session's bundle is %q, not %q, %v", d.Bundle, anew, err)
	}
	if _, err := bundle.Verify(b.otherBundle); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
}
