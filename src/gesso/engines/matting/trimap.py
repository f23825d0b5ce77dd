"""From a coarse mask to what is certain and what matting has to decide."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.mask import Plane
from gesso.imaging.morphology import Bits, grown, opened, shrunk, touching

Array = NDArray[np.float32]

BAND_SHARE = 0.010
"""Half-width of the unknown band along the outline, as a share of the subject's shorter side (research §6: about 1 %)."""
REACH_SHARE = 0.09
"""On plain ground, how far from the outline hair and gaps between hairs are looked for, as a share of that side."""
STRAND_SHARE = 0.02
"""Half-width up to which a part of the subject counts as a strand rather than as body, as a share of that side."""
BODY_STRENGTH = 0.75
"""A pixel near the outline that differs from the ground by less than this share of what the inside does may be a blend."""
PLAIN_NOISE = 4.0
"""Lab units of scatter up to which the ground near the outline counts as plain."""
UNKNOWN = 0.5


def trimap_of(lab: Array, coarse: Plane) -> NDArray[np.float64]:
    """H×W float64: 1 surely subject, 0 surely background, 0.5 to be decided. `lab` H×W×3, `coarse` H×W coverage.

    A band about the outline is unknown, twice as wide inside. Where the ground near it is plain, everything outside that
    differs from it and is connected, and everything inside that is too thin or too much like it (lit or in shadow) to be
    the subject's body, is unknown as well. A coarse mask without border gives no unknowns.
    """
    core = coarse > 0.5
    side = _short_side(core)
    band = max(2, round(BAND_SHARE * side))
    outer, inner = grown(core, band), shrunk(core, 2 * band)
    soft = (coarse > 0.02) & (coarse < 0.98)
    unknown = (outer & ~inner) | grown(soft, 1)
    reach = max(band + 2, round(REACH_SHARE * side))
    delta = _off_ground(lab, ~grown(core, band + 1), reach)
    if delta is not None:
        lit = np.sqrt((delta**2).sum(axis=2))
        strands = (lit > 1.0) & grown(core, reach) & ~outer
        unknown |= grown(touching(strands | unknown, unknown) & strands, 2)
        strength = _off_shadow(delta)
        typical = _typical(strength, shrunk(core, 4 * band), reach)
        solid = core & (strength > np.maximum(1.0, BODY_STRENGTH * typical))
        body = opened(solid, max(1, round(STRAND_SHARE * side)))
        loose = core & grown(~core, reach) & ~shrunk(body, band)
        unknown |= touching(loose | unknown, unknown) & loose
    trimap = np.where(core, 1.0, 0.0)
    trimap[unknown] = UNKNOWN
    return trimap


def _off_ground(lab: Array, ground: Bits, reach: int) -> Array | None:
    """H×W×3 difference from the local ground colour, length 1 = the most that noise explains; None on busy ground."""
    weight = ground.astype(np.float32)
    near = ground & grown(~ground, reach)
    if near.sum() < 32:
        return None
    sigma = max(3.0, reach / 1.5)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma)
    field = cv2.GaussianBlur(lab * weight[:, :, None], (0, 0), sigma) / np.maximum(mass, 1e-4)[:, :, None]
    delta: Array = cv2.GaussianBlur(lab, (0, 0), 0.7) - field
    noise = 1.4826 * float(np.median(np.sqrt((delta**2).sum(axis=2))[near]))
    if noise > PLAIN_NOISE:
        return None
    delta /= np.float32(4.0 * max(noise, 0.7))
    delta[mass < 1e-3] = 2.0
    return delta


def _off_shadow(delta: Array) -> Array:
    """Length of `delta` with darkening counted a quarter: what a cast shadow leaves of the ground is not yet subject."""
    light = np.where(delta[:, :, 0] < 0.0, 0.25 * delta[:, :, 0], delta[:, :, 0])
    length: Array = np.sqrt(light**2 + delta[:, :, 1] ** 2 + delta[:, :, 2] ** 2)
    return length


def _typical(strength: Array, deep: Bits, reach: int) -> Array:
    """`strength` averaged over the deep inside near each pixel: what undiluted subject shows there; 0 where none is near."""
    weight = deep.astype(np.float32)
    mass = cv2.GaussianBlur(weight, (0, 0), reach)
    mean: Array = cv2.GaussianBlur(strength * weight, (0, 0), reach) / np.maximum(mass, 1e-3)
    return mean


def _short_side(core: Bits) -> int:
    rows, columns = np.flatnonzero(core.any(axis=1)), np.flatnonzero(core.any(axis=0))
    if rows.size == 0:
        return 1
    return int(min(rows[-1] - rows[0], columns[-1] - columns[0])) + 1
