package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
)

func run(t *testing.T, url string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return client.New(client.Options{URL: url, Clock: instant.Monotonic{}}).Run(ctx)
}

func TestAWrongTokenIsToldAtOnce(t *testing.T) {
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "who are you?", http.StatusUnauthorized)
	}))
	defer gate.Close()
	if err := run(t, gate.URL); err == nil || !strings.Contains(err.Error(), "401 Unauthorized: check the address and the token") {
		t.Errorf("Run returns %v", err)
	}
}

func TestAStageForPeopleIsNotForTheClient(t *testing.T) {
	server := stage.New(stage.Options{Clock: instant.Monotonic{}})
	h := httptest.NewServer(server.Handler())
	defer h.Close()
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan stream.Chunk)
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, out) }()
	// Before the stage runs it answers 503, and the client tries again.
	if err := run(t, h.URL); err == nil || !strings.Contains(err.Error(), "expects a browser") {
		t.Errorf("Run returns %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
