package linetest

import "pgregory.net/rapid"

// Damage does to bytes what a line can do: it cuts some out, changes them, repeats
// them, or mixes others in. b, which has at least one byte, is left as it is.
func Damage(t *rapid.T, b []byte) []byte {
	i := rapid.IntRange(0, len(b)-1).Draw(t, "from")
	j := rapid.IntRange(i, len(b)).Draw(t, "to")
	var out []byte
	switch rapid.SampledFrom([]string{"cut", "flip", "duplicate", "interleave"}).Draw(t, "damage") {
	case "cut":
		return append(append(out, b[:i]...), b[j:]...)
	case "flip":
		out = append(out, b...)
		for k := i; k < j; k++ {
			out[k] ^= rapid.Byte().Draw(t, "bits")
		}
		return out
	case "duplicate":
		return append(append(append(out, b[:j]...), b[i:j]...), b[j:]...)
	}
	for k, c := range b {
		out = append(out, c)
		if k >= i && k < j {
			out = append(out, rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "others")...)
		}
	}
	return out
}
