"""What the coarse picture says about its own edges and about how it was sampled."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.engines.upscale.filters import ANGLES, RATIOS

Floats = NDArray[np.float32]

WINDOW = 1.2
"""σ in pixels of the window of the structure tensor; 0.9 … 2.2 differ by 0.03 dB."""

FAINT = 16.0
"""Gradient energy, on a scale of 0…255, below which no orientation is believed (about 4 levels a pixel)."""

TRUST = 0.38
"""Anisotropy is the ratio of gradient energies to this power: the ratio over a small window exaggerates."""

WIDTHS = (0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Sampling widths that filters are made for."""

USUAL_WIDTH = 0.95
"""Taken when the picture is too small to tell."""

CRISP = (0.85, 1.0, 1.1, 1.2)
CRISP_WIDTH = (1.0, 0.9, 0.8, 0.75)
"""Sampling width by `crispness`, linear between. Area averages of photographs lie at 0.8 … 1.1, point samples above 1."""


def orientation(luma: Floats) -> tuple[Floats, Floats]:
    """(angle, anisotropy) of every pixel of `luma` (H×W on a scale of 0…255), as fractional indices into the filter bank.

    From the structure tensor (Förstner and Gülch 1987; Bigün and Granlund 1987). The angle index lies in 0…ANGLES.
    """
    gx = cv2.Scharr(luma, cv2.CV_32F, 1, 0, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)
    gy = cv2.Scharr(luma, cv2.CV_32F, 0, 1, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)
    xx, xy, yy = (
        cv2.GaussianBlur(p, (0, 0), WINDOW, borderType=cv2.BORDER_REPLICATE) for p in (gx * gx, gx * gy, gy * gy)
    )
    spread = np.sqrt(np.square(xx - yy) + 4.0 * np.square(xy))
    total = xx + yy
    ratio = ((total + spread + FAINT) / (np.maximum(total - spread, 0.0) + FAINT)) ** TRUST
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy) % np.pi
    index = np.interp(np.log(ratio), np.log(RATIOS), np.arange(len(RATIOS)))
    return (angle * (ANGLES / np.pi)).astype(np.float32), index.astype(np.float32)


def crispness(luma: Floats) -> float | None:
    """How crisp `luma` is against its own halved copy; None when it is too small or too flat to tell.

    The measure is curvature energy over gradient energy, divided by the same of the 2×2 area average. Photographs look
    alike at every scale (Field 1987; Ruderman and Bialek 1994), so a picture that is itself an area average gives about
    1; point-sampled pictures with aliased edges give more, soft ones less.
    """
    height, width = (side // 2 * 2 for side in luma.shape)
    if min(height, width) < 24:
        return None
    half = cv2.resize(luma[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    full_ratio, half_ratio = _curvature_ratio(luma), _curvature_ratio(half)
    return None if full_ratio is None or half_ratio is None else full_ratio / half_ratio


def _curvature_ratio(plane: Floats) -> float | None:
    gradient = curvature = 0.0
    for axis in (0, 1):
        step = np.diff(plane, axis=axis)
        gradient += float(np.mean(np.square(step), dtype=np.float64))
        curvature += float(np.mean(np.square(np.diff(step, axis=axis)), dtype=np.float64))
    return curvature / gradient if gradient > 0.05 and curvature > 0.0 else None


def sampling_width(luma: Floats) -> float:
    """The sampling width, one of `WIDTHS`, that suits the picture: see `crispness`."""
    found = crispness(luma)
    if found is None:
        return USUAL_WIDTH
    width = float(np.interp(found, CRISP, CRISP_WIDTH))
    return min(WIDTHS, key=lambda one: abs(one - width))
