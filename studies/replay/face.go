package replay

import (
	"context"
	"fmt"
	"path"
	"slices"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/store"
)

// Faces are the pictures of faces that were kept, in the lab's data folder.
type Faces interface {
	// Frames lists the pictures of a session that can be read.
	Frames(sessionID string) ([]FaceFrame, error)
	// JPEG returns one of them.
	JPEG(sessionID string, f FaceFrame) ([]byte, error)
}

// FaceFrame is one kept picture.
type FaceFrame struct {
	Segment int
	Seq     int64           // number of the camera frame
	At      instant.Instant // as it was known when it was taken
	File    string          // name of its file
	Place   int             // in that file, from 0
}

// FaceTimes tells when the kept pictures of a session's face were taken, in ms on its
// axis; by their places they are asked for.
func (p *Player) FaceTimes(ctx context.Context, id string) ([]float64, error) {
	var out []float64
	err := p.with(ctx, id, func(o *opened) error {
		_, times, err := p.kept(ctx, o)
		out = times
		return err
	})
	return out, err
}

// FacePicture returns one of them as JPEG.
func (p *Player) FacePicture(ctx context.Context, id string, n int) ([]byte, error) {
	var out []byte
	err := p.with(ctx, id, func(o *opened) error {
		frames, _, err := p.kept(ctx, o)
		if err != nil {
			return err
		}
		if n < 0 || n >= len(frames) {
			return refuse(Absent, fmt.Sprintf("%d pictures of the face are kept: there is no number %d", len(frames), n))
		}
		out, err = p.faces.JPEG(id, frames[n])
		return err
	})
	return out, err
}

// films are the files of the face's video that are kept with the participant's consent:
// asked anew each time, because they may be erased while the session stays.
func (p *Player) films(ctx context.Context, o *opened) ([]store.Video, error) {
	consents, err := p.store.Consents(ctx, o.ID)
	if err != nil || p.faces == nil || !agreed(consents) {
		return nil, err
	}
	return p.store.Videos(ctx, o.ID)
}

// readFilm tells from when to when there is video.
func (p *Player) readFilm(ctx context.Context, o *opened, out *Session) error {
	files, err := p.films(ctx, o)
	for _, v := range files {
		from, until := o.axis.ms(v.Segment, v.From), o.axis.ms(v.Segment, v.Until)
		if out.Face == nil {
			out.Face = &Film{FromMs: from, UntilMs: until}
		}
		f := out.Face
		f.Frames, f.FromMs, f.UntilMs = f.Frames+v.Frames, min(f.FromMs, from), max(f.UntilMs, until)
	}
	return err
}

// kept lists the pictures that are kept of a session, and when they were taken.
func (p *Player) kept(ctx context.Context, o *opened) ([]FaceFrame, []float64, error) {
	files, err := p.films(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		o.faceFrames, o.faceTimes = nil, nil
		return nil, nil, refuse(Absent, "no video of the face is kept of session "+o.ID)
	}
	if o.faceFrames != nil {
		return o.faceFrames, o.faceTimes, nil
	}
	all, err := p.faces.Frames(o.ID)
	if err != nil {
		return nil, nil, err
	}
	// Rows speak of the files that are whole, and that were meant to be kept.
	frames := slices.DeleteFunc(all, func(f FaceFrame) bool {
		return !slices.ContainsFunc(files, func(v store.Video) bool { return v.Segment == f.Segment && path.Base(v.File) == f.File })
	})
	times := make([]float64, len(frames))
	aligned := map[int]map[int64]instant.Instant{}
	for i, f := range frames {
		if aligned[f.Segment] == nil {
			if aligned[f.Segment], err = p.store.FaceInstants(ctx, o.ID, f.Segment); err != nil {
				return nil, nil, err
			}
		}
		at, ok := aligned[f.Segment][f.Seq]
		if !ok { // kept, but not analysed
			at = f.At
		}
		times[i] = o.axis.ms(f.Segment, at)
	}
	o.faceFrames, o.faceTimes = frames, times
	return frames, times, nil
}

// agreed tells whether the participant's latest word on their face's video is yes.
func agreed(consents []store.Consent) bool {
	yes := false
	for _, c := range consents {
		if c.Scope == session.FaceVideo {
			yes = c.Granted
		}
	}
	return yes
}
