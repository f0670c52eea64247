package replay

import (
	"context"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/store"
)

const (
	// shortestBand is what is worth a band: a blink is, a lost frame is not.
	shortestBand = 100 * time.Millisecond
	// usual is the interval of a stream that does not say its rate.
	usual = 33 * time.Millisecond
)

// Band is a stretch in which a modality was not usable.
type Band struct {
	Kind    store.Modality `json:"kind"` // "face", "gaze", "eda"
	FromMs  float64        `json:"from_ms"`
	UntilMs float64        `json:"until_ms"`
	Why     string         `json:"why"`
}

// readBands joins rows that follow each other and are not usable for one reason.
func (p *Player) readBands(ctx context.Context, o *opened, out *Session) error {
	out.Bands = []Band{}
	for _, m := range []store.Modality{store.Face, store.Gaze, store.EDA} {
		faults, err := p.store.Faults(ctx, o.Detail, m)
		if err != nil {
			return err
		}
		interval := o.interval(m)
		for i := 0; i < len(faults); {
			first, last := faults[i], faults[i]
			for i++; i < len(faults) && faults[i].Segment == last.Segment && faults[i].Seq == last.Seq+1 && faults[i].Why == last.Why; i++ {
				last = faults[i]
			}
			if until := last.At.Add(interval); until.Sub(first.At) >= shortestBand { // a row stands until the next
				out.Bands = append(out.Bands, Band{m, o.axis.ms(first.Segment, first.At), o.axis.ms(first.Segment, until), first.Why})
			}
		}
	}
	return nil
}

// interval is the time between two rows of a modality.
func (o *opened) interval(m store.Modality) time.Duration {
	for _, g := range o.Segments {
		for _, t := range g.Streams {
			if t.Kind == stream.Kind(m) && t.Rate > 0 {
				return time.Duration(float64(time.Second) / t.Rate)
			}
		}
	}
	return usual
}
