"""Records one live stream of an Emolab lab as CSV, until the recording ends or Ctrl-C.

    pip install websockets
    python3 record.py http://127.0.0.1:8800 TOKEN eda > eda.csv
"""
import json, math, struct, sys
from websockets.sync.client import connect

address, token, wanted = sys.argv[1:4]
with connect(address.replace("http", "ws", 1) + "/ws/console", max_size=None,
             additional_headers={"Authorization": "Bearer " + token}) as lab:
    streams, recording = [], False
    for message in lab:
        if isinstance(message, str):  # JSON: hello, status, replay, ...
            said = json.loads(message)
            if said["type"] == "hello":
                streams = said["streams"]
                columns = next(s for s in streams if s["id"] == wanted)["channels"]
                print("time_ms", *(c["name"] for c in columns), sep=",", flush=True)
            elif said["type"] == "status":
                if recording and not said["status"]["live"]:
                    break
                recording = said["status"]["live"]
            continue
        magic, version, kind, blocks = struct.unpack_from("<4sBBH", message)
        assert magic == b"EMOL" and version == 1 and kind == 1
        at = 16  # behind the header and the time of the batch
        for _ in range(blocks):
            stream, _, rows, channels = struct.unpack_from("<BBHH", message, at)
            times = struct.unpack_from(f"<{rows}d", message, at + 8)
            values = struct.unpack_from(f"<{rows * channels}f", message, at + 8 + 8 * rows)
            at = (at + 8 + 8 * rows + 4 * rows * channels + 7) // 8 * 8
            if streams[stream]["id"] == wanted:
                for row, time in enumerate(times):
                    cells = values[row * channels:(row + 1) * channels]
                    print(f"{time:.3f}", *("" if math.isnan(v) else f"{v:.7g}" for v in cells), sep=",", flush=True)
