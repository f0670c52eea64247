package gazepoint

import (
	"testing"
	"time"

	"emolab/fusion/instant"
)

// step is one record of a 100 Hz tracker, given in records and in units of 10 ms.
type step struct {
	count, time int64
	at          int64 // arrival, also in 10 ms; 0 = as time
}

// play returns what the sequence makes of the steps: counts accepted, and sums.
func play(steps []step) (counts []int64, lost, damaged int64, rebased int) {
	q := sequence{rate: 100}
	for _, s := range steps {
		if s.at == 0 {
			s.at = s.time
		}
		out, n, bad := q.take(Record{Count: s.count, TimeUS: s.time * 10_000}, instant.Instant(s.at)*instant.Instant(10*time.Millisecond))
		damaged += bad
		for _, p := range out[:n] {
			counts = append(counts, p.Count)
			lost += p.Lost
			if p.Rebased {
				rebased++
			}
		}
	}
	return counts, lost, damaged, rebased
}

func TestSequence(t *testing.T) {
	for _, c := range []struct {
		name          string
		steps         []step
		accepted      int
		lost, damaged int64
		rebased       int
	}{
		{"steady", []step{{5, 100, 0}, {6, 101, 0}, {7, 102, 0}}, 3, 0, 0, 0},
		{"lost", []step{{5, 100, 0}, {9, 104, 0}, {10, 105, 0}}, 3, 3, 0, 0},
		{"damaged count", []step{{5, 100, 0}, {86, 101, 0}, {7, 102, 0}}, 2, 1, 1, 0},
		{"damaged time", []step{{5, 100, 0}, {6, 901, 101}, {7, 102, 0}}, 2, 1, 1, 0},
		{"two damaged in a row", []step{{5, 100, 0}, {86, 101, 0}, {7, 9, 102}, {8, 103, 0}}, 2, 2, 2, 0},
		{"damaged first", []step{{500, 100, 0}, {6, 101, 0}, {7, 102, 0}, {8, 103, 0}}, 4, 0, 0, 0},
		{"one twice", []step{{5, 100, 0}, {5, 100, 0}, {6, 101, 0}}, 2, 0, 1, 0},
		{"a piece twice", []step{{5, 100, 0}, {6, 101, 0}, {7, 102, 0}, {5, 100, 103}, {6, 101, 103}, {7, 102, 103}, {8, 103, 103}}, 4, 0, 3, 0},
		{"calibration", []step{{5, 100, 0}, {6, 1, 101}, {7, 2, 102}, {8, 3, 103}}, 4, 0, 0, 1},
		{"restart", []step{{5, 100, 0}, {0, 1, 150}, {1, 2, 151}}, 3, 0, 0, 1},
		{"camera stood still", []step{{5, 100, 0}, {6, 180, 0}, {7, 181, 0}}, 3, 0, 0, 0},
		{"clock ahead of the lab", []step{{5, 100, 0}, {6, 9000, 101}, {7, 9001, 102}}, 3, 0, 0, 1},
		{"long hole", []step{{5, 100, 0}, {505, 600, 0}, {506, 601, 0}}, 3, 499, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			counts, lost, damaged, rebased := play(c.steps)
			if len(counts) != c.accepted || lost != c.lost || damaged != c.damaged || rebased != c.rebased {
				t.Errorf("accepted %v, lost %d, damaged %d, rebased %d; want %d, %d, %d, %d",
					counts, lost, damaged, rebased, c.accepted, c.lost, c.damaged, c.rebased)
			}
		})
	}
}
