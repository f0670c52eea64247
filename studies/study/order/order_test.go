package order

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const seed = 20261122

func sequence(t interface{ Fatal(...any) }, method string, n int, seed uint64, row int, salt string) []int {
	got, err := Sequence(method, n, seed, row, salt)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// The orders of a published study must never change. These were drawn once and are a
// part of the file format; the random ones are those of the first version of Emolab.
func TestOrdersAreFrozen(t *testing.T) {
	for _, c := range []struct {
		method, salt string
		n            int
		want         []string
	}{
		{Fixed, "", 4, []string{"[0 1 2 3]", "[0 1 2 3]"}},
		{Random, "", 5, []string{"[2 0 4 3 1]", "[1 2 0 3 4]", "[1 3 4 0 2]", "[2 3 0 4 1]"}},
		{Random, "second", 5, []string{"[0 4 3 2 1]", "[2 3 4 1 0]", "[0 4 1 2 3]", "[4 2 0 3 1]"}},
		{Latin, "", 5, []string{"[0 2 1 4 3]", "[2 3 0 1 4]", "[3 4 2 0 1]", "[4 1 3 2 0]", "[1 0 4 3 2]"}},
		{Latin, "second", 5, []string{"[1 3 4 2 0]", "[2 4 1 0 3]", "[0 1 2 3 4]", "[3 2 0 4 1]", "[4 0 3 1 2]"}},
		{Williams, "", 4, []string{"[2 0 1 3]", "[1 2 3 0]", "[3 1 0 2]", "[0 3 2 1]"}},
		{Williams, "", 3, []string{"[0 1 2]", "[2 0 1]", "[1 2 0]", "[2 1 0]", "[1 0 2]", "[0 2 1]"}},
	} {
		for row, want := range c.want {
			if got := fmt.Sprint(sequence(t, c.method, c.n, seed, row, c.salt)); got != want {
				t.Errorf("%s %q, row %d: %s, want %s", c.method, c.salt, row, got, want)
			}
		}
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		method  string
		n, want int
	}{
		{Fixed, 4, 0}, {Random, 4, 0}, {Latin, 4, 4}, {Latin, 5, 5}, {Latin, 0, 0},
		{Williams, 4, 4}, {Williams, 5, 10}, {Williams, 2, 2}, {Williams, 1, 1}, {Williams, 0, 0}, {"sorted", 4, 0},
	} {
		if got := Rows(c.method, c.n); got != c.want {
			t.Errorf("Rows(%s, %d) = %d, want %d", c.method, c.n, got, c.want)
		}
	}
}

func TestWhatIsNoOrder(t *testing.T) {
	for _, c := range []struct {
		method string
		n, row int
		want   string
	}{
		{"sorted", 3, 0, `order: there is no method "sorted"; use one of fixed, random, latin, williams`},
		{Latin, -1, 0, "order: -1 stimuli, row 0: neither can be negative"},
		{Latin, 3, -2, "order: 3 stimuli, row -2: neither can be negative"},
	} {
		if got, err := Sequence(c.method, c.n, seed, c.row, ""); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

func TestAnOrderIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom(Methods()).Draw(t, "method")
		n := rapid.IntRange(0, 30).Draw(t, "n")
		s := rapid.Uint64().Draw(t, "seed")
		row := rapid.IntRange(0, 1e6).Draw(t, "row")
		salt := rapid.SampledFrom([]string{"", "second"}).Draw(t, "salt")
		got := sequence(t, method, n, s, row, salt)
		if !slices.Equal(got, sequence(t, method, n, s, row, salt)) {
			t.Fatal("the same row got two orders")
		}
		if rows := Rows(method, n); rows > 0 && !slices.Equal(got, sequence(t, method, n, s, row%rows, salt)) {
			t.Fatal("a square does not begin again after its last row")
		}
		slices.Sort(got)
		if !slices.Equal(got, listed(n)) {
			t.Fatalf("not a permutation: %v", got)
		}
	})
}

// All rows of both squares: each stimulus stands equally often at each place, and in
// Williams's follows each other one equally often.
func TestSquaresAreBalanced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{Latin, Williams}).Draw(t, "method")
		n := rapid.IntRange(1, 30).Draw(t, "n")
		s := rapid.Uint64().Draw(t, "seed")
		rows := Rows(method, n)
		at, after := map[[2]int]int{}, map[[2]int]int{}
		for row := range rows {
			order := sequence(t, method, n, s, row, "")
			for k, v := range order {
				at[[2]int{v, k}]++
				if k > 0 {
					after[[2]int{order[k-1], v}]++
				}
			}
		}
		for v := range n {
			for k := range n {
				if at[[2]int{v, k}] != rows/n {
					t.Fatalf("%s of %d: %d stands %d times at place %d, want %d", method, n, v, at[[2]int{v, k}], k, rows/n)
				}
				if got := after[[2]int{v, k}]; method == Williams && v != k && got != rows/n {
					t.Fatalf("%s of %d: %d follows %d %d times, want %d", method, n, k, v, got, rows/n)
				}
			}
		}
	})
}

func TestEveryWilliamsSquareUpTo30(t *testing.T) {
	for n := 2; n <= 30; n++ {
		after := map[[2]int]int{}
		for row := range Rows(Williams, n) {
			order := sequence(t, Williams, n, seed, row, "")
			for k := 1; k < n; k++ {
				after[[2]int{order[k-1], order[k]}]++
			}
		}
		for pair, times := range after {
			if want := 1 + n%2; times != want {
				t.Errorf("%d stimuli: %v comes %d times, want %d", n, pair, times, want)
			}
		}
		if len(after) != n*(n-1) {
			t.Errorf("%d stimuli: %d pairs, want %d", n, len(after), n*(n-1))
		}
	}
}

// Rows are consecutive numbers, the worst seeds for a weak generator. Each of the 6
// orders of 3 stimuli should come as often as the others.
func TestRandomOrdersAreBalancedOverRows(t *testing.T) {
	const rows = 6000
	for _, salt := range []string{"", "second"} {
		count := map[string]int{}
		for row := range rows {
			count[fmt.Sprint(sequence(t, Random, 3, seed, row, salt))]++
		}
		chi2 := 0.0
		for _, n := range count {
			d := float64(n) - rows/6
			chi2 += d * d / (rows / 6)
		}
		// 5 degrees of freedom: 20.5 is exceeded once in a thousand.
		if len(count) != 6 || chi2 > 20.5 {
			t.Errorf("salt %q: chi-squared %.1f over %v", salt, chi2, count)
		}
	}
}

// Two blocks of the same length are not in the same order for everybody, and not in one
// that follows from the other.
func TestASaltGivesAnotherOrder(t *testing.T) {
	for _, method := range []string{Random, Latin, Williams} {
		same := 0
		for row := range 8 {
			if slices.Equal(sequence(t, method, 8, seed, row, ""), sequence(t, method, 8, seed, row, "second")) {
				same++
			}
		}
		if same > 0 {
			t.Errorf("%s: %d of 8 rows are the same in both blocks", method, same)
		}
	}
}

func BenchmarkSequence(b *testing.B) {
	for range b.N {
		if _, err := Sequence(Williams, 200, seed, 77, ""); err != nil {
			b.Fatal(err)
		}
	}
}
