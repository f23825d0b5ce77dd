"""Low frequencies and detail of a picture with unknown parts, taken apart and put together again.

`unknown` is H×W bool. Pixels are H×W×3 or H×W×4, uint8 or uint16; low frequencies are float32 on the same scale; detail is
uint8 about `MIDDLE`, so that an engine that fills pictures can fill it too.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Plane
from gesso.contracts.picture import Pixels

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

MIDDLE = 128.0
KNOWN_SHARE = 0.75
"""A reduced pixel counts as known from this known share of its area on."""
REMNANT_SIGMA_PX = 2.5
"""Grain differs from grain pixel by pixel and still fits; what differs in its mean over about 5 px is another thing."""


def scaled(pixels: NDArray[Any]) -> Floats:
    """uint8 or uint16 pixels as float32 on 0…255."""
    values: Floats = pixels.astype(np.float32)
    return values if pixels.dtype == np.uint8 else values / np.float32(257.0)


def reduced(pixels: Pixels, unknown: Bits, side: int) -> tuple[Pixels, Bits]:
    """The picture at about `side` pixels on its longer side, from known pixels alone, and its unknown parts."""
    height, width = unknown.shape
    factor = max(2, round(max(height, width) / side))
    size = (max(4, width // factor), max(4, height // factor))
    known = np.where(unknown, np.float32(0.0), np.float32(1.0))
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    heavy = cv2.resize(pixels.astype(np.float32) * known[:, :, None], size, interpolation=cv2.INTER_AREA)
    mean = heavy / np.maximum(weight, 1e-3)[:, :, None]
    small: Any = np.rint(mean.clip(0, np.iinfo(pixels.dtype).max)).astype(pixels.dtype)
    return small, weight < KNOWN_SHARE


def enlarged(small: Pixels, width: int, height: int) -> Floats:
    """`small` as smooth low frequencies of a width×height picture."""
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 0.8)
    low: Floats = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    return low


def detail_of(pixels: Pixels, low: Floats, unknown: Bits) -> NDArray[np.uint8]:
    """What `low` leaves of the picture, on the scale of 8 bits about the middle; the middle where unknown."""
    scale = np.float32(np.iinfo(pixels.dtype).max / 255.0)
    detail = np.clip((pixels.astype(np.float32) - low) / scale + np.float32(MIDDLE), 0.0, 255.0)
    detail[unknown] = MIDDLE
    levels: NDArray[np.uint8] = np.rint(detail).astype(np.uint8)
    return levels


def joined(pixels: Pixels, low: Floats, detail: NDArray[np.uint8], unknown: Bits) -> Pixels:
    """`pixels` with the unknown ones made of `low` and `detail`; known ones keep their bytes."""
    top = np.iinfo(pixels.dtype).max
    whole = low + (detail.astype(np.float32) - np.float32(MIDDLE)) * np.float32(top / 255.0)
    out: Any = pixels.copy()
    np.copyto(out, np.clip(np.rint(whole), 0, top).astype(pixels.dtype), where=unknown[:, :, None])
    return out  # type: ignore[no-any-return]


def likeness(first: Pixels, second: Pixels, tone: float) -> Plane:
    """H×W: 1 where the local means are the same, falling like a Gaussian of width `tone` (0…255) where they differ."""
    shift = np.abs(cv2.GaussianBlur(scaled(first) - scaled(second), (0, 0), REMNANT_SIGMA_PX)).max(axis=2)
    like: Plane = np.exp(-np.square(shift / np.float32(tone)))
    return like
