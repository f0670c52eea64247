package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"emolab/capture/face/offline"
	"emolab/capture/picture"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// importFlags put what was read into a study's database.
type importFlags struct {
	Study       string `help:"Also keep the rows in the database of this study, each file as a session without stimuli." type:"existingfile" placeholder:"FILE"`
	Data        string `help:"The study's data folder." default:"emolab-data" type:"path" placeholder:"DIR"`
	Participant string `help:"Whose face it is: the participant's code. Several files: P07 gives P07-1, P07-2." placeholder:"CODE"`
}

// importRow is the order that a session without stimuli has: none. It takes no
// row of the plan away from the next participant.
const importRow = -1

// importBatch is how many samples one transaction keeps.
const importBatch = 512

// importer adds files to one study's database. It is safe for concurrent use;
// nil adds nothing.
type importer struct {
	mu          sync.Mutex
	store       *store.Store
	study       *study.Study
	participant string
	several     bool
	added       int
}

// open opens the database; nil when none is asked for.
func (f importFlags) open(a *app, files []string) (*importer, error) {
	switch {
	case f.Study == "" && f.Participant == "":
		return nil, nil
	case f.Study == "" || f.Participant == "":
		return nil, usagef("--study and --participant go together: the study says which database, the code whose face it is")
	}
	if err := session.CheckParticipant(f.Participant); err != nil {
		return nil, &usageError{err.Error()}
	}
	for _, file := range files {
		if picture.Known(file) {
			return nil, usagef("%s is a picture; only films become sessions: leave --study out, or the picture", file)
		}
	}
	st, err := study.Load(f.Study)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return nil, err
	}
	s, err := store.Open(a.ctx, databasePath(f.Data, st.ID))
	if err != nil {
		return nil, err
	}
	return &importer{store: s, study: st, participant: f.Participant, several: len(files) > 1}, nil
}

func (m *importer) close() error {
	if m == nil {
		return nil
	}
	return m.store.Close()
}

// add keeps one file as a sealed session and returns its id.
func (m *importer) add(ctx context.Context, r *offline.Result) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.added++
	participant := m.participant
	if m.several {
		participant = fmt.Sprintf("%s-%d", participant, m.added)
	}
	now := time.Now()
	rows := trace.Info()
	rows.Rate = r.FPS
	h := session.Header{
		ID: session.NewID(now), Study: m.study, Plan: study.Plan{Row: importRow},
		Participant: participant,
		Segment:     session.Segment{Boot: "file", Start: offline.Start, Wall: now},
		Streams:     []stream.Info{r.Info, rows},
		Software:    "emolab " + version,
	}
	rec, err := m.store.Begin(ctx, h)
	if err != nil {
		return "", err
	}
	if err := m.fill(ctx, rec, r); err != nil {
		return "", fmt.Errorf("import %s: %w", r.File, err)
	}
	return h.ID, nil
}

// fill appends the samples and seals the session. The trace is derived again by
// the sealing, in the same way as that of every session.
func (m *importer) fill(ctx context.Context, rec session.Recorder, r *offline.Result) error {
	for from := 0; from < len(r.Samples); from += importBatch {
		batch := stream.Chunk{Stream: r.Info.ID, Samples: r.Samples[from:min(from+importBatch, len(r.Samples))]}
		if err := rec.Append(ctx, []stream.Chunk{batch}); err != nil {
			return err
		}
	}
	if err := rec.Stopped(ctx, "read from the file "+filepath.Base(r.File)); err != nil {
		return err
	}
	return rec.Seal(ctx, nil)
}
