"""Writes scipy.json, the numbers that the tests of this package compare with.

    python3 -m venv .venv && .venv/bin/pip install numpy==1.26.4 scipy==1.17.1
    .venv/bin/python make.py > scipy.json

The signal is a sum of sines with a slope, rounded so that it has plateaus.
"""
import json

import numpy as np
import scipy
from scipy import signal

N, RATE = 240, 20.0
i = np.arange(N)
x = np.round(3 + np.sin(.11 * i) + .4 * np.cos(.53 * i) + .15 * np.sin(1.9 * i) + .004 * i, 2)

out = {"rate": RATE, "x": x.tolist(), "zero_phase": []}
out["scipy"] = f"scipy {scipy.__version__}, numpy {np.__version__}"
for order in 1, 2, 3, 4, 5, 6:
    for kind, cut in ("low", 3.0), ("high", .05):
        sos = signal.butter(order, cut, kind, fs=RATE, output="sos")
        out["zero_phase"].append({"order": order, "hz": cut, "high": kind == "high",
                                  "y": signal.sosfiltfilt(sos, x).tolist()})
peaks = signal.find_peaks(x)[0]
out["peaks"] = peaks.tolist()
out["troughs"] = signal.find_peaks(-x)[0].tolist()
out["prominences"] = signal.peak_prominences(x, peaks)[0].tolist()
out["median"] = {str(k): signal.medfilt(x, k).tolist() for k in (1, 3, 21, 301)}
out["windows"] = {str(n): signal.get_window("blackman", n).tolist() for n in (1, 2, 7, 16)}
hz, density = signal.welch(x, fs=RATE, window="blackman", nperseg=64, noverlap=32)
out["welch"] = {"hz": hz.tolist(), "density": density.tolist()}
print(json.dumps(out))
