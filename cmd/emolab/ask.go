package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxAnswer bounds an answer that is typed, in bytes.
const maxAnswer = 4096

// ask asks a question and reads a line from standard input, a terminal or a pipe. The
// question goes to standard error, so that results can be piped.
func (a *app) ask(question string) (string, error) {
	fmt.Fprint(a.err, question+" ")
	line := make([]byte, 0, 80)
	for b := make([]byte, 1); len(line) < maxAnswer; { // byte by byte: what follows is the next question's
		n, err := os.Stdin.Read(b)
		if n == 1 && b[0] == '\n' {
			return strings.TrimSpace(string(line)), nil
		}
		line = append(line, b[:n]...)
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSpace(string(line)), nil
		case errors.Is(err, io.EOF):
			return "", errors.New("nobody answers: standard input is at its end")
		case err != nil:
			return "", fmt.Errorf("read the answer: %w", err)
		}
	}
	return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
}

// agreed asks for a yes, and takes everything else for a no.
func (a *app) agreed(question string) (bool, error) {
	answer, err := a.ask(question + " [y/N]")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(answer) {
	case "y", "yes", "o", "oui":
		return true, nil
	}
	return false, nil
}
