package conditions

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Table
	}{
		{"conditions of an experiment", "stimID,movie,brand,condition,corrAns\n" +
			"a1,stimuli/brandA_1.mp4,Brand A,runway,left\n" +
			"b 1,stimuli/brandB_1.mp4,Brand B,backstage,right\n" +
			",,,,\n" +
			"a1,stimuli/brandA_1.mp4,Brand A,runway,right\n",
			Table{Folder: "stimuli",
				Stimuli: []Stimulus{
					{"a1", "brandA_1.mp4", "Brand A", []string{"condition=runway"}},
					{"b-1", "brandB_1.mp4", "Brand B", []string{"condition=backstage"}},
				},
				Taken: []string{`files: column "movie"`, `ids: column "stimID"`, `brands: column "brand"`, `tags: "condition"`, `left out, because it is about the trial and not about the video: "corrAns"`,
					"1 rows show a file again and are left out; a study says with repeats and blocks how often"}}},
		{"saved by a French Excel, with results of a run", "\xef\xbb\xbfvideo;Marque;trials.thisN;participant;key_resp.rt\r\n" +
			"clips\\été 1.mov;Hermès;0;P1;0.3\r\n" +
			"clips\\sub\\été 1.MOV;Dior;1;P1;0.4\r\n" +
			";Dior;2;P1;\r\n",
			Table{Folder: "clips",
				Stimuli: []Stimulus{
					{"ete-1", "été 1.mov", "Hermès", nil},
					{"ete-1-2", "sub/été 1.MOV", "Dior", nil},
				},
				Taken: []string{`files: column "video"`, "ids: from the names of the files", `brands: column "Marque"`,
					`left out, because PsychoPy writes it while it runs: "trials.thisN", "participant", "key_resp.rt"`,
					"1 rows name no file and are left out"}}},
		{"Western European, tabs, files elsewhere", "path\tthumbnail.gif\tmarque\n" +
			"C:\\films\\a.mp4\ta.gif\tHerm\xe8s\n" +
			"../b.mp4\tb.gif\tDior\n",
			Table{
				Stimuli: []Stimulus{
					{"a", "a.mp4", "Hermès", []string{"thumbnail.gif=a.gif"}},
					{"b", "b.mp4", "Dior", []string{"thumbnail.gif=b.gif"}},
				},
				Taken: []string{"the table is not in UTF-8 and was read as Western European; look at the accents",
					`files: column "path"`, "ids: from the names of the files", `brands: column "marque"`, `tags: "thumbnail.gif"`,
					`2 files lie outside of the table's folder, such as "a.mp4": put them there, or give their folder`}}},
		{"a single column", "whatever\n\"x, y.mp4\"\n",
			Table{Stimuli: []Stimulus{{ID: "x-y", File: "x, y.mp4"}},
				Taken: []string{`files: column "whatever"`, "ids: from the names of the files", "brands: none; no column is called brand"}}},
	} {
		got, err := Read(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestWhatIsNoTable(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the table has no rows below its header"},
		{"file\n", "the table has no rows below its header"},
		{"word,colour\nred,blue\n", `no column names video files (ending in .mp4, .m4v, .mov, .webm); there are "word", "colour"`},
		{"PK\x03\x04xyz", `this is a workbook; save it as text first (in Excel: Save as, "CSV UTF-8")`},
		{"\xff\xfef\x00", `this is "Unicode text" (UTF-16); save it as "CSV UTF-8"`},
		{"file\n\x00\x00", "this is no table of text"},
		{"file,brand\na.mp4,A,x\n", `line 2 has 3 cells, the header has 2 names; put quotes around cells with a ',' in them`},
		{"file,brand\na.mp4,\"A\nb.mp4,B\n", "line 2: a quote is in the wrong place, or not closed"},
		{"file,brand\na.mp4,A\na.mp4,B\n", `line 3: a.mp4 is of brand "B", and of "A" in an earlier line; write the same in both`},
		{strings.Repeat("a,", 300) + "\nx.mp4\n", "line 1 has more than 200 columns"},
		{strings.Repeat("x", 101) + "\na.mp4\n", "line 1: the name of a column is longer than 100 characters; the first line has to name the columns"},
		{strings.Repeat("x", maxBytes+1), "the table is larger than 4 MB; is it a table of conditions?"},
		{"file\n" + many(maxStimuli+1), "line 1002: more than 1000 stimuli; a study has 1 to 1000"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%.40q\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("x", i+1)[:1+i%50])
		b.WriteString(strings.Repeat("y", i/50))
		b.WriteString(".mp4\n")
	}
	return b.String()
}

func TestAWorkbookByName(t *testing.T) {
	file := t.TempDir() + "/conditions.XLSX"
	if err := os.WriteFile(file, []byte("file\na.mp4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(file); !errors.Is(err, errWorkbook) {
		t.Errorf("%v", err)
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	if _, err := ReadFile(t.TempDir() + "/none.csv"); err == nil {
		t.Error("no error")
	}
}

// id is what the ids of a study file may look like.
var id = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func FuzzRead(f *testing.F) {
	f.Add([]byte("stimID,movie,brand\na1,x/a.mp4,A\n.,x/b.mp4,A\n"))
	f.Add([]byte("a;b\n\"c.mp4\";\"\"\"\"\n"))
	f.Add([]byte("a\tb\n..\\..\\c.mp4\t\n/.mp4\tz\n"))
	f.Add([]byte("\xff\xfe"))
	f.Add([]byte("f\r\n\xe9.mp4\r"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Read(strings.NewReader(string(raw)))
		if err != nil {
			return
		}
		ids, files := map[string]bool{}, map[string]bool{}
		for _, s := range got.Stimuli {
			if !id.MatchString(s.ID) || ids[s.ID] || files[s.File] {
				t.Fatalf("%q: id %q or file %q twice, or no id", raw, s.ID, s.File)
			}
			if s.File == "" || strings.HasPrefix(s.File, "/") || strings.HasPrefix(s.File, "../") {
				t.Fatalf("%q: the file %q leaves the folder", raw, s.File)
			}
			ids[s.ID], files[s.File] = true, true
		}
		if len(ids) == 0 || got.Folder == ".." || strings.HasPrefix(got.Folder, "../") || strings.HasPrefix(got.Folder, "/") {
			t.Fatalf("%q: %+v", raw, got)
		}
	})
}
