"""Smooth grounds: the membrane that fits a noisy band around the hole, and the grain that hides it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.engines.fill import kernels

Field = NDArray[np.float32]
Flags = NDArray[np.bool_]

BAND = 5
"""Width in pixels of the known band whose values are taken as noisy measurements rather than as exact."""
DEEPEST_LEVEL = 2.0
"""Depth of the hole, in pixels, at which coarsening ends."""
FINE_SWEEPS = 8
COARSE_SWEEPS = 60
OMEGA = 1.6
"""Over-relaxation factor; between 1.5 and 1.7 the error after FINE_SWEEPS is least."""
FEWEST = 16
"""Differences needed to measure noise at all."""
EXACT = 1e4
"""Trust of a measurement that is taken as exact."""


@dataclass(frozen=True)
class Noise:
    """White noise variance, and variance of the ground's own steps between neighbours, in squared levels."""

    noise: float
    step: float

    @property
    def trust(self) -> float:
        """Weight of a measurement against one unit of smoothness: step/noise."""
        return float(np.clip(self.step / max(self.noise, 1e-6), 0.02, EXACT))


def measure_noise(image: Field, known: Flags) -> Noise:
    """Noise of the `known` pixels of `image` (h×w×4), from differences over one and over two pixels.

    For a random walk plus white noise, E d₁² = step + 2·noise and E d₂² = 2·step + 2·noise. The largest tenth of the
    differences is left out of both, so that an edge in the band does not count as noise.
    """
    ys, xs = (a.astype(np.int32) for a in np.nonzero(known))
    one, two = (_mean_square(image, known.view(np.uint8), ys, xs, apart) for apart in (1, 2))
    return Noise(max(0.0, (2.0 * one - two) / 2.0), max(0.0, two - one))


def _mean_square(
    image: Field, known: NDArray[np.uint8], ys: NDArray[np.int32], xs: NDArray[np.int32], apart: int
) -> float:
    values = np.empty(2 * ys.size, np.float32)
    values = values[: kernels.jumps(image, known, ys, xs, apart, values)]
    if values.size < FEWEST:
        return 0.0
    most = int(0.9 * values.size)
    return float(np.partition(values, most)[:most].mean())


def membrane(image: Field, hole: Flags, *, smooth_band: bool = True) -> Field:
    """`image` (h×w×4 float32) with `hole` replaced by the smooth surface through its surroundings; the rest as it was.

    Linear gradients are reproduced; at the picture's edge they are continued by the plane fitted to the band. Needs at
    least one known pixel.
    """
    h, w = hole.shape
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1, 2 * BAND + 1))
    near = (cv2.dilate(hole.astype(np.uint8), kernel) > 0) & ~hole
    plane = _plane(image, near)
    flat = image - plane
    flat[hole] = 0.0
    trust = np.zeros((h, w), np.float32)
    free = hole.copy()
    if smooth_band:
        noise = measure_noise(flat, near)
        if noise.trust < 20.0:
            trust[near] = noise.trust
            free |= near
    solved = _solve(flat, hole, free, trust)
    out = image.copy()
    out[hole] = solved[hole] + plane[hole]
    return out


def surface(data: Field, hole: Flags, rim: Flags, trust: float) -> Field:
    """The smooth h×w×4 surface over `hole` ∪ `rim` that follows `data` on the rim as closely as `trust` asks; 0 beyond.

    `trust` is the weight of one rim pixel against one unit of smoothness: 0.1 averages over about three pixels.
    """
    return _soft(data, hole | rim, np.where(rim, np.float32(trust), np.float32(0)))


def _soft(data: Field, free: Flags, weight: Field) -> Field:
    """Minimise Σ weight·(u−data)² + Σ differences² over the `free` pixels only, coarse to fine."""
    h, w = free.shape
    field = np.zeros((h, w, 4), np.float32)
    sweeps = COARSE_SWEEPS
    if min(h, w) >= 16:
        pad = ((0, h % 2), (0, w % 2))
        heavy = _four(np.pad(weight, pad))
        mean = _four(np.pad(data * weight[..., None], (*pad, (0, 0)))) / np.maximum(heavy, 1e-9)[..., None]
        coarse = _soft(mean.astype(np.float32), _four(np.pad(free, pad).astype(np.float32)) > 0, heavy)
        field = cv2.resize(coarse, (2 * coarse.shape[1], 2 * coarse.shape[0]), interpolation=cv2.INTER_LINEAR)[:h, :w]
        sweeps = FINE_SWEEPS
    ys, xs = (a.astype(np.int32) for a in np.nonzero(free))
    wide = np.ascontiguousarray(field.reshape(h, 4 * w))
    closed = np.where(free, weight, np.float32(0))
    kernels.relax(
        wide,
        np.ascontiguousarray(data.reshape(h, 4 * w)),
        closed,
        free.astype(np.uint8),
        ys,
        xs,
        sweeps,
        np.float32(OMEGA),
    )
    return wide.reshape(h, w, 4)


def _four(a: Field) -> Field:
    return np.asarray(a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2])


def _plane(image: Field, near: Flags) -> Field:
    """The plane a + b·x + c·y that fits the `near` pixels best, least squares; constant when there are too few."""
    h, w = near.shape
    ys, xs = np.nonzero(near)
    values = image[ys, xs]
    out = np.empty_like(image)
    if ys.size < 12 or np.ptp(ys) < 3 or np.ptp(xs) < 3:
        out[...] = values.mean(axis=0) if ys.size else np.float32(0)
        return out
    scale = np.float32(max(h, w))
    rows = np.stack([np.ones(ys.size, np.float32), xs.astype(np.float32) / scale, ys.astype(np.float32) / scale])
    fit = np.linalg.solve((rows @ rows.T).astype(np.float64) + 1e-6 * np.eye(3), (rows @ values).astype(np.float64))
    fit = fit.astype(np.float32)
    np.add(
        (np.arange(w, dtype=np.float32) / scale)[None, :, None] * fit[1],
        fit[0] + (np.arange(h, dtype=np.float32) / scale)[:, None, None] * fit[2],
        out=out,
    )
    return out


def _solve(data: Field, hole: Flags, free: Flags, trust: Field) -> Field:
    """Cascade of relaxations: solve a coarse version, enlarge it as the first guess, smooth on the finer grid."""
    h, w = hole.shape
    depth = float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3).max())
    field = data.copy()
    sweeps = COARSE_SWEEPS
    if depth > DEEPEST_LEVEL and min(h, w) >= 8:
        coarse_data, coarse_hole = _halved(data, hole)
        if not coarse_hole.all():
            nothing = np.zeros(coarse_hole.shape, np.float32)
            coarse = _solve(coarse_data, coarse_hole, coarse_hole, nothing)
            guess = cv2.resize(coarse, (2 * coarse.shape[1], 2 * coarse.shape[0]), interpolation=cv2.INTER_LINEAR)
            field[hole] = guess[:h, :w][hole]
            sweeps = FINE_SWEEPS
    ys, xs = (a.astype(np.int32) for a in np.nonzero(free))
    wide = np.ascontiguousarray(field.reshape(h, 4 * w))
    kernels.relax(
        wide,
        np.ascontiguousarray(data.reshape(h, 4 * w)),
        trust,
        np.ones((h, w), np.uint8),
        ys,
        xs,
        sweeps,
        np.float32(OMEGA),
    )
    return wide.reshape(h, w, 4)


def _halved(data: Field, hole: Flags) -> tuple[Field, Flags]:
    """Half size; a coarse pixel is known only where all its children are, so that no border value is displaced.

    When that leaves nothing known, one known child is enough.
    """
    h, w = hole.shape
    pad = ((0, h % 2), (0, w % 2))
    hole = np.pad(hole, pad, mode="edge")
    data = np.pad(data, (*pad, (0, 0)), mode="edge")
    known = (~hole).astype(np.float32)
    count = known[::2, ::2] + known[1::2, ::2] + known[::2, 1::2] + known[1::2, 1::2]
    masked = data * known[..., None]
    total = masked[::2, ::2] + masked[1::2, ::2] + masked[::2, 1::2] + masked[1::2, 1::2]
    mean = total / np.maximum(count, 1.0)[..., None]
    least = 4 if (count == 4).mean() > 0.05 else 1
    return np.ascontiguousarray(mean, np.float32), count < least
