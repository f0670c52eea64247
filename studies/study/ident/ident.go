// Package ident makes ids of names that people give: of videos, folders, rows of a table.
// All commands make the same id of the same name.
package ident

import "strings"

// longest is the longest id of a study file.
const longest = 64

// unaccent are the letters of European names that an id cannot have.
var unaccent = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "æ", "ae", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "œ", "oe",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ý", "y", "ÿ", "y", "ß", "ss",
	"À", "A", "Á", "A", "Â", "A", "Ä", "A", "Å", "A", "Æ", "AE", "Ç", "C", "È", "E", "É", "E", "Ê", "E", "Ë", "E",
	"Î", "I", "Ï", "I", "Ñ", "N", "Ô", "O", "Ö", "O", "Ø", "O", "Œ", "OE", "Ù", "U", "Û", "U", "Ü", "U",
)

// Of makes of a name an id as a study file has it: letters, digits, - _ and ., a letter or
// digit first, and no more than 64 of them. It is "" where nothing is left of the name.
func Of(name string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, unaccent.Replace(name))
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' })
	id = strings.TrimLeft(strings.Join(words, "-"), "._-")
	return strings.TrimRight(id[:min(len(id), longest)], ".-")
}
