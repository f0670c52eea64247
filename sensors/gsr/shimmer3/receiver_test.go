package shimmer3

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/sensors/serialtest"
)

const period = 640 // ticks, 51.2 Hz

// gsrOnly is the form of a stream with nothing but GSR.
func gsrOnly(checksum int) form {
	return form{checksum: checksum, status: 1, layout: Layout{Divider: period, Size: 6, GSR: 4}}
}

// data returns one packet.
func data(tick uint32, w Word, checksum int) []byte {
	return seal([]byte{0, byte(tick), byte(tick >> 8), byte(tick >> 16), byte(w), byte(w >> 8)}, checksum)
}

// packets returns n packets from a tick on, with readings 1000, 1001 and so on.
func packets(n int, tick uint32, checksum int) []byte {
	var b []byte
	for i := range n {
		b = append(b, data(tick+uint32(i)*period, newWord(1, 1000+i), checksum)...)
	}
	return b
}

// receive feeds a receiver in pieces and returns the messages in words.
func receive(r *Receiver, b []byte, piece int) []string {
	var got []string
	for at := instant.Instant(0); len(b) > 0; at++ {
		n := min(piece, len(b))
		r.Feed(b[:n], at)
		b = b[n:]
		for {
			m, ok := r.Next()
			if !ok {
				break
			}
			got = append(got, fmt.Sprintf("%s % X", []string{"ack", "nack", "response", "status", "data"}[m.Kind], m.Payload))
		}
	}
	return got
}

func TestReceiver(t *testing.T) {
	awaiting := func(f form, c command) form {
		f.await = &c.reply
		return f
	}
	setup, prefixed, crc := form{status: 1}, form{status: 1, prefixed: true}, form{status: 1, checksum: 2}
	three, head := packets(3, 5000, 0), data(5000+3*period, 0, 0)[:4]
	said := []string{"data 00 88 13 00 E8 43", "data 00 08 16 00 E9 43", "data 00 88 18 00 EA 43"}
	for _, c := range []struct {
		name   string
		form   form
		bytes  []byte
		want   []string
		faults Faults
	}{
		{"what it is", awaiting(setup, getDevice()), []byte{0xFF, 0x25, 3}, []string{"response 03"}, Faults{}},
		{"firmware", awaiting(setup, getFirmware()), []byte{0xFF, 0x2F, 3, 0, 0, 0, 15, 4}, []string{"response 03 00 00 00 0F 04"}, Faults{}},
		{"with checksum", awaiting(crc, getDevice()), seal([]byte{0xFF, 0x25, 3}, 2), []string{"response 03"}, Faults{}},
		{"wrong checksum", awaiting(crc, getDevice()), []byte{0xFF, 0x25, 3, 1, 2}, nil, Faults{Checksum: 1}},
		{"inquiry", awaiting(setup, inquiry(shimmer3)), []byte{0xFF, 2, 0x80, 2, 1, 2, 3, 8, 2, 1, 0x12, 0x1C},
			[]string{"response 80 02 01 02 03 08 02 01 12 1C"}, Faults{}},
		{"battery", awaiting(setup, getBattery()), []byte{0xFF, 0x8A, 0x94, 1, 2, 3}, []string{"response 01 02 03"}, Faults{}},
		{"acknowledgement", awaiting(setup, start()), []byte{0xFF}, []string{"ack "}, Faults{}},
		{"refusal", awaiting(setup, start()), []byte{0xFE}, []string{"nack "}, Faults{}},
		{"refusal with checksum", awaiting(crc, start()), seal([]byte{0xFE}, 2), []string{"nack "}, Faults{}},
		{"status between", awaiting(prefixed, getDevice()), []byte{0xFF, 0x8A, 0x71, 0x20, 0xFF, 0x25, 3},
			[]string{"status 20", "response 03"}, Faults{}},
		{"status before an acknowledgement, with checksums", awaiting(form{status: 1, checksum: 2, prefixed: true}, start()),
			slices.Concat(seal([]byte{0xFF, 0x8A, 0x71, 0x20}, 2), seal([]byte{0xFF}, 2)), []string{"status 20", "ack "}, Faults{}},
		{"status without prefix", setup, []byte{0x8A, 0x71, 0xFF}, []string{"status FF"}, Faults{}},
		{"acknowledgement, then status", awaiting(setup, start()), []byte{0xFF, 0x8A, 0x71, 0x20}, []string{"ack ", "status 20"}, Faults{}},
		{"two status bytes", form{status: 2}, []byte{0x8A, 0x71, 1, 2}, []string{"status 01 02"}, Faults{}},
		{"nobody asked", setup, []byte{0xFF, 0xFE, 0x25, 3}, nil, Faults{Stray: 1}},
		{"no packets yet", setup, three, nil, Faults{Stray: 1}},

		{"packets", gsrOnly(0), slices.Concat(three, head), said, Faults{}},
		{"the last one waits for the next", gsrOnly(0), three, said[:2], Faults{}},
		{"packets with checksums", gsrOnly(2), packets(3, 5000, 2), said, Faults{}},
		{"one is enough with checksums", gsrOnly(2), packets(1, 5000, 2), said[:1], Faults{}},
		{"two are not enough without", gsrOnly(0), packets(2, 5000, 0), nil, Faults{}},
		{"acknowledged start", awaiting(gsrOnly(0), start()), slices.Concat([]byte{0xFF}, three, head), append([]string{"ack "}, said...), Faults{}},
		{"status between packets", gsrOnly(0), slices.Concat(three, []byte{0x8A, 0x71, 0x32}, data(5000+3*period, 1, 0), data(5000+4*period, 1, 0)),
			append(slices.Clone(said), "status 32", "data 00 08 1B 00 01 00"), Faults{}},
		{"packets across the wrap", gsrOnly(0), packets(5, 1<<24-period, 0),
			[]string{"data 00 80 FD FF E8 43", "data 00 00 00 00 E9 43", "data 00 80 02 00 EA 43", "data 00 00 05 00 EB 43"}, Faults{}},
		{"garbage before", gsrOnly(0), slices.Concat([]byte{1, 2, 0, 3, 0, 0}, three, head), said, Faults{Stray: 1}},
		{"a byte missing", gsrOnly(2), slices.Concat(packets(1, 4000, 2)[1:], packets(3, 5000, 2)), said, Faults{Stray: 1}},
		{"a wrong byte", gsrOnly(2), slices.Concat([]byte{0, 1, 2, 3, 4, 5, 6, 7}, packets(3, 5000, 2)), said, Faults{Checksum: 1}},
		{"loss without checksums", gsrOnly(0), slices.Concat(three, packets(4, 5000+20*period, 0)),
			append(slices.Clone(said[:2]), "data 00 88 45 00 E8 43", "data 00 08 48 00 E9 43", "data 00 88 4A 00 EA 43"), Faults{Stray: 1}},
		{"a lone packet without checksums", gsrOnly(0), slices.Concat(three, packets(1, 5000+20*period, 0), three, head), append(slices.Clone(said[:2]), said...), Faults{Stray: 1}},
		{"a reading cut without checksums", gsrOnly(0), slices.Concat(three, data(5000+3*period, 0, 0)[:5], three, head), append(slices.Clone(said), said...), Faults{Stray: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, piece := range []int{1, 5, 1000} {
				if piece == 1 && strings.HasPrefix(c.name, "status before an ack") {
					piece = 2 // see acknowledged: what tells the two apart comes in one piece
				}
				var r Receiver
				r.reset()
				r.set(c.form)
				if d := cmp.Diff(c.want, receive(&r, c.bytes, piece)); d != "" {
					t.Errorf("in pieces of %d: %s", piece, d)
				}
				if r.Faults() != c.faults {
					t.Errorf("in pieces of %d: faults %+v, want %+v", piece, r.Faults(), c.faults)
				}
			}
		})
	}
}

// A message's arrival is that of its own last byte, also where others had to come
// before it could be believed.
func TestReceiverArrivals(t *testing.T) {
	for _, checksum := range []int{0, 2} {
		var r Receiver
		r.reset()
		r.set(gsrOnly(checksum))
		b := packets(20, 5000, checksum)
		size := 6 + checksum
		var got []instant.Instant
		for i := range b {
			r.Feed(b[i:i+1], instant.Instant(i))
			for {
				m, ok := r.Next()
				if !ok {
					break
				}
				got = append(got, m.Arrival)
			}
		}
		if want := 19 + checksum/2; len(got) != want {
			t.Fatalf("%d packets, want %d", len(got), want)
		}
		for i, at := range got {
			if want := instant.Instant((i+1)*size - 1); at != want {
				t.Errorf("packet %d arrived at %d, want %d", i, at, want)
			}
		}
	}
}

// decoded runs bytes through all that decides what becomes a sample.
func decoded(checksum int, b []byte, piece int) (got []packet, lost int64, f Faults) {
	var r Receiver
	r.reset()
	r.set(gsrOnly(checksum))
	q := sequence{divider: period}
	for at := instant.Instant(0); len(b) > 0; at += instant.Instant(time.Second / 51) {
		n := min(piece, len(b))
		r.Feed(b[:n], at)
		b = b[n:]
		for {
			m, ok := r.Next()
			if !ok {
				break
			}
			placed, n, _ := q.take(packet{raw: tickOf(m.Payload), arrival: m.Arrival, word: r.form.layout.word(m.Payload)})
			for _, p := range placed[:n] {
				lost += p.lost
				got = append(got, p)
			}
		}
	}
	return got, lost, r.Faults()
}

// Damage of any kind costs what it hits and, without checksums, the packet
// before. From the lock length on, all samples are there, with the right ticks
// and readings, and what is missing is counted.
func TestDamageProperty(t *testing.T) {
	for checksum, lock := range map[int]int{0: run, 2: 2} {
		t.Run(fmt.Sprintf("%d bytes of checksum", checksum), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				const start, good = 1 << 23, 8
				n := rapid.IntRange(1, 5).Draw(t, "damages")
				var line []byte
				next := 0 // packet
				var clean []int
				send := func(n int) {
					for range n {
						line = append(line, data(start+uint32(next)*period, newWord(1, 1000+next), checksum)...)
						next++
					}
				}
				send(good)
				for i := range good - 1 {
					clean = append(clean, i)
				}
				for range n {
					before := len(line)
					send(rapid.IntRange(1, 3).Draw(t, "packets"))
					hit := line[before:]
					at := rapid.IntRange(0, len(hit)-1).Draw(t, "at")
					kinds := []string{"cut", "double", "interleave"}
					if checksum > 0 {
						kinds = append(kinds, "flip") // without one, a wrong reading cannot be told
					}
					switch rapid.SampledFrom(kinds).Draw(t, "kind") {
					case "cut":
						size := rapid.IntRange(1, len(hit)-at).Draw(t, "size")
						line = append(line[:before+at], hit[at+size:]...)
					case "double":
						line = append(line, bytes.Clone(hit[at:])...)
					case "interleave":
						other := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "other")
						line = slices.Concat(line[:before+at], other, hit[at:])
					case "flip":
						hit[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
					}
					from := next
					send(good)
					for i := from + lock - 1; i < next-1; i++ {
						clean = append(clean, i)
					}
				}
				send(1) // for the one before to be believed
				got, lost, _ := decoded(checksum, line, rapid.IntRange(1, 40).Draw(t, "piece"))
				seen := map[int]bool{}
				prev := -1
				for _, p := range got {
					i := int(p.tick-start+period/2) / period
					off := p.tick - start - int64(i)*period
					if checksum == 0 && (off == 1 || off == -1) {
						off = 0 // a wrong byte of a tick, within what ticks may be off
					}
					if p.rebased || off != 0 || p.word != newWord(1, 1000+i) {
						t.Fatalf("packet %+v is none that was sent", p)
					}
					if i <= prev {
						t.Fatalf("packet %d after %d", i, prev)
					}
					seen[i], prev = true, i
				}
				for _, i := range clean {
					if !seen[i] {
						t.Fatalf("packet %d of %d was not damaged, and lies behind the lock length, but is missing", i, next)
					}
				}
				if int(lost)+len(got) != prev+1 {
					t.Fatalf("%d lost and %d received, want %d together", lost, len(got), prev+1)
				}
			})
		})
	}
}

// Random bytes pass at most as often as PROTOCOL.md says.
func TestGarbageRate(t *testing.T) {
	const size = 8 << 20
	r := rand.New(rand.NewPCG(5, 6))
	garbage := make([]byte, size)
	for i := 0; i < size; i += 8 {
		for k, v := 0, r.Uint64(); k < 8; k++ {
			garbage[i+k] = byte(v >> (8 * k))
		}
	}
	for checksum, most := range map[int]int{
		0: 0,
		// 2^-24 a byte makes 0.5; more than 6 come once in 10 million runs.
		2: 6,
	} {
		var rec Receiver
		rec.reset()
		rec.set(gsrOnly(checksum))
		passed := 0
		for b := garbage; len(b) > 0; b = b[4096:] {
			rec.Feed(b[:4096], 0)
			for {
				if m, ok := rec.Next(); !ok {
					break
				} else if m.Kind == Data {
					passed++
				}
			}
			if rest := len(rec.buf) - rec.head; rest > 3*64 {
				t.Fatalf("%d bytes are kept", rest)
			}
		}
		if passed > most {
			t.Errorf("with %d bytes of checksum %d packets passed in %d random bytes, want %d at most", checksum, passed, size, most)
		}
		if samples, _, _ := decoded(checksum, garbage[:1<<20], 4096); len(samples) != 0 {
			t.Errorf("with %d bytes of checksum %d samples came of random bytes", checksum, len(samples))
		}
	}
}

// Inside of a stream that is locked, garbage passes no more often.
func TestGarbageWithinAStream(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for checksum, lock := range map[int]int{0: run, 2: 2} {
		var line []byte
		next := 0
		for range 300 {
			for range 5 {
				line = append(line, data(uint32(next)*period, newWord(1, 1000+next%1000), checksum)...)
				next++
			}
			line = append(line, serialtest.Garbage(r, 1+r.IntN(100))...)
		}
		got, lost, faults := decoded(checksum, line, 64)
		for _, p := range got {
			if i := p.tick / period; p.tick != i*period || p.word != newWord(1, 1000+int(i)%1000) {
				t.Fatalf("packet %+v is none that was sent", p)
			}
		}
		if min := next - 300*lock; len(got) < min {
			t.Errorf("%d of %d, want %d or more", len(got), next, min)
		}
		last := int(got[len(got)-1].tick/period) + 1
		if int(lost)+len(got) != last {
			t.Errorf("%d lost and %d received of %d", lost, len(got), last)
		}
		if n := faults.Stray + faults.Checksum; n < 290 {
			t.Errorf("%d faults, want one for each of 300 runs of garbage", n)
		}
	}
}

func TestReceiverDoesNotAllocate(t *testing.T) {
	for _, checksum := range []int{0, 2} {
		var r Receiver
		r.reset()
		r.set(gsrOnly(checksum))
		b := packets(50, 5000, checksum)
		n := testing.AllocsPerRun(100, func() {
			r.Feed(b, 0)
			for {
				if _, ok := r.Next(); !ok {
					break
				}
			}
		})
		if n != 0 {
			t.Errorf("%v allocations a run, want none", n)
		}
	}
}

func FuzzReceiver(f *testing.F) {
	f.Add(packets(5, 1<<24-1000, 2), uint8(2), uint8(0), 3)
	f.Add(packets(5, 1<<24-1000, 0), uint8(0), uint8(1), 1)
	f.Add([]byte{0xFF, 0x8A, 0x71, 0x20, 0xFF, 0x02, 0x80, 2, 1, 2, 3, 8, 2, 1, 0x12, 0x1C}, uint8(4), uint8(2), 2)
	f.Add([]byte{0xFF, 0x02, 0x80, 2, 1, 2, 3, 8, 0xFF, 1, 0x12, 0x1C}, uint8(0), uint8(2), 9)
	f.Fuzz(func(t *testing.T, in []byte, mode, asked uint8, piece int) {
		fm := gsrOnly(int(mode & 2))
		fm.prefixed = mode&4 != 0
		questions := []command{start(), getDevice(), inquiry(shimmer3), inquiry(shimmer3R), getBattery(), getFirmware()}
		if int(asked) < len(questions) {
			fm.await = &questions[asked].reply
		}
		if mode&1 != 0 {
			fm.layout = Layout{}
		}
		var r Receiver
		r.reset()
		r.set(fm)
		messages := receive(&r, in, 1+(piece&0x7FFFFFFF)%50)
		if len(messages) > len(in) {
			t.Fatalf("%d messages of %d bytes", len(messages), len(in))
		}
		if rest := len(r.buf) - r.head; rest > 300 {
			t.Fatalf("%d bytes are kept", rest)
		}
		if r.form.await != nil && r.form.await.code == rspInquiry {
			// An inquiry that never ends may swallow what follows, up to its longest.
			return
		}
		if r.form.layout.Size == 0 {
			return
		}
		// Whatever came, the lock length of good packets ends it.
		good := packets(4, 77_000, fm.checksum)
		got := receive(&r, append(make([]byte, 20), good...), 1+(piece&0x7FFFFFFF)%50)
		want := fmt.Sprintf("data % X", good[:6])
		if fm.checksum > 0 && !slices.Contains(got, want) || len(got) == 0 {
			t.Fatalf("the packets after it are lost: %q", got)
		}
		q, p := sequence{divider: period}, newPlateau(period)
		for i := 0; i+6 <= len(in); i += 6 {
			placed, n, _ := q.take(packet{raw: uint32(in[i]) | uint32(in[i+1])<<8 | uint32(in[i+2])<<16,
				arrival: instant.Instant(i) * 1e6, word: Word(in[i+3]) | Word(in[i+4])<<8})
			for _, s := range placed[:n] {
				p.take(s, func(s packet, _ bool) { Microsiemens(s.word, in[i+5]&1 == 0) })
			}
			if len(p.held) > 8 {
				t.Fatalf("%d packets are held", len(p.held))
			}
		}
	})
}

// Answers of any content are read without harm, and a form of packets that comes
// out of one has its reading inside.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0x80, 0x02, 1, 2, 3, 0x08, 1, 1, 0x1C}, false)
	f.Add([]byte{0x80, 0x02, 0, 0, 0, 0x08, 0, 0, 0, 3, 1, 0x1B, 0x1A, 0x1C}, true)
	f.Fuzz(func(t *testing.T, in []byte, r bool) {
		recognise(in)
		h := shimmer3
		if r {
			h = shimmer3R
		}
		size, ok := inquiry(h).reply.length(in)
		if !ok || size > len(in) {
			return
		}
		q := parseInquiry(h, in[:size])
		l, err := q.layout(h)
		if err == nil && (l.GSR < headSize || l.GSR+2 > l.Size || l.Size > headSize+3*maxChannels || l.Divider < 1) {
			t.Fatalf("%+v of %+v", l, q)
		}
		if back := parseInquiry(h, appendInquiry(nil, h, q)); back.Divider != q.Divider || back.Range != q.Range || !bytes.Equal(back.Channels, q.Channels) {
			t.Fatalf("%+v there and back is %+v", q, back)
		}
		if len(in) >= firmwarePayload {
			_ = parseFirmware(in).String()
		}
	})
}
