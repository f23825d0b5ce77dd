"""Shapes in yes-or-no masks: components, holes, smooth outlines. Arrays are H×W bool; inputs are not mutated."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]


def disk(radius: int) -> NDArray[np.uint8]:
    """A round structuring element of 2·radius + 1 pixels across."""
    side = 2 * radius + 1
    element: NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return element


def opened(bits: Bits, radius: int) -> Bits:
    """Without parts thinner than 2·radius + 1. Outside the picture counts as what is at its edge."""
    return _morph(bits, cv2.MORPH_OPEN, radius)


def closed(bits: Bits, radius: int) -> Bits:
    """With gaps narrower than 2·radius + 1 filled."""
    return _morph(bits, cv2.MORPH_CLOSE, radius)


def grown(bits: Bits, radius: int) -> Bits:
    """Dilated by a disk."""
    return _morph(bits, cv2.MORPH_DILATE, radius)


def shrunk(bits: Bits, radius: int) -> Bits:
    """Eroded by a disk; the picture's own edge does not eat into it."""
    return _morph(bits, cv2.MORPH_ERODE, radius)


def without_small(bits: Bits, area: float) -> Bits:
    """Without 8-connected components of fewer than `area` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bits.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= area
    keep[0] = False
    kept: Bits = keep[labels] if count > 1 else np.zeros_like(bits)
    return kept


def filled(bits: Bits, area: float = np.inf) -> Bits:
    """With holes of at most `area` pixels filled. A hole is a 4-connected background part that misses the picture's edge."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~bits).view(np.uint8), connectivity=4)
    if count <= 1:
        return bits
    fill = stats[:, cv2.CC_STAT_AREA] <= area
    fill[np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))] = False
    fill[0] = False
    whole: Bits = bits | fill[labels]
    return whole


def touching(bits: Bits, seeds: Bits) -> Bits:
    """The 8-connected components of `bits` that contain at least one of `seeds`."""
    count, labels = cv2.connectedComponents(bits.view(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[seeds])] = True
    keep[0] = False
    kept: Bits = keep[labels]
    return kept


def perimeter(bits: Bits) -> float:
    """Length of all outlines in pixels (polygon length of the 8-connected contours)."""
    contours, _ = cv2.findContours(bits.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return float(sum(cv2.arcLength(c, True) for c in contours))


def _morph(bits: Bits, kind: int, radius: int) -> Bits:
    if radius <= 0:
        return bits
    # Replicated padding, because OpenCV's own border would open and close shapes that touch the picture's edge.
    padded = cv2.copyMakeBorder(bits.view(np.uint8), radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    found = cv2.morphologyEx(padded, kind, disk(radius))
    inner: Bits = np.ascontiguousarray(found[radius:-radius, radius:-radius]).astype(bool)
    return inner
