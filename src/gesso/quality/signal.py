"""Measures of a picture alone: sharpness, noise, blocking."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.quality.planes import Floats, luma

BLUR_SPAN = 9
"""Length in pixels of the blur that `sharpness` compares with, as in its source."""

NOISE_BLOCK = 8
"""Side of the blocks over which `noise` looks for flat ground, in pixels of the half-size detail plane."""

FLATTEST = 20.0
"""Percent of the blocks taken as flat ground."""

WHITE = 0.8
"""Whiteness from which grain is taken for noise. Grass, gravel and tissue in focus lie at 0.3 … 0.77."""

GRID = 8
"""Side of the blocks of JPEG and most video codecs."""

VISIBLE_STEP = 24.0
"""Steps above this, on a scale of 0…255, are edges of the scene, not of blocks."""


def sharpness(plane: Floats) -> float:
    """0 (no detail) … 1: how much the plane (H×W, 0…255) loses by a strong blur.

    One minus the blur metric of Crété-Roffet, Dolmiere, Ladret and Nicolas 2007, worse of the two directions.
    """
    return 1.0 - max(_blur(plane), _blur(np.ascontiguousarray(plane.T)))


def _blur(plane: Floats) -> float:
    blurred = cv2.blur(plane, (1, BLUR_SPAN), borderType=cv2.BORDER_REFLECT)
    before = np.abs(cv2.Sobel(plane, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REFLECT))
    after = np.abs(cv2.Sobel(blurred, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REFLECT))
    inner = (slice(2, -2), slice(2, -2)) if min(plane.shape) > 8 else (slice(None), slice(None))
    total = float(before[inner].sum(dtype=np.float64))
    lost = float(np.maximum(before - after, 0.0)[inner].sum(dtype=np.float64))
    return 1.0 if total <= 0.0 else (total - lost) / total


@dataclass(frozen=True)
class Grain:
    """Fine irregularity of the flattest ground: its standard deviation, and how much it looks like noise.

    ``whiteness`` is about 1 for noise, whose bands and scales are equally strong, and below `WHITE` for fine texture, which
    like all natural pictures is stronger at coarser scales (Field 1987).
    """

    deviation: float
    whiteness: float


def grain(plane: Floats) -> Grain:
    """The grain of the plane (H×W, 0…255).

    The diagonal Haar detail of white noise has the noise's own deviation (Donoho and Johnstone 1994: the median absolute
    deviation over 0.6745); texture adds to it, so the blocks of least detail, `FLATTEST` percent, count. There the diagonal
    band is compared with the horizontal and vertical ones, and the flattest blocks one scale up with these.
    """
    if min(plane.shape) < 2:
        return Grain(0.0, 1.0)
    mean, *bands = _haar(plane)
    horizontal, vertical, diagonal = (_deviations(band, NOISE_BLOCK) for band in bands)
    count = max(1, round(len(diagonal) * FLATTEST / 100.0))
    flat = np.argsort(horizontal + vertical + diagonal)[:count]
    level = float(diagonal[flat].mean(dtype=np.float64))
    others = float((horizontal[flat].mean(dtype=np.float64) + vertical[flat].mean(dtype=np.float64)) / 2.0)
    whiteness = level / (others + 0.05)
    if min(mean.shape) >= 2:
        coarse = np.sort(_deviations(_haar(mean)[3], NOISE_BLOCK // 2))
        above = float(coarse[: max(1, round(len(coarse) * FLATTEST / 100.0))].mean(dtype=np.float64))
        whiteness = min(whiteness, level / (above + 0.05))
    return Grain(level * _SELECTION, whiteness)


def noise(plane: Floats) -> float:
    """Standard deviation of the noise in the plane (H×W, 0…255), from its flattest ground: see `grain`."""
    return grain(plane).deviation


_SELECTION = 1.12
"""The flattest blocks of pure noise lie below its mean by this factor (for 64 samples a block; checked by a test)."""


def _haar(plane: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """(mean, horizontal, vertical, diagonal) bands of one orthonormal Haar step, at half the size."""
    height, width = (side // 2 * 2 for side in plane.shape)
    a, b = plane[0:height:2, 0:width:2], plane[0:height:2, 1:width:2]
    c, d = plane[1:height:2, 0:width:2], plane[1:height:2, 1:width:2]
    half = np.float32(0.5)
    return (a + b + c + d) * half, (a - b + c - d) * half, (a + b - c - d) * half, (a - b - c + d) * half


def _deviations(band: Floats, side: int) -> NDArray[np.float32]:
    """Robust standard deviation of `band` in every whole block of side×side, or in all of it when it is smaller."""
    rows, columns = (length // side for length in band.shape)
    blocks = band.reshape(1, -1)
    if rows and columns:
        cut = band[: rows * side, : columns * side].reshape(rows, side, columns, side)
        blocks = cut.swapaxes(1, 2).reshape(rows * columns, -1)
    out: NDArray[np.float32] = (np.median(np.abs(blocks), axis=1) / 0.6745).astype(np.float32)
    return out


def blocking(plane: Floats) -> float:
    """How much steps on an 8×8 grid exceed those between, in percent, for the grid's strongest position; 0 without one.

    A step counts beyond the mean of its two neighbours, as in Wang, Sheikh and Bovik 2002, and up to `VISIBLE_STEP`, so
    that edges of the scene do not decide.
    """
    return max(_grid_excess(plane), _grid_excess(plane.T))


def _grid_excess(plane: Floats) -> float:
    if plane.shape[1] < 4 * GRID:
        return 0.0
    jump = np.diff(plane, axis=1)
    step = np.minimum(np.abs(jump[:, 1:-1] - 0.5 * (jump[:, :-2] + jump[:, 2:])), np.float32(VISIBLE_STEP))
    columns = step.mean(axis=0, dtype=np.float64)
    usable = columns[: len(columns) // GRID * GRID].reshape(-1, GRID).mean(axis=0)
    phase = int(np.argmax(usable))
    others = float(np.median(np.delete(usable, phase)))
    return 100.0 * max(0.0, float(usable[phase]) / (others + 0.25) - 1.0)


def _sharpness(evidence: Evidence) -> Measurement:
    return Measurement(sharpness(luma(evidence.after)), "gradient lost by a strong blur; 0 none, 1 all")


def _noise(evidence: Evidence) -> Measurement:
    return Measurement(noise(luma(evidence.after)), "standard deviation of the luma on the flattest ground")


def _blocking(evidence: Evidence) -> Measurement:
    return Measurement(blocking(luma(evidence.after)), "excess of steps on an 8×8 grid over those between")


SHARPNESS = Gate(
    id="sharpness",
    title="Sharpness",
    summary="How much detail a strong blur would take: 0 for a blurred picture, towards 1 for a crisp one.",
    unit="",
    better="higher",
    limit=0.3,
    measure=_sharpness,
)

NOISE = Gate(
    id="noise",
    title="Noise level",
    summary="Standard deviation of the grain on flat ground.",
    unit="1/255",
    better="lower",
    limit=12.0,
    measure=_noise,
)

BLOCKING = Gate(
    id="blocking",
    title="Blocking",
    summary="Visible 8×8 block borders from strong compression, in percent above the steps between them.",
    unit="%",
    better="lower",
    limit=150.0,  # photographs as JPEG of quality 30 lie at 50 … 350, of quality 75 below 130, without compression below 20
    measure=_blocking,
)
