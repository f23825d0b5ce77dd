"""Bringing two pictures to common ground before they are compared."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.gate import Evidence
from gesso.contracts.picture import Picture
from gesso.imaging.alpha import peak
from gesso.imaging.resize import area_mean, premultiplied

Floats = NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G, B in luma (ITU-R BT.601, as in JPEG)."""


def planes(picture: Picture, *, alpha: bool | None = None, size: tuple[int, int] | None = None) -> Floats:
    """`picture` as H×W×C float32 on a scale of 0…255, colour premultiplied, alpha last.

    `alpha` asks for (or against) the fourth plane; by default it is there when the picture has one. `size`, never larger
    than the picture, averages it down first.
    """
    with_alpha = picture.has_alpha if alpha is None else alpha
    if not picture.has_alpha:
        out = _opaque(picture, size)
        return np.dstack([out, np.full(out.shape[:2], 255.0, np.float32)]) if with_alpha else out
    out = premultiplied(picture.pixels)
    if size is not None:
        out = area_mean(out, size)
    out *= np.float32(255.0)
    return out if with_alpha else np.ascontiguousarray(out[:, :, :3])


def _opaque(picture: Picture, size: tuple[int, int] | None) -> Floats:
    pixels = picture.pixels
    if size is not None and size != picture.size:
        wide = pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)
        pixels = area_mean(wide, size)
    out = pixels.astype(np.float32)
    if pixels.dtype != np.uint8:
        out *= np.float32(255.0 / peak(pixels))
    return out


def luma(picture: Picture) -> Floats:
    """The luma of `picture`, H×W float32 on a scale of 0…255; transparent pixels count as black."""
    out: Floats = planes(picture, alpha=False) @ LUMA
    return out


MOST_FACTOR = 8
"""Pictures whose sides differ by more than this are not compared: averaged down that far, anything agrees."""


def same_shape(first: Picture, second: Picture) -> bool:
    """Whether the pictures show the same frame at two sizes: one factor, up to rounding to whole pixels."""
    scale = math.sqrt((second.width * second.height) / (first.width * first.height))
    slack = max(1.0, scale, 1.0 / scale)
    return abs(first.width * scale - second.width) <= slack and abs(first.height * scale - second.height) <= slack


def pair(evidence: Evidence) -> tuple[Floats, Floats] | None:
    """(after, before) as planes of one size and channel count, the larger averaged down to the smaller.

    None when there is no ``before`` or the two do not show the same frame (a crop, another aspect ratio).
    """
    after, before = evidence.after, evidence.before
    if before is None or not same_shape(after, before):
        return None
    size = (min(after.width, before.width), min(after.height, before.height))
    if max(after.width, before.width) > MOST_FACTOR * size[0]:
        return None
    alpha = after.has_alpha or before.has_alpha
    return planes(after, alpha=alpha, size=size), planes(before, alpha=alpha, size=size)
