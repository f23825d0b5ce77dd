"""Arithmetic between a large picture and planes of a whole fraction of its size, a strip at a time.

The small planes are enlarged linearly as they are used; no float copy of the large picture ever stands in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Plane
from gesso.contracts.picture import Pixels

STRIP = 64
"""Rows of the small plane worked on at a time."""


def add_enlarged(pixels: Pixels, layer: NDArray[np.float32]) -> Pixels:
    """`pixels` (H·s × W·s × C) plus the enlarged `layer` (H×W×C, in the pixels' units), rounded and clipped."""
    out: Any = np.empty_like(pixels)
    top = np.iinfo(pixels.dtype).max
    for rows, strip in _strips(layer, pixels.shape[0] // layer.shape[0]):
        out[rows] = np.clip(np.rint(pixels[rows] + strip), 0, top)
    done: Pixels = out
    return done


def blend_enlarged(target: Any, source: Pixels, coverage: Plane) -> None:
    """Lay `source` over `target` (both H·s × W·s × C, changed in place) by the enlarged `coverage` (H×W, 0…1)."""
    assert target.shape == source.shape
    for rows, strip in _strips(coverage[:, :, None], source.shape[0] // coverage.shape[0]):
        below = target[rows].astype(np.float32)
        target[rows] = np.rint(below + strip * (source[rows] - below))


def _strips(plane: NDArray[np.float32], scale: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """(rows of the large picture, that part of `plane` enlarged), from top to bottom, without seams between strips."""
    height, width, channels = plane.shape
    for start in range(0, height, STRIP):
        stop = min(start + STRIP, height)
        low, high = max(0, start - 1), min(height, stop + 1)
        large = cv2.resize(
            np.ascontiguousarray(plane[low:high]), (width * scale, (high - low) * scale), interpolation=cv2.INTER_LINEAR
        ).reshape((high - low) * scale, width * scale, channels)
        yield slice(start * scale, stop * scale), large[(start - low) * scale : (stop - low) * scale]
