package serialport

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Holder is a program that has a port open.
type Holder struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
}

// String returns the holder as a person says it.
func (h Holder) String() string {
	if h.PID == os.Getpid() {
		return "this program itself"
	}
	return fmt.Sprintf("%s (process %d)", h.Name, h.PID)
}

// procDir is where Linux describes its processes.
const procDir = "/proc"

// Holders returns the programs that have a port open, without opening it. Without
// root only those of the same user can be seen.
func Holders(path string) []Holder {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	return holders(procDir, target)
}

func holders(root, target string) []Holder {
	processes, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var all []Holder
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join(root, p.Name())
		files, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue // somebody else's, or gone by now
		}
		for _, f := range files {
			if to, err := os.Readlink(filepath.Join(dir, "fd", f.Name())); err == nil && to == target {
				name, err := os.ReadFile(filepath.Join(dir, "comm"))
				if err != nil {
					name = []byte("a program")
				}
				all = append(all, Holder{pid, strings.TrimSpace(string(name))})
				break
			}
		}
	}
	return all
}

// busy is the error for a port that others have open. holders may be empty: they
// cannot always be seen.
func busy(path string, holders []Holder) error {
	if len(holders) == 0 {
		return fmt.Errorf("%w: %s: close that program (\"sudo lsof %s\" names it)", ErrBusy, path, path)
	}
	names := make([]string, len(holders))
	for i, h := range holders {
		names[i] = h.String()
	}
	return fmt.Errorf("%w: %s is held by %s: close it there first", ErrBusy, path, strings.Join(names, ", "))
}
