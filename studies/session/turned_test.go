package session

import "testing"

func TestWhoWasTurnedAwayIsToldApart(t *testing.T) {
	for reason, want := range map[string]string{
		"screening: age": "screened out", whyFull(&invited.Quota.Cells[0]): "quota full", "consent": "did not agree",
		whyLeft: "left before the recording", errStopped.Error() + ": late": "stopped before the recording", "": "not recorded",
	} {
		if got := (Summary{State: Declined, Reason: reason}).Standing(); got != want {
			t.Errorf("%q is %q, want %q", reason, got, want)
		}
	}
	if got := (Summary{State: Sealed, Reason: "left before the end"}).Standing(); got != "sealed" {
		t.Errorf("what was recorded is %q", got)
	}
}
