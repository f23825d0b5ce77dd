"""From a picture and a mask to small independent jobs, and back: crops, groups of holes, four float channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.errors import EngineFailed
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture

Field = NDArray[np.float32]
Flags = NDArray[np.bool_]
AnyPixels = NDArray[Any]
"""H×W×3 or H×W×4, uint8 or uint16."""


@dataclass(frozen=True)
class Hole:
    """One group of neighbouring holes: the `box` to look at, and inside it which pixels this job has to write."""

    box: Box
    own: Flags


def groups(unknown: Flags, gap: int, margin: Callable[[int], int]) -> Iterator[Hole]:
    """Groups of holes less than `gap` pixels apart, top to bottom, each with `margin(longer side)` pixels around it."""
    h, w = unknown.shape
    ys, xs = np.flatnonzero(unknown.any(axis=1)), np.flatnonzero(unknown.any(axis=0))
    if ys.size == 0:
        return
    top, left = int(ys[0]), int(xs[0])
    part = unknown[top : int(ys[-1]) + 1, left : int(xs[-1]) + 1]
    near = cv2.dilate(part.astype(np.uint8), np.ones((gap, gap), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    for k in range(1, count):
        x, y, bw, bh = (int(v) for v in stats[k, :4])
        tight = Box(x0=left + x, y0=top + y, x1=left + x + bw, y1=top + y + bh)
        box = tight.grown(margin(max(bw, bh)), w, h)
        own = np.zeros((box.height, box.width), bool)
        inside = np.s_[tight.y0 - box.y0 : tight.y1 - box.y0, tight.x0 - box.x0 : tight.x1 - box.x0]
        own[inside] = (labels[y : y + bh, x : x + bw] == k) & part[y : y + bh, x : x + bw]
        yield Hole(box, own)


def known_part(picture: Picture, mask: Mask) -> Flags:
    """Pixels that are evidence; raises `EngineFailed` (nothing_known) when there is none."""
    assert picture.pixels.shape[:2] == mask.coverage.shape, "picture and mask differ in size"
    known = mask.coverage == 0
    if not known.any():
        raise EngineFailed(
            "the mask covers the whole picture, so that nothing is known to continue",
            code="nothing_known",
            hint="leave a part of the picture outside the mask",
        )
    return np.asarray(known)


def as_field(picture: Picture, box: Box) -> Field:
    """The part of the picture in `box` as h×w×4 float32 on the scale 0…255; the fourth channel is alpha, or zero."""
    pixels = picture.pixels[box.slices]
    out = np.zeros((box.height, box.width, 4), np.float32)
    out[..., : pixels.shape[2]] = pixels
    if picture.bit_depth == 16:
        out /= np.float32(257.0)
    return out


def write(pixels: AnyPixels, box: Box, own: Flags, field: Field) -> None:
    """Round `field` (scale 0…255) into `pixels` at the `own` pixels of `box`; nothing else is touched."""
    part = pixels[box.slices]
    top = float(np.iinfo(pixels.dtype).max)
    values = field[own][:, : pixels.shape[2]] * np.float32(top / 255.0)
    part[own] = np.clip(np.rint(values), 0.0, top).astype(pixels.dtype)
