"""Undoing "over": recovering the ground behind a semi-transparent plate or semi-transparent letters.

A layer of colour T and opacity a turns the ground B into J = (1 − a)·B + a·T (Porter and Duff, "Compositing Digital
Images", SIGGRAPH 1984). Along the layer's border B is seen on one side and J on the other, so a and T follow from the
statistics of both sides, and B from J. Colours are H×W×3 float32 on 0…255, masks H×W bool. Nothing is mutated.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.imaging.ground import Bits, Floats, distance_to
from gesso.imaging.strokes import Line

MIN_SHOWS = 0.2
"""The part 1 − a of the ground that must show through. Below, 8-bit steps grow to more than 5 and filling is better."""
MAX_SHOWS = 0.92
MIN_AGREEMENT = 0.45
"""Correlation of the colours on the two sides of the border; less means that the sides do not show one ground."""
MIN_VARIANCE = 9.0
"""Variance of the ground along the border. Flat ground says nothing about a, and is filled exactly anyway."""
MIN_PAIRS = 48
MAX_STEP, SIDE_STEP = 3.0, 6.0
"""Mean difference across the whole border, and across one side, that may remain: this over what shows, on 0…255."""
EDGE_STEP = 7.0
"""Mean step across a plate's border from which it is one."""
MIN_SIDE_PX = 10
RIVALS = 3
EDGE_SHARPNESS = 3.0
"""That step over its standard error along the border; texture and letters stay below."""
FAR_HEIGHTS, NEAR_HEIGHTS, SIDE_HEIGHTS = 0.9, 0.15, 1.5
"""Where a plate's border is looked for: outside and inside of the line's frame, and beyond its ends, in text heights."""
UPRIGHT_ANGLE = 0.06
"""Lines that the detector sees less tilted than this, in radians, are taken as level."""
LETTER_CORE_PX = 1.5
LETTER_OUT_PX = 2.0


@dataclass(frozen=True)
class Layer:
    """A semi-transparent layer: the part of the ground that shows through, its colour (3 on 0…255), how sure: 0…1."""

    shows: float
    colour: NDArray[np.float64]
    agreement: float

    def over(self, colours: Floats) -> Floats:
        """`colours` seen through the layer."""
        share = np.float32(self.shows)
        out: Floats = colours * share + (1 - share) * self.colour.astype(np.float32)
        return out

    def undone(self, colours: Floats) -> Floats:
        """The ground behind, clipped to 0…255."""
        share = np.float32(self.shows)
        out: Floats = np.clip((colours - (1 - share) * self.colour.astype(np.float32)) / share, 0.0, 255.0)
        return out


@dataclass(frozen=True, eq=False)
class Plate:
    """A caption plate: its pixels, the rim to fill because it is blurred, and its layer, None when it is opaque."""

    mask: Bits
    rim: Bits
    layer: Layer | None


def layer_between(outside: NDArray[np.float64], inside: NDArray[np.float64]) -> Layer | None:
    """The layer that turns colours `outside` (N×3) into `inside`, pixel pairs from both sides of a border; None if none.

    The slope is the ratio of the standard deviations, not the regression's: the pairs lie some pixels apart, so both
    sides are equally noisy pictures of one ground, and regression would see too opaque a layer.
    """
    if len(outside) < MIN_PAIRS:
        return None
    spread_out, spread_in = outside.var(axis=0), inside.var(axis=0)
    if float(spread_out.mean()) < MIN_VARIANCE:
        return None
    joint = ((outside - outside.mean(axis=0)) * (inside - inside.mean(axis=0))).mean(axis=0)
    agreement = float(joint.sum() / max(1e-6, math.sqrt(float(spread_out.sum() * spread_in.sum()))))
    shows = math.sqrt(float(spread_in.sum() / spread_out.sum()))
    if agreement < MIN_AGREEMENT or not MIN_SHOWS <= shows <= MAX_SHOWS:
        return None
    colour = (inside.mean(axis=0) - shows * outside.mean(axis=0)) / (1.0 - shows)
    if (colour < -25).any() or (colour > 280).any():
        return None
    layer = Layer(shows, np.clip(colour, 0.0, 255.0), agreement)
    left = np.abs(layer.undone(inside.astype(np.float32)).mean(axis=0) - outside.mean(axis=0)).max()
    return layer if left <= MAX_STEP / shows else None


def find_plate(colours: Floats, corners: NDArray[np.float64], height: float) -> Plate | None:
    """The plate under the frame `corners` (4×2, clockwise) of text of this height, or None."""
    size, turn = _frame(corners)
    margin = math.ceil(SIDE_HEIGHTS * height) + 6
    shape = (math.ceil(size[0]) + 2 * margin, math.ceil(size[1]) + 2 * margin)
    turn[:, 2] += margin
    is_upright = bool(turn[0, 1] == 0.0)
    flags = cv2.INTER_NEAREST if is_upright else cv2.INTER_LINEAR
    patch = cv2.warpAffine(colours, turn, shape, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(-1, -1, -1))
    known = patch[:, :, 0] >= 0
    far, near, side = (round(part * height) for part in (FAR_HEIGHTS, NEAR_HEIGHTS, SIDE_HEIGHTS))
    x0, y0, x1, y1 = (margin, margin, shape[0] - margin, shape[1] - margin)
    tops = _borders(patch, known, (x0, x1), range(y0 - far, y0 + near + 1))
    bottoms = _borders(patch, known, (x0, x1), range(y1 - near, y1 + far + 1))
    turned, seen = patch.transpose(1, 0, 2), known.T
    best: tuple[float, tuple[int, int, int, int], Layer | None] | None = None
    for top, bottom in itertools.product(tops, bottoms):
        lefts = _borders(turned, seen, (top, bottom), range(x0 - side, x0 + near + 1))
        rights = _borders(turned, seen, (top, bottom), range(x1 - near, x1 + side + 1))
        for left, right in itertools.product(lefts, rights):
            box = (left, top, right, bottom)
            found = _judged(patch, known, box, 0 if is_upright else 2)
            if found is not None and (best is None or found[0] > best[0]):
                best = (found[0], box, found[1])
    return None if best is None else _placed(best[1], best[2], turn, (colours.shape[0], colours.shape[1]), is_upright)


def letters_layer(colours: Floats, ink: Bits, line: Line) -> tuple[Bits, Layer] | None:
    """(pixels inside the strokes, their layer) of semi-transparent letters; None for opaque or too thin ones."""
    depth = cv2.distanceTransform(ink.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    core = (depth > LETTER_CORE_PX) & ink
    away = distance_to(ink)
    outside = (away > LETTER_OUT_PX) & (away < LETTER_OUT_PX + 3) & (line.zone | line.ring)
    if np.count_nonzero(core) < MIN_PAIRS or np.count_nonzero(outside) < MIN_PAIRS:
        return None
    _, nearest = cv2.distanceTransformWithLabels(
        (~outside).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(outside)
    order = np.zeros(int(nearest.max()) + 1, np.int64)
    order[nearest[rows, columns]] = np.arange(len(rows))
    index = order[nearest[core]]
    found = layer_between(colours[rows[index], columns[index]].astype(np.float64), colours[core].astype(np.float64))
    return None if found is None else (core, found)


def _frame(corners: NDArray[np.float64]) -> tuple[tuple[float, float], NDArray[np.float64]]:
    """(width, height) of the frame, and the 2×3 motion that brings its first corner to the origin, upright."""
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    angle = math.atan2(float(along[1]), float(along[0]))
    if abs(angle) < UPRIGHT_ANGLE:
        low, high = np.rint(corners.min(axis=0)), np.rint(corners.max(axis=0))
        return (float(high[0] - low[0]), float(high[1] - low[1])), np.array([[1.0, 0.0, -low[0]], [0.0, 1.0, -low[1]]])
    width, height = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    turn[:, 2] = -turn[:, :2] @ corners[0]
    return (width, height), turn


def _borders(patch: Floats, known: Bits, span: tuple[int, int], rows: range) -> list[int]:
    """The rows before which the mean colour along `span` jumps coherently, strongest first, at most `RIVALS`.

    Feet and heads of letters jump as well, and so may the ground; which border is the plate's is decided by all four.
    """
    steps: dict[int, float] = {}
    for row in rows:
        if row < 2 or row + 2 > patch.shape[0]:
            continue
        seen = known[row - 2 : row + 2, span[0] : span[1]].all(axis=0)
        if seen.sum() < MIN_SIDE_PX:
            continue
        above = patch[row - 2 : row, span[0] : span[1]].mean(axis=0)[seen]
        below = patch[row : row + 2, span[0] : span[1]].mean(axis=0)[seen]
        step, error = _jump(below - above)
        if step >= EDGE_STEP and step >= EDGE_SHARPNESS * error:
            steps[row] = step
    peaks = [r for r, s in steps.items() if s >= max(steps.get(r - 1, 0.0), steps.get(r + 1, 0.0))]
    return sorted(peaks, key=lambda row: -steps[row])[:RIVALS]


def _jump(differences: Floats) -> tuple[float, float]:
    """(largest channel's mean step, its standard error; neighbours count as one in four independent samples)."""
    mean = differences.mean(axis=0)
    channel = int(np.abs(mean).argmax())
    error = float(differences[:, channel].std()) / math.sqrt(max(1.0, len(differences) / 4.0))
    return float(abs(mean[channel])), error


def _sides(
    patch: Floats, known: Bits, box: tuple[int, int, int, int], offset: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """For each side that can be seen: colours of the row `offset` px outside of the border and as far inside, N×3 each."""
    left, top, right, bottom = box
    out = []
    for plane, seen, (start, stop), outer, inner in (
        (patch, known, (left, right), top - 1 - offset, top + offset),
        (patch, known, (left, right), bottom + offset, bottom - 1 - offset),
        (patch.transpose(1, 0, 2), known.T, (top, bottom), left - 1 - offset, left + offset),
        (patch.transpose(1, 0, 2), known.T, (top, bottom), right + offset, right - 1 - offset),
    ):
        if min(outer, inner) < 0 or max(outer, inner) >= plane.shape[0]:
            continue
        good = seen[outer, start:stop] & seen[inner, start:stop]
        if good.any():
            pair = (plane[row, start:stop][good].astype(np.float64) for row in (outer, inner))
            out.append((next(pair), next(pair)))
    return out


def _judged(
    patch: Floats, known: Bits, box: tuple[int, int, int, int], offset: int
) -> tuple[float, Layer | None] | None:
    """(how well the box explains its border, its layer or None if opaque); None when the box is no plate."""
    sides = _sides(patch, known, box, offset)
    if len(sides) < 4:
        return None
    moves = [(inside - outside).mean(axis=0) for outside, inside in sides]
    outside, inside = (np.concatenate([side[k] for side in sides]) for k in (0, 1))
    layer = layer_between(outside, inside)
    if layer is not None:
        left = [np.abs(layer.undone(i.astype(np.float32)).mean(axis=0) - o.mean(axis=0)).max() for o, i in sides]
        return None if max(left) > SIDE_STEP / layer.shows else (layer.agreement, layer)
    if not _is_uniform([i for _, i in sides]):
        return None
    weakest = min(float(np.abs(move).max()) for move in moves)
    return (min(1.0, weakest / 100.0), None) if weakest >= EDGE_STEP else None


def _placed(
    box: tuple[int, int, int, int], layer: Layer | None, turn: NDArray[np.float64], shape: tuple[int, int], exact: bool
) -> Plate:
    """The box of the upright patch as a plate of the crop."""
    left, top, right, bottom = box
    frame = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    back = cv2.invertAffineTransform(turn)
    points = frame @ back[:, :2].T + back[:, 2]
    filled = np.zeros(shape, np.uint8)
    if exact:
        (x0, y0), _, (x1, y1), _ = (np.maximum(np.rint(point), 0).astype(int) for point in points)
        filled[y0:y1, x0:x1] = 1
        return Plate(filled.view(bool), np.zeros(shape, bool), layer)
    # Pixel centres lie on whole numbers for cv2.warpAffine, so a border before row r lies at r − 0.5.
    cv2.fillConvexPoly(filled, np.rint((points - 0.5) * 16).astype(np.int32), 1, shift=4)
    mask = filled.view(bool)
    return Plate(mask, (distance_to(mask) <= 1.5) & (distance_to(~mask) <= 1.5), layer)


def _is_uniform(insides: list[NDArray[np.float64]]) -> bool:
    """Whether the colours just inside the border are one flat colour, as of an opaque plate."""
    return bool(np.concatenate(insides).std(axis=0).max() < 6.0)
