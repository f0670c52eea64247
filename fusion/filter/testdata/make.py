"""Writes scipy.json, the numbers that the tests of this package compare with.

    python3 -m venv .venv && .venv/bin/pip install numpy==1.26.4 scipy==1.17.1
    .venv/bin/python make.py > scipy.json

The signal is a sum of sines with a slope, rounded so that it has plateaus.
"""
import json

import numpy as np
import scipy
from scipy import ndimage, signal

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
prominence = signal.peak_prominences(x, peaks)[0]
width, _, left, right = signal.peak_widths(x, peaks, rel_height=.5)
out["peaks"] = peaks.tolist()
out["troughs"] = signal.find_peaks(-x)[0].tolist()
out["prominences"] = prominence.tolist()
out["widths"] = width.tolist()
out["left"], out["right"] = left.tolist(), right.tolist()
out["median"] = {str(k): signal.medfilt(x, k).tolist() for k in (1, 3, 21, 301)}
out["savgol"] = {f"{w},{o}": signal.savgol_filter(x, w, o).tolist() for w, o in ((5, 2), (21, 2), (101, 3), (31, 0))}
out["uniform"] = {str(k): ndimage.uniform_filter1d(x, k, mode="nearest").tolist() for k in (3, 8, 15)}
out["windows"] = {f"{name},{n}": signal.get_window(("gaussian", n / 8) if name == "gaussian" else name, n).tolist()
                  for name in ("boxcar", "bartlett", "parzen", "blackman", "gaussian") for n in (1, 2, 7, 16)}


def smooth(x, w):
    w = w / w.sum()
    padded = np.concatenate((x[0] * np.ones(len(w)), x, x[-1] * np.ones(len(w))))
    return np.convolve(w, padded, mode="same")[len(w):-len(w)]


out["smooth"] = {str(k): smooth(x, signal.get_window("parzen", k)).tolist() for k in (3, 8, 15)}
hz, density = signal.welch(x, fs=RATE, window="blackman", nperseg=64, noverlap=32)
out["welch"] = {"hz": hz.tolist(), "density": density.tolist()}
print(json.dumps(out))
