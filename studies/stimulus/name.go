package stimulus

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxID is the longest id of a study file.
const maxID = 64

// unaccent are the letters of European names that an id cannot have.
var unaccent = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "æ", "ae", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "œ", "oe",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ý", "y", "ÿ", "y", "ß", "ss",
	"À", "A", "Á", "A", "Â", "A", "Ä", "A", "Å", "A", "Æ", "AE", "Ç", "C", "È", "E", "É", "E", "Ê", "E", "Ë", "E",
	"Î", "I", "Ï", "I", "Ñ", "N", "Ô", "O", "Ö", "O", "Ø", "O", "Œ", "OE", "Ù", "U", "Û", "U", "Ü", "U",
)

// ID makes of a file's name an id as a study file has it: letters, digits, - _ and .,
// and no more than 64 of them.
func ID(file string) string {
	name := filepath.Base(file)
	name = unaccent.Replace(strings.TrimSuffix(name, filepath.Ext(name)))
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, name)
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' })
	id = strings.TrimLeft(strings.Join(words, "-"), "._-")
	id = strings.TrimRight(id[:min(len(id), maxID)], ".-")
	if id == "" {
		return "clip"
	}
	return id
}

// endings are those of files that are taken for videos when a folder is looked through.
var endings = []string{
	".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".asf",
	".flv", ".ogv", ".3gp", ".3g2", ".mxf", ".gif", ".dv",
}

// Videos lists the videos of a folder by name, those of its own folders not among them.
// Hidden files are passed over.
func Videos(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !e.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(e.Name()))) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}
