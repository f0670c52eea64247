"""Writes synthetic.json: a signal of ours, and what NeuroKit2 and SciPy say of it.

    python3 -m venv .venv && .venv/bin/pip install numpy==1.26.4 scipy==1.17.1 neurokit2==0.2.12
    .venv/bin/python make.py > synthetic.json

The signal is a drifting level with responses of the Bateman form and a little
noise, rounded to 1e-4 microsiemens.
"""
import json

import neurokit2 as nk
import numpy as np
import scipy
from scipy import signal

RATE, SECONDS = 50, 96
t = np.arange(RATE * SECONDS) / RATE
x = 6 + .05 * np.sin(2 * np.pi * t / 140) - .004 * t
for onset, amplitude in (7, .8), (15.5, .03), (24, .4), (27, .5), (41, .12), (55, 1.2), (62.5, .25), (80, .06), (85, .7):
    u = np.maximum(t - onset, 0)
    x += amplitude * 2.0 * (np.exp(-u / 2.2) - np.exp(-u / .7))
x = np.round(x + np.random.default_rng(6).normal(0, 3e-4, len(t)), 4)


def plain(values):
    return [None if np.isnan(v) else round(float(v), 7) for v in np.asarray(values, float)]


clean = nk.eda_clean(x, sampling_rate=RATE)
out = {"made_with": f"neurokit2 {nk.__version__}, scipy {scipy.__version__}, numpy {np.__version__}",
       "fs_hz": RATE, "x": x.tolist(), "clean_5hz": plain(clean[::10])}
for method in "highpass", "smoothmedian":
    parts = nk.eda_phasic(clean, sampling_rate=RATE, method=method)
    _, info = nk.eda_peaks(parts["EDA_Phasic"].values, sampling_rate=RATE, method="neurokit")
    out[method] = {
        "tonic_5hz": plain(parts["EDA_Tonic"][::10]), "phasic_5hz": plain(parts["EDA_Phasic"][::10]),
        "peaks": {"onset_sample": plain(info["SCR_Onsets"]), "peak_sample": plain(info["SCR_Peaks"]),
                  "amplitude": plain(info["SCR_Amplitude"]), "rise_s": plain(info["SCR_RiseTime"]),
                  "recovery_s": plain(info["SCR_RecoveryTime"])},
    }

# Absolute trough to peak below 1 Hz.
low = signal.sosfiltfilt(signal.butter(2, 1.0, fs=RATE, output="sos"), x)
peaks, troughs = signal.find_peaks(low)[0], signal.find_peaks(-low)[0]
for threshold in .01, .05:
    kept = []
    for p in peaks:
        before = troughs[troughs < p]
        if len(before) and low[p] - low[before[-1]] >= threshold:
            kept.append((before[-1], p))
    recede = []
    for k, (o, p) in enumerate(kept):
        until = kept[k + 1][0] if k + 1 < len(kept) else len(low) - 1
        below = np.flatnonzero(low[p + 1:until + 1] <= low[p] - (low[p] - low[o]) / 2)
        recede.append((below[0] + 1) / RATE if len(below) else np.nan)
    out[f"thr_{threshold}"] = {
        "count": len(kept), "per_min": 60 * len(kept) / SECONDS,
        "onset_s": plain([o / RATE for o, _ in kept]), "peak_s": plain([p / RATE for _, p in kept]),
        "amp_us": plain([low[p] - low[o] for o, p in kept]), "rise_s": plain([(p - o) / RATE for o, p in kept]),
        "half_recovery_s": plain(recede)}

# EDASymp (Posada-Quintero et al. 2016).
slow = x.reshape(-1, RATE // 2).mean(1)
slow = signal.sosfiltfilt(signal.butter(2, .01, "high", fs=2, output="sos"), slow)
hz, power = signal.welch(slow, fs=2, window="blackman", nperseg=128, noverlap=64)
band = (hz >= .045) & (hz <= .25)
out["edasymp"] = float(np.trapz(power[band], hz[band]))
out["edasymp_n"] = out["edasymp"] / float(np.trapz(power, hz))
print(json.dumps(out))
