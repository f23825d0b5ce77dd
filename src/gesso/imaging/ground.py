"""The ground around a piece of text: what continues it smoothly, how rough it is, and of which kind.

All arrays belong to one crop: colours H×W×3 float32 on 0…255, masks H×W bool. Nothing is mutated.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import Ground

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

SMOOTH_DETAIL = 4.5
"""A ground is smooth when 85 % of the ring strays less than this (0…255) from its own low frequencies."""
EDGE_SHARE = 3.5
"""A ground is structured when its strongest detail (97th percentile) exceeds the ordinary (60th) this many times …"""
EDGE_DETAIL = 16.0
"""… and is itself at least this strong: few sharp edges on calm ground. Otherwise it is texture."""
DETAIL_SIGMA_PX = 2.5
FEW_PIXELS = 24
LEVELS_MAX = 9


@dataclass(frozen=True)
class RingStats:
    """What the ring says: the kind of ground, its noise (robust standard deviation), its ordinary and strongest detail."""

    ground: Ground
    noise: float
    ordinary: float
    strongest: float


def polygon_mask(corners: NDArray[np.float64], shape: tuple[int, int]) -> Bits:
    """H×W bool: pixels of the convex polygon `corners` (N×2, x and y), to 1/16 px."""
    out = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(out, np.rint((corners - 0.5) * 16).astype(np.int32), 1, shift=4)
    return out.view(bool)


def distance_to(mask: Bits) -> Floats:
    """Distance of every pixel to the nearest one of `mask`, 0 inside; very large everywhere if the mask is empty."""
    out: Floats = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return out


def smooth_guess(colours: Floats, known: Bits) -> Floats:
    """H×W×3: the known pixels kept, the others continued smoothly from them (pull-push over a pyramid).

    Source: Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4. With no known pixel at all the result is 0.
    """
    weight = known.astype(np.float32)
    stack = [(colours * weight[:, :, None], weight)]
    while min(stack[-1][1].shape) > 2 and len(stack) < LEVELS_MAX:
        colour, weight = (cv2.pyrDown(plane) for plane in stack[-1])
        top = np.minimum(weight * 4.0, 1.0) / np.maximum(weight, 1e-6)
        stack.append((colour * top[:, :, None], weight * top))
    colour, weight = stack.pop()
    guess: Floats = (colour / np.maximum(weight, 1e-6)[:, :, None]).astype(np.float32)
    while stack:
        colour, weight = stack.pop()
        size = (weight.shape[1], weight.shape[0])
        wide = cv2.pyrUp(guess, dstsize=size) if 2 * guess.shape[0] - size[1] in (0, 1) else cv2.resize(guess, size)
        guess = colour + wide * (np.float32(1.0) - weight)[:, :, None]
    return guess


def ring_stats(colours: Floats, ring: Bits) -> RingStats:
    """What kind of ground the pixels of `ring` are. Pixels outside the ring are not looked at."""
    if np.count_nonzero(ring) < FEW_PIXELS:
        return RingStats("smooth", 1.0, 0.0, 0.0)
    detail = detail_of(colours, ring)
    ordinary, common, strongest = (float(v) for v in np.percentile(detail[ring], (60, 85, 97)))
    noise = 1.4826 * float(np.median(detail[ring]))
    if common < SMOOTH_DETAIL and strongest < EDGE_DETAIL:
        kind: Ground = "smooth"
    elif strongest > EDGE_DETAIL and strongest > EDGE_SHARE * max(ordinary, 1.0):
        kind = "structure"
    else:
        kind = "texture"
    return RingStats(kind, noise, ordinary, strongest)


def detail_of(colours: Floats, known: Bits) -> Floats:
    """H×W: largest channel's distance from the low frequencies, computed from known pixels alone; 0 elsewhere."""
    weight = known.astype(np.float32)
    blurred = cv2.GaussianBlur(colours * weight[:, :, None], (0, 0), DETAIL_SIGMA_PX)
    total = cv2.GaussianBlur(weight, (0, 0), DETAIL_SIGMA_PX)
    low = blurred / np.maximum(total, 1e-3)[:, :, None]
    out: Floats = np.abs(colours - low).max(axis=2) * weight
    return out
