package withdrawal

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func anyCode(t *rapid.T) Code {
	return spell([drawn]byte(rapid.SliceOfN(rapid.ByteRange(0, field-1), drawn, drawn).Draw(t, "symbols")))
}

// The field has 31 elements beside 0, all powers of 2, so that every weight differs.
func TestTheGeneratorGeneratesTheField(t *testing.T) {
	t.Parallel()
	seen := map[byte]bool{}
	for v, n := byte(1), 0; n < field-1; n++ {
		if seen[v] || v == 0 || v >= field {
			t.Fatalf("power %d of 2 is %d, which was there or is out of the field", n, v)
		}
		seen[v], v = true, times(v, 2)
	}
	for a := range byte(field) {
		for b := range byte(field) {
			if times(a, b) != times(b, a) || (times(a, b) == 0) != (a == 0 || b == 0) {
				t.Fatalf("%d times %d is %d", a, b, times(a, b))
			}
		}
	}
}

func TestCodesAreReadAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := anyCode(t)
		var typed strings.Builder
		for _, r := range c {
			text := string(r)
			switch r {
			case '0':
				text = rapid.SampledFrom([]string{"0", "O", "o"}).Draw(t, "zero")
			case '1':
				text = rapid.SampledFrom([]string{"1", "I", "i", "L", "l"}).Draw(t, "one")
			}
			if rapid.Bool().Draw(t, "lower") {
				text = strings.ToLower(text)
			}
			typed.WriteString(text + rapid.SampledFrom([]string{"", "", " ", "-", "\t", " - ", "\u2013"}).Draw(t, "gap"))
		}
		got, err := ParseCode(typed.String())
		if err != nil || got != c {
			t.Fatalf("%q reads as %q, %v; it is %q", typed.String(), got, err, c)
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Fatalf("as shown, %q, it reads as %q, %v", c.String(), again, err)
		}
	})
}

// Any one wrong character, and any two that changed places, are found.
func TestSlipsAreFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := []byte(anyCode(t))
		for i := range c {
			for _, r := range []byte(alphabet) {
				if r == c[i] {
					continue
				}
				slip := append([]byte{}, c...)
				slip[i] = r
				if _, err := ParseCode(string(slip)); !errors.Is(err, ErrCode) {
					t.Fatalf("%s for %s passes: %v", slip, c, err)
				}
			}
			for j := range i {
				if c[i] == c[j] {
					continue
				}
				slip := append([]byte{}, c...)
				slip[i], slip[j] = slip[j], slip[i]
				if _, err := ParseCode(string(slip)); !errors.Is(err, ErrCode) {
					t.Fatalf("%s for %s passes: %v", slip, c, err)
				}
			}
		}
	})
}

func TestWhatIsNoCode(t *testing.T) {
	t.Parallel()
	good := NewCode()
	for _, c := range []struct{ typed, says string }{
		{"", "has 0 letters"},
		{"7Q2M", "has 4 letters"},
		{string(good) + "0", "has 12 letters"},
		{"U" + string(good)[1:], `character 'U'`},
		{string(good)[:10] + "é", `character 'É'`},
		{strings.Repeat("A", 1000), "longer than"},
	} {
		_, err := ParseCode(c.typed)
		if !errors.Is(err, ErrCode) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, should say %q", c.typed, err, c.says)
		}
	}
}

// Every character stands at every place: 32 characters, some 60 times each.
func TestNewCodesUseTheWholeAlphabet(t *testing.T) {
	t.Parallel()
	var seen [codeLength]map[byte]bool
	for i := range seen {
		seen[i] = map[byte]bool{}
	}
	for range 2000 {
		c := NewCode()
		if len(c) != codeLength {
			t.Fatalf("%q has %d characters", c, len(c))
		}
		for i := range c {
			seen[i][c[i]] = true
		}
	}
	for i, s := range seen {
		if len(s) != len(alphabet) {
			t.Errorf("place %d has %d characters of %d", i, len(s), len(alphabet))
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, seed := range []string{"7Q2M-X4KD-9WP", "", "oil", "\xff\xfe", string(NewCode())} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		c, err := ParseCode(typed)
		if err != nil {
			if c != "" || !errors.Is(err, ErrCode) {
				t.Fatalf("%q: %q, %v", typed, c, err)
			}
			return
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Fatalf("%q reads as %q, which reads as %q, %v", typed, c, again, err)
		}
	})
}
