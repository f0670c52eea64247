package order

// LeastFilled returns the row that the next participant gets: the one with the lowest
// count, the first of equals, and -1 of no rows. What counts are the sessions that are
// usable, or under way and so may become usable.
//
// However many drop out, and in whichever order sessions end, the numbers of usable
// sessions of any two rows then differ by at most the greatest number of sessions that
// were under way at once: by 1 where one participant comes after the other. For when row
// a got its latest session it had no more than row b, usable and under way together; so
// it has at most one more than b had then; of b's those under way may have come to
// nothing since, which are at most all that were, without a's own. Each session that
// stops being usable long after it ended, because it is withdrawn, adds one to that, until
// the row has been filled up, which comes before everything else.
func LeastFilled(counts []int) int {
	least := -1
	for row, n := range counts {
		if least < 0 || n < counts[least] {
			least = row
		}
	}
	return least
}
