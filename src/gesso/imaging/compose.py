"""Compositing of local edits: feathering, growing, cropping and pasting back, only where something changes.

The hard rule of every local edit is kept here: a pixel whose coverage is 0 comes back byte-identical, a pixel whose
coverage is 1 is exactly the edited one. All functions are pure; planes are H×W float32 coverage in 0…1.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.errors import BadInput
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.picture import Pixels

CONTEXT_RATIO = 0.75
CONTEXT_MIN_PX = 128
"""Context around an edit: at least 128 px or 0.75 of its longer side (research/techniques.md §7.4)."""
TILE_PX = 256
"""Blends run in tiles that stay in the second-level cache; tiles without coverage are skipped."""


def box_of(plane: Plane) -> Box | None:
    """The smallest box around all non-zero pixels of `plane`, or None. One pass over the plane, no temporary of its size."""
    rows = np.flatnonzero(cv2.reduce(plane, 1, cv2.REDUCE_MAX))
    if rows.size == 0:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(cv2.reduce(plane[top:bottom], 0, cv2.REDUCE_MAX))
    return Box(x0=int(columns[0]), y0=top, x1=int(columns[-1]) + 1, y1=bottom)


def feather(plane: Plane, radius_px: float) -> Plane:
    """`plane` with its border softened *inwards*: coverage 0 stays 0, and rises to the plane's own value within `radius_px`.

    The ramp is a smoothstep of the Euclidean distance to the nearest uncovered pixel, never 0 inside the support. The
    picture's own edge is not a border: coverage that touches it stays full there. Only the support's box is computed.
    """
    box = box_of(plane)
    if box is None or radius_px <= 0:
        return plane
    out = np.zeros(plane.shape, np.float32)
    rows, columns = box.grown(1, plane.shape[1], plane.shape[0]).slices
    part = plane[rows, columns]
    inside = (part > 0).view(np.uint8)
    if inside.all():
        return plane
    ramp: Plane = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    ramp *= np.float32(1.0 / (radius_px + 1.0))
    np.minimum(ramp, 1.0, out=ramp)
    np.multiply(ramp * ramp * (3.0 - 2.0 * ramp), part, out=out[rows, columns])
    return out


def dilate(plane: Plane, radius_px: float) -> Plane:
    """`plane` grown by `radius_px` (fractions allowed) with a round, antialiased rim; nowhere less than `plane`.

    The core that grows is where coverage reaches half of its maximum, so that soft and faint masks grow as well.
    """
    box = box_of(plane)
    if box is None or radius_px <= 0:
        return plane
    rows, columns = box.grown(math.ceil(radius_px) + 1, plane.shape[1], plane.shape[0]).slices
    part = plane[rows, columns]
    top = np.float32(part.max())
    away = (part < 0.5 * top).view(np.uint8)
    distance: Plane = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rim = np.clip(np.float32(radius_px + 1.0) - distance, 0.0, 1.0) * top
    out = plane.copy()
    np.maximum(part, rim, out=out[rows, columns])
    return out


def erode(plane: Plane, radius_px: float) -> Plane:
    """`plane` shrunk by `radius_px`, the dual of `dilate`; the picture's own edge does not eat into it."""
    box = box_of(plane)
    if box is None or radius_px <= 0:
        return plane
    rows, columns = box.grown(1, plane.shape[1], plane.shape[0]).slices
    part = plane[rows, columns]
    solid = (part >= 0.5 * part.max()).view(np.uint8)
    out = np.zeros(plane.shape, np.float32)
    if solid.all():
        out[rows, columns] = part
        return out
    distance: Plane = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    np.multiply(part, np.clip(distance - np.float32(radius_px), 0.0, 1.0), out=out[rows, columns])
    return out


def paste_back(original: Pixels, edited: Pixels, coverage: Plane, *, at: Box | None = None) -> Pixels:
    """`original` with `edited` laid over it where `coverage` says so; a new array of the same shape and dtype.

    Without `at`, `edited` and `coverage` have the original's height and width; with it they have the box's, and the box
    lies inside the original. Guarantees: coverage 0 → the original's bytes; coverage 1 → the edited pixel's bytes; between
    them a linear blend of the stored values, rounded to nearest, and for H×W×4 weighted by alpha, so that colours under
    transparent pixels do not bleed in. Only tiles with coverage are computed.
    """
    assert edited.dtype == original.dtype and edited.shape[2] == original.shape[2]
    assert edited.shape[:2] == coverage.shape
    whole = Box(x0=0, y0=0, x1=coverage.shape[1], y1=coverage.shape[0])
    place = at or whole
    assert (place.height, place.width) == coverage.shape and place.x0 >= 0 and place.y0 >= 0
    assert place.y1 <= original.shape[0] and place.x1 <= original.shape[1]
    out = original.copy()
    box = box_of(coverage)
    if box is None:
        return out
    target = out[place.slices]
    for y in range(box.y0, box.y1, TILE_PX):
        for x in range(box.x0, box.x1, TILE_PX):
            part = (slice(y, min(y + TILE_PX, box.y1)), slice(x, min(x + TILE_PX, box.x1)))
            _blend_tile(target[part], edited[part], coverage[part])
    return out


def crop_for(
    region: Box,
    width: int,
    height: int,
    *,
    context: float = CONTEXT_RATIO,
    minimum_px: int = CONTEXT_MIN_PX,
    multiple: int = 1,
) -> Box:
    """The part of a width×height picture to work on when `region` is edited: the region and its surroundings.

    The margin is `context` × the region's longer side, at least `minimum_px`. At the picture's edge the crop is shifted
    inside rather than cut, so that it keeps its size where the picture allows; sides are rounded up to `multiple` where
    they fit.
    """
    margin = max(minimum_px, round(context * max(region.width, region.height)))
    x0, x1 = _span(region.x0 - margin, region.x1 + margin, width, multiple)
    y0, y1 = _span(region.y0 - margin, region.y1 + margin, height, multiple)
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


def regions_of(coverage: Plane, gap_px: int = 16, *, most: int = 0) -> tuple[Box, ...]:
    """Boxes of the separate covered areas, those nearer than `gap_px` merged; top to bottom, then left to right.

    With `most`, the gap is doubled until there are no more than that.
    """
    box = box_of(coverage)
    if box is None:
        return ()
    rows, columns = box.slices
    touched = (coverage[rows, columns] > 0).view(np.uint8)
    found = cv2.connectedComponentsWithStats(touched, connectivity=8)[2][1:]
    edges = [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in found]
    boxes = _merged([(x0 + box.x0, y0 + box.y0, x1 + box.x0, y1 + box.y0) for x0, y0, x1, y1 in edges], gap_px)
    while most and len(boxes) > most:
        gap_px = max(1, 2 * gap_px)
        boxes = _merged(boxes, gap_px)
    merged = [Box(x0=a, y0=b, x1=c, y1=d) for a, b, c, d in boxes]
    return tuple(sorted(merged, key=lambda b: (b.y0, b.x0)))


def check_size(mask: Mask, width: int, height: int, field: str) -> None:
    """Raise `BadInput` (mask_size) unless `mask`, given as the parameter `field`, has the picture's size."""
    if (mask.width, mask.height) != (width, height):
        raise BadInput(
            f"the mask is {mask.width}×{mask.height}, the picture {width}×{height}",
            code="mask_size",
            field=field,
            hint="give a mask of the picture's size",
        )


def relative(box: Box, crop: Box) -> Box:
    """`box` as seen from the corner of `crop`."""
    return Box(x0=box.x0 - crop.x0, y0=box.y0 - crop.y0, x1=box.x1 - crop.x0, y1=box.y1 - crop.y0)


def text_of(box: Box) -> str:
    """The box as users write it: "x0,y0,x1,y1"."""
    return f"{box.x0},{box.y0},{box.x1},{box.y1}"


def placed(part: Plane, at: Box, width: int, height: int) -> Plane:
    """`part`, of the box's size, on an otherwise empty plane of the whole picture."""
    out = np.zeros((height, width), np.float32)
    out[at.slices] = part
    return out


def _merged(boxes: list[tuple[int, int, int, int]], gap: int) -> list[tuple[int, int, int, int]]:
    """Boxes united until no two are nearer than `gap`. Quadratic per round in the number of boxes that are left."""
    array: NDArray[np.int64] = np.array(boxes, np.int64).reshape(-1, 4)
    index = 0
    while index < len(array):
        x0, y0, x1, y1 = array[index]
        near = (
            (array[:, 0] <= x1 + gap)
            & (array[:, 2] >= x0 - gap)
            & (array[:, 1] <= y1 + gap)
            & (array[:, 3] >= y0 - gap)
        )
        if int(near.sum()) == 1:
            index += 1
            continue
        group = array[near]
        union = np.concatenate([group[:, :2].min(axis=0), group[:, 2:].max(axis=0)])
        array = np.concatenate([array[~near], union[None]])
        index = 0
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in array]


def _span(low: int, high: int, size: int, multiple: int) -> tuple[int, int]:
    length = min(size, -(-(high - low) // multiple) * multiple)
    start = min(max(0, low), size - length)
    return start, start + length


def _blend_tile(target: NDArray[Any], edited: NDArray[Any], cover: Plane) -> None:
    """Blend in place. `target` and `edited` h×w×c, `cover` h×w."""
    low, high, _, _ = cv2.minMaxLoc(cover)
    if high <= 0.0:
        return
    if low >= 1.0:
        target[...] = edited
        return
    if target.shape[2] == 4:
        _blend_rgba(target, edited, cover)
    elif target.dtype == np.uint8:
        # Normalised by w1 + w2 + 1e-5: off by at most 0.003 of a step, so exact after rounding where cover is 0 or 1.
        cv2.blendLinear(np.ascontiguousarray(edited), np.ascontiguousarray(target), cover, 1.0 - cover, dst=target)
    else:
        base = target.astype(np.float32)
        target[...] = np.rint(base + (edited.astype(np.float32) - base) * cover[:, :, None])


def _blend_rgba(target: NDArray[Any], edited: NDArray[Any], cover: Plane) -> None:
    """Straight-alpha blend: alpha is linear in coverage, colours are weighted by coverage × alpha."""
    base, over = target.astype(np.float32), edited.astype(np.float32)
    share = cover[:, :, None]
    mixed = base + (over - base) * share
    upper = share * over[:, :, 3:]
    weight = upper + (1.0 - share) * base[:, :, 3:]
    ratio = np.divide(upper, weight, out=np.broadcast_to(share, weight.shape).copy(), where=weight > 0)
    mixed[:, :, :3] = base[:, :, :3] + (over[:, :, :3] - base[:, :, :3]) * ratio
    values = np.rint(mixed).astype(target.dtype)
    np.copyto(values, edited, where=share >= 1.0)
    np.copyto(target, values, where=share > 0.0)
