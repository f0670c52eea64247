package emobox

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"emolab/firmware-bridge/wire"
)

// The judge decides as the firmware's light.c, which is compiled for this machine
// for the comparison.
func TestJudgeIsTheFirmwares(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed: apt install gcc")
	}
	const source = "../../../firmware-bridge/firmware"
	program := filepath.Join(t.TempDir(), "bench")
	build := exec.Command(gcc, "-std=c11", "-O1", "-I"+source+"/avr", "-o", program, source+"/testdata/bench.c",
		source+"/avr/frame.c", source+"/avr/cobs.c", source+"/avr/crc.c", source+"/avr/light.c")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}

	r := rand.New(rand.NewPCG(3, 3))
	var questions, want []string
	var edges, quiet int
	for range 40 {
		threshold := []int{0, 0, 20000, 512, 65535, 100}[r.UintN(6)]
		questions, want = append(questions, fmt.Sprintf("b %d", threshold)), append(want, "")
		j := judge{threshold: uint16(threshold)}
		at, noise := r.UintN(60000), r.UintN(3000)
		for range 1000 {
			var raw [wire.LightReadings]uint16
			joins := r.UintN(20) > 0
			text := map[bool]string{true: "l 1", false: "l 0"}[joins]
			for i := range raw {
				if r.UintN(200) == 0 {
					at = r.UintN(60000)
				}
				raw[i] = uint16(at + r.UintN(noise+1))
				text += fmt.Sprint(" ", raw[i])
			}
			send, last := j.block(&raw, joins)
			questions, want = append(questions, text), append(want, fmt.Sprint(bit(send)+2*bit(last)))
			edges, quiet = edges+bit(last), quiet+bit(!send)
		}
	}
	if edges < 100 || quiet < 100 {
		t.Fatalf("%d edges and %d quiet blocks: nothing is tried", edges, quiet)
	}
	c := exec.Command(program)
	c.Stdin = strings.NewReader(strings.Join(questions, "\n") + "\n")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		if got != want[i] {
			t.Fatalf("%s: the firmware says %s, the judge %s", questions[i], got, want[i])
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Around every edge of a patch that flashes at any time lie 8 readings before and
// 16 after, and nothing is sent twice.
func TestReadingsAroundEveryEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var j judge
		var raw [wire.LightReadings]uint16
		var edges []int
		sent := map[int]int{}
		lit, last := uint16(5000), -1000
		const blocks = 200
		for b := range blocks {
			for i := range raw {
				if n := b*len(raw) + i; n-last > 30 && n > 8 && rapid.IntRange(0, 40).Draw(t, "flash") == 0 {
					lit, last = 45000-lit, n
					edges = append(edges, n)
				}
				raw[i] = lit
			}
			send, before := j.block(&raw, true)
			if before {
				sent[b-1]++
			}
			if send {
				sent[b]++
			}
		}
		for b, times := range sent {
			if times > 1 {
				t.Fatalf("block %d was sent %d times", b, times)
			}
		}
		for _, e := range edges {
			for n := e - lightBefore; n <= e+lightAfter && n < blocks*len(raw); n++ {
				if sent[n/len(raw)] == 0 {
					t.Fatalf("reading %d of the edge at %d was not sent", n, e)
				}
			}
		}
	})
}

// A patch that flashes for calibration: pulses of 100 to 500 ms, of 10 to 100 %
// contrast at any level that gives 156 mV, with the converter's noise. Every edge is
// sent with what is around it, by either kind of threshold.
func TestEveryFlashIsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const step = 64 // of the converter, on the scale of the readings
		bright := rapid.IntRange(lightLeastSwing*10, 65535-2*step).Draw(t, "bright")
		dark := bright - bright*rapid.IntRange(10, 100).Draw(t, "contrast")/100
		var j judge
		if rapid.Bool().Draw(t, "given") {
			j.threshold = uint16((dark + bright) / 2)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "noise"), 1))
		var raw [wire.LightReadings]uint16
		var edges []int
		sent := map[int]bool{}
		at, next := dark, 200
		const blocks = 500
		for b := range blocks {
			for i := range raw {
				if n := b*len(raw) + i; n == next {
					at = dark + bright - at
					edges = append(edges, n)
					next = n + rapid.IntRange(100, 500).Draw(t, "pulse")
				}
				raw[i] = uint16(max(32, at+step*(r.IntN(3)-1)))
			}
			send, before := j.block(&raw, true)
			sent[b] = send
			if before {
				sent[b-1] = true
			}
		}
		for _, e := range edges {
			for n := e - lightBefore; n <= e+lightAfter-1 && n < blocks*len(raw); n++ {
				if !sent[n/len(raw)] {
					t.Fatalf("dark %d, bright %d: reading %d of the edge at %d was not sent", dark, bright, n, e)
				}
			}
		}
	})
}
