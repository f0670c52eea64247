package eyemovement

import "testing"

// A loss now and then is not walked to the end of the recording from each of
// them: an hour would take minutes.
func TestLossesAreWalkedPieceByPiece(t *testing.T) {
	const join, longest = 25, 250 // cells
	tr := track{gone: make([]bool, 100_000)}
	for i := range tr.gone {
		tr.gone[i] = i%20 == 0
	}
	if end, missing := tr.lossFrom(0, join, longest); end > longest+join+1 || missing != (end+19)/20 {
		t.Errorf("%d missing up to cell %d, want one in 20 up to %d", missing, end, longest+join)
	}
	for i := range 10_000 {
		tr.gone[i] = true
	}
	if end, missing := tr.lossFrom(0, join, longest); end < 10_000 || end > 10_000+join || missing < 10_000 {
		t.Errorf("%d missing up to cell %d, want all of a loss without a sample in it", missing, end)
	}
}
