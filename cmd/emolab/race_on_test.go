//go:build race

package main

// raced tells that the race detector watches, which slows everything tenfold.
const raced = true
