package expr

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func answers(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

func TestEval(t *testing.T) {
	person := answers(map[string]string{
		"age": "27", "income": ">150k", "followers": "6000", "relation": "no", "height": "1.75",
		"grid.valence": "7", "code": "007", "exit-form": "yes", "Größe": "180", "empty": "", "minus": "-3",
	})
	for _, c := range []struct {
		text string
		want bool
	}{
		{"18 <= age < 35", true},
		{"18 <= age < 27", false},
		{"27 <= age <= 27", true},
		{"35 > age >= 28", false},
		{"income in ['100-150k','>150k']", true},
		{"income in ['100-150k']", false},
		{"income not in ['100-150k']", true},
		{"not income in ['>150k']", false},
		{"followers > 5000", true},
		{"followers in [5999, 6000.0]", true},
		{"relation == 'no'", true},
		{`relation != "no"`, false},
		{"age == 27.00 and height > 1.7 and height < 1.76", true},
		{"code == 7", true},     // both read as numbers
		{"code == '7'", true},   // likewise: quotes make no difference
		{"code == '7 '", false}, // not a number
		{"minus < -2.5", true},
		{"grid.valence >= 7", true},
		{"exit-form == 'yes'", true},
		{"Größe == 180", true},
		{"empty == ''", true},
		{"age == 1 or age == 27 and relation == 'yes'", false}, // and binds closer
		{"(age == 27 or age == 1) and relation == 'no'", true},
		{"not age == 27 or relation == 'no'", true}, // not binds closest
		{"not (age == 27 or relation == 'no')", false},
		{"NOT age == 1 And relation=='no'", true},
		{"age==27", true},
		{"age == followers", false},
		{"income == 'nonsense'", false},
	} {
		e, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := e.Eval(person); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", c.text, got, err, c.want)
		}
		if e.String() != c.text {
			t.Errorf("%s: became %s", c.text, e)
		}
	}
}

func TestWhatWasNotAnswered(t *testing.T) {
	person := answers(map[string]string{"age": "27"})
	for _, c := range []struct {
		text, missing string
		want          bool
	}{
		{"shoe == 40", "shoe", false},
		{"18 < shoe < 35", "shoe", false},
		{"shoe in [1, 2]", "shoe", false},
		{"not shoe == 40", "shoe", true}, // the opposite of what is false
		{"shoe not in [40]", "shoe", true},
		{"not (shoe == 40 and age == 27)", "shoe", true},
		{"age == 27 and not shoe == 40", "shoe", true},
		{"age == 1 or not shoe == 40", "shoe", true},
		{"30 < age < shoe", "", false}, // decided without it
		{"shoe < age < 20", "", false},
		{"20 < age < shoe", "shoe", false},
		{"age == 27 and shoe == 40", "shoe", false},
		{"shoe == 40 and age == 27", "shoe", false},
		{"age == 1 or shoe == 40", "shoe", false},
		{"shoe == 40 or hat == 3", "shoe", false},
		{"shoe == 40 or age == 27", "", true},
		{"age == 27 or shoe == 40", "", true},
		{"shoe == 40 and age == 1", "", false},
		{"age == 1 and shoe == 40", "", false},
	} {
		e, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Eval(person)
		var missing *UnansweredError
		if errors.As(err, &missing); c.missing == "" && err != nil || c.missing != "" && (missing == nil || missing.Name != c.missing || !errors.Is(err, ErrUnanswered)) || got != c.want {
			t.Errorf("%s: %v, %v; want %v, missing %q", c.text, got, err, c.want, c.missing)
		}
	}
}

func TestWordsAreNeitherLessNorMore(t *testing.T) {
	e, err := Parse("income > 100")
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Eval(answers(map[string]string{"income": "100-150k"}))
	if want := `"100-150k" > "100": only numbers are less or more than others`; err == nil || err.Error() != want || errors.Is(err, ErrUnanswered) {
		t.Errorf("%v, want %s", err, want)
	}
	if is, err := e.Eval(answers(nil)); is || !errors.Is(err, ErrUnanswered) {
		t.Errorf("%v, %v", is, err)
	}
}

func TestNamesAndComparisons(t *testing.T) {
	e, err := Parse("18 <= age < 35 and (income in ['a', 'b'] or age == 40) and x < y")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Names(), []string{"age", "income", "x", "y"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	want := []Comparison{{"age", "18", 1}, {"age", "35", 13}, {"income", "a", 32}, {"income", "b", 37}, {"age", "40", 52}}
	if got := e.Compared(); !slices.Equal(got, want) {
		t.Errorf("comparisons %+v, want %+v", got, want)
	}
	if holds, err := (Expr{}).Eval(nil); !holds || err != nil || len((Expr{}).Names()) != 0 {
		t.Errorf("the zero value: %v, %v", holds, err)
	}
}

func TestWhatIsNoCondition(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "column 1: the condition is empty"},
		{"  ", "column 1: the condition is empty"},
		{"relation", `column 1: "relation" alone is no condition; say what it has to be: relation == 'yes'`},
		{"'no'", `column 1: "no" alone is no condition`},
		{"age = 3", `column 5: "=" is not understood here: write == to compare`},
		{"age > 3 && x < 2", `column 9: "&&" is not understood here: write "and"`},
		{"a == 1 || b == 2", `column 8: "||" is not understood here: write "or"`},
		{"!(a == 1)", `column 1: "!" is not understood here: write "not"`},
		{"age ≥ 18", `column 5: "≥" is not understood here: write >=`},
		{"age => 18", `column 5: "=>" is not understood here: write >=`},
		{"relation == ‘no’", `column 13: "‘" is not understood here: use straight quotes: '`},
		{"relation == 'no", "column 13: the quote ' is not closed"},
		{"'age' > 18", `column 1: "age" > "18" compares no answer; names of questions stand without quotes`},
		{"1 < 2 < age", `column 1: "1" < "2" compares no answer; names of questions stand without quotes`},
		{"(age > 18", "column 10: the bracket of column 1 is not closed before the end"},
		{"age > 18)", `column 9: ")" comes after a whole condition; join two with and, or`},
		{"age > 18 relation == 'no'", `column 10: "relation" comes after a whole condition; join two with and, or`},
		{"age >", "column 6: an answer, a number or words in quotes should stand before the end"},
		{"and age > 3", `column 1: an answer, a number or words in quotes should stand before "and"`},
		{"income in 'a'", `column 8: after "in" comes a list, not "a": income in ['a', 'b']`},
		{"income in []", `column 12: a number or words in quotes should stand in the list, not "]"`},
		{"income in [a]", `column 12: a number or words in quotes should stand in the list, not "a"`},
		{"income in ['a' 'b']", `column 16: a comma or ] should stand in the list, not "b"`},
		{"income in ['a'", `column 15: a comma or ] should stand in the list, not the end`},
		{"'a' in ['a']", `column 1: "a" is no answer; names of questions stand without quotes`},
		{"age > 18y", `column 7: "18" goes on with 'y': put quotes around words`},
		{"age > 1.2.3", `column 7: "1.2" goes on with '.': put quotes around words`},
		{"age + 1 > 18", `column 5: '+' is not understood here`},
		{"age > 1" + strings.Repeat("0", 40), "column 7: a number of 41 digits: 40 are allowed"},
		{strings.Repeat("(", 60) + "a == 1", "column 51: more than 50 brackets within each other"},
		{strings.Repeat("not ", 60) + "a == 1", "column 201: more than 50 brackets within each other"},
		{strings.Repeat("a == 1 or ", 100) + "a == 2", "column 1000: the condition is longer than 1000 characters"},
		{"a == '\xff'", "column 1: the condition is not text in UTF-8"},
	} {
		_, err := Parse(c.text)
		var at *Error
		if !errors.As(err, &at) || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// A condition built from known parts means what the parts mean.
func TestEvalIsItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := map[string]string{}
		for _, n := range []string{"a", "b", "c"} {
			values[n] = strconv.Itoa(rapid.IntRange(-3, 3).Draw(t, n))
		}
		text, want := condition(t, values, 4)
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := e.Eval(answers(values)); err != nil || got != want {
			t.Fatalf("%s with %v: %v, %v; want %v", text, values, got, err, want)
		}
	})
}

// condition draws a condition and tells whether it holds.
func condition(t *rapid.T, values map[string]string, depth int) (string, bool) {
	kind := rapid.IntRange(0, 4).Draw(t, "kind")
	if depth == 0 {
		kind = 4
	}
	switch kind {
	case 0, 1:
		left, l := condition(t, values, depth-1)
		right, r := condition(t, values, depth-1)
		if kind == 0 {
			return "(" + left + ") or (" + right + ")", l || r
		}
		return "(" + left + ") and (" + right + ")", l && r
	case 2:
		of, is := condition(t, values, depth-1)
		return "not (" + of + ")", !is
	}
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	low, high := rapid.IntRange(-3, 3).Draw(t, "low"), rapid.IntRange(-3, 3).Draw(t, "high")
	v, _ := strconv.Atoi(values[name])
	if kind == 3 {
		return fmt.Sprintf("%s in [%d, '%d']", name, low, high), v == low || v == high
	}
	return fmt.Sprintf("%d <= %s < %d", low, name, high), low <= v && v < high
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"18 <= age < 35", "income in ['100-150k','>150k']", "not (a == 1 or b != \"x\") and c.d-e > -1.5",
		"a not in [1]", "a not", "((((", "'", "a in [", "‘a’ ≥ 1", "a..b == 1", "1e5 < a",
	} {
		f.Add(s, "27")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		e, err := Parse(text)
		if err != nil {
			var at *Error
			if !errors.As(err, &at) || at.Column < 1 || at.Column > maxLength+1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		asked := map[string]bool{}
		got, err := e.Eval(func(name string) (string, bool) { asked[name] = true; return value, true })
		if errors.Is(err, ErrUnanswered) {
			t.Fatalf("%q with %q everywhere: %v", text, value, err)
		}
		opposite, err := Parse("not (" + text + ")")
		if err == nil { // else it is too long or too deep
			if is, _ := opposite.Eval(func(string) (string, bool) { return value, true }); is == got {
				t.Fatalf("%q and its opposite are both %v", text, is)
			}
		}
		names := e.Names()
		if len(names) == 0 {
			t.Fatalf("%q asks for no answer", text)
		}
		for name := range asked {
			if !slices.Contains(names, name) {
				t.Fatalf("%q asks for %q, which is not among %q", text, name, names)
			}
		}
		if again, err := Parse(e.String()); err != nil || !slices.Equal(again.Names(), names) {
			t.Fatalf("%q does not survive a second reading: %v", text, err)
		}
	})
}
