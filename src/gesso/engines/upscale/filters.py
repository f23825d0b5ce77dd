"""Interpolation filters by kriging: the best linear estimate of fine pixels from coarse ones, edge by edge.

Model: around a pixel the picture is a random field whose variogram is γ(d) = |d|^2H, with distances along the local edge
shortened by the ratio ρ ("anisotropy"). A coarse pixel is the mean of the field over a square of side ``width`` coarse
pixels (1 for an area average, less for a sparser sampling) plus a little noise. Given that, ordinary kriging (Matheron
1963; Cressie, Statistics for Spatial Data, 1993, §3.2 and §5.2 for block supports) yields the filter: unbiased, of least
expected square error. Nothing is learned: the only constants are H, the noise, and the grids below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bank = NDArray[np.float32]

RADIUS = 2
"""Filters see (2·RADIUS+1)² coarse pixels. 7×7 gained 0.03 dB at half the speed."""

TAPS = (2 * RADIUS + 1) ** 2

ANGLES = 24
"""Orientations in half a turn; filters of neighbouring ones are blended."""

RATIOS = (1.0, 1.5, 2.0, 3.0, 4.5, 7.0)
"""Anisotropies ρ; filters of neighbouring ones are blended."""

HURST = 0.5
"""H of the variogram: a field of edges, whose variogram grows linearly with distance. 0.4 and 0.6 are as good."""

NOISE = 0.005
"""Variance of a coarse pixel's noise, in units of the variogram at one coarse pixel's distance."""


def bank(scale: int, width: float) -> Bank:
    """Filters for one enlargement: ANGLES × len(RATIOS) × TAPS × scale² float32, phases in raster order.

    Every filter sums to 1. With ``width`` 1 and without noise the scale² fine pixels average exactly to the coarse one.
    """
    out = np.empty((ANGLES, len(RATIOS), TAPS, scale * scale), np.float32)
    for a in range(ANGLES):
        for r, ratio in enumerate(RATIOS):
            out[a, r] = _filter(scale, width, np.pi * a / ANGLES, ratio)
    return out


def _filter(scale: int, width: float, angle: float, ratio: float) -> NDArray[np.float64]:
    """TAPS × scale² weights; `angle` is the direction of the gradient, across the edge, in radians."""
    phase = (np.arange(scale, dtype=np.float64) + 0.5) / scale - 0.5
    grid = np.arange(-RADIUS, RADIUS + 1)
    ys, xs = (axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij"))
    between = _between_coarse(scale, width, angle, ratio)
    span = 2 * RADIUS
    system = np.ones((TAPS + 1, TAPS + 1))
    system[:TAPS, :TAPS] = -between[ys[:, None] - ys + 2 * RADIUS, xs[:, None] - xs + span] + NOISE * np.eye(TAPS)
    system[TAPS, TAPS] = 0.0
    sample = phase * width
    dy = (grid[:, None, None] + sample[None, :, None] - phase).astype(np.float64)
    right = np.ones((TAPS + 1, scale * scale))
    # axes: tap row, tap column, phase row, phase column; samples of the coarse pixel averaged away
    gamma = _variogram(dy[:, None, :, None, :, None], dy[None, :, None, :, None, :], angle, ratio).mean(axis=(2, 3))
    right[:TAPS] = -gamma.reshape(TAPS, scale * scale)
    return np.linalg.solve(system, right)[:TAPS].astype(np.float64)


def _between_coarse(scale: int, width: float, angle: float, ratio: float) -> NDArray[np.float64]:
    """Mean variogram between two coarse pixels, by their offset: (4·RADIUS+1)², offset 0 in the middle."""
    offsets = np.arange(-2 * RADIUS, 2 * RADIUS + 1)
    lags = np.arange(-(scale - 1), scale)
    share = (scale - np.abs(lags)) / scale**2
    d: NDArray[np.float64] = offsets[:, None] + lags * (width / scale)
    gamma = _variogram(d[:, None, :, None], d[None, :, None, :], angle, ratio)
    out: NDArray[np.float64] = np.einsum("yxab,a,b->yx", gamma, share, share)
    return out


def _variogram(dy: NDArray[np.float64], dx: NDArray[np.float64], angle: float, ratio: float) -> NDArray[np.float64]:
    across = dx * np.cos(angle) + dy * np.sin(angle)
    along = (dy * np.cos(angle) - dx * np.sin(angle)) / ratio
    out: NDArray[np.float64] = (across * across + along * along) ** HURST
    return out
