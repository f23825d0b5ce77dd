"""The compiled inner loop: blend the filters that suit a pixel, apply them, limit overshoot, write fine pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@_compiled  # type: ignore[untyped-decorator]
def enlarge_rows(
    padded: Any, angles: Any, ratios: Any, bank: Any, low: Any, high: Any, rows: Any, scale: int, top: float, out: Any
) -> None:  # pragma: no cover - compiled
    """Fill the fine rows of the coarse `rows` (start, stop) of `out` (H·scale × W·scale × 3).

    `padded` is the coarse picture (float32) with a rim as wide as the filters reach; `angles` and `ratios` are
    fractional indices into `bank` (angles × ratios × taps × phases); results are limited to `low` … `high` and 0 … `top`.
    """
    count, kinds, taps, phases = bank.shape
    side = int(np.sqrt(taps))
    width = angles.shape[1]
    blended = np.empty((taps, phases), np.float32)
    sums = np.empty(phases, np.float32)
    for y in range(rows[0], rows[1]):
        for x in range(width):
            a0 = int(angles[y, x])
            fa = np.float32(angles[y, x] - a0)
            a0 = a0 % count
            a1 = (a0 + 1) % count
            r0 = min(int(ratios[y, x]), kinds - 2)
            fr = np.float32(ratios[y, x] - r0)
            one = np.float32(1.0)
            w00, w01, w10, w11 = (one - fa) * (one - fr), (one - fa) * fr, fa * (one - fr), fa * fr
            for t in range(taps):
                for p in range(phases):
                    blended[t, p] = (
                        w00 * bank[a0, r0, t, p]
                        + w01 * bank[a0, r0 + 1, t, p]
                        + w10 * bank[a1, r0, t, p]
                        + w11 * bank[a1, r0 + 1, t, p]
                    )
            for c in range(3):
                sums[:] = np.float32(0.5)
                t = 0
                for dy in range(side):
                    for dx in range(side):
                        value = padded[y + dy, x + dx, c]
                        for p in range(phases):
                            sums[p] += blended[t, p] * value
                        t += 1
                least = max(low[y, x, c], np.float32(0.0)) + np.float32(0.5)
                most = min(high[y, x, c], np.float32(top)) + np.float32(0.5)
                for p in range(phases):
                    out[y * scale + p // scale, x * scale + p % scale, c] = int(min(max(sums[p], least), most))
