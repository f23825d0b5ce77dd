"""Stroke-level masks: which pixels inside a line's polygon are ink, outline or shadow, and which are ground.

Two independent readings of the same pixels, joined by how smooth the ground is:

* *departure*: on smooth ground, anything that departs from the smooth continuation of the ring, however faintly;
* *colour excess*: on any ground, colours that are more frequent inside the polygon than in the ring around it
  (log ratio of two smoothed RGB histograms), whatever their polarity and however many they are.

Arrays are those of one crop: colours H×W×3 float32 on 0…255, masks H×W bool. Nothing is mutated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.imaging.ground import Bits, Floats, RingStats, distance_to, smooth_guess

BINS = 16
"""Histogram bins per channel; smoothed, so that gradients of colour leave no gaps."""
STRONG_EXCESS = math.log(4.0)
WEAK_EXCESS = math.log(1.6)
"""Ink starts where a colour is 4 times as frequent as in the ring and spreads to neighbours with 1.6 times."""
STRONG_DEPARTURE = 14.0
WEAK_DEPARTURE = 4.0
"""The same for departures from smooth ground, on 0…255; never below 6 and 3 times the ring's noise."""
MIN_SHARE, MAX_SHARE = 0.03, 0.60
"""Ink covers this part of a line's polygon; another finding is not trusted (research/techniques.md §7.2)."""
MIN_INK_EXCESS = 0.04
"""Share of the polygon's pixels that the colours found must be in excess of the ring's."""
GAP_HEIGHTS = 1.6
"""A stretch of line this long (in text heights) without ink is not a space between words but missed ink."""

Kind = Literal["strokes", "polygon"]


@dataclass(frozen=True)
class Line:
    """One line of text in a crop: its corners (4×2, clockwise from its top left), height, and the masks drawn from them."""

    corners: NDArray[np.float64]
    height: float
    inside: Bits
    zone: Bits
    ring: Bits


@dataclass(frozen=True)
class Ink:
    """The pixels to replace, how they were found, and how sure that is: 0…1."""

    mask: Bits
    kind: Kind
    reliability: float
    reason: str = ""


def find_ink(colours: Floats, line: Line, stats: RingStats) -> Ink:
    """The ink of `line`; its whole zone where strokes cannot be told from the ground."""
    if stats.ground == "smooth":
        found = _departing(colours, line, stats.noise)
        reliability = _trust(found, line)
        if reliability > 0:
            return Ink(_bridged(found, line), "strokes", reliability)
    score = colour_excess(colours, line.inside, line.ring)
    found = _spread(score > STRONG_EXCESS, score > WEAK_EXCESS, line)
    reliability = _trust(found, line)
    surplus = float(found[line.inside].mean() - (score > WEAK_EXCESS)[line.ring].mean()) if line.ring.any() else 0.0
    if reliability > 0 and surplus >= MIN_INK_EXCESS:
        return Ink(_bridged(found, line), "strokes", reliability * min(1.0, surplus / 0.1))
    share = float(found[line.inside].mean()) if line.inside.any() else 0.0
    return Ink(line.zone, "polygon", 0.0, f"strokes cover {share:.0%} of the polygon, {surplus:.0%} above the ring")


def colour_excess(colours: Floats, inside: Bits, ring: Bits) -> Floats:
    """H×W: log of how much more frequent each pixel's colour is `inside` than in the `ring`; 0 where either is empty."""
    if not inside.any() or not ring.any():
        return np.zeros(inside.shape, np.float32)
    index = np.minimum(colours * np.float32(BINS / 256.0), BINS - 1).astype(np.int32)
    flat = (index[:, :, 0] * BINS + index[:, :, 1]) * BINS + index[:, :, 2]
    within, around = (_histogram(flat[part]) for part in (inside, ring))
    floor = 0.3 / min(int(inside.sum()), int(ring.sum())) + 2e-4
    score = np.log((within + floor) / (around + floor)).astype(np.float32)
    smooth: Floats = cv2.GaussianBlur(score[flat], (0, 0), 0.6)
    return smooth


def _histogram(index: NDArray[np.int32]) -> NDArray[np.float64]:
    cube = np.bincount(index, minlength=BINS**3).astype(np.float64).reshape(BINS, BINS, BINS)
    for axis in range(3):
        padded = np.pad(cube, [(1, 1) if a == axis else (0, 0) for a in range(3)])
        low, high = (np.take(padded, np.arange(k, BINS + k), axis) for k in (0, 2))
        cube = 0.5 * cube + 0.25 * (low + high)
    out: NDArray[np.float64] = cube.reshape(-1) / max(1.0, cube.sum())
    return out


def _departing(colours: Floats, line: Line, noise: float) -> Bits:
    guess = smooth_guess(colours, line.ring)
    away = np.abs(colours - guess).max(axis=2)
    strong = away > max(STRONG_DEPARTURE, 6.0 * noise)
    weak = away > max(WEAK_DEPARTURE, 3.0 * noise)
    return _spread(strong, weak, line)


def _spread(strong: Bits, weak: Bits, line: Line) -> Bits:
    """Weak pixels connected to strong ones of the polygon, within the zone and near the strong ones; specks dropped."""
    seeds = strong & line.inside
    if not seeds.any():
        return seeds
    near = distance_to(seeds) <= max(3.0, 0.15 * line.height)
    candidates = (weak & near & line.zone) | (strong & line.zone)
    count, labels, areas, _ = cv2.connectedComponentsWithStats(candidates.view(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[seeds])] = True
    keep &= areas[:, cv2.CC_STAT_AREA] >= max(3.0, 0.004 * line.height**2)
    keep[0] = False
    out: Bits = keep[labels]
    return out


def _trust(found: Bits, line: Line) -> float:
    """0 when the share of the polygon is not that of ink; else up to 1 for ordinary text."""
    share = float(found[line.inside].mean()) if line.inside.any() else 0.0
    if not MIN_SHARE <= share <= MAX_SHARE:
        return 0.0
    return min(1.0, (MAX_SHARE - share) / 0.15, share / 0.06)


def _bridged(found: Bits, line: Line) -> Bits:
    """`found`, with the whole polygon in stretches along the line where ink must have been missed."""
    axis = line.corners[1] - line.corners[0]
    side = line.corners[3] - line.corners[0]
    if np.linalg.norm(side) > np.linalg.norm(axis):
        axis = side
    length = float(np.linalg.norm(axis))
    if length < 2 * GAP_HEIGHTS * line.height:
        return found
    rows, columns = np.nonzero(line.inside)
    along = ((columns - line.corners[0][0]) * axis[0] + (rows - line.corners[0][1]) * axis[1]) / length
    inked = np.unique(np.rint(along[found[rows, columns]]))
    stops = np.concatenate([[0.0], inked[(inked > 0) & (inked < length)], [length]])
    gaps = np.flatnonzero(np.diff(stops) > GAP_HEIGHTS * line.height)
    if gaps.size == 0:
        return found
    out = found.copy()
    for gap in gaps:
        missed = (along > stops[gap]) & (along < stops[gap + 1])
        out[rows[missed], columns[missed]] = True
    return out
