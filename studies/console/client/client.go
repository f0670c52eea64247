// Package client watches a lab as any program may: the WebSocket of a console, read as
// PROTOCOL.md says. The measurement of a console under load uses it; record.py beside it
// is the same for Python.
package client

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Seen is what a viewer was sent.
type Seen struct {
	Batches int           `json:"batches"`
	Rows    int           `json:"rows"`       // of all streams
	Bytes   int64         `json:"bytes"`      // of the batches
	Span    time.Duration `json:"span_ns"`    // of the lab's time, from the first batch to the last
	Longest time.Duration `json:"longest_ns"` // between two batches
	Skipped int64         `json:"skipped"`    // batches that this viewer was too slow for
}

const (
	headerBytes = 16
	blockBytes  = 8
)

// Watch opens the console at an address such as "http://127.0.0.1:8800" and reads until
// ctx ends. An error is a connection that was refused or lost, or a message that is not as
// the protocol says.
func Watch(ctx context.Context, address, token string) (Seen, error) {
	var seen Seen
	conn, answer, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(address, "http")+"/ws/console",
		http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("%w: %s", err, answer.Status)
		}
		return seen, fmt.Errorf("watch %s: %w", address, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends ReadMessage
	defer stop()
	var last time.Time
	first := math.NaN() // ms
	for {
		kind, b, err := conn.ReadMessage()
		if ctx.Err() != nil {
			return seen, nil
		}
		if err != nil {
			return seen, fmt.Errorf("watch %s: %w", address, err)
		}
		if kind == websocket.TextMessage {
			var note struct {
				Type    string `json:"type"`
				Batches int64  `json:"batches"`
			}
			if err := json.Unmarshal(b, &note); err != nil {
				return seen, fmt.Errorf("watch %s: %w", address, err)
			}
			if note.Type == "skipped" {
				seen.Skipped = note.Batches
			}
			continue
		}
		at, rows, err := read(b)
		if err != nil {
			return seen, fmt.Errorf("watch %s: %w", address, err)
		}
		if math.IsNaN(first) {
			first = at
		}
		seen.Span = time.Duration((at - first) * float64(time.Millisecond))
		now := time.Now()
		if !last.IsZero() {
			seen.Longest = max(seen.Longest, now.Sub(last))
		}
		last = now
		seen.Batches++
		seen.Rows += rows
		seen.Bytes += int64(len(b))
	}
}

// read tells a batch's time in ms, and counts its rows, walking through all of it.
func read(b []byte) (at float64, rows int, err error) {
	le := binary.LittleEndian
	if len(b) < headerBytes || string(b[:4]) != "EMOL" || b[4] != 1 || b[5] != 1 {
		return 0, 0, fmt.Errorf("%d bytes that are no batch of version 1", len(b))
	}
	rest := b[headerBytes:]
	for range le.Uint16(b[6:]) {
		if len(rest) < blockBytes {
			return 0, 0, fmt.Errorf("a batch of %d bytes is cut short", len(b))
		}
		n, channels := int(le.Uint16(rest[2:])), int(le.Uint16(rest[4:]))
		size := (blockBytes + 8*n + 4*n*channels + 7) / 8 * 8
		if len(rest) < size {
			return 0, 0, fmt.Errorf("a batch of %d bytes is cut short", len(b))
		}
		rest, rows = rest[size:], rows+n
	}
	if len(rest) > 0 {
		return 0, 0, fmt.Errorf("%d bytes behind the last block", len(rest))
	}
	return math.Float64frombits(le.Uint64(b[8:])), rows, nil
}
