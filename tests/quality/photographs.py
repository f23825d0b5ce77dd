"""Photographs for the tests of this room, as arrays."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from skimage import data


@cache
def photograph(name: str) -> NDArray[np.uint8]:
    """A photograph bundled with scikit-image, RGB, at most 400 px a side."""
    picture = getattr(data, name)()
    if picture.ndim == 2:
        picture = np.dstack([picture] * 3)
    return np.ascontiguousarray(picture[:400, :400])
