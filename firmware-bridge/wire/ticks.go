package wire

// Ticks unwraps the device's 32-bit tick counter, which at 1 MHz comes round
// every 71.6 minutes. The zero value is ready: the first tick is taken as it is.
type Ticks struct {
	latest int64
	begun  bool
}

// Unwrap returns the unwrapped value of tick: the one nearest to the latest seen
// so far. Ticks need not come in order, but must lie within half a round (35.8
// minutes at 1 MHz) of the latest.
func (t *Ticks) Unwrap(tick uint32) int64 {
	if !t.begun {
		t.begun, t.latest = true, int64(tick)
		return t.latest
	}
	at := t.latest + int64(int32(tick-uint32(t.latest)))
	t.latest = max(t.latest, at)
	return at
}
