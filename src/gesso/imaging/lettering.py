"""Geometry of found lines of text: which belong together, where their ground is, how far their masks grow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import Corners
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Plane
from gesso.imaging.ground import Bits, Floats, distance_to, polygon_mask
from gesso.imaging.strokes import Line

MARGIN_HEIGHTS = 1.4
MIN_MARGIN_PX = 20
"""A crop shows this much around its lines: room for the ring and for patches to copy from."""
RING_FROM, RING_TO = 0.12, 0.75
"""The ring begins and ends at these distances from the zone's border, in text heights."""
NEAR_HEIGHTS = 1.0
"""Lines nearer than this are worked on together: they would see each other's letters as ground."""
GROW_SURE, GROW_UNSURE = 0.18, 0.30
"""Growth of a line's polygon, in text heights, from a confidence of 0.8 on and below (research/techniques.md §7.2)."""
ANTIALIASED_PX = 1.0
"""Rims of glyphs are mixed with the ground: half a pixel each side, one after resampling or compression."""
RETRY_GROWTH = 0.06
"""Each retry grows strokes by this many text heights more: shadows and glows that the first mask missed."""


@dataclass(frozen=True)
class Spot:
    """A line as the detector gave it, in pixels of the picture."""

    corners: Corners
    confidence: float

    @property
    def points(self) -> NDArray[np.float64]:
        """4×2 corners."""
        return np.array(self.corners, np.float64)

    @property
    def height(self) -> float:
        """Height of the text: the shorter side, at least 4 px."""
        top, right, bottom, left = (np.linalg.norm(np.roll(self.points, -1, 0) - self.points, axis=1)).tolist()
        return max(4.0, min(float(top + bottom) / 2, float(right + left) / 2))

    def box(self, margin: float, width: int, height: int) -> Box:
        """The upright box around it, `margin` px wider on every side, inside a width×height picture."""
        low, high = self.points.min(axis=0) - margin, self.points.max(axis=0) + margin
        x0, y0 = min(max(0, math.floor(low[0])), width - 1), min(max(0, math.floor(low[1])), height - 1)
        x1, y1 = max(x0 + 1, min(width, math.ceil(high[0]))), max(y0 + 1, min(height, math.ceil(high[1])))
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)


@dataclass(frozen=True)
class Group:
    """Lines that are worked on together: their indices, and the crop that shows them and enough of their ground."""

    members: tuple[int, ...]
    box: Box


def groups_of(spots: tuple[Spot, ...], width: int, height: int) -> tuple[Group, ...]:
    """Every spot in exactly one group; spots nearer than `NEAR_HEIGHTS` share one."""
    reach = [spot.box(NEAR_HEIGHTS * spot.height, width, height) for spot in spots]
    owner = list(range(len(spots)))
    for i in range(len(spots)):
        for j in range(i):
            a, b = reach[i], reach[j]
            if a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1 and owner[i] != owner[j]:
                old, new = owner[i], owner[j]
                owner = [new if o == old else o for o in owner]
    out = []
    for root in dict.fromkeys(owner):
        members = tuple(i for i, o in enumerate(owner) if o == root)
        boxes = [spots[i].box(max(MIN_MARGIN_PX, MARGIN_HEIGHTS * spots[i].height), width, height) for i in members]
        out.append(Group(members, united(boxes)))
    return tuple(out)


def united(boxes: list[Box]) -> Box:
    """The smallest box around all."""
    return Box(
        x0=min(b.x0 for b in boxes),
        y0=min(b.y0 for b in boxes),
        x1=max(b.x1 for b in boxes),
        y1=max(b.y1 for b in boxes),
    )


def united_frame(spots: tuple[Spot, ...]) -> NDArray[np.float64]:
    """4×2 corners of the smallest upright frame around all lines, clockwise from its top left."""
    points = np.concatenate([spot.points for spot in spots])
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def line_in(box: Box, spot: Spot, others: tuple[Spot, ...], dilate: float) -> Line:
    """`spot` in the crop `box`: its polygon, the zone ink may be in, and the ring of ground without `others`' letters."""
    shape = (box.height, box.width)
    corner = np.array([box.x0, box.y0], np.float64)
    inside = polygon_mask(spot.points - corner, shape)
    away = distance_to(inside)
    grow = dilate * spot.height * (GROW_SURE if spot.confidence >= 0.8 else GROW_UNSURE)
    ring = (away > grow + max(2.0, RING_FROM * spot.height)) & (away <= grow + max(8.0, RING_TO * spot.height))
    for other in others:
        ring &= ~polygon_mask(_widened(other.points, GROW_SURE * other.height) - corner, shape)
    return Line(spot.points - corner, spot.height, inside, away <= grow, ring)


def grown_px(halo: float, line: Line, attempt: int, dilate: float, *, is_smooth: bool) -> float:
    """How far beyond the found ink the replacement reaches: its halo or at least a rim, and more with every retry.

    On smooth ground a wider rim costs nothing and catches faint glows.
    """
    base = max(halo, ANTIALIASED_PX + (0.04 * line.height if is_smooth else 0.0))
    return base * dilate + attempt * max(1.0, RETRY_GROWTH * line.height)


def coverage_of(ink: Bits, grow_px: float, feather_px: float) -> Plane:
    """1 within `grow_px` of the ink, then down to 0 over `feather_px`: the soft rim lies outside, on ground."""
    away: Floats = distance_to(ink)
    ramp = np.clip((grow_px + feather_px + 1.0 - away) / (feather_px + 1.0), 0.0, 1.0)
    out: Plane = (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)
    return out


def _widened(points: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """A rectangle's corners moved outwards by `by` px along both of its sides."""
    middle = points.mean(axis=0)
    (width, height), angle = cv2.minAreaRect(points.astype(np.float32))[1:]
    box = cv2.boxPoints(((float(middle[0]), float(middle[1])), (width + 2 * by, height + 2 * by), angle))
    return np.asarray(box, np.float64)
