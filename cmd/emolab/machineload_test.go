package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// machine is what the processors have done since the start, in ticks of the kernel
// (10 ms of one processor).
type machine struct {
	all  int64 // that passed, on all processors
	busy int64 // in which they worked, or somebody else had them (a virtual machine's host)
	ours int64 // in which they worked for this process and its children
}

// readMachine reads the counters; ok is false where the kernel has none.
func readMachine() (m machine, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	// user, nice, system, idle, iowait, irq, softirq, steal; what follows is in user.
	const idle, iowait, columns = 3, 4, 8
	f := strings.Fields(line)
	if len(f) <= columns || f[0] != "cpu" {
		return m, false
	}
	for i, word := range f[1 : 1+columns] {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return m, false
		}
		m.all += n
		if i != idle && i != iowait {
			m.busy += n
		}
	}
	m.ours = familyTicks(os.Getpid())
	return m, m.ours > 0
}

// familyTicks is how long a process and all that it started have worked.
func familyTicks(root int) int64 {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	parent, worked := map[int]int{}, map[int]int64{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// "12 (name) S 1 ...": the name may hold anything.
		end := bytes.LastIndexByte(text, ')')
		f := strings.Fields(string(text[end+1:]))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(f) < 15 {
			continue
		}
		// Counted from the state: its parent, and its own and its ended children's
		// ticks in user mode and in the kernel.
		const ppid, utime, cstime = 1, 11, 14
		if parent[pid], err = strconv.Atoi(f[ppid]); err != nil {
			continue
		}
		for _, word := range f[utime : cstime+1] {
			n, _ := strconv.ParseInt(word, 10, 64) // the kernel writes numbers
			worked[pid] += n
		}
	}
	var sum int64
	for pid, ticks := range worked {
		for p, steps := pid, 0; p > 0 && steps < len(parent); p, steps = parent[p], steps+1 {
			if p == root {
				sum += ticks
				break
			}
		}
	}
	return sum
}

// otherwiseIdle is the share of the processors that others may use on a machine
// that is idle but for the test.
const otherwiseIdle = .08

// load is how busy a machine was over a stretch of time.
type load struct {
	known        bool
	ours, others float64 // shares of all processors
	average      string  // of the kernel, at the end
}

// since returns the load since then.
func (m machine) since(t *testing.T) load {
	t.Helper()
	now, ok := readMachine()
	l := load{known: ok && m.all > 0 && now.all > m.all}
	if l.known {
		all := float64(now.all - m.all)
		l.ours = float64(now.ours-m.ours) / all
		l.others = max(0, float64(now.busy-m.busy)/all-l.ours)
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		l.average = strings.TrimSpace(string(text))
	}
	return l
}

// idle tells whether the machine was idle but for the test. One of which nobody can
// tell is taken for idle.
func (l load) idle() bool { return !l.known || l.others <= otherwiseIdle }

func (l load) String() string {
	if !l.known {
		return "load unknown"
	}
	return fmt.Sprintf("this test used %.0f %% of the processors, others %.0f %%; load average %s", 100*l.ours, 100*l.others, l.average)
}

// The load that this test makes is its own, and all the load there is is somebody's.
func TestMachineLoad(t *testing.T) {
	before, ok := readMachine()
	if !ok {
		t.Skip("needs /proc of Linux")
	}
	sum := 0
	for {
		for i := range 1 << 20 {
			sum ^= i
		}
		if now, _ := readMachine(); now.ours >= before.ours+20 {
			break
		}
	}
	l := before.since(t)
	t.Log(l, sum)
	if !l.known || l.ours <= 0 || l.ours > 1.05 || l.others > 1 {
		t.Errorf("%+v", l)
	}
}
