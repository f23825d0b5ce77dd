"""Put a step's result back to its input outside a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.errors import BadInput
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture, Pixels


def keep_outside(before: Picture, after: Picture, where: Mask) -> Picture:
    """`after` inside `where`, `before` outside: byte-identical at coverage 0, mixed linearly by coverage between.

    All three have one size and the pictures one bit depth, else `BadInput` (where_mismatch). Where one picture has alpha
    and the other none, the other counts as opaque. Colours are mixed as they stand (straight, sRGB-encoded); where alpha
    differs they are weighted by it, so that colour under full transparency does not bleed in.
    """
    if before.size != after.size or where.coverage.shape != (before.height, before.width):
        raise BadInput(
            f"`where` keeps a {before.width}×{before.height} picture outside a {where.width}×{where.height} mask, "
            f"but the step's result is {after.width}×{after.height}",
            code="where_mismatch",
            hint="`where` fits steps that keep the size",
        )
    if before.bit_depth != after.bit_depth:
        raise BadInput("the step changes the bit depth, so `where` cannot keep pixels", code="where_mismatch")
    alpha = before.has_alpha or after.has_alpha
    old, new = (_with_alpha(before), _with_alpha(after)) if alpha else (before.pixels, after.pixels)
    out = old.copy()
    rows, columns = np.nonzero(where.coverage)
    if rows.size:
        share = where.coverage[rows, columns].astype(np.float64)[:, None]
        out[rows, columns] = _mixed(old[rows, columns], new[rows, columns], share)
    return after.with_pixels(out)


def _with_alpha(picture: Picture) -> Pixels:
    if picture.has_alpha:
        return picture.pixels
    opaque = np.full(picture.pixels.shape[:2], np.iinfo(picture.pixels.dtype).max, picture.pixels.dtype)
    return np.dstack([picture.pixels, opaque])


def _mixed(old: Pixels, new: Pixels, share: NDArray[np.float64]) -> Pixels:
    """N×C pixels mixed by N×1 shares of `new`; exact at shares 0 and 1."""
    mixed = old * (1.0 - share) + new * share
    if old.shape[1] == 4:
        weight_old, weight_new = old[:, 3:] * (1.0 - share), new[:, 3:] * share
        total = weight_old + weight_new
        weighted = old[:, :3] * weight_old + new[:, :3] * weight_new
        mixed[:, :3] = np.where(total > 0, weighted / np.where(total > 0, total, 1.0), mixed[:, :3])
    out: Any = np.where(share >= 1.0, new, np.rint(mixed)).astype(old.dtype)
    result: Pixels = out
    return result
