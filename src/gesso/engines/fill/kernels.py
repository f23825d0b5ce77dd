"""Compiled inner loops of the fill engines: patch distance, PatchMatch search, voting, relaxation.

All kernels are single-threaded, release the interpreter lock, and draw randomness only from the state they are given, so
the same arguments give the same result on every thread. Pictures come as H×(4·W) float32 (four interleaved channels), so
that a patch row is one contiguous run of 28 numbers which the compiler turns into vector code.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PATCH = 7
HALF = PATCH // 2
CHANNELS = 4
RUN = PATCH * CHANNELS

_compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@_compiled
def _distance(image, ty, tx, sy, sx, limit):  # type: ignore[no-untyped-def]
    """Sum of squared differences of two patches; stops early with a value ≥ `limit`."""
    total = np.float32(0.0)
    for dy in range(-HALF, HALF + 1):
        a = image[ty + dy, (tx - HALF) * CHANNELS : (tx - HALF) * CHANNELS + RUN]
        b = image[sy + dy, (sx - HALF) * CHANNELS : (sx - HALF) * CHANNELS + RUN]
        row = np.float32(0.0)
        for k in range(RUN):
            e = a[k] - b[k]
            row += e * e
        total += row
        if total >= limit:
            return total
    return total


@_compiled
def _penalty(guide, ty, tx, sy, sx):  # type: ignore[no-untyped-def]
    """Cost of leaving the guided direction: strength × (offset across it)², see `search`."""
    strength = guide[ty, tx, 2]
    if strength == np.float32(0.0):
        return np.float32(0.0)
    across = guide[ty, tx, 0] * np.float32(sx - tx) + guide[ty, tx, 1] * np.float32(sy - ty)
    return strength * across * across


@_compiled
def _draw(state):  # type: ignore[no-untyped-def]
    """The next number of a xorshift64* generator (Vigna 2016), as 31 bits."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64((x * np.uint64(2685821657736338717)) >> np.uint64(33))


@_compiled
def search(image, ys, xs, target, source, sources, near_y, near_x, near_d, guide, state, passes, radius):  # type: ignore[no-untyped-def]
    """Improve a nearest-patch field by PatchMatch (Barnes et al. 2009): propagation and shrinking random search.

    ys, xs: int32 centres of target patches in scan order; target: H×W uint8, 1 at those centres; source: H×W uint8, 1 at
    allowed source centres; sources: flat positions of these; near_y, near_x: int32 fields, a negative y means "none yet";
    near_d: float32 field, recomputed first because the picture has changed since; guide: h×w×3 float32 (unit normal x, y,
    strength), 1×1 when there is none; state: uint64[1].
    """
    count = ys.size
    width = target.shape[1]
    guided = guide.shape[0] > 1
    big = np.float32(3.4e38)
    for i in range(count):
        y, x = ys[i], xs[i]
        if near_y[y, x] < 0:
            pick = sources[_draw(state) % sources.size]
            near_y[y, x] = pick // width
            near_x[y, x] = pick % width
        near_d[y, x] = _distance(image, y, x, near_y[y, x], near_x[y, x], big)
        if guided:
            near_d[y, x] += _penalty(guide, y, x, near_y[y, x], near_x[y, x])
    for p in range(passes):
        step = 1 if p % 2 == 0 else -1
        for j in range(count):
            i = j if step == 1 else count - 1 - j
            y, x = ys[i], xs[i]
            best_y, best_x, best = near_y[y, x], near_x[y, x], near_d[y, x]
            for side in range(2):
                py = y - step if side == 1 else y
                px = x - step if side == 0 else x
                if target[py, px] == 0:
                    continue
                cy = near_y[py, px] + (y - py)
                cx = near_x[py, px] + (x - px)
                if source[cy, cx] == 0 or (cy == best_y and cx == best_x):
                    continue
                extra = _penalty(guide, y, x, cy, cx) if guided else np.float32(0.0)
                d = _distance(image, y, x, cy, cx, best - extra) + extra
                if d < best:
                    best_y, best_x, best = cy, cx, d
            reach = radius
            while reach >= 1:
                cy = best_y + _draw(state) % (2 * reach + 1) - reach
                cx = best_x + _draw(state) % (2 * reach + 1) - reach
                reach //= 2
                if cy < 0 or cx < 0 or cy >= source.shape[0] or cx >= width or source[cy, cx] == 0:
                    continue
                extra = _penalty(guide, y, x, cy, cx) if guided else np.float32(0.0)
                d = _distance(image, y, x, cy, cx, best - extra) + extra
                if d < best:
                    best_y, best_x, best = cy, cx, d
            pick = sources[_draw(state) % sources.size]
            cy, cx = pick // width, pick % width
            extra = _penalty(guide, y, x, cy, cx) if guided else np.float32(0.0)
            d = _distance(image, y, x, cy, cx, best - extra) + extra
            if d < best:
                best_y, best_x, best = cy, cx, d
            near_y[y, x] = best_y
            near_x[y, x] = best_x
            near_d[y, x] = best


@_compiled
def vote(image, out, ys, xs, target, near_y, near_x, weight):  # type: ignore[no-untyped-def]
    """Write into `out` at each hole pixel (ys, xs) the weighted mean of what all patches over it propose.

    A pixel that no patch covers keeps its value.
    """
    height, width = target.shape
    for i in range(ys.size):
        y, x = ys[i], xs[i]
        total = np.float32(0.0)
        c0 = np.float32(0.0)
        c1 = np.float32(0.0)
        c2 = np.float32(0.0)
        c3 = np.float32(0.0)
        for qy in range(max(0, y - HALF), min(height, y + HALF + 1)):
            for qx in range(max(0, x - HALF), min(width, x + HALF + 1)):
                if target[qy, qx] == 0:
                    continue
                w = weight[qy, qx]
                sy = near_y[qy, qx] + (y - qy)
                sx = (near_x[qy, qx] + (x - qx)) * CHANNELS
                c0 += w * image[sy, sx]
                c1 += w * image[sy, sx + 1]
                c2 += w * image[sy, sx + 2]
                c3 += w * image[sy, sx + 3]
                total += w
        if total > np.float32(0.0):
            t = x * CHANNELS
            out[y, t] = c0 / total
            out[y, t + 1] = c1 / total
            out[y, t + 2] = c2 / total
            out[y, t + 3] = c3 / total


@_compiled
def pick(image, out, ys, xs, target, near_y, near_x, near_d):  # type: ignore[no-untyped-def]
    """Write into `out` at each hole pixel the proposal of the single best patch over it: sharp, no averaging."""
    height, width = target.shape
    for i in range(ys.size):
        y, x = ys[i], xs[i]
        best = np.float32(3.4e38)
        by, bx = -1, -1
        for qy in range(max(0, y - HALF), min(height, y + HALF + 1)):
            for qx in range(max(0, x - HALF), min(width, x + HALF + 1)):
                if target[qy, qx] == 0 or near_d[qy, qx] >= best:
                    continue
                best = near_d[qy, qx]
                by = near_y[qy, qx] + (y - qy)
                bx = near_x[qy, qx] + (x - qx)
        if by >= 0:
            for c in range(CHANNELS):
                out[y, x * CHANNELS + c] = image[by, bx * CHANNELS + c]


@_compiled
def relax(field, data, trust, ys, xs, sweeps, omega):  # type: ignore[no-untyped-def]
    """Successive over-relaxation of the screened Laplace equation at the pixels (ys, xs), in place.

    Minimises Σ trust·(field−data)² + Σ (differences of 4-neighbours)²; field, data: H×(4·W) float32, trust: H×W float32.
    Beyond the picture's edge the field is mirrored (no flux).
    """
    height, width = trust.shape
    for _ in range(sweeps):
        for i in range(ys.size):
            y, x = ys[i], xs[i]
            w = trust[y, x]
            n = w
            if y > 0:
                n += np.float32(1.0)
            if y + 1 < height:
                n += np.float32(1.0)
            if x > 0:
                n += np.float32(1.0)
            if x + 1 < width:
                n += np.float32(1.0)
            t = x * CHANNELS
            for c in range(CHANNELS):
                s = w * data[y, t + c]
                if y > 0:
                    s += field[y - 1, t + c]
                if y + 1 < height:
                    s += field[y + 1, t + c]
                if x > 0:
                    s += field[y, t - CHANNELS + c]
                if x + 1 < width:
                    s += field[y, t + CHANNELS + c]
                field[y, t + c] += omega * (s / n - field[y, t + c])
