"""Halos and ringing: how far a picture overshoots beside its edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.picture import Picture
from gesso.imaging.resize import resize_planes
from gesso.quality.planes import Floats, luma, same_shape

CONTRAST = 24.0
"""Local range of luma, on a scale of 0…255, from which a place counts as an edge."""

PROFILE = 8
"""Pixels to either side of an edge that are looked at when there is no picture before; plateaus begin at half of it."""

FLAT = 0.12
"""An edge counts only between plateaus that vary (standard deviation) less than this part of its step."""

MOST_EDGES = 20_000
"""Edge pixels measured at most, evenly spread over the picture."""


def overshoot(after: Floats, low: Floats, high: Floats) -> float:
    """How far the plane `after` leaves the range `low` … `high`, in percent of that range, mean over all edges.

    Edges are the pixels whose range is at least `CONTRAST`; 0 when there are none. All planes H×W on a scale of 0…255.
    """
    span = high - low
    edges = span >= CONTRAST
    if not edges.any():
        return 0.0
    beyond = np.maximum(np.maximum(after - high, low - after), np.float32(0.0))
    return 100.0 * float(np.mean(beyond[edges] / span[edges], dtype=np.float64))


def range_of(before: Floats, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """(low, high) of the 3×3 pixels around every pixel of the plane `before`, brought to `size` (width, height)."""
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(before, around), cv2.dilate(before, around)
    return resize_planes(low, size, "nearest"), resize_planes(high, size, "nearest")


def edge_lobes(plane: Floats) -> float:
    """Overshoot of the plane's own clean steps in percent of the step, both sides averaged; 0 without such steps.

    An edge pixel is a ridge of the gradient. The profile across it is sampled; beyond `PROFILE`/2 px lie the plateaus,
    and what stands out from them on the way to the edge is the lobe. Edges in texture, without plateaus, do not count.
    """
    gx = cv2.Scharr(plane, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(plane, cv2.CV_32F, 0, 1, scale=1 / 32)
    strength = np.hypot(gx, gy)
    ridge = (strength >= CONTRAST / 6) & (strength >= cv2.dilate(strength, np.ones((3, 3), np.uint8)))
    ridge[:PROFILE] = ridge[-PROFILE:] = False
    ridge[:, :PROFILE] = ridge[:, -PROFILE:] = False
    ys, xs = np.nonzero(ridge)
    if ys.size == 0:
        return 0.0
    pick = slice(None, None, -(-ys.size // MOST_EDGES))
    ys, xs = ys[pick], xs[pick]
    offsets = np.arange(-PROFILE, PROFILE + 1, dtype=np.float32)
    ux, uy = (g[ys, xs] / strength[ys, xs] for g in (gx, gy))
    at_x = xs[:, None].astype(np.float32) + ux[:, None] * offsets
    at_y = ys[:, None].astype(np.float32) + uy[:, None] * offsets
    return _lobes(cv2.remap(plane, at_x, at_y, cv2.INTER_LINEAR))


def _lobes(profiles: NDArray[np.float32]) -> float:
    """Mean overshoot in percent of profiles (N × 2·PROFILE+1) that rise from left to right."""
    half = PROFILE // 2
    dark, bright = profiles[:, : PROFILE - half + 1], profiles[:, PROFILE + half :]
    below, above = dark.mean(axis=1), bright.mean(axis=1)
    step = above - below
    flat = np.maximum(dark.std(axis=1), bright.std(axis=1)) <= FLAT * step
    clean = (step >= CONTRAST) & flat
    if not clean.any():
        return 0.0
    near_dark = profiles[:, PROFILE - half + 1 : PROFILE].min(axis=1)
    near_bright = profiles[:, PROFILE + 1 : PROFILE + half].max(axis=1)
    lobes = np.minimum(np.maximum(below - near_dark, 0.0), np.maximum(near_bright - above, 0.0))
    return 100.0 * float(np.mean(lobes[clean] / step[clean], dtype=np.float64))


def halo(after: Picture, before: Picture | None) -> float:
    """`overshoot` of the luma of `after` over the local range of `before`, or `edge_lobes` without one that fits."""
    plane = luma(after)
    if before is None or not same_shape(after, before):
        return edge_lobes(plane)
    return overshoot(plane, *range_of(luma(before), after.size))


def _measure(evidence: Evidence) -> Measurement:
    after, before = evidence.after, evidence.before
    value = halo(after, before)
    referenced = before is not None and same_shape(after, before)
    if referenced:
        return Measurement(value, "mean overshoot at edges beyond the local range of the picture before")
    return Measurement(value, "estimate without a picture before: lobes beside its own clean steps")


HALO = Gate(
    id="halo",
    title="Halo and ringing",
    summary="Overshoot beside edges in percent of the local contrast: sharpening halos, ringing, edge artefacts.",
    unit="%",
    better="lower",
    limit=4.0,  # photographs against their area averages lie below 6, against nothing below 5; Pillow’s unsharp mask at 5 … 15
    measure=_measure,
)
