"""Compile ahead: numba translates a kernel on its first call and keeps the result on disk."""

from __future__ import annotations

import numpy as np

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.fill.engine import MembraneFill, PatchFill


def warm_up() -> None:
    """Run both engines once on a small picture, so that later calls find every kernel compiled."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[24:40, 24:40] = True
    picture, mask = Picture(pixels), Mask.of(hole)
    MembraneFill().fill(picture, mask)
    PatchFill().fill(picture, mask)
