"""Where a picture is poor: the soft map that lets an expensive model work only where it is needed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Plane
from gesso.quality.planes import Floats
from gesso.quality.signal import BLUR_SPAN

WINDOW = 33
"""Side in pixels of the neighbourhood that is judged."""

BLURRED = (0.30, 0.42)
"""Local sharpness at and below which a place is fully poor, and from which it is good: photographs in focus lie above
0.5, blurred by σ 1.5 px at 0.3 … 0.45."""

NOISY = (4.0, 9.0)
"""Noise deviation, on a scale of 0…255, from which a place is poor, and fully so."""

DETAIL = (0.4, 1.2)
"""Mean gradient per pixel: below it is flat ground, which no model improves; above it counts in full."""

SMALLEST = 0.1
"""A lesser need is none: it keeps the map empty where everything is well."""


def need(luma: Floats) -> Plane:
    """How much every pixel of `luma` (H×W, 0…255) would profit from restoration: 0 crisp and clean … 1 blurred or noisy.

    Blur is judged like `gesso.quality.signal.sharpness`, noise by the diagonal Haar detail, both in a sliding window.
    Texture as fine and irregular as grain (grass in full focus) passes for noise.
    """
    blurred = 1.0 - _step(_local_sharpness(luma), *BLURRED)
    worth = _step(_mean(np.abs(_gradient(luma, 1)) + np.abs(_gradient(luma, 0))) / 16.0, *DETAIL)
    noisy = _step(_local_noise(luma), *NOISY)
    found = np.maximum(blurred * worth, noisy)
    found[found < SMALLEST] = 0.0
    out: Plane = np.ascontiguousarray(np.clip(found, 0.0, 1.0), np.float32)
    return out


def _local_sharpness(luma: Floats) -> NDArray[np.float32]:
    """Share of the gradient that a strong blur takes, per neighbourhood; the lesser of both directions."""
    shares = []
    for axis, span in ((1, (BLUR_SPAN, 1)), (0, (1, BLUR_SPAN))):
        before = np.abs(_gradient(luma, axis))
        after = np.abs(_gradient(cv2.blur(luma, span, borderType=cv2.BORDER_REFLECT), axis))
        shares.append(_mean(np.maximum(before - after, 0.0)) / (_mean(before) + np.float32(0.5)))
    out: NDArray[np.float32] = np.maximum(*shares)
    return out


def _local_noise(luma: Floats) -> NDArray[np.float32]:
    """Noise deviation per neighbourhood, the least of those near by: texture must not pass for noise."""
    kernel = np.array([[1, -1], [-1, 1]], np.float32) * 0.5
    detail = np.abs(cv2.filter2D(luma, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT))
    local = _mean(detail) * np.float32(1.2533)  # mean absolute → standard deviation of a normal variable
    calm: NDArray[np.float32] = cv2.erode(local, np.ones((WINDOW, WINDOW), np.uint8))
    return calm


def _gradient(luma: Floats, axis: int) -> NDArray[np.float32]:
    out: NDArray[np.float32] = cv2.Sobel(luma, cv2.CV_32F, axis, 1 - axis, borderType=cv2.BORDER_REFLECT)
    return out


def _mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = cv2.blur(plane, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    return out


def _step(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """0 up to `low`, 1 from `high`, a smoothstep between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    out: NDArray[np.float32] = t * t * (np.float32(3.0) - np.float32(2.0) * t)
    return out
