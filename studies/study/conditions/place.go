package conditions

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"emolab/studies/study/ident"
)

// local makes a path with slashes of one as a table has it. A file that is not below the
// table's folder becomes its bare name, and moved is true.
func local(cell string) (file string, moved bool) {
	file = strings.ReplaceAll(cell, `\`, "/")
	if file == "" {
		return "", false
	}
	drive := len(file) > 1 && file[1] == ':'
	file = path.Clean(file)
	if drive || path.IsAbs(file) || file == ".." || strings.HasPrefix(file, "../") {
		return path.Base(file), true
	}
	return file, false
}

// commonFolder is the folder that all files lie in; "" = that of the table.
func commonFolder(files []string) string {
	common, first := "", true
	for _, f := range files {
		if f == "" {
			continue
		}
		folder := path.Dir(f)
		for !first && common != folder && !strings.HasPrefix(folder+"/", common+"/") {
			if common = path.Dir(common); common == "." {
				return ""
			}
		}
		if first {
			common, first = folder, false
		}
	}
	if common == "." || first {
		return ""
	}
	return common
}

// longestID is the most characters of an id, without the number that tells two apart.
const longestID = 59

// unique returns an id that is not taken yet, and takes it: as the table has it, or else
// the name of the file.
func unique(taken map[string]bool, wanted, file string) string {
	if wanted == "" {
		wanted = strings.TrimSuffix(path.Base(file), path.Ext(file))
	}
	id := cmp.Or(ident.Of(wanted), "clip")
	id = strings.TrimRight(id[:min(len(id), longestID)], ".-")
	for n, base := 2, id; taken[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	taken[id] = true
	return id
}
