"""The hard rule of local edits: outside the mask nothing changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture


def changed_outside(after: Picture, before: Picture, mask: Mask) -> int:
    """How many pixels with coverage 0 differ between two pictures of one size, in colour or in alpha.

    Exact, without tolerance. An absent alpha counts as opaque, 8 bits are compared with 16 at 257 per step.
    """
    changed = _differs(after, before)
    return int(np.count_nonzero(changed & ~mask.touched))


def _differs(first: Picture, second: Picture) -> NDArray[np.bool_]:
    one, two = first.pixels, second.pixels
    if one.dtype != two.dtype:
        one, two = _as_16_bit(first), _as_16_bit(second)
    changed: NDArray[np.bool_] = (one[:, :, 0] != two[:, :, 0]) | (one[:, :, 1] != two[:, :, 1])
    changed |= one[:, :, 2] != two[:, :, 2]
    if first.has_alpha or second.has_alpha:
        opaque = np.iinfo(one.dtype).max
        changed |= (one[:, :, 3] if first.has_alpha else opaque) != (two[:, :, 3] if second.has_alpha else opaque)
    return changed


def _as_16_bit(picture: Picture) -> NDArray[np.uint16]:
    wide = picture.pixels.astype(np.uint16)
    return wide if picture.bit_depth == 16 else wide * np.uint16(257)


def _measure(evidence: Evidence) -> Measurement | None:
    after, before, mask = evidence.after, evidence.before, evidence.mask
    if before is None or mask is None or not after.size == before.size == (mask.width, mask.height):
        return None
    count = changed_outside(after, before, mask)
    where = after.width * after.height - int(np.count_nonzero(mask.touched))
    return Measurement(float(count), f"{count} of {where} pixels outside the mask changed")


OUTSIDE_MASK = Gate(
    id="outside_mask",
    title="Changed outside the mask",
    summary="Pixels that the mask does not cover and that changed all the same; a local edit must leave none.",
    unit="px",
    better="lower",
    limit=0.0,
    measure=_measure,
    requires=("before", "mask"),
)
