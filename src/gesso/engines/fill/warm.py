"""Compile ahead: numba translates a kernel on its first call and keeps the result on disk."""

from __future__ import annotations

import numpy as np

from gesso.contracts.hint import ContinueDirection
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.engines.fill.engine import MembraneFill, PatchFill


def warm_up() -> None:
    """Run both engines once on a small picture, so that later calls find every kernel compiled."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[20:44, 20:44] = True
    picture, mask = Picture(pixels), Mask.of(hole)
    MembraneFill().fill(picture, mask)
    PatchFill().fill(picture, mask, hint=ContinueDirection(angle=0.0))
    PatchFill().fill(picture, mask)
    thin = np.zeros((64, 64), bool)
    thin[30:34, 10:50] = True
    PatchFill().fill(picture, Mask.of(thin))
