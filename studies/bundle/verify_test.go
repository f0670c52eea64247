package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// small makes a bundle with two members, and lets change what it is made of.
func small(t testing.TB, change func(members []member, m *manifest) []member) []byte {
	t.Helper()
	members := []member{
		{"README.txt", "Words.", contents([]byte(strings.Repeat("some words ", 20)))},
		{"streams/eda.csv", "Numbers.", contents([]byte("t_s,eda_us\n0.000000,1.5\n"))},
	}
	m := manifest{Format: Format, Session: "s1"}
	if change != nil {
		members = change(members, &m)
	}
	path := filepath.Join(t.TempDir(), "small.zip")
	if _, err := write(t.Context(), path, time.Unix(0, 0), members, m, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func verifyBytes(b []byte) (Report, error) { return verify(bytes.NewReader(b), int64(len(b))) }

// TestEveryByteCounts flips a bit of every byte of a small bundle in turn: its
// members, the headers between them, the directory and the seal.
func TestEveryByteCounts(t *testing.T) {
	b := small(t, nil)
	if _, err := verifyBytes(b); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for _, bit := range []byte{0x01, 0x20, 0x80} {
			b[i] ^= bit
			if _, err := verifyBytes(b); err == nil {
				t.Errorf("bit %#x of byte %d of %d was changed and not found", bit, i, len(b))
			}
			b[i] ^= bit
		}
	}
}

// TestOneByteInEachMember changes a byte in each member of a real bundle: the
// error must name that member.
func TestOneByteInEachMember(t *testing.T) {
	_, path := exported(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		before, err := contentOf(f)
		if err != nil {
			t.Fatal(err)
		}
		// Some bits may be either: a run of one byte is repeated from wherever it is. Which
		// they are changes with the times of day in the file. z reads whole as it is now.
		at := from + int64(f.CompressedSize64)/2
		for ; ; at++ {
			whole[at] ^= 0x10
			if now, err := contentOf(f); err != nil || !bytes.Equal(now, before) {
				break
			}
			whole[at] ^= 0x10
		}
		if _, err := verifyBytes(whole); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), f.Name) {
			t.Errorf("a changed byte in %s gave %v", f.Name, err)
		}
		whole[at] ^= 0x10
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		at := r.IntN(len(whole))
		whole[at] ^= 0x10
		if _, err := verifyBytes(whole); err == nil {
			t.Errorf("a changed byte at %d of %d was not found", at, len(whole))
		}
		whole[at] ^= 0x10
	}
	for _, n := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		if _, err := verifyBytes(whole[:n]); err == nil {
			t.Errorf("a bundle cut to %d bytes of %d verified", n, len(whole))
		}
	}
	if _, err := verifyBytes(append(whole, 'x')); err == nil {
		t.Error("a bundle with a byte more verified")
	}
}

// contentOf reads a member.
func contentOf(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// repacked rewrites a bundle's zip member by member, as a tool would.
func repacked(t testing.TB, b []byte, change func(name string, content []byte) (string, []byte), extra ...string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, content []byte) {
		m, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if name, content := change(f.Name, content); name != "" {
			put(name, content)
		}
	}
	for _, name := range extra {
		put(name, []byte("extra"))
	}
	if err := w.SetComment(z.Comment); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	same := func(name string, b []byte) (string, []byte) { return name, b }
	tests := []struct {
		name   string
		bundle func(t *testing.T) []byte
		want   string
	}{
		{"not a zip", func(*testing.T) []byte { return []byte("hello") }, "zip"},
		{"repacked", func(t *testing.T) []byte { return repacked(t, small(t, nil), same) }, "zip around"},
		{"a file more", func(t *testing.T) []byte { return repacked(t, small(t, nil), same, "notes.txt") }, "notes.txt does not belong"},
		{"a file less", func(t *testing.T) []byte {
			return repacked(t, small(t, nil), func(n string, b []byte) (string, []byte) {
				if n == "streams/eda.csv" {
					n = ""
				}
				return n, b
			})
		}, "streams/eda.csv is missing"},
		{"a file edited", func(t *testing.T) []byte {
			return repacked(t, small(t, nil), func(n string, b []byte) (string, []byte) {
				return n, bytes.Replace(b, []byte("1.5\n"), []byte("2.5\n"), 1)
			})
		}, "streams/eda.csv was changed"},
		{"the manifest edited", func(t *testing.T) []byte {
			return repacked(t, small(t, nil), func(n string, b []byte) (string, []byte) {
				return n, bytes.Replace(b, []byte(`"s1"`), []byte(`"s2"`), 1)
			})
		}, "manifest.json is not as"},
		{"no manifest", func(t *testing.T) []byte {
			return repacked(t, small(t, nil), func(n string, b []byte) (string, []byte) {
				if n == manifestName {
					n = ""
				}
				return n, b
			})
		}, "manifest.json is missing"},
		{"a name twice", func(t *testing.T) []byte { return repacked(t, small(t, nil), same, "README.txt") }, "README.txt is in it twice"},
		{"a way out", func(t *testing.T) []byte { return repacked(t, small(t, nil), same, "../../etc/cron.d/x") }, "../../etc"},
		{"an absolute path", func(t *testing.T) []byte { return repacked(t, small(t, nil), same, "/etc/passwd") }, "/etc/passwd"},
		{"a drive", func(t *testing.T) []byte { return repacked(t, small(t, nil), same, `C:\x`) }, `C:`},
		{"a folder", func(t *testing.T) []byte {
			return repacked(t, small(t, nil), func(n string, b []byte) (string, []byte) {
				if n == "README.txt" {
					return "folder/", nil
				}
				return n, b
			})
		}, "folder/"},
		{"a later format", func(t *testing.T) []byte {
			return small(t, func(ms []member, m *manifest) []member { m.Format = "emolab-bundle/9"; return ms })
		}, "newer emolab"},
		{"a bomb", func(t *testing.T) []byte {
			return small(t, func(ms []member, _ *manifest) []member {
				return append(ms, member{"bomb.csv", "Zeros.", func(_ context.Context, w io.Writer) (int64, error) {
					zeros := make([]byte, 1<<20)
					for range 20 {
						if _, err := w.Write(zeros); err != nil {
							return 0, err
						}
					}
					return 0, nil
				}})
			})
		}, "bomb.csv would grow"},
		{"a thousand files", func(t *testing.T) []byte {
			var names []string
			for i := range maxFiles {
				names = append(names, fmt.Sprintf("f%d", i))
			}
			return repacked(t, small(t, nil), same, names...)
		}, "more than any bundle"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := verifyBytes(tt.bundle(t)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Verify gave %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

func TestVerifyNamesTheBundle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent.zip")
	if _, err := Verify(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("an absent bundle gave %v", err)
	}
}

// FuzzVerify: nothing that differs from what was exported verifies, and no file
// makes Verify panic.
func FuzzVerify(f *testing.F) {
	good := small(f, nil)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add(append(bytes.Clone(good), good...))
	f.Fuzz(func(t *testing.T, b []byte) {
		report, err := verifyBytes(b)
		if err != nil {
			return
		}
		// A fuzzer cannot invent a bundle: it would have to find a SHA-256.
		if !bytes.Equal(b, good) {
			t.Errorf("a bundle that was never exported verified: %+v", report)
		}
	})
}
