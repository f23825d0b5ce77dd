"""Compiled loops of ordinary kriging: pick known neighbours around a block, solve for weights, predict.

Single-threaded, releases the interpreter lock, no randomness. See `gaussian.py` for the method.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SECTORS = 8
PER_SECTOR = 6
BLOCK = 2
"""Missing pixels are predicted in BLOCK×BLOCK blocks that share their neighbours and one factorisation."""

_compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@_compiled
def _gather(known, y, x, steps, sector, ny, nx):  # type: ignore[no-untyped-def]
    """Up to PER_SECTOR nearest known pixels of each sector around (y, x) into ny, nx; returns how many."""
    taken = np.zeros(SECTORS, np.int64)
    n = 0
    for k in range(steps.shape[0]):
        yy = y + steps[k, 0]
        xx = x + steps[k, 1]
        if yy < 0 or xx < 0 or yy >= known.shape[0] or xx >= known.shape[1] or known[yy, xx] == 0:
            continue
        s = sector[k]
        if taken[s] >= PER_SECTOR:
            continue
        taken[s] += 1
        ny[n] = yy
        nx[n] = xx
        n += 1
        if n == SECTORS * PER_SECTOR:
            break
    return n


@_compiled
def _factorise(a, n):  # type: ignore[no-untyped-def]
    """Lower Cholesky factor of the leading n×n of `a`, in place; the diagonal holds reciprocals. Pivots are floored."""
    for i in range(n):
        for j in range(i):
            s = a[i, j]
            for k in range(j):
                s -= a[i, k] * a[j, k]
            a[i, j] = s * a[j, j]
        s = a[i, i]
        for k in range(i):
            s -= a[i, k] * a[i, k]
        a[i, i] = np.float32(1.0) / np.sqrt(max(s, np.float32(1e-5)))


@_compiled
def _solve(a, b, n):  # type: ignore[no-untyped-def]
    """Solve with the factor of `_factorise` for every row of `b`, in place."""
    for c in range(b.shape[0]):
        for i in range(n):
            s = b[c, i]
            for k in range(i):
                s -= a[i, k] * b[c, k]
            b[c, i] = s * a[i, i]
        for i in range(n - 1, -1, -1):
            v = b[c, i] * a[i, i]
            b[c, i] = v
            for k in range(i):
                b[c, k] -= a[i, k] * v


@_compiled
def krige(image, known, blocks, steps, sector, table, nugget, unbiased, out):  # type: ignore[no-untyped-def]
    """Predict every unknown pixel of the `blocks` (n×2 int32, upper left corners) from its known neighbours.

    image, out: H×W×4 float32; known: H×W uint8; table: covariance by lag, (2R+1)² float32, 1 at lag 0; nugget: share
    of noise; unbiased: weights sum to one (ordinary kriging), else the mean is known to be 0 (simple kriging). A pixel
    without known neighbours keeps its value.
    """
    reach = table.shape[0] // 2
    most = SECTORS * PER_SECTOR
    ny = np.empty(most, np.int64)
    nx = np.empty(most, np.int64)
    a = np.empty((most, most), np.float32)
    b = np.empty((BLOCK * BLOCK + 1, most), np.float32)
    height, width = known.shape
    for i in range(blocks.shape[0]):
        y, x = blocks[i, 0], blocks[i, 1]
        n = _gather(known, y, x, steps, sector, ny, nx)
        if n == 0:
            continue
        for p in range(n):
            for q in range(p):
                a[p, q] = table[ny[p] - ny[q] + reach, nx[p] - nx[q] + reach]
            a[p, p] = np.float32(1.0) + nugget
            for k in range(BLOCK * BLOCK):
                b[k, p] = table[ny[p] - y - k // BLOCK + reach, nx[p] - x - k % BLOCK + reach]
            b[BLOCK * BLOCK, p] = np.float32(1.0)
        _factorise(a, n)
        _solve(a, b, n)
        ones = np.float32(0.0)
        for p in range(n):
            ones += b[BLOCK * BLOCK, p]
        for k in range(BLOCK * BLOCK):
            yy, xx = y + k // BLOCK, x + k % BLOCK
            if yy >= height or xx >= width or known[yy, xx] != 0:
                continue
            total = np.float32(0.0)
            for p in range(n):
                total += b[k, p]
            share = (np.float32(1.0) - total) / ones if unbiased else np.float32(0.0)
            c0 = c1 = c2 = c3 = np.float32(0.0)
            for p in range(n):
                w = b[k, p] + share * b[BLOCK * BLOCK, p]
                c0 += w * image[ny[p], nx[p], 0]
                c1 += w * image[ny[p], nx[p], 1]
                c2 += w * image[ny[p], nx[p], 2]
                c3 += w * image[ny[p], nx[p], 3]
            out[yy, xx, 0] = c0
            out[yy, xx, 1] = c1
            out[yy, xx, 2] = c2
            out[yy, xx, 3] = c3
