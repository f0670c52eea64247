package console

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

var errShort = errors.New("batch cut short")

// decodeBatch reads what appendBatch writes, as PROTOCOL.md says and as the
// page does.
func decodeBatch(b []byte) (now float64, blocks []block, err error) {
	le := binary.LittleEndian
	if len(b) < headerBytes || string(b[:4]) != wireMagic || b[4] != wireVersion || b[5] != wireLive {
		return 0, nil, errors.New("not a live batch of this version")
	}
	n := int(le.Uint16(b[6:]))
	now = math.Float64frombits(le.Uint64(b[8:]))
	b = b[headerBytes:]
	for range n {
		if len(b) < blockBytes {
			return 0, nil, errShort
		}
		rows, channels := int(le.Uint16(b[2:])), int(le.Uint16(b[4:]))
		bl := block{stream: int(b[0]), gap: b[1]&flagGap != 0, channels: channels}
		b = b[blockBytes:]
		values := rows * channels
		size := 8*rows + 4*(values+values%2)
		if len(b) < size {
			return 0, nil, errShort
		}
		for i := range rows {
			bl.times = append(bl.times, math.Float64frombits(le.Uint64(b[8*i:])))
		}
		for i := range values {
			bl.values = append(bl.values, math.Float32frombits(le.Uint32(b[8*rows+4*i:])))
		}
		b = b[size:]
		blocks = append(blocks, bl)
	}
	if len(b) > 0 {
		return 0, nil, errors.New("bytes after the last block")
	}
	return now, blocks, nil
}

func TestBatchRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := rapid.Float64Range(0, 1e9).Draw(t, "now")
		var in []block
		for i := range rapid.IntRange(0, 6).Draw(t, "blocks") {
			b := block{stream: i, channels: rapid.IntRange(1, 11).Draw(t, "channels"), gap: rapid.Bool().Draw(t, "gap")}
			for range rapid.IntRange(0, 9).Draw(t, "rows") {
				b.times = append(b.times, rapid.Float64().Draw(t, "time"))
				for range b.channels {
					b.values = append(b.values, rapid.Float32().Draw(t, "value"))
				}
			}
			in = append(in, b)
		}
		wire := appendBatch(nil, now, in)
		if len(wire)%wireAlign != 0 {
			t.Fatalf("%d bytes: typed arrays need a multiple of %d", len(wire), wireAlign)
		}
		gotNow, out, err := decodeBatch(wire)
		if err != nil || gotNow != now {
			t.Fatalf("now %v, error %v; sent %v", gotNow, err, now)
		}
		k := 0
		for _, b := range in {
			if len(b.times) == 0 {
				continue // not sent
			}
			got := out[k]
			k++
			if got.stream != b.stream || got.gap != b.gap || got.channels != b.channels ||
				!bytes.Equal(appendBatch(nil, 0, []block{got}), appendBatch(nil, 0, []block{b})) {
				t.Fatalf("block %+v came back as %+v", b, got)
			}
		}
		if k != len(out) {
			t.Fatalf("%d blocks came back, %d were sent", len(out), k)
		}
	})
}

// TestBatchBytes pins the layout that PROTOCOL.md promises to other programs.
func TestBatchBytes(t *testing.T) {
	got := appendBatch(nil, 1.5, []block{{stream: 2, channels: 1, gap: true, times: []float64{1}, values: []float32{0.5}}})
	want := []byte{
		'E', 'M', 'O', 'L', 1, 1, 1, 0,
		0, 0, 0, 0, 0, 0, 0xf8, 0x3f, // 1.5
		2, 1, 1, 0, 1, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0xf0, 0x3f, // 1
		0, 0, 0, 0x3f, 0, 0, 0, 0, // 0.5 and padding
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got  % x\nwant % x", got, want)
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(appendBatch(nil, 0, nil))
	f.Add(appendBatch(nil, 40, []block{{stream: 1, channels: 3, times: []float64{1, 2}, values: []float32{1, 2, 3, 4, 5, 6}}}))
	f.Add([]byte("EMOL\x01\x01\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		now, blocks, err := decodeBatch(b)
		if err != nil {
			return
		}
		for i, bl := range blocks {
			if len(bl.values) != len(bl.times)*bl.channels {
				t.Fatalf("block %d: %d values for %d rows of %d channels", i, len(bl.values), len(bl.times), bl.channels)
			}
			if len(bl.times) == 0 {
				return // a writer leaves such a block out, so it cannot come back the same
			}
		}
		again := appendBatch(nil, now, blocks)
		if len(again) != len(b) {
			t.Fatalf("%d bytes were read, %d written back", len(b), len(again))
		}
	})
}
