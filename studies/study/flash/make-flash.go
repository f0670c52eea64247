//go:build ignore

// Make-flash draws the frames of the flash clip and writes them to standard
// output as raw 8-bit grey, 320 x 320 at 30 frames per second: the cells that
// spell the frame's number in the upper tenth, the patch below.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"emolab/studies/study"
)

const (
	side  = 320
	cells = side / study.FlashCells // height of the cells, and their width
)

// grey is a level of the picture, full range.
func grey(bright bool) byte {
	if bright {
		return 255
	}
	return 0
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	for frame := range study.FlashFrames {
		row := make([]byte, 0, side)
		for _, bit := range study.FlashBits(frame) {
			row = append(row, bytes.Repeat([]byte{grey(bit)}, cells)...)
		}
		picture := bytes.Repeat(row, cells)
		picture = append(picture, bytes.Repeat([]byte{grey(study.FlashBright(int64(frame)))}, side*(side-cells))...)
		if _, err := out.Write(picture); err != nil {
			fmt.Fprintln(os.Stderr, "make-flash: write frame:", err)
			os.Exit(1)
		}
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "make-flash: write frames:", err)
		os.Exit(1)
	}
}
