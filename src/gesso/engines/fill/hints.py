"""What a structural hint means for the patch engine: which sources are allowed, where to go, what to start from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.errors import EngineFailed
from gesso.contracts.geometry import Box
from gesso.contracts.hint import ContinueDirection, ContinueEdge, CopyFrom, FillHint
from gesso.engines.fill import kernels

Field = NDArray[np.float32]
Flags = NDArray[np.bool_]

PULL = 0.02
"""Cost of leaving a guided line by one pixel, as a share of the cost of a wholly uncorrelated patch."""
EDGE_HALF_WIDTH = 12.0
"""Distance from a drawn edge, in pixels, at which its pull has fallen to 1/e."""


@dataclass(frozen=True)
class Guidance:
    """For one crop: allowed source pixels; guide field for `kernels.search` (1×1×3: none); first guess, or None."""

    allowed: Flags
    guide: Field
    guess: Field | None = None


def needed_box(box: Box, hint: FillHint | None, width: int, height: int) -> Box:
    """The crop `box`, widened so that it holds the part of the picture a copy hint points to."""
    if not isinstance(hint, CopyFrom):
        return box
    x1, y1 = min(hint.x1, width), min(hint.y1, height)
    if x1 - hint.x0 < kernels.PATCH or y1 - hint.y0 < kernels.PATCH:
        raise EngineFailed(
            f"the part to copy from is smaller than {kernels.PATCH}×{kernels.PATCH} pixels inside the picture",
            code="copy_too_small",
            hint="give a larger box, x0 < x1 and y0 < y1",
        )
    return Box(x0=min(box.x0, hint.x0), y0=min(box.y0, hint.y0), x1=max(box.x1, x1), y1=max(box.y1, y1))


def guidance(hint: FillHint | None, box: Box, image: Field, hole: Flags, known: Flags) -> Guidance:
    """What `hint` says about the crop `box` with pixels `image` (h×w×4) the pixels to fill `hole`, and the `known` ones."""
    h, w = hole.shape
    everywhere, none = np.ones((h, w), bool), np.zeros((1, 1, 3), np.float32)
    if isinstance(hint, CopyFrom):
        allowed = np.zeros((h, w), bool)
        allowed[hint.y0 - box.y0 : max(0, hint.y1 - box.y0), hint.x0 - box.x0 : max(0, hint.x1 - box.x0)] = True
        return Guidance(allowed, none)
    if isinstance(hint, ContinueDirection):
        angle = math.radians(hint.angle)
        along = np.empty((h, w, 2), np.float32)
        along[...] = math.cos(angle), -math.sin(angle)
        strength = np.ones((h, w), np.float32)
    elif isinstance(hint, ContinueEdge):
        points = np.array([(p.x - box.x0, p.y - box.y0) for p in hint.points], np.float32)
        along, distance = _polyline(points, h, w)
        strength = np.exp(-distance / np.float32(EDGE_HALF_WIDTH))
    else:
        return Guidance(everywhere, none)
    cost = PULL * 2.0 * float(image[known].var(axis=0).sum()) * kernels.PATCH**2
    guide = np.stack([-along[..., 1], along[..., 0], np.float32(cost) * strength], axis=2).astype(np.float32)
    ys, xs = (a.astype(np.int32) for a in np.nonzero(hole))
    guess = image.copy()
    kernels.shoot(guess, known.astype(np.uint8), ys, xs, along)
    return Guidance(everywhere, guide, guess)


def _polyline(points: Field, h: int, w: int) -> tuple[Field, Field]:
    """Unit direction (x, y) of the nearest segment, h×w×2, and the distance to it, h×w."""
    gx, gy = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    along = np.zeros((h, w, 2), np.float32)
    along[..., 0] = 1.0
    nearest = np.full((h, w), np.inf, np.float32)
    for a, b in pairwise(points):
        step = b - a
        length = float(np.hypot(*step))
        if length == 0.0:
            continue
        t = np.clip(((gx - a[0]) * step[0] + (gy - a[1]) * step[1]) / length**2, 0.0, 1.0)
        distance = np.hypot(gx - a[0] - t * step[0], gy - a[1] - t * step[1])
        closer = distance < nearest
        nearest[closer] = distance[closer]
        along[closer] = step / length
    return along, nearest
