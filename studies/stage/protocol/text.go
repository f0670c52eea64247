package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Text is a question to the participant in one language.
type Text struct {
	Language string   `json:"language"` // "en"
	Heading  string   `json:"heading"`
	Body     []string `json:"body"` // paragraphs
	Yes      string   `json:"yes"`  // the answers; their first letters are their keys
	No       string   `json:"no"`
	Hint     string   `json:"hint"`   // how to answer
	SHA256   string   `json:"sha256"` // of String, hex
}

// NewText returns t with its hash.
func NewText(t Text) Text {
	sum := sha256.Sum256([]byte(t.String()))
	t.SHA256 = hex.EncodeToString(sum[:])
	return t
}

// String is all that is read, from top to bottom, each part on its own line.
func (t Text) String() string {
	parts := append([]string{t.Heading}, t.Body...)
	return strings.Join(append(parts, t.Yes, t.No, t.Hint), "\n")
}
