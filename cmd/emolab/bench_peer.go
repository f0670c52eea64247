package main

import (
	"context"
	"fmt"

	"emolab/capture/face"
	"emolab/capture/face/interop"
	"emolab/capture/frame"
)

const (
	// peerTarget is how many times as fast as the npm package one of our frames
	// must be.
	peerTarget = 5
	// peerFrames is how many frames a race takes: the package is slow, and its
	// median is steady by then.
	peerFrames = 80
)

// race reads a reel with the npm package and with our nets, frame by frame in
// turn, one thread each.
func (c *benchCmd) race(ctx context.Context, r reel, options face.Options, progress *bar) ([]figure, error) {
	frames := make([]frame.Frame, min(c.Frames, peerFrames))
	for n := range frames {
		frames[n] = r.at(n)
	}
	var ours []interop.Contender
	for _, way := range []struct {
		name             string
		search, noMirror bool
	}{
		{"searching every frame", true, true}, // what the package does
		{"tracked", false, true},
		{"tracked, expression mirrored too", false, false},
	} {
		o := options
		o.NoMirror = way.noMirror
		an, err := face.NewAnalyzer(o)
		if err != nil {
			return nil, err
		}
		defer an.Close()
		ours = append(ours, interop.Contender{Name: way.name, Analyze: func(f frame.Frame) error {
			if way.search {
				an.Reset()
			}
			_, err := an.Analyze(f)
			return err
		}})
	}
	result, err := interop.Race(ctx, c.Peer, frames, face.DefaultDetectorSize, face.DefaultThreshold, ours, func(done, total int) {
		progress.set(done, total, "face: racing the npm package, "+r.name)
	})
	if err != nil {
		return nil, err
	}
	head := "face " + r.name + ", "
	out := []figure{{head + "npm package (" + result.About.String() + "), median", result.Package.Median, "ms", ""}}
	for _, o := range result.Ours {
		out = append(out,
			figure{head + "beside it, " + o.Name + ", median", o.Median, "ms", ""},
			figure{head + "times as fast, " + o.Name, o.Times, "times", fmt.Sprintf(">= %d", peerTarget)})
	}
	return out, nil
}
