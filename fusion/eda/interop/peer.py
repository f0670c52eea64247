"""The Python side of `emolab bench signals --python fusion/eda/interop`.

    peer.py TASK DIR RUNS [RATE]

reads arrays of little-endian float64 from DIR, does TASK with public Python
libraries RUNS times, writes what came out beside them and prints one line of
JSON: {"about": versions, "seconds": [one number a run]}. Loading the libraries
and reading the files is not timed.

  cvx     eda.f64 -> phasic.f64, tonic.f64, objective.f64
          the convex problem of Greco et al. (2016), stated anew from the
          publication, solved by CVXOPT with the settings of the published program
  kit     eda.f64 -> phasic.f64, tonic.f64: NeuroKit2's eda_phasic(method="cvxeda")
  peaks   eda.f64 -> phasic.f64, tonic.f64, peaks.f64
          NeuroKit2: eda_clean, eda_phasic(method="highpass"), eda_findpeaks
  ivt     at.f64 (s), x.f64, y.f64 (fractions of the screen), screen.f64 (mm)
          -> fixations.f64: pairs of the first and the last sample
          velocity-threshold identification as Olsen (2012) describes it, in NumPy
  remodnav  the same files but at.f64, RATE in Hz -> fixations.f64, saccades.f64
          REMoDNaV, with its defaults: an adaptive algorithm, as ours is
"""

import json
import pathlib
import sys
import time

import numpy as np


def cvx(folder, rate):
    import cvxopt
    from cvxopt import matrix, solvers, sparse, spdiag, spmatrix

    raw = load(folder, "eda")

    def run():
        y = (raw - raw.mean()) / raw.std()
        n, step = len(y), 1 / rate
        fast, slow = 1 / 0.7, 1 / 2.0
        ar = np.array([(fast * step + 2) * (slow * step + 2), 2 * fast * slow * step**2 - 8, (fast * step - 2) * (slow * step - 2)])
        ar /= (fast - slow) * step**2

        def banded(coefficients):
            values, rows, columns = [], [], []
            for k, c in enumerate(coefficients):
                rows += range(k, n)
                columns += range(n - k)
                values += [float(c)] * (n - k)
            return spmatrix(values, rows, columns, (n, n))

        a, m = banded(ar), banded([1, 2, 1])
        k = round(10 * rate)
        bump = np.convolve(triangle := np.r_[1:k, k:0:-1].astype(float), triangle)
        bump /= bump.max()
        knots = np.arange(0, n + k / 2, k).astype(int)
        values, rows, columns = [], [], []
        for j, knot in enumerate(knots):
            at = np.arange(len(bump)) + knot - len(bump) // 2
            inside = (at >= 0) & (at < n)
            rows += at[inside].tolist()
            columns += [j] * int(inside.sum())
            values += bump[inside].tolist()
        b = spmatrix(values, rows, columns, (n, len(knots)))
        c = matrix(np.column_stack([np.ones(n), np.arange(1, n + 1) / n]))
        alpha, gamma = 8e-4, 1e-2
        z = matrix(y)
        p = sparse([
            [m.T * m, b.T * m, c.T * m],
            [m.T * b, b.T * b + gamma * spdiag([1.0] * len(knots)), c.T * b],
            [m.T * c, b.T * c, c.T * c],
        ])
        f = matrix([(matrix(alpha, (1, n)) * a).T - m.T * z, -(b.T * z), -(c.T * z)])
        g = sparse([[-a], [spmatrix([], [], [], (n, len(knots)))], [spmatrix([], [], [], (n, 2))]])
        found = solvers.qp(p, f, g, matrix(0.0, (n, 1)), options={"reltol": 1e-9, "show_progress": False})
        q, l, d = found["x"][:n], found["x"][n : n + len(knots)], found["x"][n + len(knots) :]
        phasic, tonic = m * q, b * l + c * d
        e = phasic + tonic - z
        objective = 0.5 * (e.T * e)[0] + alpha * sum(a * q) + 0.5 * gamma * (l.T * l)[0]
        return {
            "phasic": np.array(phasic).ravel() * raw.std(),
            "tonic": np.array(tonic).ravel() * raw.std() + raw.mean(),
            "objective": [objective],
        }

    return f"CVXOPT {cvxopt.__version__}", run


def kit(folder, rate):
    import neurokit2 as nk

    raw = load(folder, "eda")

    def run():  # NeuroKit2 leaves it to the caller to standardise
        mean, sd = raw.mean(), raw.std()
        out = nk.eda_phasic((raw - mean) / sd, sampling_rate=rate, method="cvxeda")
        return {"phasic": out["EDA_Phasic"].to_numpy() * sd, "tonic": out["EDA_Tonic"].to_numpy() * sd + mean}

    return f"NeuroKit2 {nk.__version__}", run


def peaks(folder, rate):
    import neurokit2 as nk

    raw = load(folder, "eda")

    def run():
        clean = nk.eda_clean(raw, sampling_rate=rate, method="neurokit")
        parts = nk.eda_phasic(clean, sampling_rate=rate, method="highpass")
        phasic = parts["EDA_Phasic"].to_numpy()
        found = nk.eda_findpeaks(phasic, sampling_rate=rate, method="neurokit", amplitude_min=0.1)
        return {"phasic": phasic, "tonic": parts["EDA_Tonic"].to_numpy(), "peaks": found["SCR_Peaks"]}

    return f"NeuroKit2 {nk.__version__}", run


def ivt(folder, _):
    at, x, y = load(folder, "at"), load(folder, "x"), load(folder, "y")
    width, height, distance = load(folder, "screen")
    ends = lambda inside: np.flatnonzero(np.diff(np.r_[False, inside, False].astype(int))).reshape(-1, 2) - [0, 1]

    def angle(x0, y0, x1, y1):
        a = np.stack([(x0 - 0.5) * width, (y0 - 0.5) * height, np.full_like(x0, distance)])
        b = np.stack([(x1 - 0.5) * width, (y1 - 0.5) * height, np.full_like(x1, distance)])
        return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b, axis=0), axis=0), (a * b).sum(0)))

    def run():
        step = round(float(np.median(np.diff(at))), 9)
        fx, fy = x.copy(), y.copy()
        missing = np.isnan(x) | np.isnan(y)
        for first, last in ends(missing):
            if first > 0 and last < len(x) - 1 and at[last + 1] - at[first - 1] <= 0.075 + 1e-9:
                gap, edge = slice(first, last + 1), [first - 1, last + 1]
                fx[gap], fy[gap] = np.interp(at[gap], at[edge], x[edge]), np.interp(at[gap], at[edge], y[edge])
        half = max(1, round(0.020 / step / 2))
        i = np.arange(len(x))
        before, after = np.maximum(i - half, 0), np.minimum(i + half, len(x) - 1)
        with np.errstate(invalid="ignore"):
            speed = angle(fx[before], fy[before], fx[after], fy[after]) / (at[after] - at[before])
            slow = (speed < 30) & ~np.isnan(fx)
        merged = []  # first, last, samples, sum of x, sum of y
        for first, last in ends(slow):
            part = slice(first, last + 1)
            new = [first, last, last + 1 - first, fx[part].sum(), fy[part].sum()]
            if merged and at[first] - at[merged[-1][1]] <= 0.075 + 1e-9:
                old = merged[-1]
                place = [np.array([v]) for v in (old[3] / old[2], old[4] / old[2], new[3] / new[2], new[4] / new[2])]
                if angle(*place)[0] <= 0.5:
                    between = slice(old[1] + 1, last + 1)
                    there = ~np.isnan(fx[between])
                    merged[-1] = [old[0], last, old[2] + there.sum(), old[3] + fx[between][there].sum(), old[4] + fy[between][there].sum()]
                    continue
            merged.append(new)
        return {"fixations": [v for f in merged if at[f[1]] - at[f[0]] + step >= 0.060 - 1e-9 for v in f[:2]]}

    return f"NumPy {np.__version__}", run


def remodnav(folder, rate):
    import importlib.metadata
    import logging

    from remodnav.clf import EyegazeClassifier

    logging.disable(logging.CRITICAL)
    x, y = load(folder, "x"), load(folder, "y")
    width, height, distance = load(folder, "screen")
    across = 1920  # REMoDNaV works in pixels; any number will do that makes them square
    degrees = np.degrees(np.arctan2(width / 2, distance)) / (across / 2)

    # Its default window of 19 ms must be an odd number of samples: 21 ms at 250 Hz.
    window = next(w for w in np.arange(0.019, 1, 0.001) if int(w * rate) % 2 and int(w * rate) > 2)

    def run():
        gaze = np.rec.fromarrays([x * across, y * across * height / width], names=["x", "y"])
        classify = EyegazeClassifier(px2deg=degrees, sampling_rate=rate)
        out = {"fixations": [], "saccades": []}
        for e in classify(classify.preproc(gaze, savgol_length=window)):
            kind = "fixations" if e["label"] in ("FIXA", "PURS") else "saccades"
            if e["label"] in ("FIXA", "PURS", "SACC", "ISAC"):
                out[kind] += [round(e["start_time"] * rate), round(e["end_time"] * rate)]
        return out

    return f"REMoDNaV {importlib.metadata.version('remodnav')}", run


def load(folder, name):
    return np.fromfile(folder / f"{name}.f64", dtype="<f8")


def main():
    task, folder, runs = {"cvx": cvx, "kit": kit, "peaks": peaks, "ivt": ivt, "remodnav": remodnav}[sys.argv[1]], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    about, run = task(folder, float(sys.argv[4]) if len(sys.argv) > 4 else 0.0)
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        out = run()
        seconds.append(time.perf_counter() - begin)
    for name, values in out.items():
        np.asarray(values, dtype="<f8").tofile(folder / f"{name}.f64")
    print(json.dumps({"about": about, "seconds": seconds}))


if __name__ == "__main__":
    main()
