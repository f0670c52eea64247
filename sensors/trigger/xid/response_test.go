package xid

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// always believes every time; soon believes those of the first 1,024 s, a share of
// 2^-12.
func always(uint32) bool  { return true }
func soon(ms uint32) bool { return ms < 1<<20 }

func feed(p *parser, b []byte, asked answers) []found {
	var all []found
	for _, c := range b {
		if f, ok := p.take(c, asked); ok {
			all = append(all, f)
		}
	}
	return all
}

func TestVectors(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		wide  bool
		asked answers
		want  []found
	}{
		"mode":             {[]byte("_xid0"), false, answers{mode: true}, []found{{kind: foundMode, value: '0'}}},
		"mode, not asked":  {[]byte("_xid0"), false, answers{}, nil},
		"timer":            {[]byte("_e5\x10\x27\x00\x00"), false, answers{timer: true}, []found{{kind: foundTimer, value: 10000}}},
		"product":          {[]byte("\xffS"), false, answers{identity: products}, []found{{kind: foundIdentity, value: 'S'}}},
		"key 1 pressed":    {[]byte{'k', 0x30, 0xE8, 3, 0, 0}, false, answers{}, []found{{kind: foundResponse, key: response{0, 1, true, 1000}}}},
		"key 8 released":   {[]byte{'k', 0x00, 1, 0, 0, 0}, false, answers{}, []found{{kind: foundResponse, key: response{0, 8, false, 1}}}},
		"port 3, key 7":    {[]byte{'k', 0xF3, 0, 0, 1, 0}, false, answers{}, []found{{kind: foundResponse, key: response{3, 7, true, 65536}}}},
		"no such port":     {[]byte{'k', 0x04, 1, 0, 0, 0}, false, answers{}, nil},
		"light sensor":     {[]byte{'o', 'A', 1, '1', 0xE8, 3, 0, 0, 0}, true, answers{}, []found{{kind: foundResponse, key: response{'A', 1, true, 1000}}}},
		"light goes":       {[]byte{'o', 'A', 1, '0', 0xE9, 3, 0, 0, 0}, true, answers{}, []found{{kind: foundResponse, key: response{'A', 1, false, 1001}}}},
		"neither 0 nor 1":  {[]byte{'o', 'A', 1, '2', 0xE9, 3, 0, 0, 0}, true, answers{}, nil},
		"no 0 at the end":  {[]byte{'o', 'A', 1, '0', 0xE9, 3, 0, 0, 1}, true, answers{}, nil},
		"the other's form": {[]byte{'k', 0x30, 0xE8, 3, 0, 0}, true, answers{}, nil},
		// A response that was cut makes another with the next, which is passed as well.
		"cut, and the next": {[]byte{'k', 0, 'k', 0x20, 0, 0, 0, 0}, false, answers{}, []found{
			{kind: foundResponse, key: response{0, 8, false, 0x206B}}, {kind: foundResponse, key: response{0, 1, false, 0}}}},
		"impossible time": {[]byte{'k', 0x30, 0, 0, 0, 1}, false, answers{}, nil},
	} {
		p := &parser{wide: c.wide, possible: soon}
		if got := feed(p, c.bytes, c.asked); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := feed(&parser{}, []byte{'k', 0x30, 0xE8, 3, 0, 0}, answers{}); len(got) > 0 {
		t.Errorf("%+v: a response while the timer is not known", got)
	}
}

func drawResponse(t *rapid.T, wide bool) response {
	r := response{Key: uint8(rapid.IntRange(1, 8).Draw(t, "key")), Pressed: rapid.Bool().Draw(t, "pressed"),
		Ms: rapid.Uint32Range(0, 1<<20-1).Draw(t, "ms")}
	if wide {
		r.Port = byte(rapid.IntRange('A', 'F').Draw(t, "port"))
	} else {
		r.Port = byte(rapid.IntRange(0, 3).Draw(t, "port"))
	}
	return r
}

// After damage of any kind the next whole response is passed, and all after it:
// the lock length is one. All bytes are accounted for.
func TestLockLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide := rapid.Bool().Draw(t, "wide")
		p := &parser{wide: wide, possible: soon}
		var line []byte
		var want []response
		before := drawResponse(t, wide)
		damaged := appendResponse(nil, before, wide)
		switch rapid.SampledFrom([]string{"cut", "begins late", "flipped", "garbage", "twice"}).Draw(t, "damage") {
		case "cut":
			damaged = damaged[:rapid.IntRange(0, len(damaged)-1).Draw(t, "at")]
		case "begins late":
			damaged = damaged[rapid.IntRange(1, len(damaged)).Draw(t, "at"):]
		case "flipped":
			i := rapid.IntRange(0, len(damaged)-1).Draw(t, "at")
			damaged[i] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		case "garbage":
			damaged = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
		case "twice":
			damaged = append(damaged, damaged...)
		}
		line = append(line, damaged...)
		for range rapid.IntRange(1, 5).Draw(t, "responses") {
			r := drawResponse(t, wide)
			want = append(want, r)
			line = appendResponse(line, r, wide)
		}
		var got []response
		for _, f := range feed(p, line, answers{}) {
			got = append(got, f.key)
		}
		// What passes besides, made of damage and the response after it, has a share
		// of 2^-12; it may stand between, and takes nothing away.
		rest := got
		for _, r := range want {
			i := slices.Index(rest, r)
			if i < 0 {
				t.Fatalf("%+v after the damage, want all of %+v", got, want)
			}
			rest = rest[i+1:]
		}
		length := keyLength
		if wide {
			length = inputLength
		}
		if used := len(line) - int(p.skipped) - p.fresh; used < length*len(want) || used > length*len(got) {
			t.Fatalf("%d of %d bytes were used for %d responses", used, len(line), len(got))
		}
		if len(p.buffer) >= maxFrame {
			t.Fatalf("%d bytes are kept", len(p.buffer))
		}
	})
}

// Random bytes pass as responses as seldom as PROTOCOL.md states: 'k' and two bits
// (2^-10 a byte), or 'o', one of two digits and a 0 (2^-23), times the share of
// the possible times.
func TestGarbageRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 4_000_000
	count := func(wide bool, possible func(uint32) bool) int {
		p := &parser{wide: wide, possible: possible}
		passed := 0
		for range n {
			if _, ok := p.take(byte(r.IntN(256)), answers{}); ok {
				passed++
			}
		}
		return passed
	}
	// Four standard deviations above n·2^-10 = 3906 and n·2^-23 = 0.5.
	if got := count(false, always); got > 3906+250 || got < 3906-300 {
		t.Errorf("narrow, any time: %d of %d bytes, want 2^-10 of them", got, n)
	}
	if got := count(true, always); got > 4 {
		t.Errorf("wide, any time: %d of %d bytes, want 2^-23 of them", got, n)
	}
	if got := count(false, soon); got > 6 { // n·2^-22 = 1
		t.Errorf("narrow, of 2^20 ms: %d of %d bytes, want 2^-22 of them", got, n)
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte("_xid0S2_e5\x00\x00\x00\x00k\x30\xe8\x03\x00\x00"), uint8(0))
	f.Add([]byte("ooA11\x01\x00\x00\x00\x00oA11\x01\x00\x00\x00\x00"), uint8(1))
	f.Add([]byte("kkkkkkkkkkkk"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, how uint8) {
		p := &parser{wide: how&1 != 0, possible: soon}
		asked := answers{mode: how&2 != 0, timer: how&4 != 0}
		if how&8 != 0 {
			asked.identity = products
		}
		for _, c := range b {
			found, ok := p.take(c, asked)
			if len(p.buffer) >= maxFrame {
				t.Fatalf("%d bytes are kept", len(p.buffer))
			}
			if ok && found.kind == foundResponse && (!soon(found.key.Ms) || found.key.Key == 0 && !p.wide) {
				t.Fatalf("passed %+v", found.key)
			}
		}
	})
}
