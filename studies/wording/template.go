package wording

import (
	"fmt"
	"slices"
	"strings"
)

// templateHead stands before the words that are to be translated.
const templateHead = `# The words of the participant's pages in %[1]q, to be translated: they are still English.
# Translate what stands between the quotation marks or below a key, and leave the keys
# before the colons, the line breaks of indented texts, and what stands in braces, such as
# {time}, as they are: the program fills that in. What is deleted here is read in English.
# How much is still English says  emolab study lint

`

// Template is a file of words in a language that is not built in: the English ones, with
// their comments, to be translated.
func Template(language string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, templateHead, language)
	for _, name := range []string{"sheets", "page"} {
		text, err := files.ReadFile("en/" + name + ".yaml")
		if err != nil {
			panic(fmt.Sprintf("wording: the built-in English: %v", err)) // embedded
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// leastWords is from how many words on a text that reads as in English counts as not
// translated: "No" is Italian as well.
const leastWords = 3

// Untranslated lists the keys whose words still are the English ones, in order.
func (c Catalogue) Untranslated() []string {
	english, _ := Builtin("en")
	var same []string
	for key, words := range c {
		if words != "" && words == english[key] && len(strings.Fields(placeholder.ReplaceAllString(words, ""))) >= leastWords {
			same = append(same, key)
		}
	}
	slices.Sort(same)
	return same
}
