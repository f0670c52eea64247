package aligntest

import (
	"math/rand/v2"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Camera is a webcam. The truth of a frame is the middle of its exposure.
type Camera struct {
	Info stream.Info // HostClock: its driver stamps; ArrivalClock: nobody does
	Seed uint64

	Exposure time.Duration
	Stamp    Delay // from the end of the exposure to the driver's stamp
	Arrival  Delay // from there to this process
	Loss     float64
	Stalls   []Span // when the host reads nothing
}

// Record runs the camera for as long as told.
func (c Camera) Record(length time.Duration) Recording {
	r := rand.New(rand.NewPCG(c.Seed, 0x63616d657261)) // "camera"
	rec := Recording{Info: c.Info}
	period := time.Duration(float64(time.Second) / c.Info.Rate)
	var read instant.Instant
	var seq int64
	for at := begin.Add(period); at.Sub(begin) < length; at = at.Add(period) {
		stamp := at.Add(c.Exposure/2 + c.Stamp.draw(r))
		read = over(c.Stalls, max(read+1, stamp.Add(c.Arrival.draw(r)))) // one at a time
		lost := r.Float64() < c.Loss
		s := stream.Sample{Seq: seq, Tick: int64(stamp), Arrival: read}
		if c.Info.Clock == stream.ArrivalClock {
			s.Tick = int64(read)
			if lost {
				continue // and nobody counts it
			}
		}
		seq++
		if lost {
			continue
		}
		rec.Stamps = append(rec.Stamps, align.Stamp{Seq: s.Seq, Tick: s.Tick, Arrival: s.Arrival})
		rec.Truth = append(rec.Truth, at)
		rec.Chunks = append(rec.Chunks, stream.Chunk{Stream: c.Info.ID, Samples: []stream.Sample{s}})
	}
	return rec
}
