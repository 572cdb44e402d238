"""Resampling by the windowed-sinc formula, evaluated in float64 straight from its definition. Writes golden.json."""
import json, math
import numpy as np

ZEROS, ROLLOFF = 24, 0.945


def resample(x, old, new):
    divisor = math.gcd(old, new)
    old, new = old // divisor, new // divisor
    rate = min(old, new) * ROLLOFF
    width = math.ceil(ZEROS * old / rate)
    index = np.arange(-width, width + old)
    kernels = []
    for i in range(new):
        t = np.clip((-i / new + index / old) * rate, -ZEROS, ZEROS) * np.pi
        kernel = np.sinc(t / np.pi) * np.cos(t / ZEROS / 2) ** 2
        kernels.append(kernel / kernel.sum())
    padded = np.concatenate([np.full(width, x[0]), x, np.full(width + old, x[-1])])
    starts = range(0, len(padded) - (2 * width + old) + 1, old)
    columns = [[float(np.dot(padded[s : s + 2 * width + old], k)) for k in kernels] for s in starts]
    return np.array(columns).reshape(-1)[: new * len(x) // old]


random = np.random.default_rng(20)
cases = []
for old, new, length in [(44100, 32000, 1000), (48000, 32000, 500), (16000, 32000, 200), (32000, 44100, 333), (22050, 24000, 148)]:
    x = random.uniform(-1, 1, length).astype(np.float32).astype(np.float64)
    cases.append({"old": old, "new": new, "input": x.tolist(), "output": [round(v, 8) for v in resample(x, old, new)]})
json.dump({"cases": cases}, open("golden.json", "w"))
