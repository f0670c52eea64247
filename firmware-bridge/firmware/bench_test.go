package firmware

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"emolab/firmware-bridge/wire"
)

// ask compiles testdata/bench.c, the firmware's code on this machine, puts
// questions to it and returns the answers.
func ask(t *testing.T, questions []string) []string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed: apt install gcc")
	}
	program := filepath.Join(t.TempDir(), "bench")
	build := exec.Command(gcc, "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror",
		"-fsanitize=undefined", "-fno-sanitize-recover", "-Iavr", "-o", program,
		"testdata/bench.c", "avr/frame.c", "avr/cobs.c", "avr/crc.c", "avr/light.c")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	c := exec.Command(program)
	c.Stdin = strings.NewReader(strings.Join(questions, "\n") + "\n")
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	answers := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers
}

func TestFramesAreTheHosts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	u16, u32 := func() uint16 { return uint16(r.Uint32()) >> r.UintN(16) }, r.Uint32
	var frames [][]byte
	for range 200 {
		l := wire.Light{Seq: u16(), Tick: u32()}
		for i := range l.Raw {
			l.Raw[i] = u16()
		}
		frames = append(frames,
			wire.AppendEDA(nil, wire.EDA{Seq: u16(), Tick: u32(), Raw: u16()}),
			wire.AppendPong(nil, wire.Pong{ID: u16(), Rx: u32(), Tx: u32()}),
			wire.AppendStatus(nil, wire.Status{Samples: u32(), Unsent: u16(), TriggerUnsent: u16()}),
			wire.AppendLight(nil, l),
			wire.AppendTrigger(nil, wire.Trigger{Seq: u16(), Tick: u32(), Level: uint8(r.UintN(2))}),
			wire.AppendHello(nil, wire.Hello{Protocol: wire.Version, Model: Model, Serial: u32(), Rate: u16(), Has: wire.HasLight, On: wire.HasLight}))
	}
	var questions []string
	for _, f := range frames {
		var d wire.Decoder
		m, _, ok := d.Next(f)
		if !ok {
			t.Fatalf("% X is no frame", f)
		}
		questions = append(questions, fmt.Sprintf("e %d %x", m.Type, m.Payload))
	}
	for i, got := range ask(t, questions) {
		if want := hex.EncodeToString(frames[i]); got != want {
			t.Errorf("%s: the firmware sends %s, want %s", questions[i], got, want)
		}
	}
}

// commands are the messages that the firmware obeys.
var commands = map[wire.Type]bool{
	wire.TypeIdentify: true, wire.TypeStart: true, wire.TypeStop: true, wire.TypeRate: true,
	wire.TypePing: true, wire.TypeLightSet: true, wire.TypeTriggerSet: true,
}

// What the firmware's receiver takes and refuses is what wire.Decoder does, byte
// for byte, of good, damaged and random lines.
func TestReceiverIsTheHosts(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var d wire.Decoder
	var questions, want []string
	foreign := 0 // whole frames of types that only a device sends
	for range 500 {
		var line []byte
		for range 20 {
			switch r.UintN(9) {
			case 0:
				line = wire.AppendIdentify(line)
			case 1:
				line = wire.AppendStart(wire.AppendStop(line))
			case 2:
				line = wire.AppendRate(line, uint16(r.Uint32()))
			case 3:
				line = wire.AppendPing(line, uint16(r.Uint32()))
			case 4:
				line = wire.AppendLightSet(line, wire.LightSetting{On: r.UintN(2) == 1, Threshold: uint16(r.Uint32())})
			case 5:
				line = wire.AppendTriggerSet(line, r.UintN(2) == 1)
			case 6:
				line = wire.AppendEDA(line, wire.EDA{Seq: 1, Tick: r.Uint32()})
			case 7:
				for range r.UintN(60) {
					line = append(line, byte(r.UintN(256)))
				}
				line = append(line, 0)
			case 8:
				if len(line) > 0 {
					line[r.IntN(len(line))] ^= 1 << r.UintN(8)
				}
			}
		}
		if len(line) == 0 {
			line = []byte{0}
		}
		questions = append(questions, fmt.Sprintf("r %x", line))
		var heard strings.Builder
		for p := line; len(p) > 0; {
			m, rest, ok := d.Next(p)
			p = rest
			switch {
			case ok && commands[m.Type]:
				fmt.Fprintf(&heard, "%02x %x ", uint8(m.Type), m.Payload)
			case ok:
				foreign++
			}
		}
		f := d.Faults()
		want = append(want, fmt.Sprintf("%s%d", heard.String(), f.COBS+f.CRC+f.Unknown+f.Short+f.Oversize+int64(foreign)))
	}
	for i, got := range ask(t, questions) {
		if got != want[i] {
			t.Fatalf("%s:\nthe firmware hears %s\nwant             %s", questions[i], got, want[i])
		}
	}
}

// TestScale holds the firmware's sum to the formula of PROTOCOL.md.
func TestScale(t *testing.T) {
	var questions []string
	var want []string
	for sum := 0; sum <= 120*1023; sum += 7 {
		questions = append(questions, fmt.Sprintf("s %d", sum))
		want = append(want, fmt.Sprint(int((float64(sum)+60)*64/120+.5)))
	}
	for i, got := range ask(t, questions) {
		if got != want[i] {
			t.Fatalf("%s: %s, want %s", questions[i], got, want[i])
		}
	}
}

func TestLightMessages(t *testing.T) {
	flat := func(v int) []int {
		b := make([]int, 12)
		for i := range b {
			b[i] = v + i%2 // noise of one count
		}
		return b
	}
	step := func(from, to, at int) []int {
		return append(flat(from)[:at:at], flat(to)[at:]...)
	}
	ramp := func(from, by int) []int {
		b := flat(from)
		for i := range b {
			b[i] = from + i*by
		}
		return b
	}
	const send, last = "1", "3"
	cases := []struct {
		name      string
		threshold int
		blocks    [][]int
		want      []string
	}{
		{"the first block is sent, the others not", 0, [][]int{flat(500), flat(500), flat(500)}, []string{send, "0", "0"}},
		{"an early edge brings the block before and two after", 0,
			[][]int{flat(500), flat(500), flat(500), step(500, 9000, 3), flat(9000), flat(9000)}, []string{send, "0", "0", last, send, "0"}},
		{"a late edge needs no block before, and two after", 0,
			[][]int{flat(500), flat(500), step(500, 9000, 11), flat(9000), flat(9000), flat(9000)}, []string{send, "0", send, send, send, "0"}},
		{"an early edge after a block that was sent", 0, [][]int{flat(500), step(500, 9000, 0)}, []string{send, send}},
		{"the first step down from white", 0, [][]int{flat(60000), flat(60000), step(60000, 500, 2)}, []string{send, "0", last}},
		{"noise is no edge", 0, [][]int{flat(500), step(500, 2000, 5), step(2000, 500, 5)}, []string{send, "0", "0"}},
		{"a given threshold", 20000, [][]int{flat(19000), flat(20400), flat(19500), flat(20600), flat(19600), flat(19400)},
			[]string{send, "0", "0", last, send, send}},
		{"a slow ramp is one edge", 30000, [][]int{flat(10000), flat(10000), ramp(20000, 1500), flat(40000), flat(40000), flat(40000)},
			[]string{send, "0", send, send, send, "0"}},
	}
	var questions []string
	for _, c := range cases {
		questions = append(questions, fmt.Sprintf("b %d", c.threshold))
		for _, b := range c.blocks {
			questions = append(questions, "l 1 "+strings.Trim(fmt.Sprint(b), "[]"))
		}
	}
	answers := ask(t, questions)
	for _, c := range cases {
		for i, got := range answers[1 : 1+len(c.blocks)] {
			if got != c.want[i] {
				t.Errorf("%s: block %d: %s, want %s", c.name, i, got, c.want[i])
			}
		}
		answers = answers[1+len(c.blocks):]
	}
}

// Without an edge a block is sent every 84.
func TestLightShowsTheLevel(t *testing.T) {
	var questions []string
	for range 300 {
		questions = append(questions, "l 1 7 7 7 7 7 7 7 7 7 7 7 7")
	}
	var sent []int
	for i, got := range ask(t, questions) {
		if got == "1" {
			sent = append(sent, i)
		}
	}
	if fmt.Sprint(sent) != "[0 84 168 252]" {
		t.Errorf("blocks %v were sent", sent)
	}
}
