package withdrawal

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/studies/session"
	"emolab/studies/study"
)

// Another code leads to the same end as the first, which goes on to hold, and is nowhere.
func TestAnotherCode(t *testing.T) {
	t.Parallel()
	b := &bench{dir: filepath.Join(t.TempDir(), "data")}
	var err error
	if b.key, err = OpenKey(b.dir); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	p := came(t, b.store, b.dir, b.key, began, "P7K2", study.Retain{FaceVideo: aDay, Traces: 9 * aDay})
	e := b.eraser()
	slip, err := e.GiveCode(t.Context(), p.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{slip.Code, "YOUR RECEIPT", "VOTRE REÇU", p.id, "yes  the video of your face", "oui  la vidéo de votre visage"} {
		if !strings.Contains(slip.Text, says) {
			t.Errorf("it does not say %q:\n%s", says, slip.Text)
		}
	}
	for _, typed := range []string{p.withdraw, slip.Code} {
		h, err := e.Holder(t.Context(), typed)
		if err != nil || h.Participant != "P7K2" || h.SessionID != p.id || h.Sessions != 1 || h.Bundles != 1 {
			t.Errorf("%+v, %v", h, err)
		}
	}
	plain, err := ParseCode(slip.Code)
	if err != nil {
		t.Fatal(err)
	}
	p.marks = map[string][]byte{"the other code": []byte(plain), "in groups": []byte(slip.Code)}
	if at := p.seen(t, b.dir); len(at) != 0 {
		t.Errorf("it is kept: %v", at)
	}
	if _, err := e.ByCode(t.Context(), slip.Code, nil); err != nil {
		t.Error(err)
	}
	if _, err := e.GiveCode(t.Context(), p.id); err == nil {
		t.Error("a code for who has withdrawn")
	}
}

// Only what was looked at is erased.
func TestWhatIsOverdue(t *testing.T) {
	t.Parallel()
	b := &bench{dir: filepath.Join(t.TempDir(), "data")}
	b.open(t)
	came(t, b.store, b.dir, b.key, began, "P7K2", study.Retain{FaceVideo: aDay, Traces: 700 * aDay})
	e := b.eraser()
	if list, err := e.Overdue(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	e.wall = func() time.Time { return time.Now().Add(2 * aDay) }
	list, err := e.Overdue(t.Context())
	if err != nil || len(list) != 1 || list[0].What != "video of the face" || list[0].Files != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := e.PurgeOverdue(t.Context(), 2, nil); !errors.Is(err, session.ErrOtherOverdue) {
		t.Errorf("another number: %v", err)
	}
	done, err := e.PurgeOverdue(t.Context(), 1, nil)
	if err != nil || done.Items != 1 || done.Files != 1 || done.Report == "" {
		t.Errorf("%+v, %v", done, err)
	}
	if list, err := e.Overdue(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("after it: %+v, %v", list, err)
	}
}
