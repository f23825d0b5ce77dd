"""Where a picture may be touched at all: inside the user's mask, outside of the areas to keep."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.errors import BadInput
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask, Plane
from gesso.imaging.ground import polygon_mask


def allowed_area(size: tuple[int, int], where: Mask | None, keep: tuple[Box, ...]) -> Plane | None:
    """H×W, 1 where a picture of `size` (width, height) may change and 0 elsewhere; None for everywhere.

    Raises `BadInput` for a mask of another size (mask_size) and for a box that lies outside (box_outside).
    """
    if where is None and not keep:
        return None
    if where is None:
        plane = np.ones((size[1], size[0]), np.float32)
    elif (where.width, where.height) != size:
        raise BadInput(
            f"the mask is {where.width}×{where.height}, the picture {size[0]}×{size[1]}: they differ in size",
            code="mask_size",
            field="where",
        )
    else:
        plane = where.touched.astype(np.float32)
    for box in keep:
        plane[box.clipped(*size).slices] = 0.0
    return plane


def share_inside(corners: NDArray[np.float64], allowed: Plane) -> float:
    """The part of the convex polygon `corners` (N×2) that lies where `allowed` is not 0; 0 for one outside the plane."""
    height, width = allowed.shape
    low = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    x1, y1 = (min(limit, math.ceil(float(v))) for limit, v in zip((width, height), corners.max(axis=0), strict=True))
    if x1 <= low[0] or y1 <= low[1]:
        return 0.0
    inside = polygon_mask(corners - low, (y1 - int(low[1]), x1 - int(low[0])))
    return float((allowed[low[1] : y1, low[0] : x1][inside] > 0).mean()) if inside.any() else 0.0
