"""Stroke-level masks: which pixels inside a line's polygon are ink, outline or shadow, and which are ground.

Two independent readings of the same pixels, joined by how smooth the ground is:

* *departure*: on smooth ground, anything that departs from the smooth continuation of the ring, however faintly;
* *colour excess*: on any ground, colours that are more frequent inside the polygon than in the ring beside it (log
  ratio of smoothed RGB histograms) and that run through the line, whatever their polarity and however many they are.

Arrays are those of one crop: colours H×W×3 float32 on 0…255, masks H×W bool. Nothing is mutated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.imaging.ground import Bits, Floats, RingStats, distance_to, smooth_guess

BINS = 16
"""Histogram bins per channel; smoothed, so that gradients of colour leave no gaps."""
STRONG_EXCESS = math.log(4.0)
FAINT_EXCESS = math.log(2.2)
WEAK_EXCESS = math.log(1.6)
"""Ink starts where a colour is 4 (if that finds nothing: 2.2) times as frequent as in the ring, and spreads to neighbours
with 1.6 times."""
STRONG_DEPARTURE = 8.0
WEAK_DEPARTURE = 4.0
"""The same for departures from smooth ground, on 0…255; never below 6 and 3 times the ring's noise."""
MIN_SHARE, MAX_SHARE = 0.03, 0.70
"""Ink covers this part of a line's polygon; another finding is not trusted. Outlined letters reach 0.65."""
SPREAD = (0.2, 0.5)
"""A colour in excess along less than the first part of the line is not ink, from the second on it counts in full."""
MIN_REACH = 0.6
"""Ink that is found along less than this part of the line is not trusted."""
BULK_HEIGHTS, BULK_SHARE = 0.3, 0.25
"""Parts with a larger inscribed radius, in text heights, are no strokes; a finding with such a share of them is wrong."""
HALO_HEIGHTS = 0.12
HALO_STRETCH_HEIGHTS = 3.0
HALO_GROUND = 3
"""The ground a halo is compared with reaches this many times as far as the widest halo."""
HALO_SHARE = 60.0
HALO_STEP = 6.0
"""Mean colours that differ by less, on 0…255, are the same ground."""
STRETCH_HEIGHTS = 1.2
COLOUR_WINDOW = (0.25, 0.5, 0.25)
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
    share = 0.0
    for strong, weak in _hypotheses(colours, line):
        found = _spread(strong, weak, line)
        share = float(found[line.inside].mean()) if line.inside.any() else 0.0
        reliability = _trust(found, line) * _reach(found, line)
        if reliability > 0 and not _is_bulky(found, line):
            return Ink(_bridged(found, line), "strokes", reliability)
    return Ink(line.zone, "polygon", 0.0, f"strokes cannot be told from the ground ({share:.0%} of the polygon)")


def _hypotheses(colours: Floats, line: Line) -> Iterator[tuple[Bits, Bits]]:
    """(surely ink, maybe ink): by colours in excess over the whole line, then stretch by stretch.

    The whole line comes first, because it has the most pixels to count. Faint ink on a ground that changes along the line
    needs the second: first with colours that run through the line, then with any.
    """
    whole, _ = colour_excess(colours, line, math.inf)
    yield whole > STRONG_EXCESS, whole > WEAK_EXCESS
    yield whole > FAINT_EXCESS, whole > WEAK_EXCESS
    local, spread = colour_excess(colours, line, STRETCH_HEIGHTS)
    through = np.maximum(whole, local * _ramp(spread, *SPREAD))
    yield through > STRONG_EXCESS, through > WEAK_EXCESS
    yield local > STRONG_EXCESS, local > WEAK_EXCESS


def _is_bulky(found: Bits, line: Line) -> bool:
    """Whether much of it is thicker than any stroke: things behind the line that share the ink's colours."""
    radius = max(5.0, BULK_HEIGHTS * line.height)
    thick = cv2.distanceTransform(found.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > radius
    if not thick.any():
        return False
    bulk = found & (distance_to(thick) <= radius)
    return bool(bulk.sum() > BULK_SHARE * found.sum())


def halo_px(colours: Floats, ink: Bits, line: Line) -> float:
    """How far beyond `ink` the picture still shows it: rims, glows and shadows, in px, at most `HALO_HEIGHTS` heights.

    Shell after shell around the ink, the mean colour is compared with that of the ground farther out beside the same
    stretch of line. A halo ends at the first shell that differs by no more than `HALO_STEP`. That of most stretches counts.
    """
    most = max(2, round(HALO_HEIGHTS * line.height))
    away = distance_to(ink)
    shells = np.minimum(np.ceil(away), most + 1).astype(np.int64)
    seen = (line.zone | line.ring) & (away > 0) & (away <= HALO_GROUND * most)
    stretch, count = _stretches(line, HALO_STRETCH_HEIGHTS)
    index = stretch[seen] * (most + 2) + shells[seen]
    size = count * (most + 2)
    pixels = np.bincount(index, minlength=size).reshape(count, -1)
    sums = np.stack([np.bincount(index, colours[..., c][seen], size).reshape(count, -1) for c in range(3)], 2)
    means = sums / np.maximum(pixels, 1)[:, :, None]
    found = []
    for at in range(count):
        if pixels[at, most + 1] < 16 or pixels[at, 1] < 16:
            continue
        steps = np.abs(means[at, 1 : most + 1] - means[at, most + 1]).max(axis=1)
        clear = np.flatnonzero(steps <= max(HALO_STEP, 1.5 * float(steps[-1])))
        found.append(float(clear[0]) if clear.size else float(most))
    return float(np.percentile(found, HALO_SHARE)) if found else 0.0


def colour_excess(colours: Floats, line: Line, stretch_heights: float) -> tuple[Floats, Floats]:
    """Two H×W planes about each pixel's colour: its local excess inside the line, and its spread along the line.

    Stretches are `stretch_heights` text heights long. Excess: log of how much more frequent the colour is inside the
    polygon than in the ring beside the same stretch. Spread: the part of all stretches in which it is in excess, 0…1. Ink
    runs through the whole line; a thing behind the line that the ring does not show does not.
    """
    shape = line.inside.shape
    if not line.inside.any() or not line.ring.any():
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    index = np.minimum(colours * np.float32(BINS / 256.0), BINS - 1).astype(np.int32)
    flat = (index[:, :, 0] * BINS + index[:, :, 1]) * BINS + index[:, :, 2]
    stretch, count = _stretches(line, stretch_heights)
    within = _histograms(flat[line.inside], stretch[line.inside], count, (0.25, 0.5, 0.25))
    around = _histograms(flat[line.ring], stretch[line.ring], count, (0.33, 0.34, 0.33))
    floor = 0.3 / np.maximum(np.minimum(within.sum(axis=0), around.sum(axis=0)), 1.0) + 2e-4
    within, around = (cube / np.maximum(cube.sum(axis=0), 1.0) for cube in (within, around))
    excess = np.log((within + floor) / (around + floor)).astype(np.float32)
    spread = (excess > WEAK_EXCESS).mean(axis=1).astype(np.float32)
    local: Floats = cv2.GaussianBlur(excess[flat, stretch], (0, 0), 0.6)
    return local, spread[flat]


def _stretches(line: Line, heights: float = STRETCH_HEIGHTS) -> tuple[NDArray[np.int32], int]:
    """For every pixel the number of the stretch of line it lies beside, and how many stretches there are."""
    axis, length = _axis(line)
    count = max(1, round(length / (heights * line.height)))
    rows, columns = np.indices(line.inside.shape, np.float32)
    along = ((columns - line.corners[0][0]) * axis[0] + (rows - line.corners[0][1]) * axis[1]) / max(length, 1.0)
    return np.clip((along * (count / max(length, 1.0))).astype(np.int32), 0, count - 1), count


def _axis(line: Line) -> tuple[NDArray[np.float64], float]:
    """The line's direction (not normalised) and its length: the longer of its two sides."""
    top, left = line.corners[1] - line.corners[0], line.corners[3] - line.corners[0]
    axis = left if np.linalg.norm(left) > np.linalg.norm(top) else top
    return axis, float(np.linalg.norm(axis))


def _histograms(
    index: NDArray[np.int32], stretch: NDArray[np.int32], count: int, window: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Colour bins × stretches: counts, smoothed over neighbouring colours and stretches."""
    flat = np.bincount(index * count + stretch, minlength=BINS**3 * count).astype(np.float64)
    cube = flat.reshape(BINS, BINS, BINS, count)
    for axis, (low, middle, high) in ((0, COLOUR_WINDOW), (1, COLOUR_WINDOW), (2, COLOUR_WINDOW), (3, window)):
        size = cube.shape[axis]
        padded = np.pad(cube, [(1, 1) if a == axis else (0, 0) for a in range(4)], "edge" if axis == 3 else "constant")
        parts = [padded.take(range(k, size + k), axis) for k in range(3)]
        cube = low * parts[0] + middle * parts[1] + high * parts[2]
    return cube.reshape(BINS**3, count)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    out: Floats = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return out


def _reach(found: Bits, line: Line) -> float:
    """1 when nearly all stretches of the line hold ink, 0 when fewer than `MIN_REACH` do."""
    stretch, count = _stretches(line)
    inked = np.bincount(stretch[found & line.inside], minlength=count) > 0.03 * np.bincount(
        stretch[line.inside], minlength=count
    )
    return 1.0 if count < 3 else float(np.clip((inked.mean() - MIN_REACH) / (0.9 - MIN_REACH), 0.0, 1.0))


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
    axis, length = _axis(line)
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
