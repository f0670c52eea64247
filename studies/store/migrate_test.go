package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// before3 are the channels that a face stream had before schema 3.
func before3(t *testing.T) []stream.Channel {
	t.Helper()
	all := channelsOf(t, stream.Face)
	return append(append([]stream.Channel{}, all[:15]...), all[24:]...)
}

// fileOf makes a study file of an older schema, runs the queries in it, and returns its
// path.
func fileOf(t *testing.T, version int, queries ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.db")
	db, err := sql.Open("sqlite3", dsn(path, true))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	all, err := steps()
	if err != nil {
		t.Fatal(err)
	}
	before := append(slices.Clone(all[:version]), fmt.Sprintf("PRAGMA user_version = %d", version))
	for _, query := range append(before, queries...) {
		if _, err := db.Exec(query); err != nil {
			t.Fatalf("%.100s: %v", query, err)
		}
	}
	return path
}

// oldFile makes a study file of schema 2 with the sealed session "old" and the
// recovered one "cut", each with some seconds of a face, and returns its path.
func oldFile(t *testing.T) string {
	t.Helper()
	path := fileOf(t, 2)
	db, err := sql.Open("sqlite3", dsn(path, true))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	channels, err := json.Marshal(before3(t))
	if err != nil {
		t.Fatal(err)
	}
	do("BEGIN")
	do("INSERT INTO study VALUES ('c0ffee', 'pilot', 'A pilot', '1', 'id: pilot', '2026-01-01T00:00:00.000Z')")
	do("INSERT INTO participant VALUES ('P01', '2026-01-01T00:00:00.000Z')")
	full := run(stream.Info{ID: "face", Kind: stream.Face, TickHz: 1e9, Rate: 30, Channels: channelsOf(t, stream.Face)}, 0, 90)
	l, err := layoutOf(stream.Info{ID: "face", Kind: stream.Face, Channels: channelsOf(t, stream.Face)})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"old", "cut"} {
		do(`INSERT INTO session VALUES (?, 'c0ffee', 'P01', 0, '{"row":0,"steps":[]}', -1, 'recording', '', 0, 'live', 'emolab 0.1', '2026-01-01T00:00:00.000Z', NULL)`, id)
		do("INSERT INTO segment VALUES (?, 0, 'boot', ?, NULL, '2026-01-01T00:00:00.000Z', 0)", id, int64(origin))
		do("INSERT INTO stream VALUES (?, 0, 'face', 'face', 'camera', '', '', 'host', 1e9, 30, ?, 0)", id, string(channels))
		do("INSERT INTO derivation VALUES (?, 'live', 'emolab trace, causal', '', '{}', 'emolab 0.1', '2026-01-01T00:00:00.000Z')", id)
		for _, s := range full.Samples {
			args := []any{id, s.Seq, s.Tick, int64(s.Arrival), int64(s.At)}
			for _, v := range s.Values[:15] {
				args = append(args, v)
			}
			do(`INSERT INTO face_frame VALUES (?, 'face', 0, ?, 0, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(args, l.pack(s.Values))...)
			do("INSERT INTO trace_row (session_id, derivation, segment, seq, at_ns, err_ns, face_found, valence) VALUES (?, 'live', 0, ?, ?, 0, 1, .25)", id, s.Seq, int64(s.At))
		}
	}
	do("UPDATE segment SET until_ns = ? WHERE session_id = 'old'", int64(origin)+3e9)
	do("UPDATE session SET state = 'sealed', ended_utc = '2026-01-01T00:00:09.000Z' WHERE id = 'old'")
	do("COMMIT")
	return path
}

// A study file of before is brought up to date when it is opened: its rows stay
// as they are, its sealed sessions sealed, and those left over can be sealed.
func TestOldFilesAreBroughtUpToDate(t *testing.T) {
	t.Parallel()
	path := oldFile(t)
	if _, err := View(t.Context(), path); err == nil {
		t.Error("an old file was opened for reading without being brought up to date")
	}
	s := openAt(t, path)
	if err := current(t.Context(), s.read); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "old")
	if d.State != session.Sealed || d.Frames != 90 || d.Segments[0].Streams[0].Model != "" || len(d.Consents) != 0 {
		t.Errorf("the old session is %+v", d)
	}
	rows := rowsOf(t, s, "old", "face")
	if len(rows) != 90 || len(rows[0].Values) != 15+136 || rows[7].Values[14] != 7+14./1024 || rows[7].Values[15] != 7+24./1024 {
		t.Errorf("%d old rows came back, the eighth as %v", len(rows), rows[7].Values[:17])
	}
	var seen, missing int
	if err := s.read.QueryRow("SELECT count(*), sum(yaw_deg IS NULL AND au12 IS NULL AND valence = .25) FROM trace WHERE session_id = 'old'").Scan(&seen, &missing); err != nil {
		t.Fatal(err)
	}
	if seen != 90 || missing != 90 {
		t.Errorf("the view shows %d old rows, %d of them without what was not derived then; want 90", seen, missing)
	}
	if err := s.read.QueryRow("SELECT count(*) FROM face_frame WHERE session_id = 'old' AND mouth_cover IS NULL AND luma_face IS NULL").Scan(&missing); err != nil || missing != 90 {
		t.Errorf("%d old frames lack what was not measured then, %v", missing, err)
	}
	if err := byHand(s, "UPDATE face_frame SET luma_face = 1 WHERE session_id = 'old'"); err == nil {
		t.Error("an old observation was filled in")
	}
	if d := detail(t, s, "cut"); d.State != session.Recovered {
		t.Fatalf("the session that recorded is %s", d.State)
	}
	if err := s.Seal(t.Context(), "cut", nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "cut"); d.State != session.Sealed || d.Frames != 90 {
		t.Errorf("the old recovered session was sealed as %+v", d.Summary)
	}
	again, err := s.Rederive(t.Context(), "old", RederiveOptions{Current: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "old"); again.Name != "final-2" || d.Frames != 90 {
		t.Errorf("derived again as %s with %d rows", again.Name, d.Frames)
	}
}

// Clocks and statements of before belong to every derivation that was made with them:
// all but the live one.
func TestOldClocksBelongToTheirDerivations(t *testing.T) {
	t.Parallel()
	path := fileOf(t, 4,
		"INSERT INTO study VALUES ('c0ffee', 'pilot', 'A pilot', '1', 'id: pilot', '2026-01-01T00:00:00.000Z')",
		"INSERT INTO participant VALUES ('P01', '2026-01-01T00:00:00.000Z')",
		`INSERT INTO session VALUES ('s1', 'c0ffee', 'P01', 0, '{"row":0,"steps":[]}', -1, 'recording', '', 0, 'final-2', 'emolab 0.3', '2026-01-01T00:00:00.000Z', NULL)`,
		"INSERT INTO segment VALUES ('s1', 0, 'boot', 1, 2, '2026-01-01T00:00:00.000Z', 0)",
		"INSERT INTO stream VALUES ('s1', 0, 'eda', 'eda', 'box', '', '', 'pinged', 1e6, 100, '[]', 0, '', '', 0)",
		`INSERT INTO derivation SELECT 's1', column1, '', '', '{"align":"fusion/align Fit"}', '', '2026-01-01T00:00:00.000Z' FROM (VALUES ('live'), ('final'), ('final-2'))`,
		"INSERT INTO clock_model VALUES ('s1', 'eda', 0, 0, 0, 10, 1000, 1000.5, 90, 7)",
		"INSERT INTO quality VALUES ('s1', 0, 'eda', 'corridor', 500, 1, 0.6, 81, 3, 1, 9, 0.96)",
		"UPDATE session SET state = 'sealed', ended_utc = '2026-01-01T00:00:09.000Z'",
	)
	s := openAt(t, path)
	for table, want := range map[string]string{
		"clock_model": "final eda 0 0 0 10 1000 1000.5 90 7; final-2 eda 0 0 0 10 1000 1000.5 90 7",
		"quality":     "final 0 eda corridor 500.0 1.0 0.6 81 3 1 9 0.96; final-2 0 eda corridor 500.0 1.0 0.6 81 3 1 9 0.96",
	} {
		columns, err := texts(t.Context(), s.read, "SELECT name FROM pragma_table_info(?) WHERE name <> 'session_id'", table)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := texts(t.Context(), s.read, "SELECT concat_ws(' ', "+strings.Join(columns, ", ")+") FROM "+table+" ORDER BY derivation")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rows, "; "); got != want {
			t.Errorf("%s has\n%s, want\n%s", table, got, want)
		}
	}
	for _, v := range detail(t, s, "s1").Derivations {
		if v.Realigned {
			t.Errorf("%s is said to have clocks of its own", v.Name)
		}
	}
	if st := detail(t, s, "s1").Segments[0].Streams[0]; st.Statement.Method != "corridor" || st.Usable != .96 || st.Shift != nil {
		t.Errorf("the old stream is %+v", st)
	}
	if err := byHand(s, "UPDATE clock_model SET err_ns = 1"); err == nil {
		t.Error("the clock of a sealed session was changed")
	}
}

// What was calibrated before schema 6 is the first of its derivation, and rows were made
// with it. What is not known of an old session is NULL.
func TestOldCalibrationsAreUsed(t *testing.T) {
	t.Parallel()
	path := fileOf(t, 5,
		"INSERT INTO study VALUES ('c0ffee', 'pilot', 'A pilot', '1', 'id: pilot', '2026-01-01T00:00:00.000Z')",
		"INSERT INTO participant VALUES ('P01', '2026-01-01T00:00:00.000Z')",
		`INSERT INTO session VALUES ('s1', 'c0ffee', 'P01', 0, '{"row":0,"steps":[]}', -1, 'recording', '', 0, 'final', 'emolab 0.4', '2026-01-01T00:00:00.000Z', NULL)`,
		"INSERT INTO segment VALUES ('s1', 0, 'boot', 1, 2, '2026-01-01T00:00:00.000Z', 0)",
		`INSERT INTO derivation SELECT 's1', column1, '', '4', '{"align":"fusion/align Fit","shown":"x"}', '', '2026-01-01T00:00:00.000Z' FROM (VALUES ('live'), ('final'), ('final-2'))`,
		`INSERT INTO calibration SELECT 's1', column1, 0, 'neutral', '{"frames":90}', .03, 1, 2, 'emolab 0.4', '2026-01-01T00:00:00.000Z' FROM (VALUES ('final'), ('final-2'))`,
		"INSERT INTO eda_response VALUES ('s1', 'final', 0, 1, 5, 6, .1, 1, NULL, 'eda')",
		"UPDATE session SET state = 'sealed', ended_utc = '2026-01-01T00:00:09.000Z'",
	)
	s := openAt(t, path)
	d := detail(t, s, "s1")
	if len(d.Calibrations) != 2 {
		t.Fatalf("calibrations %+v", d.Calibrations)
	}
	for _, c := range d.Calibrations {
		if c.Kind != kindNeutral || c.N != 1 || !c.Used || c.Stream != "" || c.Step != nil || c.Residual != .03 || string(c.Value) != `{"frames":90}` || c.Software != "emolab 0.4" {
			t.Errorf("%+v", c)
		}
	}
	if g := d.Segments[0]; g.Screen.Valid() || g.ScreenAssumed || len(d.Decisions) != 0 {
		t.Errorf("the old segment is %+v", g)
	}
	found, err := s.Responses(t.Context(), "s1")
	if err != nil || len(found) != 1 || found[0].Flagged || !math.IsNaN(found[0].SlopeUSS) || found[0].Stream != "eda" {
		t.Errorf("the old response is %+v, %v", found, err)
	}
	for _, q := range []string{"UPDATE calibration SET used = 0", "DELETE FROM calibration", "INSERT INTO calibration SELECT * FROM calibration"} {
		if err := byHand(s, q); err == nil || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("%q on a sealed session gave %v", q, err)
		}
	}
}

// The tables that schema 7 makes anew keep their rows, and what refers to them still does.
// A participant's sessions are numbered in the order in which they began.
func TestTablesMadeAnewKeepTheirRows(t *testing.T) {
	t.Parallel()
	session6 := func(id, participant, started string) string {
		return fmt.Sprintf(`INSERT INTO session VALUES ('%s', 'c0ffee', '%s', 1, '{"row":1,"steps":[]}', 4, 'sealed', 'why', 1, 'final', 'emolab 0.6', '%s', '2026-01-09T00:00:00.000Z')`, id, participant, started)
	}
	path := fileOf(t, 6,
		"INSERT INTO study VALUES ('c0ffee', 'pilot', 'A pilot', '1', 'id: pilot', '2026-01-01T00:00:00.000Z')",
		"INSERT INTO stimulus VALUES ('c0ffee', 'a', 'a.mp4', '', '[]', 'aa', 1, 1, 1, 1)",
		"INSERT INTO participant VALUES ('P01', '2026-01-01T00:00:00.000Z'), ('P02', '2026-01-01T00:00:00.000Z')",
		session6("a-later", "P01", "2026-01-03T00:00:00.000Z"), session6("b-first", "P01", "2026-01-01T00:00:00.000Z"), session6("c-other", "P02", "2026-01-02T00:00:00.000Z"),
		"DROP TRIGGER segment_enter",
		"INSERT INTO segment VALUES ('a-later', 0, 'boot', 1, 2, '2026-01-01T00:00:00.000Z', 0, NULL, NULL, NULL, NULL)",
		"CREATE TRIGGER segment_enter BEFORE INSERT ON segment BEGIN SELECT 1; END", // it is put right by the next step
		"INSERT INTO consent VALUES ('a-later', 0, 0, 'face_video', 0, 'ab', 'en', 5, '2026-01-03T00:00:01.000Z', 'screen')",
		"INSERT INTO audit (at_utc, session_id, action, detail) VALUES ('2026-01-01T00:00:00.000Z', 'b-first', 'begin', 'participant P01, row 1')",
	)
	s := openAt(t, path)
	for id, run := range map[string]int{"b-first": 1, "a-later": 2, "c-other": 1} {
		d := detail(t, s, id)
		if d.Run != run || d.State != session.Sealed || d.Row != 1 || d.Reached != 4 || d.Reason != "why" || !d.Simulated || d.Software != "emolab 0.6" || d.Usable != nil || d.Study.Version != 1 || d.Study.Rules != nil {
			t.Errorf("%s is %+v", id, d)
		}
	}
	if c := detail(t, s, "a-later").Consents; len(c) != 1 || c[0].Segment != 0 || c[0].At != 5 || c[0].Language != "en" || c[0].Granted {
		t.Errorf("the consents are %+v", c)
	}
	for _, q := range []string{
		"INSERT INTO segment (session_id, number, boot, start_ns, start_utc, first_step) VALUES ('nobody', 0, '', 0, '', 0)",
		"INSERT INTO consent VALUES ('nobody', 0, NULL, 'x', 0, '', '', 0, '', '')",
		"DELETE FROM participant",
		"DELETE FROM session",
	} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was let through", q)
		}
	}
	// The audit of old files names the participant in words.
	if _, err := s.Erase(t.Context(), "a-later", Tombstone{}); err != nil {
		t.Fatal(err)
	}
	if left := (planted{words: []string{"P01", "b-first"}}).found(t, filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// A file of schema 7 keeps its rows, and lets be done what it refused: another code for a
// session that is over, and with the traces goes what was said because of them.
func TestFilesOfSchema7GoOn(t *testing.T) {
	t.Parallel()
	const id = "20260101-090000-P01"
	path := fileOf(t, 7,
		"INSERT INTO study (hash, id, title, seed, canonical, first_utc) VALUES ('c0ffee', 'pilot', 'A pilot', '1', 'id: pilot', '2026-01-01T00:00:00.000Z')",
		"INSERT INTO participant (code, first_utc) VALUES ('P01', '2026-01-01T00:00:00.000Z')",
		`INSERT INTO session VALUES ('`+id+`', 'c0ffee', 'P01', 1, '{"row":1,"steps":[]}', 0, 'recording', 'left: felt sick', 0, 'final', 'emolab 0.7', '2026-01-01T09:00:00.000Z', '2026-01-01T10:00:00.000Z', 1, 0, 'the face was seen for 31 %', 'rules')`,
		"INSERT INTO withdrawable VALUES ('"+id+"', 0, 'f00d')",
		"INSERT INTO audit (at_utc, session_id, action, detail) VALUES ('2026-01-01T10:00:00.000Z', '"+id+"', 'judge', 'the face was seen for 31 %')",
		"UPDATE session SET state = 'sealed'",
	)
	s := openAt(t, path)
	if d := detail(t, s, id); d.State != session.Sealed || d.UsableWhy == "" || d.Reason != "left: felt sick" {
		t.Errorf("%+v", d)
	}
	if err := s.GiveCode(t.Context(), id, "beef"); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"f00d", "beef"} {
		if of, err := s.SessionByCode(t.Context(), code); err != nil || of != id {
			t.Errorf("%s finds %q, %v", code, of, err)
		}
	}
	if _, err := s.ErasePart(t.Context(), id, Traces); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, id); d.UsableWhy != "" || d.Reason != "left" || d.Usable == nil || d.TracesErased.IsZero() {
		t.Errorf("%+v", d)
	}
	said, err := texts(t.Context(), s.read, "SELECT detail FROM audit WHERE action = 'judge'")
	if err != nil || len(said) != 1 || said[0] != "" {
		t.Errorf("the audit says %q, %v", said, err)
	}
}

// A file of schema 9 keeps its rows: nobody is known to have had done what its audit says,
// and every showing was a first one. Its sealed sessions take annotations, and areas their
// versions, but none of them is ever changed.
func TestFilesOfSchema9TakeAnnotations(t *testing.T) {
	t.Parallel()
	path := fileOf(t, 9,
		"INSERT INTO study (hash, id, title, seed, canonical, first_utc) VALUES ('c0ffee', 'pilot', 'A pilot', '1', 'id: pilot', '2026-01-01T00:00:00.000Z')",
		"INSERT INTO participant (code, first_utc) VALUES ('P01', '2026-01-01T00:00:00.000Z')",
		`INSERT INTO session VALUES ('s1', 'c0ffee', 'P01', 1, '{"row":1,"steps":[]}', 0, 'recording', '', 0, 'final', 'emolab 0.8', '2026-01-01T09:00:00.000Z', '2026-01-01T10:00:00.000Z', 1, 1, '', 'rules')`,
		"INSERT INTO segment VALUES ('s1', 0, 'boot', 1, 900, '2026-01-01T00:00:00.000Z', 0, NULL, NULL, NULL, NULL)",
		"INSERT INTO presentation VALUES ('s1', 1, 0, 'a')",
		"INSERT INTO audit (at_utc, session_id, action, detail) VALUES ('2026-01-01T10:00:00.000Z', 's1', 'seal', 'whole')",
		"UPDATE session SET state = 'sealed'",
		`INSERT INTO session VALUES ('s2', 'c0ffee', 'P01', 1, '{"row":1,"steps":[]}', 0, 'declined', '', 0, 'live', 'emolab 0.8', '2026-01-01T09:00:00.000Z', '2026-01-01T10:00:00.000Z', 2, NULL, '', '')`,
	)
	s := openAt(t, path)
	old, err := texts(t.Context(), s.read, "SELECT concat_ws('|', a.n, a.action, a.detail, a.who, a.role, a.outcome, p.number, p.stimulus, p.again) FROM audit a JOIN presentation p USING (session_id)")
	if err != nil || len(old) != 1 || old[0] != "1|seal|whole||||1|a|0" {
		t.Errorf("the old rows are %q, %v", old, err)
	}
	const annotate = "INSERT INTO annotation (session_id, n, segment, from_ns, until_ns, label, text, made_by, made_utc) VALUES "
	const areas = "INSERT INTO aoi_set (sha256, version, areas, note, made_by, made_utc) VALUES "
	for _, q := range []string{
		annotate + "('s1', 1, 0, 5, 9, 'laughs', '', 'Anna', 'now'), ('s1', 2, 0, 7, NULL, '', 'looks away', 'Anna', 'now')",
		"UPDATE annotation SET removed_by = 'Ben', removed_utc = 'later' WHERE n = 1",
		areas + "('aa', 1, '{}', '', 'Anna', 'now'), ('aa', 2, '{}', 'the hat too', 'Anna', 'now'), ('bb', 1, '{}', '', 'Anna', 'now')",
	} {
		if err := byHand(s, q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	for _, q := range []string{
		annotate + "('s1', 3, 1, 5, 9, 'a segment that is not there', '', '', '')",
		annotate + "('s1', 3, 0, 9, 5, 'ends before it begins', '', '', '')",
		annotate + "('s1', 3, 0, 5, 9, '', '', '', '')",
		annotate + "('s2', 1, 0, 5, 9, 'of who declined', '', '', '')",
		"UPDATE annotation SET text = 'more' WHERE n = 2",
		"UPDATE annotation SET from_ns = 1 WHERE n = 2",
		"UPDATE annotation SET removed_by = NULL, removed_utc = NULL WHERE n = 1",
		"UPDATE annotation SET removed_by = 'Eve' WHERE n = 1",
		"UPDATE annotation SET removed_by = 'Eve' WHERE n = 2",
		"DELETE FROM annotation",
		areas + "('aa', 2, '{}', '', '', '')",
		areas + "('aa', 4, '{}', '', '', '')",
		areas + "('cc', 1, 'no JSON', '', '', '')",
		"UPDATE aoi_set SET note = ''",
		"DELETE FROM aoi_set",
		"UPDATE audit SET who = 'Eve'", "UPDATE audit SET role = 'admin'", "UPDATE audit SET outcome = 'refused'",
		"UPDATE presentation SET again = 1",
	} {
		if err := byHand(s, q); err == nil {
			t.Errorf("%q was let through", q)
		}
	}
	// With the traces goes what was said of them; what was said of a video stays.
	if _, err := s.ErasePart(t.Context(), "s1", Traces); err != nil {
		t.Fatal(err)
	}
	left, err := texts(t.Context(), s.read, "SELECT (SELECT count(*) FROM annotation) || ' ' || (SELECT count(*) FROM aoi_set)")
	if err != nil || left[0] != "0 3" {
		t.Errorf("annotations and versions of areas: %q, %v", left, err)
	}
}

// Every older schema must lead to the same tables as a new file has.
func TestMigrationsLeadToOneSchema(t *testing.T) {
	t.Parallel()
	s := openAt(t, oldFile(t))
	fresh := open(t)
	const query = "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY name"
	a, err := texts(context.Background(), s.read, query)
	if err != nil {
		t.Fatal(err)
	}
	b, err := texts(context.Background(), fresh.read, query)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(a), fmt.Sprint(b); got != want {
		t.Errorf("an old file has\n%s\nand a new one\n%s", got, want)
	}
}
