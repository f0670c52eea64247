package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBenchSync(t *testing.T) {
	args := []string{"bench", "sync", "--minutes", "1", "--scenario", "box 2000 ppm, 16 ms"}
	ask := func(more ...string) (out, errOut string, code int) {
		var o, e strings.Builder
		code = run(t.Context(), append(args, more...), &o, &e)
		return o.String(), e.String(), code
	}
	out, errOut, code := ask("--json")
	if code != exitFine {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(rows) != 8 {
		t.Errorf("%d rows, want 8: loss, resets and load, with and without", len(rows))
	}
	for _, row := range rows {
		for _, key := range []string{"live_p95_ms", "final_p95_ms", "bound_median_ms", "arrival_p95_ms", "line_over_index_p95_ms", "one_offset_p95_ms"} {
			if v, ok := row[key].(float64); !ok || v <= 0 {
				t.Errorf("%v: %s is %v", row["scenario"], key, row[key])
			}
		}
		if v, ok := row["inside_bound"].(float64); !ok || v < .99 || v > 1 {
			t.Errorf("%v: inside_bound is %v", row["scenario"], row["inside_bound"])
		}
	}
	if again, _, _ := ask("--json"); again != out {
		t.Error("the same scenarios come out differently the second time")
	}

	table, _, code := ask()
	if lines := strings.Count(table, "box 2000 ppm, 16 ms"); code != exitFine || lines != 8 || !strings.Contains(table, "8 of 8 scenarios hold") {
		t.Errorf("exit code %d, %d lines:\n%s", code, lines, table)
	}
}

func TestBenchSyncUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--scenario", "no such device"},
		{"--minutes", "0.2"},
		{"--minutes", "1e9"},
	} {
		var out, errOut strings.Builder
		if code := run(t.Context(), append([]string{"bench", "sync"}, args...), &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), args[0]) {
			t.Errorf("%v: exit code %d, %q", args, code, errOut.String())
		}
	}
}

// A missed budget is marked where it is missed, and fails the command.
func TestSyncReportMissed(t *testing.T) {
	r := syncReport{{Scenario: "a", kind: "a"}, {Scenario: "b", kind: "a", FinalP95: 7, InsideBound: .5, Missed: []string{"final p95 7 ms"}}}
	if err := r.missed(); err == nil || !strings.Contains(err.Error(), "b") {
		t.Errorf("%v", err)
	}
	if err := r[:1].missed(); err != nil {
		t.Error(err)
	}
	if w := r.worst(); len(w) != 1 || w[0].FinalP95 != 7 || w[0].InsideBound != 0 {
		t.Errorf("the worst of the kind: %+v", w)
	}
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "b MISSED: final p95 7 ms") || !strings.Contains(text, "1 of 2 scenarios hold") {
		t.Error(text)
	}
}
