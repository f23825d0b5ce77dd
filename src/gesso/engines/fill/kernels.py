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
def _distance(image, worth, ty, tx, sy, sx, limit):  # type: ignore[no-untyped-def]
    """Sum of squared differences of two patches, each pixel with the worth of the target; may stop at a value ≥ `limit`."""
    total = np.float32(0.0)
    for dy in range(-HALF, HALF + 1):
        a = image[ty + dy, (tx - HALF) * CHANNELS : (tx - HALF) * CHANNELS + RUN]
        b = image[sy + dy, (sx - HALF) * CHANNELS : (sx - HALF) * CHANNELS + RUN]
        v = worth[ty + dy, (tx - HALF) * CHANNELS : (tx - HALF) * CHANNELS + RUN]
        row = np.float32(0.0)
        for k in range(RUN):
            e = a[k] - b[k]
            row += v[k] * e * e
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
def search(image, worth, ys, xs, target, source, sources, near_y, near_x, near_d, guide, state, passes, radius):  # type: ignore[no-untyped-def]
    """Improve a nearest-patch field by PatchMatch (Barnes et al. 2009): propagation and shrinking random search.

    worth: H×(4·W) float32, weight of each value of a target patch;
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
        near_d[y, x] = _distance(image, worth, y, x, near_y[y, x], near_x[y, x], big)
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
                d = _distance(image, worth, y, x, cy, cx, best - extra) + extra
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
                d = _distance(image, worth, y, x, cy, cx, best - extra) + extra
                if d < best:
                    best_y, best_x, best = cy, cx, d
            pick = sources[_draw(state) % sources.size]
            cy, cx = pick // width, pick % width
            extra = _penalty(guide, y, x, cy, cx) if guided else np.float32(0.0)
            d = _distance(image, worth, y, x, cy, cx, best - extra) + extra
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
def relax(field, data, trust, joined, ys, xs, sweeps, omega):  # type: ignore[no-untyped-def]
    """Successive over-relaxation of the screened Laplace equation at the pixels (ys, xs), in place.

    Minimises Σ trust·(field−data)² + Σ (differences of 4-neighbours)² over pairs of `joined` pixels (H×W uint8); field,
    data: H×(4·W) float32, trust: H×W float32. Pixels outside `joined` and outside the picture exert no pull.
    """
    height, width = trust.shape
    for _ in range(sweeps):
        for i in range(ys.size):
            y, x = ys[i], xs[i]
            w = trust[y, x]
            t = x * CHANNELS
            up = y > 0 and joined[y - 1, x] != 0
            down = y + 1 < height and joined[y + 1, x] != 0
            left = x > 0 and joined[y, x - 1] != 0
            right = x + 1 < width and joined[y, x + 1] != 0
            n = w + np.float32(up) + np.float32(down) + np.float32(left) + np.float32(right)
            if n <= np.float32(0.0):
                continue
            for c in range(CHANNELS):
                s = w * data[y, t + c]
                if up:
                    s += field[y - 1, t + c]
                if down:
                    s += field[y + 1, t + c]
                if left:
                    s += field[y, t - CHANNELS + c]
                if right:
                    s += field[y, t + CHANNELS + c]
                field[y, t + c] += omega * (s / n - field[y, t + c])


@_compiled
def jumps(image, known, ys, xs, apart, out):  # type: ignore[no-untyped-def]
    """Squared differences, mean over the channels, of the pixels (ys, xs) to the known ones `apart` right and below.

    image: H×W×4 float32; known: H×W uint8; out: float32, at least two entries a pixel. Returns how many were written.
    """
    height, width = known.shape
    n = 0
    for i in range(ys.size):
        y, x = ys[i], xs[i]
        for way in range(2):
            sy, sx = (y + apart, x) if way == 0 else (y, x + apart)
            if sy >= height or sx >= width or known[sy, sx] == 0:
                continue
            total = np.float32(0.0)
            for c in range(CHANNELS):
                e = image[y, x, c] - image[sy, sx, c]
                total += e * e
            out[n] = total / np.float32(CHANNELS)
            n += 1
    return n


@_compiled
def peel(image, worth, ys, xs, source, sources, near_y, near_x, stride):  # type: ignore[no-untyped-def]
    """Fill the pixels (ys, xs) one after the other, each from the source that fits what is filled so far.

    worth: H×(4·W) float32, 1 where the picture is known and 0 elsewhere, updated; source, sources: as in `search`. Tried
    are the continuations of what the eight neighbours were copied from (Ashikhmin 2001), every `stride`-th source from
    another start for each pixel, and the surroundings of the best. The patch is the one around the pixel, moved inside
    where it would hang over the picture's edge.
    """
    height, width = source.shape
    for i in range(ys.size):
        y, x = ys[i], xs[i]
        cy = min(max(y, HALF), height - 1 - HALF)
        cx = min(max(x, HALF), width - 1 - HALF)
        best = np.float32(3.4e38)
        by, bx = sources[0] // width, sources[0] % width
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                ny, nx = y + dy, x + dx
                if ny < 0 or nx < 0 or ny >= height or nx >= width or near_y[ny, nx] < 0:
                    continue
                sy, sx = near_y[ny, nx] - dy + (cy - y), near_x[ny, nx] - dx + (cx - x)
                if sy < 0 or sx < 0 or sy >= height or sx >= width or source[sy, sx] == 0:
                    continue
                d = _distance(image, worth, cy, cx, sy, sx, best)
                if d < best:
                    best, by, bx = d, sy, sx
        for k in range((i * 7919) % stride, sources.size, stride):
            sy, sx = sources[k] // width, sources[k] % width
            d = _distance(image, worth, cy, cx, sy, sx, best)
            if d < best:
                best, by, bx = d, sy, sx
        my, mx = by, bx
        for sy in range(max(0, my - 2), min(height, my + 3)):
            for sx in range(max(0, mx - 2), min(width, mx + 3)):
                if source[sy, sx] != 0:
                    d = _distance(image, worth, cy, cx, sy, sx, best)
                    if d < best:
                        best, by, bx = d, sy, sx
        near_y[y, x] = by + (y - cy)
        near_x[y, x] = bx + (x - cx)
        for c in range(CHANNELS):
            image[y, x * CHANNELS + c] = image[near_y[y, x], near_x[y, x] * CHANNELS + c]
            worth[y, x * CHANNELS + c] = np.float32(1.0)


@_compiled
def shoot(image, known, ys, xs, along):  # type: ignore[no-untyped-def]
    """Fill the pixels (ys, xs) of `image` (H×W×4, in place) from the first known pixels met both ways along a direction.

    along: H×W×2 float32 unit direction (x, y) at each pixel. The nearer end weighs more; without any end a pixel stays.
    """
    height, width = known.shape
    for i in range(ys.size):
        y, x = ys[i], xs[i]
        total = np.float32(0.0)
        c0 = c1 = c2 = c3 = np.float32(0.0)
        for way in range(-1, 2, 2):
            for step in range(1, height + width):
                sy = int(np.floor(y + way * step * along[y, x, 1] + 0.5))
                sx = int(np.floor(x + way * step * along[y, x, 0] + 0.5))
                if sy < 0 or sx < 0 or sy >= height or sx >= width:
                    break
                if known[sy, sx] != 0:
                    weight = np.float32(1.0) / np.float32(step)
                    c0 += weight * image[sy, sx, 0]
                    c1 += weight * image[sy, sx, 1]
                    c2 += weight * image[sy, sx, 2]
                    c3 += weight * image[sy, sx, 3]
                    total += weight
                    break
        if total > np.float32(0.0):
            image[y, x, 0] = c0 / total
            image[y, x, 1] = c1 / total
            image[y, x, 2] = c2 / total
            image[y, x, 3] = c3 / total
