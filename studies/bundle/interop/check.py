"""Opens a bundle with pandas and sqlite3 and checks that they agree with its
manifest and with each other. Usage: check.py BUNDLE.zip"""

import json
import os
import sqlite3
import sys
import tempfile
import zipfile

import pandas as pd


def main(path):
    bundle = zipfile.ZipFile(path)
    manifest = json.loads(bundle.read("manifest.json"))
    codebook = pd.read_csv(bundle.open("codebook.csv"))

    for entry in manifest["files"]:
        name = entry["path"]
        if not name.endswith(".csv"):
            continue
        table = pd.read_csv(bundle.open(name))
        assert len(table) == entry["rows"], f"{name}: {len(table)} rows, manifest says {entry['rows']}"
        explained = set(codebook.loc[codebook["file"] == name, "column"])
        assert set(table.columns) <= explained, f"{name}: not in the codebook: {set(table.columns) - explained}"
        print(f"ok  {name:24} {len(table):6} rows  {len(table.columns):3} columns")

    trace = pd.read_csv(bundle.open("trace.csv"))
    shown = trace[(trace.presentation > 0) & (trace.face_found == 1)]
    from_csv = shown.groupby(["stimulus", shown.media_ns // 10**9]).valence.mean()

    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "session.sqlite")
        with open(file, "wb") as f:
            f.write(bundle.read("session.sqlite"))
        db = sqlite3.connect(file)
        from_sql = pd.read_sql(
            "SELECT stimulus, CAST(media_s AS INT) AS second, AVG(valence) AS valence FROM trace "
            "WHERE media_s >= 0 AND face_found = 1 GROUP BY 1, 2",
            db,
        ).set_index(["stimulus", "second"]).valence
        events_sql = pd.read_sql(
            "SELECT e.kind, e.label, (e.offset_ns - e.onset_ns) / 1e9 AS duration_s FROM face_event e "
            "JOIN session s ON s.id = e.session_id AND s.trace_derivation = e.derivation ORDER BY e.segment, e.n",
            db,
        )
        displayed_sql = pd.read_sql(
            "SELECT d.from_ns, d.known, d.presentation, d.frame, d.skipped, d.unreported FROM displayed d "
            "JOIN session s ON s.id = d.session_id AND s.trace_derivation = d.derivation ORDER BY d.segment, d.from_ns",
            db,
        )
        beside_sql = {
            (kind, stream): pd.read_sql(
                f"SELECT at_ns, presentation, stimulus, frame, media_ns / 1e9 AS media_s FROM {kind}_shown "
                "WHERE stream = ? ORDER BY segment, seq",
                db,
                params=(stream,),
            )
            for kind, stream in db.execute("SELECT DISTINCT kind, id FROM stream WHERE kind IN ('eda', 'gaze', 'light', 'face')")
        }
        granted_sql = [n for (n,) in db.execute("SELECT granted FROM consent ORDER BY n")]
        db.close()
    assert len(from_csv) == len(from_sql) > 0, f"{len(from_csv)} stimulus seconds in CSV, {len(from_sql)} in SQL"
    worst = max(abs(a - b) for a, b in zip(from_csv.sort_index(), from_sql.sort_index()))
    assert worst < 1e-9, f"mean valence differs by {worst} between CSV and SQL"
    print(f"ok  mean valence of {len(from_sql)} stimulus seconds is the same in pandas and in SQL")

    displayed = pd.read_csv(bundle.open("displayed.csv"))
    same = displayed[list(displayed_sql.columns)].astype("float64").equals(displayed_sql.astype("float64"))
    assert len(displayed) > 0 and same, "what was displayed differs between CSV and SQL"
    for (_, stream), sql in beside_sql.items():
        table = pd.read_csv(bundle.open(f"streams/{stream}.csv"), usecols=list(sql.columns))[list(sql.columns)]
        for column in sql.columns:
            a, b = table[column], sql[column]
            if column == "media_s":  # six decimals in the CSV
                a, b = a.round(6), b.astype("float64").round(6)
                alike = ((a - b).abs() < 2e-6) | (a.isna() & b.isna())
            else:
                alike = (a == b) | (a.isna() & b.isna())
            assert alike.all(), f"{stream}: {column} differs between CSV and SQL in {(~alike).sum()} samples"
    print(f"ok  {len(displayed)} showings, and what was on the screen at the samples of {len(beside_sql)} streams, are the same in pandas and in SQL")

    events = pd.read_csv(bundle.open("face_events.csv"), keep_default_na=False)
    assert list(events.kind) == list(events_sql.kind) and list(events.label) == list(events_sql.label), "face events differ between CSV and SQL"
    assert all(abs(a - b) < 1e-6 for a, b in zip(events.duration_s, events_sql.duration_s)), "face events last differently in CSV and SQL"
    granted = list(pd.read_csv(bundle.open("consents.csv")).granted)
    assert granted == granted_sql, f"answers are {granted} in CSV, {granted_sql} in SQL"
    for calibration in json.loads(bundle.read("calibrations.json")):
        assert calibration["value"], f"{calibration['kind']} of {calibration['derivation']} is empty"
    print(f"ok  {len(events)} face events and {len(granted)} answers are the same in pandas and in SQL")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
