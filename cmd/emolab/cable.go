package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"emolab/studies/session"
)

// cablePull is a value of --unplug and --virtual-unplug: "eda@8s+2s".
type cablePull struct {
	Stream string
	After  time.Duration // since the recording began
	For    time.Duration
}

// UnmarshalText reads "eda@8s+2s".
func (p *cablePull) UnmarshalText(text []byte) error {
	var err error
	bad := fmt.Errorf("%q: want STREAM@AFTER+FOR, for example eda@8s+2s", text)
	stream, times, ok := strings.Cut(string(text), "@")
	after, length, ok2 := strings.Cut(times, "+")
	if !ok || !ok2 || stream == "" {
		return bad
	}
	p.Stream = stream
	if p.After, err = time.ParseDuration(after); err != nil {
		return bad
	}
	if p.For, err = time.ParseDuration(length); err != nil {
		return bad
	}
	return nil
}

// hang tells what is wrong with pulls: a virtual lab has a cable for each of its sensors,
// and no other has any.
func (r *rig) hang(pulls []cablePull) error {
	for _, p := range pulls {
		if r.cables[p.Stream] == nil {
			return fmt.Errorf("there is no simulated sensor %q; there are: %s", p.Stream, strings.Join(slices.Sorted(maps.Keys(r.cables)), ", "))
		}
	}
	return nil
}

// pull pulls a cable and plugs it in again.
func (r *rig) pull(ctx context.Context, p cablePull) error {
	link := r.cables[p.Stream]
	select {
	case <-time.After(p.After):
	case <-ctx.Done():
		return nil
	}
	if err := link.Unplug(); err != nil {
		return err
	}
	select {
	case <-time.After(p.For):
	case <-ctx.Done():
	}
	return link.Plug()
}

// pullDuring pulls cables in every session that is recorded, until ctx ends. What is
// still unplugged when a recording ends is plugged in again.
func (r *rig) pullDuring(ctx context.Context, status func() session.Status, pulls []cablePull, log *slog.Logger) {
	var cables sync.WaitGroup
	defer cables.Wait()
	stop := func() {}
	defer func() { stop() }()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for last := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s := status()
		id := s.SessionID
		if s.State != session.Recording || s.Over {
			id = ""
		}
		if id == last {
			continue
		}
		last = id
		stop()
		cables.Wait()
		if id == "" {
			continue
		}
		during, cancel := context.WithCancel(ctx)
		stop = cancel
		for _, p := range pulls {
			cables.Go(func() {
				if err := r.pull(during, p); err != nil {
					log.Error("pull a virtual cable", "stream", p.Stream, "error", err)
				}
			})
		}
	}
}
